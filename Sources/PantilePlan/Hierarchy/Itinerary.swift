import PantileProblem

/// The memories in which one buffer lies, slot by slot: bit `m` of a mask stands for memory `m`.
struct Itinerary: Hashable, Sendable {
  /// The first slot with a mask.
  var first: Int
  var masks: [UInt8]

  func mask(at slot: Int) -> Int {
    let place = slot - first
    return masks.indices.contains(place) ? Int(masks[place]) : 0
  }

  /// Slots in which it lies in a memory, as runs.
  func stays(in memory: Int) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    for (place, mask) in masks.enumerated() where Int(mask) >> memory & 1 == 1 {
      let slot = first + place
      if let last = runs.last, last.upperBound == slot {
        runs[runs.count - 1] = last.lowerBound..<slot + 1
      } else {
        runs.append(slot..<slot + 1)
      }
    }
    return runs
  }
}

/// What a byte costs in each memory and slot beside the problem's own costs, in thousandths of the objective's unit; `blocked` forbids.
struct SlotPrices: Sendable {
  /// One thousandth: prices are whole numbers so that bounds made of them are exact.
  static let scale = 1000
  static let blocked = Int.max

  let slotCount: Int
  private var prices: [Int]

  init(memories: Int, slotCount: Int) {
    self.slotCount = slotCount
    prices = Array(repeating: 0, count: memories * slotCount)
  }

  subscript(memory: Int, slot: Int) -> Int {
    get { prices[memory * slotCount + slot] }
    set { prices[memory * slotCount + slot] = newValue }
  }

  /// So many hundredths of each price; blocked ones stay blocked.
  func scaled(percent: Int) -> SlotPrices {
    var result = self
    for place in prices.indices where prices[place] != 0 && prices[place] != Self.blocked {
      result.prices[place] = saturatingMultiply(prices[place], percent) / 100
    }
    return result
  }
}

/// Finds the cheapest itinerary of one buffer for one order of ops and given prices, by dynamic programming over slots; states are the sets
/// of memories in which the buffer lies. Exact. Of equally cheap ones it takes one that takes the least room, bytes times slots, where
/// those of smaller memories count more: copies that nothing needs, or that come early or leave late, would be in the way of others.
struct ItinerarySearch: Sendable {
  /// Room that the buffer takes in each memory: whole blocks of the memory's alignment.
  let room: [Int]
  let first: Int
  let last: Int
  /// What lying in the memories of each state counts in a choice among equally cheap itineraries.
  private let roomOfState: [Int]
  private let stateCount: Int
  private let memoryCount: Int
  /// What the op of a slot does with the buffer; nil elsewhere.
  private let uses: [HierarchyProblem.Use?]
  private let isOpSlot: [Bool]
  /// Thousandths of the cost of each change of state in a slot of moves: `from * stateCount + to`.
  private let moves: [Int]
  /// The same for each use, in the slot of an op.
  private let reads: [Int]
  private let writes: [Int]
  private let updates: [Int]
  private let idles: [Int]
  private let starts: [Int]
  /// Bits that must be set at the end.
  private let ending: Int
  private let isPersistent: Bool
  private static let never = Int.max

  /// - Parameter closesMoves: Moves over several memories may be made in one slot: what no order of ops can prevent.
  init(_ problem: HierarchyProblem, _ buffer: Int, order: [Int], closesMoves: Bool = false) {
    let memories = problem.memories
    let (kind, bytes) = (problem.buffers[buffer].kind, problem.buffers[buffer].bytes)
    room = memories.map { Self.room(bytes, $0) }
    let rooms = memories.indices.map { memory in
      let larger = memories.indices.count { memories[$0].capacity > memories[memory].capacity }
      return saturatingMultiply(Self.room(bytes, memories[memory]), 1 + larger)
    }
    roomOfState = (0..<1 << memories.count).map { state in
      rooms.indices.reduce(0) { state >> $1 & 1 == 1 ? saturatingAdd($0, rooms[$1]) : $0 }
    }
    memoryCount = memories.count
    stateCount = 1 << memories.count
    var uses = [HierarchyProblem.Use?](repeating: nil, count: problem.slotCount)
    for (step, op) in order.enumerated() {
      let it = problem.ops[op]
      let slot = problem.slot(ofStep: step)
      if it.reads.contains(buffer) { uses[slot] = .read }
      if it.writes.contains(buffer) { uses[slot] = .write }
      if it.updates.contains(buffer) { uses[slot] = .update }
    }
    isPersistent = kind.persists
    let used = uses.indices.filter { uses[$0] != nil }
    first = isPersistent || kind == .input ? 0 : used.first ?? 0
    last = isPersistent || kind == .output ? problem.slotCount - 1 : used.last ?? 0
    self.uses = uses
    isOpSlot = (0..<problem.slotCount).map { problem.step(inSlot: $0) != nil }
    let readOnly = memories.indices.reduce(0) { $0 | (memories[$1].isReadOnly ? 1 << $1 : 0) }
    let direct = memories.indices.filter { memories[$0].isDirect }
    let fits = memories.indices.reduce(0) { $0 | (memories[$1].capacity >= bytes ? 1 << $1 : 0) }
    let allowed = kind == .frozen ? fits : fits & ~readOnly
    let isAllowed = (0..<stateCount).map { $0 & ~allowed == 0 }
    func scaled(_ cost: HierarchyProblem.Cost) -> Int {
      saturatingMultiply(problem.objective.of(cost), SlotPrices.scale)
    }
    let links = Self.links(problem, buffer, closes: closesMoves)
    let count = stateCount
    func table(_ entry: (Int, Int) -> Int?) -> [Int] {
      var result = [Int](repeating: Self.never, count: count * count)
      for from in 0..<count where isAllowed[from] {
        for to in 0..<count where isAllowed[to] && from & readOnly == to & readOnly {
          if let value = entry(from, to) { result[from * count + to] = value }
        }
      }
      return result
    }
    moves = table { from, to in
      var sum = 0
      for target in memories.indices where (to & ~from) >> target & 1 == 1 {
        let sources = memories.indices.filter { (from & to) >> $0 & 1 == 1 }
        guard let least = sources.compactMap({ links[$0][target] }).min() else { return nil }
        sum = saturatingAdd(sum, saturatingMultiply(least, SlotPrices.scale))
      }
      return sum
    }
    idles = table { from, to in to & ~from == 0 ? 0 : nil }
    reads = table { from, to in
      guard to & ~from == 0 else { return nil }
      return direct.filter { to >> $0 & 1 == 1 }.map { scaled(problem.cost(of: .read, buffer, in: $0)) }.min()
    }
    let writable = direct.filter { !memories[$0].isReadOnly }
    // What lies in a read-only memory is never written, so a single memory is all of a written state.
    writes = table { from, to in
      guard from == 0, let memory = writable.first(where: { 1 << $0 == to }) else { return nil }
      return scaled(problem.cost(of: .write, buffer, in: memory))
    }
    updates = table { from, to in
      guard let memory = writable.first(where: { 1 << $0 == to }), from & to == to else { return nil }
      return scaled(problem.cost(of: .update, buffer, in: memory))
    }
    if isPersistent {
      starts = (1..<stateCount).filter { isAllowed[$0] }
    } else if kind == .input {
      starts = [1 << problem.inputMemory].filter { isAllowed[$0] }
    } else {
      starts = [0]
    }
    ending = kind == .output ? 1 << problem.outputMemory : 0
  }

  /// Whole blocks of a memory's alignment: what so many bytes keep from others.
  static func room(_ bytes: Int, _ memory: HierarchyProblem.Memory) -> Int {
    saturatingMultiply(saturatingCeilDivide(bytes, memory.alignment), memory.alignment)
  }

  /// What a move costs by the objective between each two memories; with `closes` over others where that is cheaper.
  private static func links(_ problem: HierarchyProblem, _ buffer: Int, closes: Bool) -> [[Int?]] {
    let all = problem.memories.indices
    var cost = all.map { from in
      all.map { to in problem.moveCost(buffer, from: from, to: to).map { problem.objective.of($0) } }
    }
    if !closes { return cost }
    for middle in all {
      for from in all {
        for to in all where from != to {
          guard let left = cost[from][middle], let right = cost[middle][to] else { continue }
          cost[from][to] = min(cost[from][to] ?? Int.max, saturatingAdd(left, right))
        }
      }
    }
    return cost
  }

  /// The cheapest itinerary, with its cost in thousandths of the objective's unit, prices among it; nil when there is none.
  func cheapest(_ prices: SlotPrices) -> (itinerary: Itinerary, cost: Int)? {
    var best: (itinerary: Itinerary, cost: Int)?
    let stay = roomPrices(prices)
    var least = Value.never
    for start in starts {
      guard let found = cheapest(stay, from: start, below: least) else { continue }
      best = (found.itinerary, found.value.cost)
      least = found.value
    }
    return best
  }

  /// What a way costs, then what room it takes.
  private struct Value: Comparable {
    var cost: Int
    var room: Int

    static let never = Value(cost: ItinerarySearch.never, room: ItinerarySearch.never)

    static func < (left: Value, right: Value) -> Bool {
      left.cost != right.cost ? left.cost < right.cost : left.room < right.room
    }
  }

  /// What each state costs in each slot by the prices: `(slot - first) * stateCount + state`.
  private func roomPrices(_ prices: SlotPrices) -> [Int] {
    var result = [Int](repeating: 0, count: (last - first + 1) * stateCount)
    for slot in first...last {
      for memory in 0..<memoryCount {
        let price = prices[memory, slot]
        if price == 0 { continue }
        let cost = price == SlotPrices.blocked ? Self.never : saturatingMultiply(price, room[memory])
        let base = (slot - first) * stateCount
        for state in 0..<stateCount where state >> memory & 1 == 1 {
          result[base + state] = cost == Self.never ? Self.never : saturatingAdd(result[base + state], cost)
        }
      }
    }
    return result
  }

  private func cheapest(
    _ stay: [Int], from start: Int, below limit: Value
  ) -> (itinerary: Itinerary, value: Value)? {
    let slots = last - first + 1
    var value = [Value](repeating: .never, count: stateCount)
    var origin = [UInt8](repeating: 0, count: slots * stateCount)
    // A buffer that an op makes is nowhere before; its first slot is that of the op.
    let begins = isOpSlot[first] ? first : first + 1
    if begins == first {
      value[0] = Value(cost: 0, room: 0)
    } else {
      guard stay[start] != Self.never else { return nil }
      value[start] = Value(cost: stay[start], room: roomOfState[start])
    }
    var next = value
    for slot in begins..<first + slots {
      let table = change(in: slot)
      let base = (slot - first) * stateCount
      for to in 0..<stateCount {
        var least = Value.never
        if stay[base + to] != Self.never {
          for from in 0..<stateCount where value[from].cost != Self.never {
            let step = table[from * stateCount + to]
            if step == Self.never { continue }
            let sum = Value(cost: saturatingAdd(value[from].cost, step), room: value[from].room)
            if sum < least {
              least = sum
              origin[base + to] = UInt8(from)
            }
          }
          if least.cost != Self.never {
            least.cost = saturatingAdd(least.cost, stay[base + to])
            least.room = saturatingAdd(least.room, roomOfState[to])
          }
        }
        next[to] = least
      }
      swap(&value, &next)
    }
    let needed = isPersistent ? start : ending
    var end: Int?
    for state in 0..<stateCount where state & needed == needed && value[state] < limit {
      if value[state] < end.map({ value[$0] }) ?? .never { end = state }
    }
    guard var state = end else { return nil }
    let found = value[state]
    var masks = [UInt8](repeating: 0, count: slots)
    for place in stride(from: slots - 1, through: 0, by: -1) {
      masks[place] = UInt8(state)
      if first + place >= begins { state = Int(origin[place * stateCount + state]) }
    }
    return (Itinerary(first: first, masks: masks), found)
  }

  private func change(in slot: Int) -> [Int] {
    guard isOpSlot[slot] else { return moves }
    switch uses[slot] {
    case .read: return reads
    case .write: return writes
    case .update: return updates
    case nil: return idles
    }
  }

  /// No single change of state costs more, in thousandths: a bound on what any itinerary costs.
  var dearest: Int {
    let most = [moves, reads, writes, updates].joined().filter { $0 != Self.never }.max() ?? 0
    return saturatingMultiply(most, last - first + 1)
  }

  /// What an itinerary costs without prices, in the objective's unit; it is one of this search's.
  func cost(of itinerary: Itinerary) -> Int {
    var sum = 0
    for slot in first...last where slot > 0 {
      sum = saturatingAdd(
        sum, change(in: slot)[itinerary.mask(at: slot - 1) * stateCount + itinerary.mask(at: slot)])
    }
    return sum / SlotPrices.scale
  }

  /// Bytes times slots of an itinerary, those of smaller memories counted more.
  func occupancy(of itinerary: Itinerary) -> Int {
    itinerary.masks.reduce(0) { saturatingAdd($0, roomOfState[Int($1)]) }
  }

  /// What an itinerary costs with prices, in thousandths.
  func cost(of itinerary: Itinerary, _ prices: SlotPrices) -> Int {
    var sum = saturatingMultiply(cost(of: itinerary), SlotPrices.scale)
    for slot in first...last {
      let mask = itinerary.mask(at: slot)
      for memory in 0..<memoryCount where mask >> memory & 1 == 1 {
        let price = prices[memory, slot]
        sum = saturatingAdd(sum, price == SlotPrices.blocked ? Self.never : saturatingMultiply(price, room[memory]))
      }
    }
    return sum
  }
}
