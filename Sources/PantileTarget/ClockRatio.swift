import PantileConfig
import PantileSupport

/// Two clocks that both start at zero, and which cycle of one stands where in the other: exact, in whole numbers.
public struct ClockRatio: Hashable, Sendable, BitwiseCopyable {
  /// Memory clocks in `core` core cycles.
  public let memory: Int
  public let core: Int

  /// - Parameters:
  ///   - clock: of the core, in whole Hz.
  ///   - period: of the memory.
  /// - Returns: nil when the ratio does not fit.
  public init?(core clock: Hertz, memory period: ClockPeriod) {
    // A core cycle is 10^12 / f picoseconds.
    let coreCycle = Ratio(1_000_000_000_000, over: max(1, Int(clock.value)))
    guard let ratio = coreCycle.divided(by: Ratio(period.numerator, over: period.denominator)) else { return nil }
    memory = ratio.numerator
    core = ratio.denominator
    guard memory > 0, memory < 1 << 20, core < 1 << 20 else { return nil }
  }

  /// The first memory clock that begins at the start of a core cycle or later.
  @inlinable public func memoryClock(atOrAfter cycle: Int) -> Int { (cycle &* memory &+ core &- 1) / core }

  /// The first core cycle that begins at the start of a memory clock or later.
  @inlinable public func coreCycle(atOrAfter clock: Int) -> Int { (clock &* core &+ memory &- 1) / memory }
}
