import PantileTarget

/// Cycles of a chip and clocks of a memory, both counted from one common edge: which edge of the one is the first not before an edge of
/// the other. Exact.
public struct ClockCrossing: Hashable, Sendable {
  /// A chip cycle is `chip` units of time, a memory clock `memory`; no common factor.
  private let chip: Int
  private let memory: Int

  /// - Parameter chipHertz: whole hertz, as chip files have them.
  /// - Precondition: `chipHertz` is positive, and the product of its hertz and the picoseconds' numerator fits 64 bits.
  public init(chipHertz: Int, memory period: ClockPeriod) {
    precondition(chipHertz > 0, "a clock needs a positive rate, got \(chipHertz)")
    // 10^12 / hertz against numerator / denominator picoseconds.
    let (left, leftOverflow) = 1_000_000_000_000.multipliedReportingOverflow(by: period.denominator)
    let (right, rightOverflow) = period.numerator.multipliedReportingOverflow(by: chipHertz)
    precondition(!leftOverflow && !rightOverflow, "clocks of \(chipHertz) Hz and \(period) are too far apart")
    var (a, b) = (left, right)
    while b != 0 { (a, b) = (b, a % b) }
    (chip, memory) = (left / a, right / a)
  }

  /// The first memory clock not before the start of a chip cycle.
  public func memoryClock(notBefore chipCycle: Int) -> Int { Self.scale(chipCycle, by: chip, over: memory) }

  /// The first chip cycle not before the start of a memory clock.
  public func chipCycle(notBefore memoryClock: Int) -> Int { Self.scale(memoryClock, by: memory, over: chip) }

  /// Rounded up. - Precondition: `count` is not negative and the result fits 64 bits.
  private static func scale(_ count: Int, by factor: Int, over divisor: Int) -> Int {
    precondition(count >= 0, "a cycle is negative: \(count)")
    let product = UInt(count).multipliedFullWidth(by: UInt(factor))
    precondition(product.high < UInt(divisor), "cycle \(count) is too far for 64 bits")
    let (quotient, remainder) = UInt(divisor).dividingFullWidth(product)
    return Int(quotient) + (remainder > 0 ? 1 : 0)
  }
}
