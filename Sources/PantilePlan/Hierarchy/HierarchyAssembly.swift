import PantileProblem
import PantileSupport

/// Makes a plan of itineraries: moves and accesses by the cheapest way, addresses by packing each memory.
struct HierarchyAssembly {
  let problem: HierarchyProblem
  let order: [Int]
  let itineraries: [Itinerary]

  /// What came of the addresses.
  enum Addresses {
    case found([HierarchyPlan.Stay])
    /// This memory's stays were not packed; the lowest packing found has this height.
    case short(memory: Int, height: Int)
  }

  /// Stays of every memory with addresses, ordered by buffer, memory and slot.
  ///
  /// The stay at the end of a step lies where the one at its start does, since the step is repeated.
  func addresses() throws(DiagnosticError) -> Addresses {
    var stays: [HierarchyPlan.Stay] = []
    for memory in problem.memories.indices {
      var own: [HierarchyPlan.Stay] = []
      var packing = PackingProblem(
        name: problem.memories[memory].name, buffers: [], capacity: problem.memories[memory].capacity)
      for (buffer, itinerary) in itineraries.enumerated() {
        let it = problem.buffers[buffer]
        let runs = itinerary.stays(in: memory)
        let firstPlace = own.count
        for run in runs {
          var tie: PackingProblem.Tie?
          if it.kind.persists, runs.count > 1, run.upperBound == problem.slotCount, runs[0].lowerBound == 0 {
            tie = .init(to: firstPlace)
          }
          packing.buffers.append(
            .init(
              it.name, start: run.lowerBound, end: run.upperBound, size: it.bytes,
              alignment: problem.memories[memory].alignment, tie: tie))
          own.append(.init(buffer: buffer, memory: memory, from: run.lowerBound, to: run.upperBound, offset: 0))
        }
      }
      switch try packing.pack() {
      case .solved(let solution): for place in own.indices { own[place].offset = solution.offsets[place] }
      case .unsolved(_, let height, _): return .short(memory: memory, height: height)
      }
      stays += own
    }
    return .found(stays.sorted { ($0.buffer, $0.memory, $0.from) < ($1.buffer, $1.memory, $1.from) })
  }

  /// Copies by the cheapest way in each slot; of equal ones from the lower memory.
  func moves() -> [HierarchyPlan.Move] {
    var moves: [HierarchyPlan.Move] = []
    for (buffer, itinerary) in itineraries.enumerated() {
      for place in itinerary.masks.indices {
        let slot = itinerary.first + place
        guard slot > 0, problem.step(inSlot: slot) == nil else { continue }
        let (before, now) = (itinerary.mask(at: slot - 1), itinerary.mask(at: slot))
        for target in problem.memories.indices where (now & ~before) >> target & 1 == 1 {
          var best: (source: Int, cost: Int)?
          for source in problem.memories.indices where (now & before) >> source & 1 == 1 {
            guard let cost = problem.moveCost(buffer, from: source, to: target) else { continue }
            let value = problem.objective.of(cost)
            if value < best?.cost ?? Int.max { best = (source, value) }
          }
          if let best { moves.append(.init(buffer: buffer, from: best.source, to: target, slot: slot)) }
        }
      }
    }
    return moves.sorted { ($0.slot, $0.buffer, $0.to) < ($1.slot, $1.buffer, $1.to) }
  }

  /// The memory in which each op uses each of its buffers: the cheapest in which it lies; of equal ones the lower.
  func accesses() -> [HierarchyPlan.Access] {
    var accesses: [HierarchyPlan.Access] = []
    for (step, op) in order.enumerated() {
      let it = problem.ops[op]
      let slot = problem.slot(ofStep: step)
      let uses: [(buffer: Int, use: HierarchyProblem.Use)] =
        it.reads.map { ($0, .read) } + it.updates.map { ($0, .update) } + it.writes.map { ($0, .write) }
      for (buffer, use) in uses {
        let mask = itineraries[buffer].mask(at: slot)
        let places = problem.memories.indices.filter { mask >> $0 & 1 == 1 && problem.memories[$0].isDirect }
        let best = places.min {
          let (left, right) = (problem.cost(of: use, buffer, in: $0), problem.cost(of: use, buffer, in: $1))
          return (problem.objective.of(left), $0) < (problem.objective.of(right), $1)
        }
        if let best { accesses.append(.init(op: op, buffer: buffer, use: use, memory: best)) }
      }
    }
    return accesses
  }

  /// What moves and accesses cost.
  func cost(_ moves: [HierarchyPlan.Move], _ accesses: [HierarchyPlan.Access]) -> HierarchyProblem.Cost {
    var total = HierarchyProblem.Cost()
    for move in moves {
      total = total + (problem.moveCost(move.buffer, from: move.from, to: move.to) ?? HierarchyProblem.Cost())
    }
    for access in accesses { total = total + problem.cost(of: access.use, access.buffer, in: access.memory) }
    return total
  }
}
