import PantileProblem
import PantileSupport

/// A way to solve a `PackingProblem`.
public final class PackingMethod: Sendable {
  public let name: String
  public let summary: String
  public let solve: @Sendable (PackingProblem) throws(DiagnosticError) -> PackingOutcome

  init(
    _ name: String, _ summary: String,
    solve: @escaping @Sendable (PackingProblem) throws(DiagnosticError) -> PackingOutcome
  ) {
    self.name = name
    self.summary = summary
    self.solve = solve
  }
}

/// Addresses, or why there are none.
public enum PackingOutcome: Hashable, Sendable {
  case solved(PackingSolution)
  /// `infeasible`, or `budgetExhausted` when nothing fitted but nothing proves that nothing can; `height` is the lowest found.
  /// `conflict` lists buffers that cannot be together, for a caller that will not ask for all of them again; empty when unknown.
  case unsolved(SolutionStatus, height: Int, conflict: [Int])

  public var solution: PackingSolution? {
    if case .solved(let solution) = self { return solution }
    return nil
  }
}

extension PackingProblem {
  /// Every way to solve this kind of problem.
  public static let methods: [PackingMethod] = [.portfolio, .exact, .smt]

  /// Addresses by the default method: the greedy portfolio, and only when nothing in it fits the exact search.
  ///
  /// - Parameter nodeBudget: of the exact search; by default fewer nodes for problems whose nodes cost more.
  /// - Throws: what `check()` throws.
  public func pack(nodeBudget: Int? = nil) throws(DiagnosticError) -> PackingOutcome {
    let outcome = try PackingMethod.portfolio.solve(self)
    guard case .unsolved(.budgetExhausted, let height, _) = outcome else { return outcome }
    let decided = try packExactly(nodeBudget: nodeBudget ?? fallbackNodeBudget)
    if case .unsolved(.budgetExhausted, _, _) = decided {
      return .unsolved(.budgetExhausted, height: height, conflict: [])
    }
    return decided
  }

  /// Addresses for one of many plans that will mostly have none: the exact search first, whose conflicts are wanted, and the portfolio only
  /// when it ends undecided.
  ///
  /// - Parameter explains: Make conflicts small, which takes longer than to refute; otherwise they are empty.
  /// - Throws: what `check()` throws.
  func packOrRefute(explains: Bool) throws(DiagnosticError) -> PackingOutcome {
    let decided = try packExactly(nodeBudget: min(20_000, fallbackNodeBudget), explains: explains)
    guard case .unsolved(.budgetExhausted, _, _) = decided else { return decided }
    return try PackingMethod.portfolio.solve(self)
  }

  /// Nodes in reverse proportion to the pairs of buffer and step, which is what a node costs.
  private var fallbackNodeBudget: Int {
    min(PackingMethod.exactNodeBudget, max(1000, 1_000_000_000 / max(1, PackingModel(self).pairCount)))
  }
}
