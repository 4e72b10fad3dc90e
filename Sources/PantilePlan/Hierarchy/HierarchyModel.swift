import PantileProblem
import PantileSolve
import PantileSupport

/// The whole problem as one integer program: order, residency, moves and the memory of each access, in time-indexed binaries.
///
/// Exact but for addresses, which are packed afterwards. It grows with the square of the ops, so it is for small graphs.
struct HierarchyModel {
  let problem: HierarchyProblem
  private(set) var model = LinearModel()
  /// `runs[op][step]`: the op runs in that step; nil where it cannot.
  private var runs: [[LinearModel.Variable?]] = []
  /// `lies[buffer][memory][slot]`; nil where it cannot.
  private var lies: [[[LinearModel.Variable?]]] = []
  /// `moves[buffer]`: by `link * slotCount + slot`. Looked up, never listed.
  private var moves: [[Int: LinearModel.Variable]] = []
  /// `accesses[buffer]`: by `key(op, step, memory)`. Looked up, never listed.
  private var accesses: [[Int: LinearModel.Variable]] = []
  private let uses: [[(op: Int, use: HierarchyProblem.Use)]]

  /// Binaries that a problem would take, before any is made.
  static func size(_ problem: HierarchyProblem, isOrderFree: Bool) -> Int {
    let steps = problem.ops.count
    let runs = isOrderFree ? steps * steps : steps
    let slots = problem.slotCount
    let moveSlots = slots - 1 - steps
    let used = problem.ops.reduce(0) { $0 + $1.reads.count + $1.writes.count + $1.updates.count }
    return runs + problem.buffers.count * (problem.memories.count * slots + problem.links.count * moveSlots)
      + used * problem.memories.count * (isOrderFree ? steps : 1)
  }

  /// - Parameter order: The order to keep; nil leaves it free.
  init(_ problem: HierarchyProblem, order: [Int]?) {
    self.problem = problem
    var uses = problem.buffers.map { _ in [(op: Int, use: HierarchyProblem.Use)]() }
    for (op, it) in problem.ops.enumerated() {
      for buffer in it.reads { uses[buffer].append((op, .read)) }
      for buffer in it.updates { uses[buffer].append((op, .update)) }
      for buffer in it.writes { uses[buffer].append((op, .write)) }
    }
    self.uses = uses
    addOrder(order)
    for buffer in problem.buffers.indices { addResidency(buffer) }
    for buffer in problem.buffers.indices { addUses(buffer) }
    addCapacities()
  }

  private mutating func addOrder(_ order: [Int]?) {
    let steps = problem.ops.count
    let before = problem.predecessors
    var after = problem.ops.map { _ in [Int]() }
    for (op, others) in before.enumerated() { for other in others { after[other].append(op) } }
    for op in problem.ops.indices {
      // As many ops as must run before or behind it bound the steps in which it can.
      let first = reachable(from: op, before).count
      let last = steps - 1 - reachable(from: op, after).count
      runs.append(
        (0..<steps).map { step in
          if let order { return order[step] == op ? model.addBinary("op \(op) at \(step)") : nil }
          return (first...last).contains(step) ? model.addBinary("op \(op) at \(step)") : nil
        })
      model.addEquality("op \(op)", 1, runs[op].compactMap { $0.map { .init(1, $0) } })
    }
    for step in 0..<steps {
      model.addEquality("step \(step)", 1, problem.ops.indices.compactMap { runs[$0][step].map { .init(1, $0) } })
    }
    for (op, others) in before.enumerated() {
      for other in others {
        for step in 0..<steps where runs[op][step] != nil {
          // By this step `op` has run only if `other` had before it.
          let own: [LinearModel.Term] = (0...step).compactMap { runs[op][$0].map { .init(1, $0) } }
          let needed: [LinearModel.Term] = (0..<step).compactMap { runs[other][$0].map { .init(-1, $0) } }
          model.addRow("op \(op) behind \(other) at \(step)", upper: 0, own + needed)
        }
      }
    }
  }

  private func reachable(from op: Int, _ edges: [[Int]]) -> Set<Int> {
    var seen = Set<Int>()
    var open = edges[op]
    while let next = open.popLast() { if seen.insert(next).inserted { open += edges[next] } }
    return seen
  }

  /// Where a buffer lies and moves, without its uses.
  private mutating func addResidency(_ buffer: Int) {
    let it = problem.buffers[buffer]
    let memories = problem.memories
    lies.append(
      memories.indices.map { memory in
        let isPossible = it.bytes <= memories[memory].capacity && (it.kind == .frozen || !memories[memory].isReadOnly)
        return (0..<problem.slotCount).map { slot in
          guard isPossible else { return nil }
          if slot == 0, !it.kind.persists, !(it.kind == .input && memory == problem.inputMemory) { return nil }
          return model.addBinary("b\(buffer) m\(memory) s\(slot)")
        }
      })
    moves.append([:])
    accesses.append([:])
    for (number, link) in problem.links.enumerated() {
      guard let cost = problem.moveCost(buffer, from: link.from, to: link.to) else { continue }
      for slot in 1..<problem.slotCount where problem.step(inSlot: slot) == nil {
        guard let source = lies[buffer][link.from][slot], let before = lies[buffer][link.from][slot - 1],
          lies[buffer][link.to][slot] != nil
        else { continue }
        let move = model.addBinary("b\(buffer) l\(number) s\(slot)", objective: Double(problem.objective.of(cost)))
        moves[buffer][number * problem.slotCount + slot] = move
        model.addRow("", upper: 0, [.init(1, move), .init(-1, source)])
        model.addRow("", upper: 0, [.init(1, move), .init(-1, before)])
      }
    }
    for memory in memories.indices {
      for slot in 1..<problem.slotCount {
        guard let now = lies[buffer][memory][slot] else { continue }
        if memories[memory].isReadOnly {
          if let before = lies[buffer][memory][slot - 1] {
            model.addEquality("", 0, [.init(1, now), .init(-1, before)])
          }
        } else if problem.step(inSlot: slot) == nil {
          var terms: [LinearModel.Term] = [.init(1, now)]
          if let before = lies[buffer][memory][slot - 1] { terms.append(.init(-1, before)) }
          for (number, link) in problem.links.enumerated() where link.to == memory {
            if let move = moves[buffer][number * problem.slotCount + slot] { terms.append(.init(-1, move)) }
          }
          model.addRow("", upper: 0, terms)
        }
      }
      let ends = lies[buffer][memory][problem.slotCount - 1]
      if it.kind.persists, let first = lies[buffer][memory][0], let ends {
        model.addRow("", upper: 0, [.init(1, first), .init(-1, ends)])
      }
      if it.kind == .output, memory == problem.outputMemory, let ends { model.addEquality("", 1, [.init(1, ends)]) }
    }
    if it.kind.persists {
      model.addRow("", lower: 1, memories.indices.compactMap { lies[buffer][$0][0].map { .init(1, $0) } })
    }
  }

  private func key(_ op: Int, _ step: Int, _ memory: Int) -> Int {
    (op * problem.ops.count + step) * problem.memories.count + memory
  }

  /// In which memory each op uses the buffer, and what that leaves of its copies.
  private mutating func addUses(_ buffer: Int) {
    for (op, use) in uses[buffer] {
      for step in problem.ops.indices {
        guard let run = runs[op][step] else { continue }
        let slot = problem.slot(ofStep: step)
        var sum: [LinearModel.Term] = [.init(-1, run)]
        for memory in problem.memories.indices where problem.memories[memory].isDirect {
          guard let place = lies[buffer][memory][slot], use == .read || !problem.memories[memory].isReadOnly else {
            continue
          }
          let cost = problem.objective.of(problem.cost(of: use, buffer, in: memory))
          let access = model.addBinary("b\(buffer) op\(op) t\(step) m\(memory)", objective: Double(cost))
          accesses[buffer][key(op, step, memory)] = access
          model.addRow("", upper: 0, [.init(1, access), .init(-1, place)])
          sum.append(.init(1, access))
        }
        model.addEquality("", 0, sum)
      }
    }
    for step in problem.ops.indices {
      let slot = problem.slot(ofStep: step)
      let writers = uses[buffer].filter { $0.use != .read && runs[$0.op][step] != nil }
      for memory in problem.memories.indices {
        guard let now = lies[buffer][memory][slot], !problem.memories[memory].isReadOnly else { continue }
        // It was there before, or is made there.
        var comes: [LinearModel.Term] = [.init(1, now)]
        if let before = lies[buffer][memory][slot - 1] { comes.append(.init(-1, before)) }
        for (op, use) in writers where use == .write {
          if let access = accesses[buffer][key(op, step, memory)] { comes.append(.init(-1, access)) }
        }
        model.addRow("", upper: 0, comes)
        if writers.isEmpty { continue }
        // Elsewhere it is stale, hence gone.
        var stale: [LinearModel.Term] = [.init(1, now)]
        for (op, _) in writers {
          if let run = runs[op][step] { stale.append(.init(1, run)) }
          if let access = accesses[buffer][key(op, step, memory)] { stale.append(.init(-1, access)) }
        }
        model.addRow("", upper: 1, stale)
      }
    }
  }

  private mutating func addCapacities() {
    for (memory, it) in problem.memories.enumerated() {
      for slot in 0..<problem.slotCount {
        let terms: [LinearModel.Term] = problem.buffers.indices.compactMap { buffer in
          lies[buffer][memory][slot].map {
            .init(Double(ItinerarySearch.room(problem.buffers[buffer].bytes, it)), $0)
          }
        }
        if terms.isEmpty { continue }
        model.addRow("m\(memory) s\(slot)", upper: Double(ItinerarySearch.room(it.capacity, it)), terms)
      }
    }
  }

  // MARK: Points

  /// The order and itineraries of a point.
  func plan(at values: [Double]) -> (order: [Int], itineraries: [Itinerary]) {
    func isSet(_ variable: LinearModel.Variable?) -> Bool { variable.map { values[$0.index] > 0.5 } ?? false }
    let order = problem.ops.indices.map { step in problem.ops.indices.first { isSet(runs[$0][step]) } ?? 0 }
    let itineraries = problem.buffers.indices.map { buffer in
      let masks = (0..<problem.slotCount).map { slot in
        problem.memories.indices.reduce(UInt8(0)) { $0 | (isSet(lies[buffer][$1][slot]) ? 1 << UInt8($1) : 0) }
      }
      return Itinerary(first: 0, masks: masks)
    }
    return (order, itineraries)
  }

  /// The point of a known plan, from which a search starts.
  func point(
    order: [Int], itineraries: [Itinerary], moves made: [HierarchyPlan.Move], accesses used: [HierarchyPlan.Access]
  )
    -> [Double]
  {
    var values = [Double](repeating: 0, count: model.variableCount)
    func set(_ variable: LinearModel.Variable?) { if let variable { values[variable.index] = 1 } }
    var step = [Int](repeating: 0, count: order.count)
    for (place, op) in order.enumerated() {
      step[op] = place
      set(runs[op][place])
    }
    for (buffer, itinerary) in itineraries.enumerated() {
      for slot in 0..<problem.slotCount {
        for memory in problem.memories.indices where itinerary.mask(at: slot) >> memory & 1 == 1 {
          set(lies[buffer][memory][slot])
        }
      }
    }
    for move in made {
      let number = problem.links.firstIndex { $0.from == move.from && $0.to == move.to } ?? 0
      set(moves[move.buffer][number * problem.slotCount + move.slot])
    }
    for access in used { set(accesses[access.buffer][key(access.op, step[access.op], access.memory)]) }
    return values
  }
}
