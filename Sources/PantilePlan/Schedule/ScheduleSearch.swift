import PantileProblem

/// The moves of the search over schedules of whole tensors in any order, and the table of states that it visits.
///
/// A state is a down-set and, for each live tensor, whether it is on chip and whether it has a copy off chip. A departure is charged when
/// it happens: the write if there is no copy, and the read that must follow, since the tensor is alive. A move runs one op: operands that
/// are away return (prepaid), and when the op does not fit, an inclusion-minimal set of other tensors leaves.
///
/// After each move all *forced* ops run: ops that fit as things are, with operands on chip, whose results need no more room than the
/// smallest operand that dies and cost no more to move away than all of them. Running such an op later never pays: whoever holds the
/// operands can hold the result instead.
package final class ScheduleSearch {
  let index: ScheduleIndex
  let sets: DownSets
  let bytes: FlatBuffer<Int>
  private let memoryOf: FlatBuffer<Int>
  private let isBornCopied: FlatBuffer<Bool>
  private let isPinned: FlatBuffer<Bool>
  private let capacities: FlatBuffer<Int>
  private let memoryCount: Int
  private let words: Int
  private let inputLists: FlatLists
  private let outputLists: FlatLists
  private let consumerLists: FlatLists
  private let hasPairs: Bool
  /// Ops that must come after each op.
  private let reach: FlatBuffer<UInt64>
  private let bounds: [RelaxedEviction]
  /// Whether forced moves are taken; off only to check them.
  let usesForcedMoves: Bool

  /// What the comparison with other states of the same down-set needs, side by side in memory.
  private struct Entry: BitwiseCopyable {
    var cost: Int
    /// See `StateComparison.bytes`.
    var bytes: Int
    /// Which live tensors are away and which have a copy, by their places in the down-set's comparison.
    var standing: Standing
    /// The state before in the same down-set that is not dropped.
    var nextInSet: Int32
    var isDropped: Bool
  }

  // States, one entry each.
  private let entries: GrowingBuffer<Entry>
  let setOf: GrowingBuffer<Int32>
  let estimates: GrowingBuffer<Int>
  let parents: GrowingBuffer<Int32>
  let moves: GrowingBuffer<Int32>
  private let resident: GrowingBuffer<UInt64>
  private let copied: GrowingBuffer<UInt64>
  private let comparison: StateComparison
  /// The latest state of each down-set.
  private let lastOfSet: GrowingBuffer<Int32>

  // The child under construction.
  private let childResident: UnsafeMutablePointer<UInt64>
  private let childCopied: UnsafeMutablePointer<UInt64>
  private var childUsed: [Int]

  package init(
    _ index: ScheduleIndex, boundBudget: Int, usesForcedMoves: Bool = true
  ) {
    self.index = index
    self.usesForcedMoves = usesForcedMoves
    sets = DownSets(index)
    bytes = FlatBuffer(index.tensors.map(\.bytes))
    memoryOf = FlatBuffer(index.tensors.map(\.memory))
    isBornCopied = FlatBuffer(index.tensors.map(\.isBornCopied))
    isPinned = FlatBuffer(index.tensors.map(\.isPinned))
    capacities = FlatBuffer(index.capacities)
    memoryCount = index.capacities.count
    words = sets.tensorWords
    inputLists = FlatLists(index.ops.map(\.inputs))
    outputLists = FlatLists(index.ops.map(\.outputs))
    consumerLists = FlatLists(index.tensors.map(\.consumers))
    hasPairs = index.ops.contains { !$0.inPlace.isEmpty }
    let opWords = sets.opWords
    reach = FlatBuffer(repeating: 0, count: max(1, index.ops.count * opWords))
    for op in index.topologicalOrder.reversed() {
      let own = reach.buffer.baseAddress! + op * opWords
      for next in index.successors[op] {
        Bits.insert(own, next)
        let theirs = reach.buffer.baseAddress! + next * opWords
        for word in 0..<opWords { own[word] |= theirs[word] }
      }
    }
    let sets = sets
    bounds =
      boundBudget > 0
      ? index.capacities.indices.map { RelaxedEviction(sets, memory: $0, budget: boundBudget) } : []
    entries = GrowingBuffer(capacity: 1024)
    setOf = GrowingBuffer(capacity: 1024)
    estimates = GrowingBuffer(capacity: 1024)
    parents = GrowingBuffer(capacity: 1024)
    moves = GrowingBuffer(capacity: 1024)
    resident = GrowingBuffer(capacity: 1024 * words)
    copied = GrowingBuffer(capacity: 1024 * words)
    comparison = StateComparison(sets, reach: reach)
    lastOfSet = GrowingBuffer(capacity: 1024)
    childResident = .allocate(capacity: words)
    childCopied = .allocate(capacity: words)
    childResident.initialize(repeating: 0, count: words)
    childCopied.initialize(repeating: 0, count: words)
    childUsed = Array(repeating: 0, count: memoryCount)
  }

  deinit {
    reach.deallocate()
    inputLists.deallocate()
    outputLists.deallocate()
    consumerLists.deallocate()
    for buffer in [bytes, memoryOf, capacities] { buffer.deallocate() }
    isBornCopied.deallocate()
    isPinned.deallocate()
    for buffer in [setOf, parents, moves, lastOfSet] { buffer.deallocate() }
    entries.deallocate()
    estimates.deallocate()
    resident.deallocate()
    copied.deallocate()
    childResident.deallocate()
    childCopied.deallocate()
  }

  /// The smallest estimate of a state not all of whose children were looked at, for there were too many; no bound is above it.
  private(set) var truncatedEstimate = Int.max

  /// Children that were made, recorded or not: what the time goes into.
  private(set) var moveCount = 0

  var stateCount: Int { setOf.count }
  /// Ops that have run in a state.
  func depth(_ state: Int) -> Int { Bits.count(sets.done(Int(setOf[state])), words: sets.opWords) }
  func isFinal(_ state: Int) -> Bool { depth(state) == index.ops.count }
  func isDropped(_ state: Int) -> Bool { entries[state].isDropped }
  func cost(_ state: Int) -> Int { entries[state].cost }
  /// True when the bound on the rest could be computed within its budget.
  var hasBound: Bool { !bounds.isEmpty && !bounds.contains { $0.isExhausted } }

  /// The state before any op; nil when the bound shows that no schedule exists.
  func start() -> Int? {
    for word in 0..<words {
      childResident[word] = 0
      childCopied[word] = 0
    }
    for memory in childUsed.indices { childUsed[memory] = 0 }
    let set = runForced(sets.root)
    return record(set, cost: 0, parent: -1, move: -1)
  }

  // MARK: Moves

  /// Calls for each child of a state that is not dominated and whose estimate is below `limit`; the child is recorded already.
  func expand(_ state: Int, below limit: Int, _ body: (Int) -> Void) {
    let set = Int(setOf[state])
    var used = Array(repeating: 0, count: memoryCount)
    let residentAt = state * words
    for word in 0..<words {
      var rest = resident[residentAt + word]
      while rest != 0 {
        let tensor = word << 6 + rest.trailingZeroBitCount
        rest &= rest &- 1
        used[memoryOf[tensor]] += bytes[tensor]
      }
    }
    var ops: [Int] = []
    Bits.forEach(sets.ready(set), words: sets.opWords) { ops.append($0) }
    for op in ops { run(op, from: state, set, used, below: limit, body) }
  }

  private struct Candidate {
    var tensor: Int
    var memory: Int
    /// Room that its departure makes.
    var gain: Int
    var cost: Int
    /// Candidates that must leave as well if this one does, as bits.
    var after: UInt64 = 0
  }

  private func run(
    _ op: Int, from state: Int, _ set: Int, _ used: [Int], below limit: Int, _ body: (Int) -> Void
  ) {
    let cost = cost(state)
    let (inputs, outputs) = (sets.inputs(op), sets.outputs(op))
    // Room needed beyond what is there.
    var excess = Array(repeating: 0, count: memoryCount)
    for memory in 0..<memoryCount { excess[memory] = used[memory] - capacities[memory] }
    let (resident, copied) = (resident.base + state * words, copied.base + state * words)
    for word in 0..<words {
      var coming = (inputs[word] | outputs[word]) & ~resident[word]
      while coming != 0 {
        let tensor = word << 6 + coming.trailingZeroBitCount
        coming &= coming &- 1
        excess[memoryOf[tensor]] += bytes[tensor]
      }
    }
    var candidates: [Candidate] = []
    for pair in index.ops[op].inPlace {
      let room = min(bytes[pair.input], bytes[pair.output])
      if sets.dies(pair.input, at: set, after: op) {
        excess[memoryOf[pair.input]] -= room
      } else if room > 0, !isPinned[pair.input] {
        // What comes for this op has a copy, also a graph input that comes for the first time.
        let hasCopy = Bits.has(copied, pair.input) || !Bits.has(resident, pair.input)
        let price = hasCopy ? bytes[pair.input] : 2 * bytes[pair.input]
        candidates.append(Candidate(tensor: pair.input, memory: memoryOf[pair.input], gain: room, cost: price))
      }
    }
    let child = sets.child(set, op)
    if excess.allSatisfy({ $0 <= 0 }) {
      make(op, child, from: state, leaving: [], cost: cost, below: limit, body)
      return
    }
    candidates.removeAll { excess[$0.memory] <= 0 }
    for word in 0..<words {
      var bypassing = resident[word] & ~inputs[word]
      while bypassing != 0 {
        let tensor = word << 6 + bypassing.trailingZeroBitCount
        bypassing &= bypassing &- 1
        guard excess[memoryOf[tensor]] > 0, !isPinned[tensor], bytes[tensor] > 0 else { continue }
        let price = Bits.has(copied, tensor) ? bytes[tensor] : 2 * bytes[tensor]
        candidates.append(Candidate(tensor: tensor, memory: memoryOf[tensor], gain: bytes[tensor], cost: price))
      }
    }
    candidates.sort { $0.gain != $1.gain ? $0.gain > $1.gain : ($0.cost, $0.tensor) < ($1.cost, $1.tensor) }
    markOrders(&candidates, set, inputs)
    var selection = Selection(candidates, memoryCount: memoryCount, ceiling: limit - cost)
    choose(&selection, 0, excess, 0, 0) { members, price in
      self.make(
        op, child, from: state, leaving: members.map { candidates[$0].tensor }, cost: cost + price, below: limit, body)
    }
    if selection.nodesLeft == 0 { truncatedEstimate = min(truncatedEstimate, estimates[state]) }
  }

  /// Of two tensors alike, one whose only use comes before every use of the other is not moved away in its stead: swapping their roles
  /// until that use costs the same and leaves more.
  private func markOrders(_ candidates: inout [Candidate], _ set: Int, _ inputs: UnsafePointer<UInt64>) {
    guard candidates.count <= 64 else { return }
    let opWords = sets.opWords
    let done = sets.done(set)
    for first in candidates.indices {
      let near = candidates[first].tensor
      guard !Bits.has(inputs, near), let use = onlyUse(near, done) else { continue }
      for second in candidates.indices where second != first {
        let far = candidates[second].tensor
        guard candidates[first].gain == candidates[second].gain, candidates[first].cost == candidates[second].cost,
          isBornCopied[near] == isBornCopied[far], !Bits.has(inputs, far)
        else { continue }
        let readers = sets.readers(far)
        let after = UnsafePointer(reach.buffer.baseAddress.unsafelyUnwrapped + use * opWords)
        var isAfter = true
        var isSame = true
        for word in 0..<opWords {
          let rest = readers[word] & ~done[word]
          if rest & ~after[word] != 0 { isAfter = false }
          if rest != (word == use >> 6 ? 1 << UInt64(use & 63) : 0) { isSame = false }
        }
        if isAfter || (isSame && second < first) { candidates[first].after |= 1 << UInt64(second) }
      }
    }
  }

  private func onlyUse(_ tensor: Int, _ done: UnsafePointer<UInt64>) -> Int? {
    let readers = sets.readers(tensor)
    var use: Int?
    for word in 0..<sets.opWords {
      let rest = readers[word] & ~done[word]
      if rest == 0 { continue }
      if use != nil || rest & (rest &- 1) != 0 { return nil }
      use = word << 6 + rest.trailingZeroBitCount
    }
    return use
  }

  /// The enumeration of sets of candidates.
  private struct Selection {
    let candidates: [Candidate]
    /// Room that the candidates from a position on make, memory by memory.
    var left: [Int] = []
    /// Sets that cost so much or more are of no use.
    let ceiling: Int
    var choice: [Int] = []
    /// Where it is 0 at the end, not all sets were looked at.
    var nodesLeft = 200_000

    init(_ candidates: [Candidate], memoryCount: Int, ceiling: Int) {
      self.candidates = candidates
      self.ceiling = ceiling
      left = Array(repeating: 0, count: (candidates.count + 1) * memoryCount)
      for position in candidates.indices.reversed() {
        for memory in 0..<memoryCount {
          left[position * memoryCount + memory] = left[(position + 1) * memoryCount + memory]
        }
        left[position * memoryCount + candidates[position].memory] += candidates[position].gain
      }
    }
  }

  /// Every inclusion-minimal set of candidates that makes the room, in order of size.
  private func choose(
    _ selection: inout Selection, _ position: Int, _ excess: [Int], _ price: Int, _ chosen: UInt64,
    _ body: ([Int], Int) -> Void
  ) {
    if price >= selection.ceiling || selection.nodesLeft == 0 { return }
    selection.nodesLeft -= 1
    let count = selection.candidates.count
    if excess.allSatisfy({ $0 <= 0 }) {
      for member in selection.choice {
        let candidate = selection.candidates[member]
        if count <= 64, candidate.after & ~chosen != 0 { return }
        // With several memories or in-place gains an early member may have become superfluous.
        if excess[candidate.memory] + candidate.gain <= 0 { return }
      }
      return body(selection.choice, price)
    }
    for memory in 0..<memoryCount where excess[memory] > selection.left[position * memoryCount + memory] { return }
    if position == count { return }
    let candidate = selection.candidates[position]
    if excess[candidate.memory] > 0 {
      var rest = excess
      rest[candidate.memory] -= candidate.gain
      selection.choice.append(position)
      choose(
        &selection, position + 1, rest, price + candidate.cost, count <= 64 ? chosen | 1 << UInt64(position) : 0, body)
      selection.choice.removeLast()
    }
    choose(&selection, position + 1, excess, price, chosen, body)
  }

  private func make(
    _ op: Int, _ child: Int, from state: Int, leaving: [Int], cost: Int, below limit: Int, _ body: (Int) -> Void
  ) {
    moveCount += 1
    let live = sets.live(child)
    let (inputs, outputs) = (sets.inputs(op), sets.outputs(op))
    let (resident, copied) = (resident.base + state * words, copied.base + state * words)
    for word in 0..<words {
      childResident[word] = (resident[word] | inputs[word] | outputs[word]) & live[word]
      childCopied[word] = copied[word] & live[word]
    }
    for word in 0..<words {
      // What returned has a copy; so has what is written anyway.
      childCopied[word] |= inputs[word] & ~resident[word] & live[word]
      var born = outputs[word] & live[word]
      while born != 0 {
        let tensor = word << 6 + born.trailingZeroBitCount
        born &= born &- 1
        if isBornCopied[tensor] { Bits.insert(childCopied, tensor) }
      }
    }
    for tensor in leaving {
      Bits.remove(childResident, tensor)
      Bits.insert(childCopied, tensor)
    }
    for memory in childUsed.indices { childUsed[memory] = 0 }
    Bits.forEach(UnsafePointer(childResident), words: words) { childUsed[memoryOf[$0]] += bytes[$0] }
    let set = runForced(child)
    if let recorded = record(set, cost: cost, parent: state, move: op, below: limit) { body(recorded) }
  }

  /// Runs forced ops on the child under construction.
  private func runForced(_ set: Int) -> Int {
    guard usesForcedMoves else { return set }
    var set = set
    while let op = forcedOp(set) {
      let next = sets.child(set, op)
      let live = sets.live(next)
      let (inputs, outputs) = (sets.inputs(op), sets.outputs(op))
      for word in 0..<words {
        childResident[word] = (childResident[word] | outputs[word] | inputs[word]) & live[word]
        childCopied[word] &= live[word]
        var born = outputs[word] & live[word]
        while born != 0 {
          let tensor = word << 6 + born.trailingZeroBitCount
          born &= born &- 1
          if isBornCopied[tensor] { Bits.insert(childCopied, tensor) }
        }
      }
      for memory in childUsed.indices { childUsed[memory] = 0 }
      Bits.forEach(UnsafePointer(childResident), words: words) { childUsed[memoryOf[$0]] += bytes[$0] }
      set = next
    }
    return set
  }

  private func forcedOp(_ set: Int) -> Int? {
    let ready = sets.ready(set)
    for word in 0..<sets.opWords {
      var rest = ready[word]
      while rest != 0 {
        let op = word << 6 + rest.trailingZeroBitCount
        rest &= rest &- 1
        if isForced(op, set) { return op }
      }
    }
    return nil
  }

  private func isForced(_ op: Int, _ set: Int) -> Bool {
    let inputs = sets.inputs(op)
    guard Bits.isSubset(inputs, of: UnsafePointer(childResident), words: words) else { return false }
    let (operands, results) = (inputLists[op], outputLists[op])
    let memory = memoryOf[operands.isEmpty ? (results.isEmpty ? 0 : Int(results[0])) : Int(operands[0])]
    var smallest = Int.max
    var price = 0
    for entry in operands {
      let tensor = Int(entry)
      if memoryOf[tensor] != memory { return false }
      if sets.dies(tensor, at: set, after: op) {
        if isPinned[tensor] { continue }
        smallest = min(smallest, bytes[tensor])
        price += Bits.has(UnsafePointer(childCopied), tensor) ? bytes[tensor] : 2 * bytes[tensor]
      }
    }
    // Follow the chain of ops that read one result each: what counts is what it leaves in the end.
    var current = op
    var used = childUsed[memory]
    var previous: Int?
    for _ in 0..<8 {
      var made = 0
      var staying = 0
      var leaving = 0
      var only: Int?
      var stayCount = 0
      for entry in outputLists[current] {
        let tensor = Int(entry)
        if memoryOf[tensor] != memory || isPinned[tensor] { return false }
        made += bytes[tensor]
        if !consumerLists[tensor].isEmpty {
          staying += bytes[tensor]
          leaving += isBornCopied[tensor] ? bytes[tensor] : 2 * bytes[tensor]
          only = tensor
          stayCount += 1
        }
      }
      var room = made
      for pair in hasPairs ? index.ops[current].inPlace : []
      where pair.input == previous || (previous == nil && sets.dies(pair.input, at: set, after: op)) {
        room -= min(bytes[pair.input], bytes[pair.output])
      }
      if used + room > capacities[memory] { return false }
      if staying == 0 || (smallest < Int.max && staying <= smallest && leaving <= price) { return true }
      guard smallest < Int.max, stayCount == 1, let result = only, consumerLists[result].count == 1,
        inputLists[Int(consumerLists[result][0])].count == 1
      else { return false }
      if let previous {
        used -= bytes[previous]
      } else {
        for entry in operands where sets.dies(Int(entry), at: set, after: op) && !isPinned[Int(entry)] {
          used -= bytes[Int(entry)]
        }
      }
      used += bytes[result]
      previous = result
      current = Int(consumerLists[result][0])
    }
    return false
  }

  // MARK: Table

  /// Adds the child under construction unless a state of the same down-set dominates it or it cannot come in below the limit.
  private func record(_ set: Int, cost: Int, parent: Int, move: Int, below limit: Int = Int.max) -> Int? {
    while lastOfSet.count <= set { lastOfSet.append(-1) }
    let view = comparison.view(of: set)
    let own = comparison.project(UnsafePointer(childResident), UnsafePointer(childCopied), on: view)
    // What differs in bytes away or copied is at least what one state costs more than the other.
    let ownBytes = comparison.bytes(of: own, on: view)
    var previous = -1
    var other = Int(lastOfSet[set])
    while other >= 0 {
      let theirs = entries.base + other
      let next = Int(theirs.pointee.nextInSet)
      let allowed = cost - theirs.pointee.cost
      if view.isWide {
        let wide = comparison.wide(childResident, childCopied)
        let theirWide = comparison.wide(resident.base + other * words, copied.base + other * words)
        if comparison.excess(of: wide, over: theirWide, in: set, allowed: allowed) { return nil }
        theirs.pointee.isDropped = comparison.excess(of: theirWide, over: wide, in: set, allowed: -allowed)
      } else {
        let difference = ownBytes - theirs.pointee.bytes
        if allowed >= 0, difference <= allowed,
          comparison.excess(of: own, over: theirs.pointee.standing, on: view, allowed: allowed)
        {
          return nil
        }
        if allowed <= 0, difference >= allowed {
          theirs.pointee.isDropped = comparison.excess(
            of: theirs.pointee.standing, over: own, on: view, allowed: -allowed)
        }
      }
      // Dropped states leave the list.
      if !theirs.pointee.isDropped {
        previous = other
      } else if previous < 0 {
        lastOfSet[set] = Int32(next)
      } else {
        entries.base[previous].nextInSet = Int32(next)
      }
      other = next
    }
    var estimate = cost
    if !bounds.isEmpty {
      for memory in 0..<memoryCount {
        var away = 0
        var copiedBytes = 0
        // Fetched anew: the bound adds down-sets, and their storage may move.
        let live = sets.live(set)
        for word in 0..<words {
          var rest = live[word] & (~childResident[word] | childCopied[word])
          while rest != 0 {
            let tensor = word << 6 + rest.trailingZeroBitCount
            rest &= rest &- 1
            guard memoryOf[tensor] == memory, !isPinned[tensor] else { continue }
            copiedBytes += bytes[tensor]
            if !Bits.has(UnsafePointer(childResident), tensor) { away += bytes[tensor] }
          }
        }
        let rest = bounds[memory].bound(set, away: away, copied: copiedBytes)
        if rest == Int.max { return nil }
        estimate += rest
      }
    }
    if estimate >= limit { return nil }
    let state = setOf.count
    setOf.append(Int32(set))
    entries.append(
      Entry(cost: cost, bytes: ownBytes, standing: own, nextInSet: lastOfSet[set], isDropped: false))
    estimates.append(estimate)
    parents.append(Int32(parent))
    moves.append(Int32(move))
    let residentAt = resident.append(repeating: 0, count: words)
    let copiedAt = copied.append(repeating: 0, count: words)
    for word in 0..<words {
      resident[residentAt + word] = childResident[word]
      copied[copiedAt + word] = childCopied[word]
    }
    // The bound's own down-sets come in between, so the entry may have moved; it is still there.
    lastOfSet[set] = Int32(state)
    return state
  }

  // MARK: Result

  /// The ops in order from the start to a state, and for each of them the tensors that left just before it.
  func path(to state: Int) -> (order: [Int], leaving: [[Int]]) {
    var chain: [Int] = []
    var current = state
    while current >= 0 {
      chain.append(current)
      current = Int(parents[current])
    }
    chain.reverse()
    var order: [Int] = []
    var leaving: [[Int]] = []
    for (position, next) in chain.enumerated() {
      var set = sets.root
      let before = position > 0 ? chain[position - 1] : -1
      if before >= 0 {
        set = Int(setOf[before])
        let op = Int(moves[next])
        let child = sets.child(set, op)
        let live = sets.live(child)
        // What left: on chip before or come for the op, alive after, and not there in the child as it was first made.
        var gone: [Int] = []
        for tensor in leftOf(next, before: before, child: child, op: op) where Bits.has(live, tensor) {
          gone.append(tensor)
        }
        order.append(op)
        leaving.append(gone)
        set = child
      }
      // Forced ops run until the recorded down-set is reached, in the same way as when it was made.
      replayForced(from: set, to: next, before: before, &order, &leaving)
    }
    return (order, leaving)
  }

  /// Tensors on chip in a state, or operands of the move, that are away after it: those that the recorded child lacks and that forced ops
  /// did not use up.
  private func leftOf(_ state: Int, before: Int, child: Int, op: Int) -> [Int] {
    var gone: [Int] = []
    let final = Int(setOf[state])
    let inputs = sets.inputs(op)
    for word in 0..<words {
      var was = (resident[before * words + word] | inputs[word]) & sets.live(child)[word]
      while was != 0 {
        let tensor = word << 6 + was.trailingZeroBitCount
        was &= was &- 1
        // Forced ops never move anything away, so a tensor alive at the end tells; one that died in between was there.
        if Bits.has(sets.live(final), tensor), resident[state * words + word] >> UInt64(tensor & 63) & 1 == 0 {
          gone.append(tensor)
        }
      }
    }
    return gone
  }

  private func replayForced(from set: Int, to state: Int, before: Int, _ order: inout [Int], _ leaving: inout [[Int]]) {
    let target = Int(setOf[state])
    guard set != target else { return }
    // The ops in between, in an order in which they can run; forced ops that use a tensor need it on chip, so any order fits as well as the first.
    var current = set
    rebuild(before: before, state: state)
    while current != target {
      guard let op = forcedOp(current) else { preconditionFailure("a forced op is missing") }
      let next = sets.child(current, op)
      let live = sets.live(next)
      let (inputs, outputs) = (sets.inputs(op), sets.outputs(op))
      for word in 0..<words {
        childResident[word] = (childResident[word] | outputs[word] | inputs[word]) & live[word]
        childCopied[word] &= live[word]
      }
      for memory in childUsed.indices { childUsed[memory] = 0 }
      Bits.forEach(UnsafePointer(childResident), words: words) { childUsed[memoryOf[$0]] += bytes[$0] }
      order.append(op)
      leaving.append([])
      current = next
    }
  }

  /// The child as it was before forced ops.
  private func rebuild(before: Int, state: Int) {
    if before < 0 {
      for word in 0..<words {
        childResident[word] = 0
        childCopied[word] = 0
      }
      for memory in childUsed.indices { childUsed[memory] = 0 }
      return
    }
    let op = Int(moves[state])
    let child = sets.child(Int(setOf[before]), op)
    let live = sets.live(child)
    let (inputs, outputs) = (sets.inputs(op), sets.outputs(op))
    let gone = leftOf(state, before: before, child: child, op: op)
    for word in 0..<words {
      let was = resident[before * words + word]
      childResident[word] = (was | inputs[word] | outputs[word]) & live[word]
      childCopied[word] = (copied[before * words + word] | (inputs[word] & ~was)) & live[word]
      var born = outputs[word] & live[word]
      while born != 0 {
        let tensor = word << 6 + born.trailingZeroBitCount
        born &= born &- 1
        if isBornCopied[tensor] { Bits.insert(childCopied, tensor) }
      }
    }
    for tensor in gone {
      Bits.remove(childResident, tensor)
      Bits.insert(childCopied, tensor)
    }
    for memory in childUsed.indices { childUsed[memory] = 0 }
    Bits.forEach(UnsafePointer(childResident), words: words) { childUsed[memoryOf[$0]] += bytes[$0] }
  }
}
