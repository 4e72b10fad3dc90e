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
    /// Simplex iterations of the relaxation.
    public var iterationBudget: Int
    /// Drop integrality.
    public var relaxed: Bool
    public var cuts: Cuts

    public init(nodeBudget: Int = 20_000, iterationBudget: Int = 200_000, relaxed: Bool = false, cuts: Cuts = .all) {
      self.nodeBudget = nodeBudget
      self.iterationBudget = iterationBudget
      self.relaxed = relaxed
      self.cuts = cuts
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
      relaxation: result.relaxation + objectiveConstant, duals: duals, nodes: result.nodes)
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
      let text = result.message.isEmpty ? "code \(result.code)" : result.message
      throw DiagnosticError("solver-fault", "GLPK failed: \(text)")
    }
  }

  /// The version of the linked library. (Importing CGLPK here is also what links it; the guard is plain C.)
  public static var solverVersion: String { glp_version().map { String(cString: $0) } ?? "unknown" }

  /// A copy of what the C side reports.
  private struct RawResult {
    var status: cguard_status
    var code: Int
    var bound: Double
    var relaxation: Double
    var nodes: Int
    var message: String
  }

  /// The only call into GLPK.
  private func runGLPK(_ options: Options, presolve: Bool) -> (RawResult, values: [Double], duals: [Double]) {
    var rows: [Int32] = [0]
    var cols: [Int32] = [0]
    var coefficients: [Double] = [0]
    for (index, row) in constraints.enumerated() {
      for term in row.terms where term.coefficient != 0 {
        rows.append(Int32(clamping: index + 1))
        cols.append(Int32(clamping: term.variable.index + 1))
        coefficients.append(term.coefficient)
      }
    }
    let isInteger = columns.map { UInt8($0.isInteger && !options.relaxed ? 1 : 0) }
    let lower = columns.map(\.lower)
    let upper = columns.map(\.upper)
    let objective = columns.map(\.objective)
    let rowLower = constraints.map(\.lower)
    let rowUpper = constraints.map(\.upper)
    var x = Array(repeating: 0.0, count: columns.count)
    var duals = Array(repeating: 0.0, count: constraints.count)
    var result = cguard_result()
    lower.withUnsafeBufferPointer { lower in
      upper.withUnsafeBufferPointer { upper in
        objective.withUnsafeBufferPointer { objective in
          isInteger.withUnsafeBufferPointer { isInteger in
            rowLower.withUnsafeBufferPointer { rowLower in
              rowUpper.withUnsafeBufferPointer { rowUpper in
                rows.withUnsafeBufferPointer { rows in
                  cols.withUnsafeBufferPointer { cols in
                    coefficients.withUnsafeBufferPointer { coefficients in
                      var model = cguard_model(
                        columns: Int32(clamping: columns.count), rows: Int32(clamping: constraints.count),
                        entries: Int32(clamping: coefficients.count - 1), maximise: direction == .maximise ? 1 : 0,
                        column_lower: lower.baseAddress, column_upper: upper.baseAddress,
                        objective: objective.baseAddress, is_integer: isInteger.baseAddress,
                        row_lower: rowLower.baseAddress, row_upper: rowUpper.baseAddress,
                        entry_row: rows.baseAddress, entry_column: cols.baseAddress,
                        entry_value: coefficients.baseAddress,
                        node_budget: options.relaxed ? -1 : Int32(clamping: max(0, options.nodeBudget)),
                        iteration_budget: Int32(clamping: max(0, options.iterationBudget)),
                        use_cuts: options.cuts.rawValue, presolve: presolve ? 1 : 0)
                      cguard_solve(&model, &x, &duals, &result)
                    }
                  }
                }
              }
            }
          }
        }
      }
    }
    let message = withUnsafeBytes(of: result.message) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    let raw = RawResult(
      status: result.status, code: Int(result.code), bound: result.bound, relaxation: result.relaxation,
      nodes: Int(result.nodes), message: message.trimmingNewlines)
    return (raw, x, duals)
  }
}

extension String {
  /// Without line ends, which GLPK puts at the end of its messages.
  fileprivate var trimmingNewlines: String { split(whereSeparator: \.isNewline).joined(separator: " ") }
}
