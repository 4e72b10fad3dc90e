import PantileSupport

extension WholeModel {
  /// A cut as a row `sum <= upper`; nil when its rule does not hold for it or numbers become too large.
  ///
  /// - Parameter rows: those of the model and the cuts before.
  func row(of cut: BoundCertificate.Cut, _ rows: [Row]) -> Row? {
    switch cut {
    case .cover(let cover): row(of: cover)
    case .rounding(let rounding): row(of: rounding, rows)
    }
  }

  private func row(of cut: BoundCertificate.Cover) -> Row? {
    guard rows.indices.contains(cut.row), cut.limit >= 0, cut.limit < cut.columns.count else { return nil }
    let row = rows[cut.row]
    guard let side = cut.isUpperSide ? row.upper : row.lower else { return nil }
    let sign: Int128 = cut.isUpperSide ? 1 : -1
    let chosen = Set(cut.columns)
    guard chosen.count == cut.columns.count else { return nil }
    // What the row uses at least, all literals being false.
    var least: Int128 = 0
    var weights: [Int128] = []
    var terms: [(column: Int, coefficient: Int)] = []
    var complements = 0
    for (column, coefficient) in row.terms {
      let weight = sign * Int128(coefficient)
      guard let end = weight > 0 ? box.lower[column] : box.upper[column] else { return nil }
      // At most 2^31 products of 54 and 54 bits: no overflow, as with the sum below.
      least += weight * Int128(end)
      guard chosen.contains(column) else { continue }
      guard isInteger[column], box.lower[column] == 0, box.upper[column] == 1 else { return nil }
      weights.append(Int128(weight.magnitude))
      terms.append((column, weight > 0 ? 1 : -1))
      if weight < 0 { complements += 1 }
    }
    guard weights.count == chosen.count else { return nil }
    weights.sort()
    let used = weights.prefix(cut.limit + 1).reduce(least) { $0 + $1 }
    guard used > sign * Int128(side) else { return nil }
    return Row(lower: nil, upper: cut.limit - complements, terms: terms)
  }

  private func row(of cut: BoundCertificate.Rounding, _ rows: [Row]) -> Row? {
    guard cut.divisor > 0, cut.rows.count == cut.multipliers.count, cut.rows.count == cut.isUpperSide.count else {
      return nil
    }
    // The combination `sum of sums[j] * x + sum of slack * s = right`.
    var sums: [Int: Int128] = [:]
    var right = Exact(0)
    for ((index, multiplier), isUpperSide) in zip(zip(cut.rows, cut.multipliers), cut.isUpperSide) {
      guard rows.indices.contains(index), let side = isUpperSide ? rows[index].upper : rows[index].lower else {
        return nil
      }
      right = right + Exact(Int128(multiplier) &* Int128(side))
      for (column, coefficient) in rows[index].terms {
        let sum = Exact(sums[column, default: 0]) + Exact(Int128(multiplier) &* Int128(coefficient))
        guard let sum = sum.value else { return nil }
        sums[column] = sum
      }
    }
    let complemented = Set(cut.complemented)
    let used = sums.keys.sorted().filter { sums[$0] != 0 }
    for column in used {
      guard let end = complemented.contains(column) ? box.upper[column] : box.lower[column] else { return nil }
      right = right + Exact(-1) * Exact(sums[column]) * Exact(Int128(end))
    }
    guard let right = right.value else { return nil }
    let divisor = Int128(cut.divisor)
    let quotient = floorQuotient(right, divisor)
    let rest = right - divisor * quotient
    func rounded(_ a: Int128, _ isWhole: Bool) -> Exact {
      if !isWhole { return Exact(min(0, a)) }
      let q = floorQuotient(a, divisor)
      return Exact(divisor - rest) * Exact(q) + Exact(max(0, a - divisor * q - rest))
    }
    // Back from distances and slacks to the variables.
    var result: [Int: Exact] = [:]
    var limit = Exact(divisor - rest) * Exact(quotient)
    for column in used {
      let sum = sums[column] ?? 0
      let isUpper = complemented.contains(column)
      guard sum > .min, let end = isUpper ? box.upper[column] : box.lower[column] else { return nil }
      let g = rounded(isUpper ? -sum : sum, isInteger[column])
      result[column] = isUpper ? Exact(-1) * g : g
      limit = limit + Exact(isUpper ? -1 : 1) * g * Exact(Int128(end))
    }
    for ((index, multiplier), isUpperSide) in zip(zip(cut.rows, cut.multipliers), cut.isUpperSide) {
      let row = rows[index]
      let isWhole = row.terms.allSatisfy { isInteger[$0.column] }
      let g = rounded(isUpperSide ? Int128(multiplier) : -Int128(multiplier), isWhole)
      if g.value == 0 { continue }
      // s = upper - sum, or sum - lower.
      let sign = Exact(isUpperSide ? -1 : 1)
      for (column, coefficient) in row.terms {
        result[column] = result[column, default: Exact(0)] + sign * g * Exact(Int128(coefficient))
      }
      guard let side = isUpperSide ? row.upper : row.lower else { return nil }
      limit = limit + sign * g * Exact(Int128(side))
    }
    return simplified(result, limit)
  }

  /// Divided by the common divisor where the variables are all whole; nil above 62 bits.
  private func simplified(_ sums: [Int: Exact], _ limit: Exact) -> Row? {
    guard var limit = limit.value else { return nil }
    var terms: [(column: Int, coefficient: Int)] = []
    var divisor = 0
    for column in sums.keys.sorted() {
      guard let sum = sums[column]?.value, let coefficient = Int(exactly: sum), coefficient.magnitude < 1 << 62 else {
        return nil
      }
      if coefficient == 0 { continue }
      terms.append((column, coefficient))
      divisor = greatestCommonDivisor(divisor, coefficient)
    }
    if divisor > 1, terms.allSatisfy({ isInteger[$0.column] }) {
      for index in terms.indices { terms[index].coefficient /= divisor }
      limit = floorQuotient(limit, Int128(divisor))
    }
    guard let upper = Int(exactly: limit), upper.magnitude < 1 << 62 else { return nil }
    return Row(lower: nil, upper: upper, terms: terms)
  }
}
