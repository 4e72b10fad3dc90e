import PantileSupport

extension HierarchyProblem {
  /// What prices of room prove: no plan of the order costs less, in the objective's unit.
  ///
  /// With a price on each byte of a memory in a slot, each buffer alone is cheapest somewhere; the sum of these least costs, less the value
  /// of all room at the prices, is below the cost of every plan that keeps the capacities (Lagrange). Whole numbers throughout. Costs of
  /// plans are sums of costs of accesses and moves, so the bound is rounded up to a multiple of what divides all of these.
  ///
  /// This is the check of a bound; planners do not use it and share no code with it.
  ///
  /// - Precondition: `check()` passes, `order` has each op once.
  public func bound(order: [Int], prices: [HierarchyPlan.Price]) -> Int {
    var price = memories.map { _ in [Int](repeating: 0, count: slotCount) }
    var value: Int128 = 0
    for it in prices where memories.indices.contains(it.memory) && (0..<slotCount).contains(it.slot) && it.value > 0 {
      price[it.memory][it.slot] += it.value
      let room = saturatingMultiply(
        saturatingCeilDivide(memories[it.memory].capacity, memories[it.memory].alignment), memories[it.memory].alignment
      )
      value -= Int128(it.value) * Int128(room)
    }
    for buffer in buffers.indices {
      guard let least = leastCost(buffer, order, price) else { return Int.max }
      value += least
    }
    let unit = Int128(1000) * Int128(divisor)
    return value <= 0 ? 0 : Int(clamping: (value + unit - 1) / unit * unit / 1000)
  }

  /// The greatest number that divides the cost of every access and every move by the objective; 1 when all are 0.
  private var divisor: Int {
    var result = 0
    func take(_ cost: Cost?) {
      guard let cost else { return }
      var (a, b) = (result, objective.of(cost))
      while b != 0 { (a, b) = (b, a % b) }
      result = a
    }
    for buffer in buffers.indices {
      for memory in memories.indices { for use in [Use.read, .write] { take(cost(of: use, buffer, in: memory)) } }
      for link in links { take(moveCost(buffer, from: link.from, to: link.to)) }
    }
    return max(1, result)
  }

  /// The least cost of one buffer with prices, in thousandths of the objective's unit; nil when it can lie nowhere.
  private func leastCost(_ buffer: Int, _ order: [Int], _ price: [[Int]]) -> Int128? {
    let kind = buffers[buffer].kind
    if kind.persists {
      return (1..<1 << memories.count).compactMap { leastCost(buffer, order, price, start: $0, end: $0) }.min()
    }
    return leastCost(
      buffer, order, price, start: kind == .input ? 1 << inputMemory : 0, end: kind == .output ? 1 << outputMemory : 0)
  }

  private func leastCost(
    _ buffer: Int, _ order: [Int], _ price: [[Int]], start: Int, end: Int
  ) -> Int128? {
    var live: [Int: Int128] = [:]
    if let cost = roomCost(buffer, start, 0, price) { live[start] = cost }
    for slot in 1..<slotCount {
      var next: [Int: Int128] = [:]
      for (held, cost) in live {
        for (state, step) in successors(buffer, held, slot, order) {
          guard let room = roomCost(buffer, state, slot, price) else { continue }
          let sum = cost + step + room
          if sum < next[state] ?? Int128.max { next[state] = sum }
        }
      }
      live = next
    }
    return live.filter { $0.key & end == end }.values.min()
  }

  /// The price of lying in a set of memories in a slot; nil where it cannot.
  private func roomCost(_ buffer: Int, _ state: Int, _ slot: Int, _ price: [[Int]]) -> Int128? {
    var sum: Int128 = 0
    for (index, memory) in memories.enumerated() where state >> index & 1 == 1 {
      if buffers[buffer].bytes > memory.capacity { return nil }
      if memory.isReadOnly, buffers[buffer].kind != .frozen { return nil }
      let blocks = (buffers[buffer].bytes + memory.alignment - 1) / memory.alignment
      sum += Int128(price[index][slot]) * Int128(blocks * memory.alignment)
    }
    return sum
  }

  /// Where a buffer may lie in a slot when it lay in a set of memories before, with what that costs in thousandths.
  private func successors(_ buffer: Int, _ held: Int, _ slot: Int, _ order: [Int]) -> [(state: Int, cost: Int128)] {
    let fixed = memories.indices.reduce(0) { memories[$1].isReadOnly ? $0 | 1 << $1 : $0 }
    func all(_ cost: (Int) -> Int?) -> [(state: Int, cost: Int128)] {
      (0..<1 << memories.count).compactMap { state in
        guard state & fixed == held & fixed, let value = cost(state) else { return nil }
        return (state, Int128(value) * 1000)
      }
    }
    func isSubset(_ state: Int) -> Bool { state & ~held == 0 }
    func least(_ use: Use, _ set: Int) -> Int? {
      memories.indices.filter {
        set >> $0 & 1 == 1 && memories[$0].isDirect && (use == .read || !memories[$0].isReadOnly)
      }.map { objective.of(cost(of: use, buffer, in: $0)) }.min()
    }
    guard let step = step(inSlot: slot) else {
      return all { state in
        // Each new copy comes from one that lies there before and meanwhile.
        var sum = 0
        for to in memories.indices where (state & ~held) >> to & 1 == 1 {
          let ways = memories.indices.filter { (state & held) >> $0 & 1 == 1 }
            .compactMap { moveCost(buffer, from: $0, to: to).map { objective.of($0) } }
          guard let way = ways.min() else { return nil }
          sum = saturatingAdd(sum, way)
        }
        return sum
      }
    }
    let op = ops[order[step]]
    if op.reads.contains(buffer) { return all { isSubset($0) ? least(.read, $0) : nil } }
    if op.updates.contains(buffer) { return all { isSubset($0) && $0.nonzeroBitCount == 1 ? least(.update, $0) : nil } }
    if op.writes.contains(buffer) { return all { $0.nonzeroBitCount == 1 ? least(.write, $0) : nil } }
    return all { isSubset($0) ? 0 : nil }
  }
}
