/// An exact fraction, always reduced, the denominator positive.
public struct Ratio: Hashable, Sendable, BitwiseCopyable {
  public let numerator: Int
  public let denominator: Int

  /// - Precondition: `denominator` is positive.
  public init(_ numerator: Int, over denominator: Int = 1) {
    precondition(denominator > 0, "a Ratio needs a positive denominator, got \(denominator)")
    let divisor = Ratio.greatestCommonDivisor(numerator.magnitude, denominator.magnitude)
    self.numerator = numerator / Int(divisor)
    self.denominator = denominator / Int(divisor)
  }

  /// The whole value, or nil when there is a fraction.
  public var whole: Int? { denominator == 1 ? numerator : nil }

  /// The nearest double.
  public var value: Double { Double(numerator) / Double(denominator) }

  /// The product, or nil when it does not fit.
  public func multiplied(by other: Ratio) -> Ratio? {
    // Reducing crosswise first keeps the products as small as they can be.
    let left = Ratio(numerator, over: other.denominator)
    let right = Ratio(other.numerator, over: denominator)
    let (top, topOverflow) = left.numerator.multipliedReportingOverflow(by: right.numerator)
    let (bottom, bottomOverflow) = left.denominator.multipliedReportingOverflow(by: right.denominator)
    return topOverflow || bottomOverflow ? nil : Ratio(top, over: bottom)
  }

  /// The quotient, or nil when it does not fit or `other` is not positive.
  public func divided(by other: Ratio) -> Ratio? {
    guard other.numerator > 0 else { return nil }
    return multiplied(by: Ratio(other.denominator, over: other.numerator))
  }

  /// The smallest whole number that is not below the value.
  public var roundedUp: Int {
    let (quotient, remainder) = numerator.quotientAndRemainder(dividingBy: denominator)
    return remainder > 0 ? quotient + 1 : quotient
  }

  private static func greatestCommonDivisor(_ a: UInt, _ b: UInt) -> UInt {
    var (x, y) = (a, b)
    while y != 0 { (x, y) = (y, x % y) }
    return max(x, 1)
  }
}

extension Ratio: CustomStringConvertible {
  public var description: String { denominator == 1 ? "\(numerator)" : "\(numerator)/\(denominator)" }
}
