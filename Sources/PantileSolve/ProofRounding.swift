/// Turns multipliers of floating point into whole ones over a common denominator.
///
/// The result proves something whatever is chosen here; the choice decides how little is lost. Small denominators come first: they
/// keep the reduced costs of basic columns at exactly zero, and certificates short.
struct ProofRounding {
  let rows: [WholeModel.Row]
  let objective: [Int]

  /// A proof and what it shows in one box.
  struct Result {
    var proof: BoundCertificate.Proof
    var units: Int128
    var costs: ReducedCosts
  }

  /// The proof by these duals, from the first denominator whose bound reaches `target`, or else the best.
  func dual(_ duals: [Double], in box: WholeModel.Box, target: Double) -> Result? {
    var best: Result?
    for denominator in Self.denominators(duals) {
      guard let result = proof(duals, denominator: denominator, isRay: false, box) else { continue }
      let value = Double(result.units) / Double(denominator)
      if best.map({ value > Double($0.units) / Double($0.proof.denominator) }) ?? true { best = result }
      if value >= target { break }
    }
    return best
  }

  /// The proof that the box is empty, by this combination of rows or its negative.
  func ray(_ ray: [Double], in box: WholeModel.Box) -> Result? {
    let largest = ray.reduce(0) { max($0, $1.magnitude) }
    let smallest = ray.reduce(Double.infinity) { $1.magnitude > 1e-9 * largest ? min($0, $1.magnitude) : $0 }
    if !(largest > 0), !(smallest < .infinity) { return nil }
    for scale in [smallest, -smallest, largest, -largest] {
      let scaled = ray.map { $0 / scale }
      for denominator in Self.denominators(scaled) {
        if let result = proof(scaled, denominator: denominator, isRay: true, box), result.units > 0 { return result }
      }
    }
    return nil
  }

  private static let small = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 24, 60, 120, 840, 5_040, 55_440]

  /// Candidates in the order to try; the last is a power of two of at most so many bits.
  static func denominators(_ multipliers: [Double], largest bits: Int = 40) -> [Int] {
    var list: [Int] = []
    let largest = multipliers.reduce(1) { max($0, $1.magnitude) }
    if !largest.isFinite { return [] }
    if let fits = small.first(where: { denominator in
      multipliers.allSatisfy {
        let product = $0 * Double(denominator)
        return (product - product.rounded()).magnitude <= 1e-9 * max(1, product.magnitude)
      }
    }) {
      list.append(fits)
    } else if let common = commonDenominator(multipliers) {
      list.append(common)
    }
    // The largest power of two that keeps multipliers below 2^60.
    var exponent = bits
    while exponent > 0, largest * Double(1 << exponent) > 0x1p60 { exponent -= 1 }
    if largest < 0x1p60 { list.append(1 << exponent) }
    return list
  }

  /// The least common denominator of the multipliers as simple fractions, if it is below 2^36.
  private static func commonDenominator(_ multipliers: [Double]) -> Int? {
    var common = 1
    for multiplier in multipliers where multiplier != 0 {
      // Continued fraction of what the common denominator leaves over.
      var x = (multiplier * Double(common)).magnitude
      if x > 0x1p50 { return nil }
      var (p0, q0, p1, q1) = (0.0, 1.0, 1.0, 0.0)
      let value = x
      while true {
        let whole = x.rounded(.down)
        (p0, p1) = (p1, whole * p1 + p0)
        (q0, q1) = (q1, whole * q1 + q0)
        if q1 > 1e7 { return nil }
        if (p1 / q1 - value).magnitude <= 1e-10 * max(1, value) / q1 { break }
        if x == whole { break }
        x = 1 / (x - whole)
      }
      let (product, overflow) = common.multipliedReportingOverflow(by: Int(q1))
      if overflow || product > 1 << 36 { return nil }
      common = product
    }
    return common
  }

  private func proof(_ values: [Double], denominator: Int, isRay: Bool, _ box: WholeModel.Box) -> Result? {
    var proof = BoundCertificate.Proof(denominator: isRay ? 0 : denominator, rows: [], multipliers: [])
    for (row, value) in values.enumerated() where value != 0 {
      guard let multiplier = Int(exactly: (value * Double(denominator)).rounded()), multiplier != 0 else { continue }
      // A multiplier of the wrong sign is noise around zero.
      if (multiplier > 0 ? rows[row].lower : rows[row].upper) == nil { continue }
      proof.rows.append(row)
      proof.multipliers.append(multiplier)
    }
    guard let costs = ReducedCosts(proof, rows, objective), let units = costs.bound(in: box) else { return nil }
    return Result(proof: proof, units: units, costs: costs)
  }
}
