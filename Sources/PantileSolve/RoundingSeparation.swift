/// Finds cuts by mixed-integer rounding (see `BoundCertificate.Rounding`) that a fractional point violates.
struct RoundingSeparation {
  let model: WholeModel
  /// Those of the model, then cuts.
  let rows: [WholeModel.Row]
  let point: [Double]
  private let complemented: [Bool]
  private let activity: [Double]

  struct Found {
    var cut: BoundCertificate.Rounding
    var row: WholeModel.Row
    /// Distance by which the point is cut off.
    var depth: Double
  }

  init(model: WholeModel, rows: [WholeModel.Row], point: [Double]) {
    self.model = model
    self.rows = rows
    self.point = point
    complemented = point.indices.map { column in
      guard let upper = model.upper[column] else { return false }
      guard let lower = model.lower[column] else { return true }
      return point[column] - Double(lower) > Double(upper) - point[column]
    }
    activity = rows.map { row in row.terms.reduce(0) { $0 + Double($1.coefficient) * point[$1.column] } }
  }

  /// The deepest cut of each side of a row of the model by itself, over some divisors.
  func single(_ row: Int) -> Found? {
    var best: Found?
    for isUpperSide in [true, false] {
      guard let side = isUpperSide ? rows[row].upper : rows[row].lower else { continue }
      // A row far from its bound has no violated cut.
      let slack = (Double(side) - activity[row]).magnitude
      if slack > 1e-6 * max(1, Double(side).magnitude), isUpperSide || rows[row].lower != rows[row].upper,
        slack > 0.5 * (rows[row].terms.reduce(0) { max($0, Double($1.coefficient.magnitude)) })
      {
        continue
      }
      var divisors: [Int] = []
      for (column, coefficient) in rows[row].terms where model.isInteger[column] {
        let inside = min(
          model.lower[column].map { point[column] - Double($0) } ?? 1,
          model.upper[column].map { Double($0) - point[column] } ?? 1)
        let divisor = Int(clamping: coefficient.magnitude)
        if inside > 1e-6, divisor > 1, !divisors.contains(divisor), divisors.count < 6 { divisors.append(divisor) }
      }
      for divisor in divisors {
        let cut = make([(row, isUpperSide ? 1 : -1, isUpperSide)], divisor)
        if let cut, cut.depth > best?.depth ?? 1e-4 { best = cut }
      }
    }
    return best
  }

  /// Gomory's cut from the multipliers of a tableau row.
  func combined(_ multipliers: [Double]) -> Found? {
    for denominator in ProofRounding.denominators(multipliers, largest: 16) where denominator < 1 << 24 {
      var members: [(row: Int, multiplier: Int, isUpperSide: Bool)] = []
      for (row, value) in multipliers.enumerated() where value.magnitude > 1e-9 {
        guard let multiplier = Int(exactly: (value * Double(denominator)).rounded()) else { return nil }
        if multiplier == 0 { continue }
        let toUpper = rows[row].upper.map { (Double($0) - activity[row]).magnitude } ?? .infinity
        let toLower = rows[row].lower.map { (Double($0) - activity[row]).magnitude } ?? .infinity
        if toUpper == .infinity, toLower == .infinity { return nil }
        members.append((row, multiplier, toUpper <= toLower))
      }
      if let cut = make(members, denominator), cut.depth > 1e-4 { return cut }
    }
    return nil
  }

  private func make(_ members: [(row: Int, multiplier: Int, isUpperSide: Bool)], _ divisor: Int) -> Found? {
    var columns: Set<Int> = []
    for member in members { columns.formUnion(rows[member.row].terms.map(\.column)) }
    let cut = BoundCertificate.Rounding(
      rows: members.map(\.row), multipliers: members.map(\.multiplier), isUpperSide: members.map(\.isUpperSide),
      divisor: divisor, complemented: columns.filter { complemented[$0] }.sorted())
    guard let row = model.row(of: .rounding(cut), rows), let upper = row.upper, !row.terms.isEmpty else { return nil }
    var sum = -Double(upper)
    var square = 0.0
    var largest = 0.0
    var smallest = Double.infinity
    for (column, coefficient) in row.terms {
      let value = Double(coefficient)
      sum += value * point[column]
      square += value * value
      largest = max(largest, value.magnitude)
      smallest = min(smallest, value.magnitude)
    }
    // A wide range of coefficients troubles GLPK more than the cut helps.
    if largest > 1e7 * smallest { return nil }
    return Found(cut: cut, row: row, depth: sum / square.squareRoot())
  }
}
