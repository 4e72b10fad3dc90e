import PantileConfig

/// The length of a clock as an exact fraction of picoseconds, so that clocks of several periods can be compared without rounding.
public struct ClockPeriod: Hashable, Sendable, BitwiseCopyable {
  public let numerator: Int
  public let denominator: Int

  /// - Precondition: both parts are positive.
  public init(picoseconds numerator: Int, over denominator: Int = 1) {
    precondition(numerator > 0, "a clock period must be positive, got \(numerator)/\(denominator)")
    let ratio = Ratio(numerator, over: denominator)
    (self.numerator, self.denominator) = (ratio.numerator, ratio.denominator)
  }

  /// The nearest doubles.
  public var picoseconds: Double { Double(numerator) / Double(denominator) }
  public var nanoseconds: Double { picoseconds / 1000 }
}
