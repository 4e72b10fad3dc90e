import CGuard

/// The linear relaxation of a whole model inside GLPK, solved again and again with other bounds, each time from the last basis.
///
/// Lives and dies on one thread, as GLPK demands; the guard refuses calls from another. Not copyable, because it owns the problem.
struct RelaxationSession: ~Copyable {
  enum Outcome {
    case optimal, infeasible, unbounded, budget, failed
  }

  private let session: OpaquePointer
  private let columnCount: Int
  private(set) var rowCount: Int
  /// The bounds that GLPK has now.
  private var lower: [Double]
  private var upper: [Double]
  /// Of the last solve.
  private(set) var values: [Double]
  /// Of the last solve: one multiplier a row, or the combination of rows that shows infeasibility (up to its sign).
  private(set) var multipliers: [Double] = []
  /// GLPK's rows are these multiples of ours.
  private var scales: [Double]
  private(set) var hasRay = false
  private(set) var objective = 0.0
  var iterations = 0

  /// Nil when GLPK cannot build the model.
  init?(_ model: WholeModel) {
    var input = GLPKInput(
      lower: model.lower.map { $0.map(Double.init) ?? -.infinity },
      upper: model.upper.map { $0.map(Double.init) ?? .infinity }, objective: model.objective.map(Double.init),
      isInteger: Array(repeating: 0, count: model.columnCount),
      rowLower: model.rows.map { $0.lower.map(Double.init) ?? -.infinity },
      rowUpper: model.rows.map { $0.upper.map(Double.init) ?? .infinity })
    for (index, row) in model.rows.enumerated() {
      for (column, coefficient) in row.terms {
        input.entryRow.append(Int32(clamping: index + 1))
        input.entryColumn.append(Int32(clamping: column + 1))
        input.entryValue.append(Double(coefficient))
      }
    }
    var result = cguard_result()
    guard let session = input.withModel({ cguard_open(&$0, &result) }) else { return nil }
    self.session = session
    columnCount = model.columnCount
    rowCount = model.rows.count
    lower = input.lower
    upper = input.upper
    values = Array(repeating: 0, count: model.columnCount)
    scales = Array(repeating: 1, count: model.rows.count)
  }

  deinit { cguard_close(session) }

  /// Adds `sum <= upper`; false when GLPK does not take it.
  mutating func add(_ row: WholeModel.Row) -> Bool {
    // Powers of two do not round; they keep large coefficients near one for GLPK.
    let largest = row.terms.reduce(1) { max($0, $1.coefficient.magnitude) }
    let scale = largest > 1 << 20 ? 1 / Double(1 << (UInt.bitWidth - 21 - largest.leadingZeroBitCount)) : 1
    scales.append(scale)
    let columns = [0] + row.terms.map { Int32($0.column + 1) }
    let coefficients = [0] + row.terms.map { Double($0.coefficient) * scale }
    let limit = (row.upper.map(Double.init) ?? .infinity) * scale
    if cguard_add_row(session, Int32(row.terms.count), columns, coefficients, limit) == 0 {
      scales.removeLast()
      return false
    }
    rowCount += 1
    return true
  }

  /// The multipliers that combine the rows to the tableau row of a basic variable; nil when it is not basic.
  func tableauRow(_ column: Int) -> [Double]? {
    var multipliers = Array(repeating: 0.0, count: rowCount)
    if cguard_tableau_row(session, Int32(column + 1), &multipliers) == 0 { return nil }
    for row in multipliers.indices { multipliers[row] *= scales[row] }
    return multipliers
  }

  /// Solves under these bounds.
  mutating func solve(_ box: WholeModel.Box, iterationBudget: Int, cancellation: Cancellation?) -> Outcome {
    var columns: [Int32] = []
    var newLower: [Double] = []
    var newUpper: [Double] = []
    for column in 0..<columnCount {
      let low = box.lower[column].map(Double.init) ?? -.infinity
      let high = box.upper[column].map(Double.init) ?? .infinity
      if low == lower[column], high == upper[column] { continue }
      lower[column] = low
      upper[column] = high
      columns.append(Int32(column + 1))
      newLower.append(low)
      newUpper.append(high)
    }
    if multipliers.count != rowCount { multipliers = Array(repeating: 0, count: rowCount) }
    var result = cguard_result()
    cguard_relax(
      session, cancellation?.flag, Int32(columns.count), columns, newLower, newUpper,
      Int32(clamping: max(0, iterationBudget)), &values, &multipliers, &result)
    for row in multipliers.indices { multipliers[row] *= scales[row] }
    hasRay = result.has_ray != 0
    objective = result.objective
    iterations += Int(result.iterations)
    switch result.status {
    case CGUARD_OPTIMAL: return .optimal
    case CGUARD_INFEASIBLE: return .infeasible
    case CGUARD_UNBOUNDED: return .unbounded
    case CGUARD_BUDGET: return .budget
    default: return .failed
    }
  }
}
