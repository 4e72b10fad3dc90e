/// A lower bound on what the rest of a schedule costs, from a relaxation that forgets *which* bytes are off chip and remembers how many.
///
/// A state is a down-set, `e` bytes that are off chip, and `w` bytes that have a copy there. Before an op its operands return free of
/// charge, so at most the bytes that bypass it stay away; when it does not fit, further bytes leave, for 1 each while there are bytes that
/// can have a copy, for 2 each (write and read) after that. Sums that no set of tensors has are rounded up. The bound is the cheapest way
/// from there to the end, over all orders: every schedule of whole tensors projects on such a way and pays at least as much.
///
/// Ops with a single operand that dies and a result that is no larger run at once in the relaxation, their own room not asked for:
/// whatever a schedule does with the operand later, the relaxation can do with the result.
final class RelaxedEviction {
  /// One op from a closed down-set.
  private struct Transition: BitwiseCopyable {
    var child: Int32
    /// Bytes alive that the op does not touch and that may leave.
    var through: Int
    /// The least of them that must be away while it runs; -1 when even all are not enough.
    var need: Int
    /// Those of `through` that can have a copy while on chip.
    var copyable: Int
    /// Bytes with a copy that the op adds: results that are written anyway, graph inputs that it fetches first.
    var born: Int
  }

  private struct Node: BitwiseCopyable {
    /// The down-set after all ops that run at once; -1 when not known yet.
    var closure: Int32 = -1
    var firstTransition: Int32 = -1
    var transitionCount: Int32 = 0
    /// Bytes alive that may leave, and those of them that can have a copy while on chip.
    var live = 0
    var copyable = 0
    /// The bound with nothing away; -1 when not known yet.
    var worst = -1
  }

  private struct Key: Hashable {
    var set: Int32
    var away: Int
    var copied: Int
  }

  private let sets: DownSets
  private let memory: Int
  private let capacity: Int
  private let bytes: [Int]
  private let isHere: [Bool]
  private let isPinned: [Bool]
  private let isBornCopied: [Bool]
  private let runsAtOnce: [Bool]
  private let leastFootprint: [Int]
  private let nodes: GrowingBuffer<Node>
  private let transitions: GrowingBuffer<Transition>
  private var known: [Key: Int] = [:]
  /// Down-sets and remembered values that it may look at; beyond it the bound is not available.
  private let budget: Int
  private(set) var isExhausted = false

  /// - Parameter budget: down-sets and values.
  init(_ sets: DownSets, memory: Int, budget: Int) {
    self.sets = sets
    self.memory = memory
    self.budget = budget
    let index = sets.index
    capacity = index.capacities[memory]
    bytes = index.tensors.map(\.bytes)
    isHere = index.tensors.map { $0.memory == memory }
    isPinned = index.tensors.map(\.isPinned)
    isBornCopied = index.tensors.map(\.isBornCopied)
    leastFootprint = index.ops.indices.map { index.leastFootprint(of: $0, in: memory) }
    runsAtOnce = index.ops.map { op in
      let inputs = op.inputs.filter { index.tensors[$0].memory == memory }
      let outputs = op.outputs.filter {
        index.tensors[$0].memory == memory && (!index.tensors[$0].consumers.isEmpty || index.tensors[$0].isPinned)
      }
      if (inputs + outputs).contains(where: { index.tensors[$0].isPinned }) { return false }
      if outputs.isEmpty && inputs.isEmpty { return true }
      guard inputs.count == 1, index.tensors[inputs[0]].producer >= 0, index.tensors[inputs[0]].consumers.count == 1
      else { return false }
      let made = outputs.reduce(0) { $0 + index.tensors[$1].bytes }
      let leaving = outputs.reduce(0) { $0 + index.tensors[$1].bytes * (index.tensors[$1].isBornCopied ? 1 : 2) }
      let own = index.tensors[inputs[0]]
      return made <= own.bytes && leaving <= own.bytes * (own.isBornCopied ? 1 : 2)
    }
    nodes = GrowingBuffer(capacity: 1024)
    transitions = GrowingBuffer(capacity: 4096)
  }

  deinit {
    nodes.deallocate()
    transitions.deallocate()
  }

  /// Bytes that the rest costs at least; 0 when the budget has ended.
  ///
  /// - Parameters:
  ///   - id: A down-set.
  ///   - away: Bytes of this memory's live tensors that are off chip.
  ///   - copied: Bytes of them that have a copy off chip, those that are away included.
  func bound(_ id: Int, away: Int, copied: Int) -> Int {
    if isExhausted { return 0 }
    let closed = closure(id)
    let worst = nodes[closed].worst
    if worst == 0 { return 0 }
    let value = value(closed, away: away, copied: copied)
    return isExhausted ? 0 : value
  }

  private func node(_ id: Int) {
    while nodes.count <= id { nodes.append(Node()) }
  }

  private func closure(_ id: Int) -> Int {
    node(id)
    let known = Int(nodes[id].closure)
    if known >= 0 { return known }
    var current = id
    search: while true {
      let ready = sets.ready(current)
      for word in 0..<sets.opWords {
        var rest = ready[word]
        while rest != 0 {
          let op = word << 6 + rest.trailingZeroBitCount
          rest &= rest &- 1
          if runsAtOnce[op] {
            current = sets.child(current, op)
            continue search
          }
        }
      }
      break
    }
    node(current)
    nodes[id].closure = Int32(current)
    nodes[current].closure = Int32(current)
    return current
  }

  private func canHaveCopy(_ tensor: Int, _ id: Int) -> Bool {
    if isBornCopied[tensor] { return true }
    let (readers, done) = (sets.readers(tensor), sets.done(id))
    for word in 0..<sets.opWords where readers[word] & done[word] != 0 { return true }
    return false
  }

  /// Fills in what is alive and the ops that can run.
  private func open(_ id: Int) {
    if nodes[id].firstTransition >= 0 { return }
    if sets.count + known.count > budget {
      isExhausted = true
      return
    }
    var live = 0
    var copyable = 0
    var pinned = 0
    var alive: [Int] = []
    Bits.forEach(sets.live(id), words: sets.tensorWords) { tensor in
      guard isHere[tensor] else { return }
      if isPinned[tensor] {
        pinned += bytes[tensor]
        return
      }
      alive.append(tensor)
      live += bytes[tensor]
      if canHaveCopy(tensor, id) { copyable += bytes[tensor] }
    }
    nodes[id].live = live
    nodes[id].copyable = copyable
    var own: [Transition] = []
    var ops: [Int] = []
    Bits.forEach(sets.ready(id), words: sets.opWords) { ops.append($0) }
    for op in ops {
      let child = closure(sets.child(id, op))
      let inputs = sets.inputs(op)
      var through = live
      var throughCopyable = copyable
      var bypassing: [Int] = []
      for tensor in alive {
        if Bits.has(inputs, tensor) {
          through -= bytes[tensor]
          if canHaveCopy(tensor, id) { throughCopyable -= bytes[tensor] }
        } else {
          bypassing.append(bytes[tensor])
        }
      }
      var pinnedThrough = pinned
      var born = 0
      Bits.forEach(inputs, words: sets.tensorWords) { tensor in
        guard isHere[tensor] else { return }
        if isPinned[tensor] { pinnedThrough -= bytes[tensor] }
        if !Bits.has(sets.live(id), tensor) { born += bytes[tensor] }
      }
      Bits.forEach(sets.outputs(op), words: sets.tensorWords) { tensor in
        if isHere[tensor], isBornCopied[tensor] { born += bytes[tensor] }
      }
      let excess = leastFootprint[op] + pinnedThrough + through - capacity
      let need = excess <= 0 ? 0 : leastSum(of: bypassing, total: through, atLeast: excess)
      own.append(Transition(child: Int32(child), through: through, need: need, copyable: throughCopyable, born: born))
    }
    nodes[id].firstTransition = Int32(transitions.count)
    nodes[id].transitionCount = Int32(own.count)
    for transition in own { transitions.append(transition) }
  }

  /// The smallest sum of some of the sizes that is not below a number; -1 when all together are.
  private func leastSum(of sizes: [Int], total: Int, atLeast least: Int) -> Int {
    if least > total { return -1 }
    var divisor = 0
    for size in sizes {
      var (a, b) = (divisor, size)
      while b != 0 { (a, b) = (b, a % b) }
      divisor = a
    }
    divisor = max(1, divisor)
    let span = total / divisor
    let wanted = (least + divisor - 1) / divisor
    if span > 4096 || sizes.count > 64 { return wanted * divisor }
    // Sums that occur, as bits.
    let words = Bits.words(for: span + 1)
    return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: words) { sums in
      sums.initialize(repeating: 0)
      sums[0] = 1
      for size in sizes where size > 0 {
        let shift = size / divisor
        let (far, near) = (shift >> 6, shift & 63)
        var word = words - 1
        while word >= far {
          var moved = sums[word - far] << UInt64(near)
          if near > 0, word - far >= 1 { moved |= sums[word - far - 1] >> UInt64(64 - near) }
          sums[word] |= moved
          word -= 1
        }
      }
      for sum in wanted...max(wanted, span) where sums[sum >> 6] >> UInt64(sum & 63) & 1 != 0 { return sum * divisor }
      return -1
    }
  }

  private func value(_ id: Int, away: Int, copied: Int) -> Int {
    open(id)
    if isExhausted { return 0 }
    let node = nodes[id]
    if node.transitionCount == 0 { return 0 }
    let away = min(away, node.live)
    let copied = max(away, min(copied, away + node.copyable))
    let key = Key(set: Int32(id), away: away, copied: copied)
    if away == 0, copied == 0, node.worst >= 0 { return node.worst }
    if let value = known[key] { return value }
    var best = Int.max
    for number in 0..<Int(node.transitionCount) {
      let transition = transitions[Int(node.firstTransition) + number]
      if transition.need < 0 { continue }
      let staying = min(away, transition.through)
      let leaving = max(0, transition.need - staying)
      let cheap = min(leaving, max(0, min(copied - staying, transition.copyable)))
      let cost = cheap + 2 * (leaving - cheap)
      if cost >= best { continue }
      let rest = value(
        Int(transition.child), away: staying + leaving, copied: copied + (leaving - cheap) + transition.born)
      if isExhausted { return 0 }
      if rest < Int.max { best = min(best, cost + rest) }
      if best == 0 { break }
    }
    if away == 0, copied == 0 { nodes[id].worst = best }
    known[key] = best
    if sets.count + known.count > budget { isExhausted = true }
    return best
  }
}
