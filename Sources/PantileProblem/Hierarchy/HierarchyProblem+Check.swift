import PantileSupport

extension HierarchyProblem {
  /// Subsets of memories are what planners count in; their number doubles with each memory.
  public static let mostMemories = 5
  /// Slots of moves before each op.
  public static let mostRounds = 8

  /// Refuses a problem that is not well formed, with all independent errors.
  ///
  /// - Throws: `bad-memories` for memories, links and their names; `bad-graph` for buffers and ops.
  public func check() throws(DiagnosticError) {
    var errors: [Diagnostic] = []
    func fail(_ code: String, _ message: String, _ hint: String? = nil) {
      if errors.count < 50 { errors.append(Diagnostic(code, "'\(name)': \(message)", hint: hint)) }
    }
    checkMemories { fail("bad-memories", $0, $1) }
    checkGraph { fail("bad-graph", $0, $1) }
    if errors.isEmpty { checkCosts { fail("bad-memories", $0, $1) } }
    if !errors.isEmpty { throw DiagnosticError(errors) }
  }

  private func checkMemories(_ fail: (String, String?) -> Void) {
    if memories.isEmpty || memories.count > Self.mostMemories {
      fail("there are \(memories.count) memories, there must be 1 to \(Self.mostMemories)", nil)
    }
    func isAmount(_ cost: Cost) -> Bool {
      [cost.energy, cost.cycles].allSatisfy { (0...Self.largestUnitCost).contains($0) }
    }
    for (index, memory) in memories.enumerated() {
      if memory.capacity < 0 || memory.capacity > ProblemLimit.amount {
        fail("memory '\(memory.name)' has \(memory.capacity) bytes", nil)
      }
      if memory.alignment < 1 || memory.alignment > ProblemLimit.amount {
        fail("memory '\(memory.name)' has alignment \(memory.alignment)", nil)
      }
      if !isAmount(memory.read) || !isAmount(memory.write) {
        fail("a cost of memory '\(memory.name)' is out of range", nil)
      }
      if memories[..<index].contains(where: { $0.name == memory.name }) {
        fail("two memories are called '\(memory.name)'", nil)
      }
    }
    if !memories.contains(where: { $0.isDirect && !$0.isReadOnly }) {
      fail(
        "ops can write to no memory: each is read-only or out of their reach", "let ops reach a memory: 'direct: true'")
    }
    for (index, link) in links.enumerated() {
      guard memories.indices.contains(link.from), memories.indices.contains(link.to), link.from != link.to else {
        fail("a move leads from memory \(link.from) to \(link.to) of \(memories.count)", nil)
        continue
      }
      let way = "from '\(memories[link.from].name)' to '\(memories[link.to].name)'"
      if memories[link.to].isReadOnly { fail("a move leads \(way), which is read-only", "leave that move out") }
      if !isAmount(link.byte) || !isAmount(link.move) { fail("a cost of the move \(way) is out of range", nil) }
      if links[..<index].contains(where: { $0.from == link.from && $0.to == link.to }) {
        fail("the move \(way) is listed twice", nil)
      }
    }
    for (memory, what) in [(inputMemory, "inputs arrive"), (outputMemory, "outputs end")] {
      if !memories.indices.contains(memory) {
        fail("\(what) in memory \(memory) of \(memories.count)", nil)
      } else if memories[memory].isReadOnly {
        fail("\(what) in '\(memories[memory].name)', which is read-only", "name a memory that can be written")
      }
    }
    if !(1...Self.mostRounds).contains(rounds) {
      fail("there are \(rounds) slots of moves before an op, there must be 1 to \(Self.mostRounds)", nil)
    }
  }

  /// A joule a byte, about; sums of costs are checked beside.
  static let largestUnitCost = 1 << 40

  /// Sums of costs stay whole numbers below 2^53, and prices, which are thousandths of them, below 2^63.
  static let largestCost = 1 << 52

  /// What each buffer could cost by moving for each of its uses.
  private func checkCosts(_ fail: (String, String?) -> Void) {
    var uses = buffers.map { _ in 2 }
    for op in ops { for buffer in op.reads + op.writes + op.updates { uses[buffer] += 1 } }
    for measure in Objective.allCases {
      var sum = 0
      for buffer in buffers.indices {
        var dearest = 0
        for memory in memories.indices { dearest = max(dearest, measure.of(cost(of: .update, buffer, in: memory))) }
        for link in links {
          dearest = max(dearest, measure.of(moveCost(buffer, from: link.from, to: link.to) ?? Cost()))
        }
        sum = saturatingAdd(sum, saturatingMultiply(dearest, uses[buffer]))
      }
      if sum > Self.largestCost {
        fail(
          "accesses and moves could cost \(sum) thousandths in \(measure.rawValue), at most \(Self.largestCost) can be planned for",
          "take smaller buffers, or costs in a larger unit")
      }
    }
  }

  private func checkGraph(_ fail: (String, String?) -> Void) {
    var total = 0
    for (index, buffer) in buffers.enumerated() {
      if buffer.bytes < 0 || buffer.bytes > ProblemLimit.amount {
        fail("buffer \(index) '\(buffer.name)' has \(buffer.bytes) bytes", nil)
      }
      total = saturatingAdd(total, buffer.bytes)
    }
    if total > ProblemLimit.amount { fail("the buffers have \(total) bytes in all, which is out of range", nil) }
    var made = [Int?](repeating: nil, count: buffers.count)
    var used = [Int?](repeating: nil, count: buffers.count)
    for (index, op) in ops.enumerated() {
      let place = "op \(index) '\(op.name)'"
      var seen = Set<Int>()
      for buffer in op.reads + op.updates + op.writes {
        guard buffers.indices.contains(buffer) else {
          fail("\(place) names buffer \(buffer) of \(buffers.count)", nil)
          continue
        }
        if !seen.insert(buffer).inserted { fail("\(place) names '\(buffers[buffer].name)' twice", nil) }
      }
      for buffer in op.updates where buffers.indices.contains(buffer) {
        let kind = buffers[buffer].kind
        if kind == .frozen || kind == .input || kind == .workspace {
          fail("\(place) updates '\(buffers[buffer].name)', which is \(kind.rawValue)", nil)
        }
      }
      for buffer in op.writes where buffers.indices.contains(buffer) {
        let name = buffers[buffer].name
        if buffers[buffer].kind.persists || buffers[buffer].kind == .input {
          fail(
            "\(place) makes '\(name)', which is \(buffers[buffer].kind.rawValue) and is there before the step",
            "an update in place is one of the op's 'updates'")
        }
        if let other = made[buffer] { fail("'\(name)' is made by op \(other) and by op \(index)", nil) }
        if let reader = used[buffer] {
          fail("'\(name)' is used by op \(reader), which comes before its maker, op \(index)", nil)
        }
        made[buffer] = index
      }
      for buffer in op.reads + op.updates where buffers.indices.contains(buffer) {
        used[buffer] = used[buffer] ?? index
      }
    }
    for (index, buffer) in buffers.enumerated() where made[index] == nil {
      if buffer.kind.persists || buffer.kind == .input { continue }
      fail("buffer \(index) '\(buffer.name)' is \(buffer.kind.rawValue), and no op makes it", nil)
    }
    for (index, buffer) in buffers.enumerated() where buffer.kind == .workspace && used[index] != nil {
      fail("op \(used[index] ?? 0) reads '\(buffer.name)', which is the workspace of another", nil)
    }
  }
}
