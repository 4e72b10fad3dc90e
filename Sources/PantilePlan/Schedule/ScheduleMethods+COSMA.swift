import PantileProblem
import PantileSolve
import PantileSupport

extension ScheduleMethod {
  /// The integer program as published, addresses included: for small graphs and for comparison.
  ///
  /// **Source** COSMA, arXiv 2311.18246, section IV: create, preserve, spill and retrieve variables for each tensor and step, addresses held
  /// apart by big-M pairs. Its size grows with steps times tensors squared; GLPK does not get far with it (see `Docs/papers/cosma.md`).
  public static let cosma = ScheduleMethod(
    "cosma", "the published program with addresses, for small graphs: creation, preservation, spills, retrievals a step"
  ) { (planner) throws(DiagnosticError) in
    let program = try COSMAProgram(planner.index, isFixedOrder: planner.options.order == .default)
    let solved = try program.model.solve(planner.solverOptions)
    guard solved.hasValues else { return nil }
    let (order, kept) = program.plan(solved.values)
    let cost = GapTable(planner.index, order: order).cost(kept)
    // The published program knows no free write of outputs that are read again, so only its plan counts, not its optimum.
    return ScheduleCandidate(
      order: order, kept: kept, cost: cost, lowerBound: 0, isFixedOrder: program.isFixedOrder, proof: .nothingMoves,
      states: solved.nodes)
  }

  /// The addresses that TensorFlow Lite's arena planner gives, with the farthest use moved away until everything fits.
  ///
  /// **Source** tensorflow/lite greedy-by-size memory planner (Pisarchyk and Lee, arXiv 2001.03288): largest buffers first, each in the
  /// smallest gap that holds it. The baseline of COSMA's experiments.
  public static let tflite = ScheduleMethod(
    "tflite", "greedy-by-size addresses as TensorFlow Lite gives them, moving tensors away until they fit"
  ) { (planner) throws(DiagnosticError) in
    var best: ScheduleCandidate?
    for order in planner.startOrders() {
      let table = GapTable(planner.index, order: order)
      guard let kept = table.greedyArenaPlan() else { continue }
      let cost = table.cost(kept)
      if cost < best?.cost ?? .max {
        best = ScheduleCandidate(
          order: order, kept: kept, cost: cost, lowerBound: 0, isFixedOrder: false, proof: .nothingMoves, states: 0)
      }
    }
    return best
  }
}

extension GapTable {
  /// Farthest-use replacement, then more departures until greedy-by-size addresses fit every memory.
  ///
  /// - Returns: nil when an op does not fit by itself under this allocator.
  fileprivate func greedyArenaPlan() -> [Bool]? {
    guard var kept = replace(by: .farthestUse) else { return nil }
    for _ in 0...gaps.count {
      let segments = segments(kept)
      var sticking: [Int] = []
      for memory in index.capacities.indices {
        let own = segments.indices.filter { index.tensors[segments[$0].tensor].memory == memory }
        sticking += greedyBySize(own.map { segments[$0] }, capacity: index.capacities[memory]).map { own[$0] }
      }
      guard !sticking.isEmpty else { return kept }
      // The stay that sticks out, or one beside it, gives up its longest gap.
      let candidates = sticking.flatMap { segments[$0].gaps }.filter { gaps[$0].matters }
      let others = segments.flatMap(\.gaps).filter { number in
        gaps[number].matters
          && sticking.contains { segments[$0].from < gaps[number].last && gaps[number].first < segments[$0].to }
      }
      guard
        let victim = (candidates.isEmpty ? others : candidates).max(by: {
          (gaps[$0].last - gaps[$0].first, -$0) < (gaps[$1].last - gaps[$1].first, -$1)
        })
      else { return nil }
      kept[victim] = false
    }
    return nil
  }

  /// Places stays by size, each in the smallest gap that holds it.
  ///
  /// - Returns: Those that end above the capacity.
  private func greedyBySize(_ segments: [Segment], capacity: Int) -> [Int] {
    let order = segments.indices.sorted {
      (-index.tensors[segments[$0].tensor].bytes, segments[$0].from, $0)
        < (-index.tensors[segments[$1].tensor].bytes, segments[$1].from, $1)
    }
    var placed: [(segment: Int, offset: Int)] = []
    var sticking: [Int] = []
    for number in order {
      let own = segments[number]
      let bytes = index.tensors[own.tensor].bytes
      let alive = placed.filter { segments[$0.segment].from < own.to && own.from < segments[$0.segment].to }
        .sorted { ($0.offset, $0.segment) < ($1.offset, $1.segment) }
      var top = 0
      var best: (offset: Int, slack: Int)?
      for other in alive {
        let slack = other.offset - top - bytes
        if slack >= 0, slack < best?.slack ?? .max { best = (top, slack) }
        top = max(top, other.offset + index.tensors[segments[other.segment].tensor].bytes)
      }
      let offset = best?.offset ?? top
      if offset + bytes > capacity { sticking.append(number) }
      placed.append((number, offset))
    }
    return sticking
  }
}
