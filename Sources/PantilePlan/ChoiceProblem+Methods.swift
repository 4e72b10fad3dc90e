import PantileProblem
import PantileSupport

/// A way to solve a `ChoiceProblem`.
public final class ChoiceMethod: Sendable {
  public let name: String
  public let summary: String
  public let solve: @Sendable (ChoiceProblem, ChoiceOptions) throws(DiagnosticError) -> ChoiceOutcome

  init(
    _ name: String, _ summary: String,
    solve: @escaping @Sendable (ChoiceProblem, ChoiceOptions) throws(DiagnosticError) -> ChoiceOutcome
  ) {
    self.name = name
    self.summary = summary
    self.solve = solve
  }
}

/// Limits of a schedule search, as counts.
public struct ChoiceOptions: Hashable, Sendable {
  /// States of the dynamic program kept after each step; more make it exact for wider graphs.
  public var stateLimit: Int
  /// Branch-and-bound nodes of the ILP.
  public var nodeBudget: Int

  public init(stateLimit: Int = 1_024, nodeBudget: Int = 20_000) {
    self.stateLimit = stateLimit
    self.nodeBudget = nodeBudget
  }
}

/// A schedule, or why there is none.
public enum ChoiceOutcome: Hashable, Sendable {
  case solved(ChoiceSolution)
  /// `infeasible` or `budgetExhausted`.
  case unsolved(SolutionStatus)

  public var solution: ChoiceSolution? {
    if case .solved(let solution) = self { return solution }
    return nil
  }
}

extension ChoiceProblem {
  /// Every way to solve this kind of problem.
  public static let methods: [ChoiceMethod] = [.portfolio, .greedy, .dynamicProgramming, .gapILP]

  /// The best schedule by the default method.
  ///
  /// - Throws: what `check()` throws; `solver-fault`.
  public func solve(_ options: ChoiceOptions = ChoiceOptions()) throws(DiagnosticError) -> ChoiceOutcome {
    try ChoiceMethod.portfolio.solve(self, options)
  }
}

extension ChoiceMethod {
  /// Dynamic programming, which is exact unless it had to drop states; then the ILP improves its plan and bounds it. When neither fits
  /// its budget, the greedy plan remains.
  public static let portfolio = ChoiceMethod(
    "portfolio", "dynamic programming, then the gap ILP where states had to be dropped, over a greedy start"
  ) { (problem, options) throws(DiagnosticError) in
    try problem.check()
    let index = ChoiceIndex(problem)
    let dynamic = index.dynamicProgram(stateLimit: options.stateLimit)
    switch dynamic.outcome {
    case .unsolved(.infeasible): return dynamic.outcome
    case .solved(let solution) where dynamic.isExact: return .solved(solution)
    default: break
    }
    var best = index.greedy()
    if let found = dynamic.outcome.solution, best.map({ (found.cycles, found.bytes) < ($0.cycles, $0.bytes) }) ?? true {
      best = found
    }
    return try index.gapILP(nodeBudget: options.nodeBudget, start: best)
  }

  /// All streamed, then tensors kept one by one where that helps most.
  public static let greedy = ChoiceMethod("greedy", "keeps tensors one by one while the plan gets better") {
    (problem, options) throws(DiagnosticError) in
    try problem.check()
    guard let solution = ChoiceIndex(problem).greedy() else { return .unsolved(.budgetExhausted) }
    return .solved(solution)
  }

  /// Step by step over the sets of tensors that may be on chip.
  public static let dynamicProgramming = ChoiceMethod(
    "dynamic-programming", "step by step over which live tensors are on chip; exact within its state limit"
  ) { (problem, options) throws(DiagnosticError) in
    try problem.check()
    return ChoiceIndex(problem).dynamicProgram(stateLimit: options.stateLimit).outcome
  }

  /// The gap ILP.
  public static let gapILP = ChoiceMethod("gap-ilp", "integer program over alternatives and kept gaps, by GLPK") {
    (problem, options) throws(DiagnosticError) in
    try problem.check()
    let index = ChoiceIndex(problem)
    return try index.gapILP(nodeBudget: options.nodeBudget, start: nil)
  }
}
