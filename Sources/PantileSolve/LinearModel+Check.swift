import PantileSupport

extension LinearModel {
  /// Refuses a model that GLPK would abort on.
  ///
  /// - Throws: `bad-linear-model` for each index out of range, number that is not finite, crossed bounds, repeated term.
  public func check() throws(DiagnosticError) {
    var errors: [Diagnostic] = []
    func fail(_ message: String) {
      if errors.count < 20 { errors.append(Diagnostic("bad-linear-model", message)) }
    }
    func bounds(_ lower: Double, _ upper: Double, _ place: String) {
      if lower.isNaN || upper.isNaN || lower > upper || lower == .infinity || upper == -.infinity {
        fail("\(place) has bounds \(lower) ... \(upper)")
      }
    }
    if columns.isEmpty { fail("there is no variable") }
    if columns.count > Int(Int32.max) / 2 || constraints.count > Int(Int32.max) / 2 {
      fail("\(columns.count) variables and \(constraints.count) rows are too many")
    }
    for column in columns {
      bounds(column.lower, column.upper, "variable '\(column.name)'")
      if !column.objective.isFinite { fail("variable '\(column.name)' has objective \(column.objective)") }
      if column.isInteger, column.lower.isFinite, column.lower != column.lower.rounded() {
        fail("integer variable '\(column.name)' has lower bound \(column.lower)")
      }
      if column.isInteger, column.upper.isFinite, column.upper != column.upper.rounded() {
        fail("integer variable '\(column.name)' has upper bound \(column.upper)")
      }
    }
    // Marks the last row that used a variable, to find repeated terms in linear time.
    var usedBy = Array(repeating: -1, count: columns.count)
    for (index, row) in constraints.enumerated() {
      bounds(row.lower, row.upper, "row '\(row.name)'")
      for term in row.terms {
        guard columns.indices.contains(term.variable.index) else {
          fail("row '\(row.name)' uses variable \(term.variable.index) of \(columns.count)")
          continue
        }
        if !term.coefficient.isFinite { fail("row '\(row.name)' has coefficient \(term.coefficient)") }
        if usedBy[term.variable.index] == index {
          fail("row '\(row.name)' uses variable '\(columns[term.variable.index].name)' twice")
        }
        usedBy[term.variable.index] = index
      }
    }
    if !errors.isEmpty { throw DiagnosticError(errors) }
  }

  /// Checks a point against every bound and row in our own arithmetic.
  ///
  /// **Accuracy** A row may be off by `tolerance` times the largest of one and the magnitudes summed in it; whole numbers below
  /// 2^53 are summed exactly.
  /// - Throws: `wrong-solution` naming the rows and variables that are violated.
  public func verify(_ values: [Double], integral: Bool = true, tolerance: Double = 1e-7) throws(DiagnosticError) {
    var errors: [Diagnostic] = []
    func fail(_ message: String) {
      if errors.count < 20 { errors.append(Diagnostic("wrong-solution", message)) }
    }
    guard values.count == columns.count else {
      throw DiagnosticError("wrong-solution", "\(values.count) values for \(columns.count) variables")
    }
    for (column, value) in zip(columns, values) {
      let slack = tolerance * max(1, value.magnitude)
      if !(value >= column.lower - slack && value <= column.upper + slack) {
        fail("variable '\(column.name)' is \(value), outside \(column.lower) ... \(column.upper)")
      }
      if integral, column.isInteger, value != value.rounded() { fail("variable '\(column.name)' is \(value)") }
    }
    for row in constraints {
      var sum = 0.0
      var magnitude = 1.0
      for term in row.terms {
        let product = term.coefficient * values[term.variable.index]
        sum += product
        magnitude = max(magnitude, product.magnitude)
      }
      let slack = tolerance * magnitude
      if !(sum >= row.lower - slack && sum <= row.upper + slack) {
        fail("row '\(row.name)' is \(sum), outside \(row.lower) ... \(row.upper)")
      }
    }
    if !errors.isEmpty { throw DiagnosticError(errors) }
  }
}
