import PantileProblem
import PantileSolve
import PantileSupport

extension ScheduleMethod {
  /// The gap program of one order.
  public static let gap = ScheduleMethod(
    "gap",
    "the gap integer program by GLPK: exact replacement in the default order, or in the order of least peak when it is free"
  ) { (planner) throws(DiagnosticError) in
    var best: ScheduleCandidate?
    for order in planner.startOrders() {
      if let found = try planner.solveOrder(order), found.cost < best?.cost ?? .max { best = found }
    }
    return best
  }

  /// Operands and results may pass through the tile buffer.
  ///
  /// **Source** for pinning what pays and streaming the rest: OnSRAM, doi 10.1145/3530909.
  public static let streaming = ScheduleMethod(
    "streaming", "the gap program with streamed operands, for capacities below the largest op", streams: true
  ) { (planner) throws(DiagnosticError) in
    var best: ScheduleCandidate?
    for order in planner.startOrders() {
      if let found = try planner.solveOrder(order), found.cost < best?.cost ?? .max { best = found }
    }
    guard var result = best else { return nil }
    if planner.options.order == .free, result.isFixedOrder, result.cost > 0 {
      // The program's bound is for its order; over all orders only zero is known.
      result.lowerBound = 0
      result.isFixedOrder = false
      result.proof = .nothingMoves
    }
    return result
  }

  /// **Source** Belady 1966, as the replacement of COSMA's baselines (arXiv 2311.18246, section V).
  public static let belady = ScheduleMethod(
    "belady", "moves the tensor with the farthest use away, in the default order or the one of least peak"
  ) { (planner) throws(DiagnosticError) in
    planner.replaced(by: .farthestUse, orders: planner.startOrders())
  }

  public static let greedy = ScheduleMethod(
    "greedy", "moves the tensor away that costs least, in the default order or the one of least peak"
  ) { (planner) throws(DiagnosticError) in
    planner.replaced(by: .cheapest, orders: planner.startOrders())
  }
}

extension SchedulePlanner {
  /// The default order, and when the order is free the one of least peak.
  func startOrders() -> [[Int]] {
    options.order == .default ? [defaultOrder] : [defaultOrder, MinimumPeak(index, budget: 20_000).order]
  }

  func replaced(by rule: ReplacementRule, orders: [[Int]]) -> ScheduleCandidate? {
    var best: ScheduleCandidate?
    for order in orders {
      let table = GapTable(index, order: order)
      guard let kept = table.replace(by: rule) else { continue }
      let cost = table.cost(kept)
      if cost < best?.cost ?? .max {
        best = ScheduleCandidate(
          order: order, kept: kept, cost: cost, lowerBound: 0, isFixedOrder: false, proof: .nothingMoves, states: 0)
      }
    }
    return best
  }
}
