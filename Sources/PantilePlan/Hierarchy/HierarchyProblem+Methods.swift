import PantileProblem
import PantileSupport

/// How much work planning may be, and what it may change. Limits are counts, never seconds.
public struct HierarchyOptions: Sendable {
  public var order: ScheduleOptions.Order
  /// Master programs of the decomposition, for each order that is tried.
  public var programBudget: Int
  /// Branch-and-bound nodes of each integer program.
  public var nodeBudget: Int
  /// Rounds of each search of large neighbourhoods.
  public var searchBudget: Int
  /// The whole integer program is made for problems of at most so many binaries.
  public var exactSize: Int

  public init(
    order: ScheduleOptions.Order = .free, programBudget: Int = 300, nodeBudget: Int = 300,
    searchBudget: Int = 4_000, exactSize: Int = 1_200
  ) {
    self.order = order
    self.programBudget = programBudget
    self.nodeBudget = nodeBudget
    self.searchBudget = searchBudget
    self.exactSize = exactSize
  }
}

/// A plan, or why there is none.
public enum HierarchyOutcome: Sendable {
  case solved(HierarchyPlan)
  /// No plan exists; the text names what does not fit.
  case infeasible(String)
  /// The budget ended before a plan was found, or the method is not made for problems of this size.
  case inconclusive(String)

  public var plan: HierarchyPlan? {
    if case .solved(let plan) = self { return plan }
    return nil
  }
}

/// A way to solve a `HierarchyProblem`.
public final class HierarchyMethod: Sendable {
  public let name: String
  public let summary: String
  let find: @Sendable (HierarchyPlanner) throws(DiagnosticError) -> HierarchyOutcome

  init(
    _ name: String, _ summary: String,
    find: @escaping @Sendable (HierarchyPlanner) throws(DiagnosticError) -> HierarchyOutcome
  ) {
    self.name = name
    self.summary = summary
    self.find = find
  }

  /// What a user takes.
  public static let auto = HierarchyMethod(
    "auto", "the decomposition for several orders; for small graphs also the whole integer program"
  ) { planner throws(DiagnosticError) in try planner.decomposed(thenExact: planner.isSmall) }

  /// Of small graphs.
  public static let exact = HierarchyMethod(
    "exact", "order, residency and moves as one integer program, from the decomposition's plan"
  ) { planner throws(DiagnosticError) in
    guard planner.isSmall else {
      return .inconclusive(
        "the integer program would have \(planner.exactBinaries) binaries, at most \(planner.options.exactSize) are tried; "
          + "--method columns takes larger graphs")
    }
    return try planner.decomposed(thenExact: true)
  }

  /// Of any graphs.
  public static let columns = HierarchyMethod(
    "columns",
    "one itinerary a buffer from a master program, itineraries by dynamic programming; a bound for each order"
  ) { planner throws(DiagnosticError) in try planner.decomposed(thenExact: false) }

  /// For comparison.
  public static let greedy = HierarchyMethod(
    "greedy", "one buffer after the other where there is room, for comparison; no bound for the order"
  ) { planner throws(DiagnosticError) in try planner.greedily() }
}

extension HierarchyProblem {
  /// Every way to solve this kind of problem.
  public static let methods: [HierarchyMethod] = [.auto, .exact, .columns, .greedy]

  /// Plans and verifies.
  ///
  /// - Throws: what `check()` throws; `wrong-plan` when a method made a plan that does not hold, which is a defect; `solver-fault`.
  public func plan(
    _ method: HierarchyMethod = .auto, _ options: HierarchyOptions = HierarchyOptions()
  ) throws(DiagnosticError) -> HierarchyOutcome {
    try check()
    if let reason = shortage() { return .infeasible(reason) }
    let outcome = try method.find(HierarchyPlanner(problem: self, options: options))
    if case .solved(var plan) = outcome {
      plan.method = method.name
      try verify(plan)
      return .solved(plan)
    }
    return outcome
  }
}
