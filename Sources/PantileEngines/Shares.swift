/// Splits of whole numbers in proportion to others.
public enum Shares {
  /// `total` in proportion to `weights`, by largest remainder: whole parts that add up to `total`; of equal remainders the first
  /// is rounded up.
  ///
  /// - Precondition: no weight is negative, one is positive; `total` is not negative.
  public static func split(_ total: Int, over weights: [Int]) -> [Int] {
    let sum = weights.reduce(0, +)
    precondition(sum > 0, "no weight to split \(total) over")
    var parts: [Int] = []
    var remainders: [(remainder: Int, index: Int)] = []
    for (index, weight) in weights.enumerated() {
      // Products may pass 64 bits: PE-cycles times cycles.
      let product = total.multipliedFullWidth(by: weight)
      let (quotient, remainder) = sum.dividingFullWidth(product)
      parts.append(quotient)
      remainders.append((remainder, index))
    }
    remainders.sort { ($1.remainder, $0.index) < ($0.remainder, $1.index) }
    for next in remainders.prefix(total - parts.reduce(0, +)) { parts[next.index] += 1 }
    return parts
  }
}
