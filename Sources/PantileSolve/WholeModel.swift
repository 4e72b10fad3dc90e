import PantileSupport

/// A linear model in whole numbers and in the normal form that certificates speak about:
///
/// - always minimised; a maximised objective is negated;
/// - the objective is divided by the greatest common divisor of its coefficients, its `unit`;
/// - a row over integer variables alone is divided by the common divisor of its coefficients, its bounds rounded inwards.
struct WholeModel: Sendable {
  struct Row: Sendable {
    var lower: Int?
    var upper: Int?
    var terms: [(column: Int, coefficient: Int)]
    /// The row of the model is this many times as large.
    var divisor = 1
  }

  /// Bounds of all columns.
  struct Box: Sendable {
    var lower: [Int?]
    var upper: [Int?]
  }

  var box: Box
  var isInteger: [Bool]
  var objective: [Int]
  var rows: [Row]
  /// The model's minimised objective is `unit * (sum of objective * x) + constant`.
  var unit: Int
  var constant: Int
  var isMaximised: Bool
  /// The objective takes whole values only, so that bounds may be rounded up.
  var hasWholeObjective: Bool

  var columnCount: Int { objective.count }
  var lower: [Int?] { box.lower }
  var upper: [Int?] { box.upper }

  /// - Throws: `bad-linear-model`; `not-whole` for a number that is no whole number below 2^53.
  init(_ model: LinearModel) throws(DiagnosticError) {
    try model.check()
    var errors: [Diagnostic] = []
    func whole(_ value: Double, _ place: @autoclosure () -> String) -> Int {
      if let number = Int(exactly: value), number.magnitude <= WholeModel.limit { return number }
      if errors.count < 20 { errors.append(Diagnostic("not-whole", "\(place()) is \(value)")) }
      return 0
    }
    func bound(_ value: Double, _ place: @autoclosure () -> String) -> Int? {
      value.isInfinite ? nil : whole(value, place())
    }
    isMaximised = model.direction == .maximise
    let sign = isMaximised ? -1 : 1
    isInteger = model.columns.map(\.isInteger)
    box = Box(
      lower: model.columns.map { bound($0.lower, "lower bound of '\($0.name)'") },
      upper: model.columns.map { bound($0.upper, "upper bound of '\($0.name)'") })
    objective = model.columns.map { sign * whole($0.objective, "objective of '\($0.name)'") }
    constant = sign * whole(model.objectiveConstant, "objective constant")
    rows = model.constraints.map { row in
      Row(
        lower: bound(row.lower, "lower bound of row '\(row.name)'"),
        upper: bound(row.upper, "upper bound of row '\(row.name)'"),
        terms: row.terms.compactMap { term in
          let coefficient = whole(term.coefficient, "a coefficient of row '\(row.name)'")
          return coefficient == 0 ? nil : (term.variable.index, coefficient)
        })
    }
    hasWholeObjective = zip(objective, isInteger).allSatisfy { $0.0 == 0 || $0.1 }
    unit = max(1, objective.reduce(0, greatestCommonDivisor))
    if !errors.isEmpty { throw DiagnosticError(errors) }
    for column in objective.indices { objective[column] /= unit }
    for index in rows.indices where rows[index].terms.allSatisfy({ isInteger[$0.column] }) {
      let divisor = rows[index].terms.reduce(0) { greatestCommonDivisor($0, $1.coefficient) }
      if divisor <= 1 { continue }
      rows[index].divisor = divisor
      for term in rows[index].terms.indices { rows[index].terms[term].coefficient /= divisor }
      rows[index].lower = rows[index].lower.map { Int(-floorQuotient(Int128(-$0), Int128(divisor))) }
      rows[index].upper = rows[index].upper.map { Int(floorQuotient(Int128($0), Int128(divisor))) }
    }
  }

  /// Every whole number up to here is a `Double`.
  static let limit: UInt = 1 << 53

  /// The objective in units at a whole point, if it satisfies every bound and row exactly; nil otherwise.
  func units(at point: [Int]) -> Int128? {
    guard point.count == columnCount else { return nil }
    var total: Int128 = 0
    for (column, value) in point.enumerated() {
      if let low = box.lower[column], value < low { return nil }
      if let high = box.upper[column], value > high { return nil }
      total &+= Int128(objective[column]) &* Int128(value)
    }
    for row in rows {
      // At most 2^31 products of 54 and 54 bits: no overflow.
      var sum: Int128 = 0
      for (column, coefficient) in row.terms { sum &+= Int128(coefficient) &* Int128(point[column]) }
      if let low = row.lower, sum < Int128(low) { return nil }
      if let high = row.upper, sum > Int128(high) { return nil }
    }
    return total
  }

  /// The integer variables are close to whole numbers.
  func isNearlyWhole(_ values: [Double]) -> Bool {
    zip(values, isInteger).allSatisfy { !$1 || ($0 - $0.rounded()).magnitude <= 1e-6 }
  }

  /// The nearest whole point, if every value is close to one.
  func wholePoint(_ values: [Double]) -> [Int]? {
    guard values.count == columnCount else { return nil }
    var point: [Int] = []
    point.reserveCapacity(values.count)
    for value in values {
      guard let number = Int(exactly: value.rounded()), number.magnitude <= WholeModel.limit,
        (value - value.rounded()).magnitude <= 1e-5
      else { return nil }
      point.append(number)
    }
    return point
  }
}

/// Never negative; 0 for two zeros.
func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
  var (a, b) = (a.magnitude, b.magnitude)
  while b != 0 { (a, b) = (b, a % b) }
  return Int(clamping: a)
}

/// Rounded down, for a positive divisor.
func floorQuotient(_ a: Int128, _ b: Int128) -> Int128 {
  let quotient = a / b
  return quotient * b > a ? quotient - 1 : quotient
}

/// Rounded up, for a positive divisor.
func ceilQuotient(_ a: Int128, _ b: Int128) -> Int128 {
  let quotient = a / b
  return quotient * b < a ? quotient + 1 : quotient
}
