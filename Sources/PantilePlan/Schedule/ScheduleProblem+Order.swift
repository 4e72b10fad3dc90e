import PantileProblem
import PantileSupport

extension ScheduleProblem {
  /// An order in which replacement by rule moves fewer bytes than in the problem's own, by annealing; nil when none was found.
  ///
  /// For callers that decide on residency themselves and have other candidates: no plan, no bound. Ops that do not fit whole get the room
  /// that they need.
  ///
  /// - Parameters:
  ///   - stepBudget: Steps of ops to run, over all orders tried.
  ///   - seed: Of the random moves.
  /// - Throws: what `check()` throws.
  public func cheaperOrder(stepBudget: Int, seed: UInt64 = 0) throws(DiagnosticError) -> [Int]? {
    var roomy = self
    roomy.tileBytes = nil
    try roomy.check()
    let needs = ScheduleIndex(roomy)
    for memory in roomy.memories.indices {
      let largest = needs.ops.indices.map { needs.leastFootprint(of: $0, in: memory) }.max() ?? 0
      roomy.memories[memory].capacity += max(0, largest - needs.capacities[memory])
    }
    let index = ScheduleIndex(roomy)
    var annealing = OrderAnnealing(index, seed: seed)
    guard
      let found = annealing.improve(
        Array(index.ops.indices), stepBudget: stepBudget, copyWeight: 1, heat: 0.3, target: 0)
    else { return nil }
    return index.wholeOrder(found.order).order
  }
}

extension ScheduleProblem {
  /// The bytes of memory 0 with which nothing has to move, everything kept from its op to its last use: COSMA's `M_P`.
  ///
  /// Addresses may need a little more. The capacity that the problem states does not matter.
  ///
  /// - Returns: `isProved` is false when a free order is the best of a beam.
  /// - Throws: what `check()` throws.
  public func leastCapacity(isOrderFree: Bool) throws(DiagnosticError) -> (bytes: Int, isProved: Bool) {
    var roomy = self
    roomy.tileBytes = nil
    roomy.memories[0].capacity = ProblemLimit.amount
    try roomy.check()
    let index = ScheduleIndex(roomy)
    let pinned = ProblemLimit.amount - index.capacities[0]
    if isOrderFree {
      let least = MinimumPeak(index)
      return (least.peak + pinned, least.isProved)
    }
    let table = GapTable(index, order: Array(index.ops.indices))
    let usage = table.usage(table.gaps.map { _ in true }, memory: 0)
    return ((usage.max() ?? 0) + pinned, true)
  }
}
