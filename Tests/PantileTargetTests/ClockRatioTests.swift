import PantileSupport
import PantileTarget
import Testing

/// Edges of two clocks.
struct ClockRatioTests {
  @Test(arguments: [(1_000_000_000, 830, 1), (700_000_000, 938, 1), (1_000_000_000, 1000, 1), (500_000_000, 2500, 3)])
  func findsTheFirstEdge(_ hertz: Int, _ numerator: Int, _ denominator: Int) throws {
    let period = ClockPeriod(picoseconds: numerator, over: denominator)
    let ratio = try #require(ClockRatio(core: Hertz(Double(hertz)), memory: period))
    // Times of edges times hertz times denominator: whole numbers.
    func core(_ cycle: Int) -> Int { cycle * 1_000_000_000_000 * denominator }
    func memory(_ clock: Int) -> Int { clock * numerator * hertz }
    for cycle in 0..<2_000 {
      let clock = ratio.memoryClock(atOrAfter: cycle)
      #expect(memory(clock) >= core(cycle) && (clock == 0 || memory(clock - 1) < core(cycle)))
      let back = ratio.coreCycle(atOrAfter: cycle)
      #expect(core(back) >= memory(cycle) && (back == 0 || core(back - 1) < memory(cycle)))
    }
  }

  /// Parts that would not leave room for the cycles of a long run.
  @Test func refusesClocksWithoutASmallRatio() {
    #expect(ClockRatio(core: Hertz(1_234_567_891), memory: ClockPeriod(picoseconds: 2500, over: 3)) == nil)
    #expect(ClockRatio(core: Hertz(1_000_000_000), memory: ClockPeriod(picoseconds: 830))?.memory == 100)
  }
}
