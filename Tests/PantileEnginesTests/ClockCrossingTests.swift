import PantileEngines
import PantileTarget
import Testing

/// Edges of two clocks.
struct ClockCrossingTests {
  @Test(arguments: [(1_000_000_000, 830, 1), (700_000_000, 938, 1), (1_000_000_000, 1000, 1), (1_234_567_891, 2500, 3)])
  func findsTheFirstEdge(_ hertz: Int, _ numerator: Int, _ denominator: Int) {
    let period = ClockPeriod(picoseconds: numerator, over: denominator)
    let crossing = ClockCrossing(chipHertz: hertz, memory: period)
    // Times of edges times hertz times denominator: whole numbers.
    func chip(_ cycle: Int) -> Int { cycle * 1_000_000_000_000 * denominator }
    func memory(_ clock: Int) -> Int { clock * numerator * hertz }
    for cycle in 0..<2_000 {
      let clock = crossing.memoryClock(notBefore: cycle)
      #expect(memory(clock) >= chip(cycle) && (clock == 0 || memory(clock - 1) < chip(cycle)))
      let back = crossing.chipCycle(notBefore: cycle)
      #expect(chip(back) >= memory(cycle) && (back == 0 || chip(back - 1) < memory(cycle)))
    }
  }

  @Test func reachesFar() {
    let crossing = ClockCrossing(chipHertz: 1_000_000_000, memory: ClockPeriod(picoseconds: 830))
    #expect(crossing.memoryClock(notBefore: 83_000_000_000_000_000) == 100_000_000_000_000_000)
  }
}
