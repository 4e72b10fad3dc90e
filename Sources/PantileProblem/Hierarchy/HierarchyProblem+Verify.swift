import PantileSupport

extension HierarchyProblem {
  /// Replays a plan slot by slot on memories that know whose each byte is; knows nothing of how the plan was found.
  ///
  /// - Precondition: `check()` passes.
  /// - Throws: `wrong-plan` for each fault: ops missing, repeated or too early; copies that begin without being written, overlap, leave
  ///   their memory or lie in a read-only one that was not filled with them; operands that are not there or are stale; moves
  ///   without a link, a source or a place; what a step does not leave as it was found; sums and bounds that do not fit.
  public func verify(_ plan: HierarchyPlan) throws(DiagnosticError) {
    var replay = HierarchyReplay(problem: self, plan: plan)
    replay.run()
    if !replay.errors.isEmpty { throw DiagnosticError(replay.errors) }
  }
}

/// One replay. Every stay has a number; a memory's table holds the stays that lie in it now.
private struct HierarchyReplay {
  let problem: HierarchyProblem
  let plan: HierarchyPlan
  var errors: [Diagnostic] = []
  /// For each buffer the number of writes so far.
  private var version: [Int] = []
  /// For each stay the version of its bytes; nil while it is not there or holds nothing.
  private var holds: [Int?] = []
  /// For each memory the stays in it.
  private var present: [[Int]] = []
  private var total = HierarchyProblem.Cost()

  init(problem: HierarchyProblem, plan: HierarchyPlan) {
    self.problem = problem
    self.plan = plan
  }

  private mutating func fail(_ message: String) {
    if errors.count < 20 { errors.append(Diagnostic("wrong-plan", "'\(problem.name)': \(message)")) }
  }

  private func text(_ stay: Int) -> String {
    let it = plan.stays[stay]
    return
      "'\(problem.buffers[it.buffer].name)' in '\(problem.memories[it.memory].name)' in slots \(it.from) ..< \(it.to)"
  }

  mutating func run() {
    guard numbersFit() else { return }
    version = problem.buffers.map { _ in 0 }
    holds = plan.stays.map { _ in nil }
    present = problem.memories.map { _ in [] }
    var begins = (0..<problem.slotCount).map { _ in [Int]() }
    for (index, stay) in plan.stays.enumerated() { begins[stay.from].append(index) }
    var moves = begins.map { _ in [Int]() }
    for (index, move) in plan.moves.enumerated() { moves[move.slot].append(index) }
    start(begins[0])
    for slot in 1..<problem.slotCount {
      let before = present
      end(slot)
      occupy(begins[slot], slot)
      if let step = problem.step(inSlot: slot) {
        for move in moves[slot] {
          fail("'\(problem.buffers[plan.moves[move].buffer].name)' moves in slot \(slot), in which an op runs")
        }
        runOp(plan.order[step], slot, begins[slot])
      } else {
        runMoves(moves[slot], slot, begins[slot], before)
      }
    }
    finish()
  }

  /// Numbers in range, so that the replay cannot trap; an order of all ops that the graph allows.
  private mutating func numbersFit() -> Bool {
    let (buffers, memories, slots) = (problem.buffers.indices, problem.memories.indices, 0..<problem.slotCount)
    for stay in plan.stays {
      guard buffers.contains(stay.buffer), memories.contains(stay.memory) else {
        fail("there is no buffer \(stay.buffer) or no memory \(stay.memory)")
        continue
      }
      if !slots.contains(stay.from) || stay.to > problem.slotCount || stay.from >= stay.to {
        fail("'\(problem.buffers[stay.buffer].name)' lies in slots \(stay.from) ..< \(stay.to) of \(problem.slotCount)")
      }
      let memory = problem.memories[stay.memory]
      let top = saturatingAdd(stay.offset, problem.buffers[stay.buffer].bytes)
      if stay.offset < 0 || top > memory.capacity {
        fail(
          "'\(problem.buffers[stay.buffer].name)' lies at \(stay.offset) ..< \(top) of '\(memory.name)', which has "
            + "\(memory.capacity) bytes")
      } else if stay.offset % memory.alignment != 0 {
        fail(
          "'\(problem.buffers[stay.buffer].name)' lies at \(stay.offset) of '\(memory.name)', which aligns to "
            + "\(memory.alignment)")
      }
    }
    for move in plan.moves
    where !buffers.contains(move.buffer) || !memories.contains(move.from) || !memories.contains(move.to)
      || !slots.contains(move.slot) || move.slot == 0
    {
      fail("buffer \(move.buffer) moves from memory \(move.from) to \(move.to) in slot \(move.slot)")
    }
    var place = [Int?](repeating: nil, count: problem.ops.count)
    for (step, op) in plan.order.enumerated() {
      guard place.indices.contains(op) else {
        fail("there is no op \(op)")
        continue
      }
      if place[op] != nil { fail("op \(op) '\(problem.ops[op].name)' runs twice") }
      place[op] = step
    }
    for (op, step) in place.enumerated() where step == nil { fail("op \(op) '\(problem.ops[op].name)' never runs") }
    guard errors.isEmpty else { return false }
    for access in plan.accesses
    where !problem.ops.indices.contains(access.op) || !buffers.contains(access.buffer)
      || !memories.contains(access.memory)
    {
      fail("op \(access.op) uses buffer \(access.buffer) in memory \(access.memory)")
    }
    for (op, others) in problem.predecessors.enumerated() {
      for other in others where (place[other] ?? 0) > (place[op] ?? 0) {
        fail("op \(op) '\(problem.ops[op].name)' runs before op \(other) '\(problem.ops[other].name)', which it needs")
      }
    }
    return errors.isEmpty
  }

  /// What lies somewhere before the step.
  private mutating func start(_ stays: [Int]) {
    occupy(stays, 0)
    for index in stays {
      let stay = plan.stays[index]
      let kind = problem.buffers[stay.buffer].kind
      if !(kind.persists || (kind == .input && stay.memory == problem.inputMemory)) {
        fail("\(text(index)) lies there before the step, and is \(kind.rawValue)")
      }
      holds[index] = 0
    }
  }

  private mutating func end(_ slot: Int) {
    for memory in present.indices { present[memory].removeAll { plan.stays[$0].to == slot } }
  }

  /// Puts stays that begin in a slot into their memories and compares their bytes with all others there.
  private mutating func occupy(_ stays: [Int], _ slot: Int) {
    for index in stays {
      let stay = plan.stays[index]
      let memory = problem.memories[stay.memory]
      if memory.isReadOnly {
        if problem.buffers[stay.buffer].kind != .frozen {
          fail("\(text(index)) is \(problem.buffers[stay.buffer].kind.rawValue), in a read-only memory")
        }
        if stay.from != 0 || stay.to != problem.slotCount {
          fail("\(text(index)) comes or goes, and the memory is read-only")
        }
      }
      let own = stay.offset..<stay.offset + problem.buffers[stay.buffer].bytes
      for other in present[stay.memory] {
        let offset = plan.stays[other].offset
        let bytes = offset..<offset + problem.buffers[plan.stays[other].buffer].bytes
        if own.overlaps(bytes) { fail("slot \(slot): \(text(index)) and \(text(other)) lie on common bytes") }
        if plan.stays[other].buffer == stay.buffer { fail("slot \(slot): \(text(index)) is there twice") }
      }
      present[stay.memory].append(index)
    }
  }

  /// The stay of a buffer in a memory now.
  private func stay(of buffer: Int, in memory: Int) -> Int? {
    present[memory].first { plan.stays[$0].buffer == buffer }
  }

  private func isFresh(_ stay: Int) -> Bool { holds[stay] == version[plan.stays[stay].buffer] }

  private mutating func runMoves(_ moves: [Int], _ slot: Int, _ begun: [Int], _ before: [[Int]]) {
    var filled = Set<Int>()
    for index in moves {
      let move = plan.moves[index]
      let name = "'\(problem.buffers[move.buffer].name)'"
      let way = "from '\(problem.memories[move.from].name)' to '\(problem.memories[move.to].name)' in slot \(slot)"
      guard let cost = problem.moveCost(move.buffer, from: move.from, to: move.to) else {
        fail("\(name) moves \(way), where no move is possible")
        continue
      }
      total = total + cost
      guard let source = stay(of: move.buffer, in: move.from), before[move.from].contains(source) else {
        fail("\(name) moves \(way), and does not lie there before and meanwhile")
        continue
      }
      if !isFresh(source) { fail("\(name) moves \(way), and its bytes there are stale") }
      guard let target = stay(of: move.buffer, in: move.to), begun.contains(target) else {
        fail("\(name) moves \(way), where no stay of it begins")
        continue
      }
      if !filled.insert(target).inserted { fail("\(name) moves \(way) twice") }
      holds[target] = holds[source]
    }
    for index in begun where !filled.contains(index) { fail("\(text(index)) begins without a move") }
  }

  private mutating func runOp(_ op: Int, _ slot: Int, _ begun: [Int]) {
    let it = problem.ops[op]
    let accesses = plan.accesses.filter { $0.op == op }
    let wanted: [(Int, HierarchyProblem.Use)] =
      it.reads.map { ($0, .read) } + it.updates.map { ($0, .update) } + it.writes.map { ($0, .write) }
    for access in accesses where !wanted.contains(where: { $0.0 == access.buffer && $0.1 == access.use }) {
      fail("op \(op) '\(it.name)' has no \(access.use.rawValue) of '\(problem.buffers[access.buffer].name)'")
    }
    var filled = Set<Int>()
    for (buffer, use) in wanted {
      let name = problem.buffers[buffer].name
      let own = accesses.filter { $0.buffer == buffer && $0.use == use }
      guard own.count == 1, let memory = own.first?.memory else {
        fail("op \(op) '\(it.name)' uses '\(name)' in \(own.count) memories")
        continue
      }
      if !problem.memories[memory].isDirect {
        fail("op \(op) '\(it.name)' uses '\(name)' in '\(problem.memories[memory].name)', which ops do not reach")
      }
      total = total + problem.cost(of: use, buffer, in: memory)
      guard let place = stay(of: buffer, in: memory) else {
        fail("op \(op) '\(it.name)' uses '\(name)' in '\(problem.memories[memory].name)', where it is not")
        continue
      }
      if use != .write, begun.contains(place) || !isFresh(place) {
        fail("op \(op) '\(it.name)' reads '\(name)' in '\(problem.memories[memory].name)' before it is written there")
      }
      if use != .read {
        if problem.memories[memory].isReadOnly { fail("op \(op) '\(it.name)' writes to a read-only memory") }
        if use == .write, !begun.contains(place) { fail("\(text(place)) is there before op \(op) makes it") }
        version[buffer] += 1
        holds[place] = version[buffer]
        filled.insert(place)
      }
    }
    for index in begun where !filled.contains(index) { fail("\(text(index)) begins without being written") }
  }

  /// What the step leaves, and the sums.
  private mutating func finish() {
    for (buffer, it) in problem.buffers.enumerated() {
      if it.kind == .output {
        guard let place = stay(of: buffer, in: problem.outputMemory), isFresh(place) else {
          fail("'\(it.name)' is not in '\(problem.memories[problem.outputMemory].name)' at the end")
          continue
        }
      }
      guard it.kind.persists else { continue }
      let first = plan.stays.indices.filter { plan.stays[$0].buffer == buffer && plan.stays[$0].from == 0 }
      if first.isEmpty { fail("'\(it.name)' lies nowhere before the step") }
      for index in first {
        guard let last = stay(of: buffer, in: plan.stays[index].memory), isFresh(last) else {
          fail("\(text(index)) is not there at the end of the step")
          continue
        }
        if plan.stays[last].offset != plan.stays[index].offset {
          fail(
            "\(text(index)) lies at \(plan.stays[index].offset) before the step and at \(plan.stays[last].offset) behind it"
          )
        }
      }
    }
    let value = problem.objective.of(plan.cost)
    if total != plan.cost {
      fail(
        "the plan costs \(total.energy) and \(total.cycles) thousandths, it says \(plan.cost.energy) and \(plan.cost.cycles)"
      )
    }
    if errors.isEmpty, plan.boundName == HierarchyPlan.priceBound {
      let proved = problem.bound(order: plan.order, prices: plan.prices)
      if proved < plan.lowerBound { fail("the prices prove a bound of \(proved), the plan says \(plan.lowerBound)") }
    }
    if plan.lowerBound > value { fail("the bound \(plan.lowerBound) is above the cost \(value)") }
    if plan.lowerBoundOfAnyOrder > value { fail("the bound of any order is above the cost \(value)") }
    if (plan.status == .optimal) != (plan.lowerBound == value) {
      fail("the plan says '\(plan.status)', its cost is \(value) and its bound \(plan.lowerBound)")
    }
  }
}
