import PantileProblem
import PantileSupport

extension PackingProblem {
  /// The least capacity at which the buffers fit, with offsets; the problem's own capacity and its banks do not matter.
  ///
  /// The greedy portfolio gives a first height; then the exact search asks for the lower bound itself, and halves what is left.
  /// A capacity that the search cannot decide within its share stays open, and the status says how far the bound is.
  ///
  /// - Parameter nodeBudget: of all searches together.
  /// - Throws: what `check()` throws.
  public func minimise(nodeBudget: Int = PackingMethod.exactNodeBudget) throws(DiagnosticError) -> PackingOutcome {
    var problem = self
    problem.capacity = ProblemLimit.amount
    problem.bankBytes = nil
    try problem.check()
    if let contradiction = problem.contradiction() {
      return .unsolved(
        .infeasible(binding: contradiction.binding), height: heightBound, conflict: contradiction.buffers)
    }
    var budget = nodeBudget
    let bound = heightBound
    var best: [Int]
    if let greedy = try PackingMethod.portfolio.solve(problem).solution {
      best = greedy.offsets
    } else {
      // Only fixed buffers can be in the way at this capacity.
      switch problem.settledOffsets(nodeBudget: &budget) {
      case .packed(let offsets): best = offsets
      case .refuted:
        let conflict = problem.reducedConflict(Array(buffers.indices), nodeBudget: &budget)
        return .unsolved(
          .infeasible(binding: "\(named(conflict.buffers)) cannot be together at any capacity"), height: bound,
          conflict: conflict.buffers)
      case .budgetExhausted: return .unsolved(.budgetExhausted, height: Int.max, conflict: [])
      }
    }
    var height = problem.solution(best, method: "").height
    // Below `proved` nothing fits; capacities from there to `open` are undecided.
    var proved = bound
    var open = bound
    var probe = bound
    while open < height {
      problem.capacity = probe
      var share = budget / 4
      let before = share
      let answer =
        problem.contradiction() != nil ? ExactAnswer.refuted : problem.settledOffsets(nodeBudget: &share)
      budget -= before - share
      switch answer {
      case .packed(let offsets):
        best = offsets
        height = problem.solution(offsets, method: "").height
      case .refuted:
        // What fits no capacity fits no smaller one.
        proved = probe + 1
        open = probe + 1
      case .budgetExhausted: open = probe + 1
      }
      probe = open + (height - open) / 2
    }
    var solution = solution(best, method: "minimise")
    solution.lowerBound = proved
    solution.status = height == proved ? .optimal : .feasible(gap: height - proved)
    return .solved(solution)
  }
}
