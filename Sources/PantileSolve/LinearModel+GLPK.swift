import CGLPK
import CGuard
import PantileSupport

/// What a linear solver found.
public struct LinearSolution: Sendable {
  public enum Status: Hashable, Sendable {
    /// No better point exists.
    case optimal
    /// The node budget ended; the best point is at most `gap` better.
    case feasible(gap: Double)
    case infeasible
    case unbounded
    /// The budget ended before any point was found.
    case budgetExhausted
  }

  public var status: Status
  /// One value a variable, integer ones exactly integral; empty without a solution.
  public var values: [Double]
  public var objective: Double
  /// No point is better than this; meaningless when infeasible or unbounded.
  public var bound: Double
  /// The objective of the linear relaxation.
  public var relaxation: Double
  /// Shadow price of each row in the relaxation; empty without one.
  public var duals: [Double]
  /// Branch-and-bound nodes used.
  public var nodes: Int

  public subscript(_ variable: LinearModel.Variable) -> Double { values[variable.index] }

  /// True when there are values to read.
  public var hasValues: Bool { !values.isEmpty }
}

extension LinearModel {
  /// Cutting planes that the branch and bound may add.
  public enum Cuts: Int32, Hashable, Sendable {
    case none
    /// Cover and clique cuts.
    case cheap
    /// Also mixed-integer rounding and Gomory cuts: strong, and slow above some thousand variables.
    case all
  }

  /// How much work a solve may be. Counts, never seconds, so that results are the same on every machine.
  public struct Options: Hashable, Sendable {
    /// Branch-and-bound nodes.
    public var nodeBudget: Int
    /// Simplex iterations.
    public var iterationBudget: Int
    /// Drop integrality.
    public var relaxed: Bool
    public var cuts: Cuts
    /// Ends the solve early, with what it has.
    public var cancellation: Cancellation?

    public init(
      nodeBudget: Int = 20_000, iterationBudget: Int = 200_000, relaxed: Bool = false, cuts: Cuts = .all,
      cancellation: Cancellation? = nil
    ) {
      self.nodeBudget = nodeBudget
      self.iterationBudget = iterationBudget
      self.relaxed = relaxed
      self.cuts = cuts
      self.cancellation = cancellation
    }
  }

  /// Solves by GLPK. Synchronous on the calling thread from creation to deletion, as GLPK's thread-local state demands; solves on
  /// several threads are independent.
  ///
  /// - Throws: `bad-linear-model` before GLPK sees it; `solver-fault` when GLPK fails; `wrong-solution` when its point violates the model.
  public func solve(_ options: Options = Options()) throws(DiagnosticError) -> LinearSolution {
    try check()
    return try solveUnchecked(options)
  }

  /// As `solve`, without looking at the indices first: GLPK's own abort must then end as an error. For tests of that path.
  ///
  /// GLPK 5.0's integer presolver is known to go wrong on small models (`0.4 <= x <= 0.6` with integer x gives x = 1; a model that
  /// presolves to nothing aborts). So a fault, a violated row and an unconfirmed "infeasible" are tried again without it.
  package func solveUnchecked(_ options: Options = Options()) throws(DiagnosticError) -> LinearSolution {
    do {
      let first = try attempt(options, presolve: true)
      if options.relaxed || first.status != .infeasible { return first }
    } catch {}
    return try attempt(options, presolve: false)
  }

  private func attempt(_ options: Options, presolve: Bool) throws(DiagnosticError) -> LinearSolution {
    let (result, raw, duals) = runGLPK(options, presolve: presolve)
    let none = LinearSolution(
      status: .infeasible, values: [], objective: 0, bound: result.bound + objectiveConstant,
      relaxation: result.relaxation + objectiveConstant, duals: duals, nodes: Int(result.nodes))
    switch result.status {
    case CGUARD_OPTIMAL, CGUARD_FEASIBLE:
      var values = raw
      if !options.relaxed {
        for (index, column) in columns.enumerated() where column.isInteger {
          let rounded = values[index].rounded()
          if (values[index] - rounded).magnitude > 1e-5 {
            throw DiagnosticError("wrong-solution", "variable '\(column.name)' is \(values[index]), not integral")
          }
          values[index] = rounded
        }
      }
      try verify(values, integral: !options.relaxed)
      var solution = none
      solution.values = values
      solution.objective = objective(at: values)
      solution.status =
        result.status == CGUARD_OPTIMAL
        ? .optimal : .feasible(gap: (solution.objective - solution.bound).magnitude)
      if result.status == CGUARD_OPTIMAL { solution.bound = solution.objective }
      return solution
    case CGUARD_INFEASIBLE: return none
    case CGUARD_UNBOUNDED:
      var solution = none
      solution.status = .unbounded
      return solution
    case CGUARD_BUDGET:
      var solution = none
      solution.status = .budgetExhausted
      return solution
    default:
      throw DiagnosticError("solver-fault", "GLPK failed: \(result.text)")
    }
  }

  /// The version of the linked library. (Importing CGLPK here is also what links it; the guard is plain C.)
  public static var solverVersion: String { glp_version().map { String(cString: $0) } ?? "unknown" }

  /// The only call of GLPK's branch and bound.
  private func runGLPK(_ options: Options, presolve: Bool) -> (cguard_result, values: [Double], duals: [Double]) {
    var input = GLPKInput(
      lower: columns.map(\.lower), upper: columns.map(\.upper), objective: columns.map(\.objective),
      isInteger: columns.map { UInt8($0.isInteger && !options.relaxed ? 1 : 0) },
      rowLower: constraints.map(\.lower), rowUpper: constraints.map(\.upper))
    input.isMaximised = direction == .maximise
    for (index, row) in constraints.enumerated() {
      for term in row.terms where term.coefficient != 0 {
        input.entryRow.append(Int32(clamping: index + 1))
        input.entryColumn.append(Int32(clamping: term.variable.index &+ 1))
        input.entryValue.append(term.coefficient)
      }
    }
    var x = Array(repeating: 0.0, count: columns.count)
    var duals = Array(repeating: 0.0, count: constraints.count)
    var result = cguard_result()
    input.withModel { model in
      model.node_budget = options.relaxed ? -1 : Int32(clamping: max(0, options.nodeBudget))
      model.iteration_budget = Int32(clamping: max(0, options.iterationBudget))
      model.use_cuts = options.cuts.rawValue
      model.presolve = presolve ? 1 : 0
      cguard_solve(&model, options.cancellation?.flag, &x, &duals, &result)
    }
    return (result, x, duals)
  }
}
