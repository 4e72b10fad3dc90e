import PantileConfig
import PantileSupport
import Testing

/// Numbers with units.
struct QuantityTests {
  private func node(_ text: String) -> ConfigNode { ConfigNode(.scalar(text, isQuoted: false)) }

  @Test(arguments: [
    ("256 KiB", 262_144), ("256KiB", 262_144), ("1.5 MiB", 1_572_864), ("64 B", 64), ("2 kB", 2_000),
    ("1_024 B", 1_024),
    ("0.5 KiB", 512),
  ])
  func readsSizes(_ text: String, _ bytes: Int) {
    let issues = Issues()
    #expect(node(text).bytes("size", in: 1...1 << 50, issues)?.count == bytes)
    #expect(issues.isEmpty)
  }

  @Test(arguments: [
    ("256", "missing-unit"), ("256 kib", "wrong-unit"), ("256 KB", "wrong-unit"), ("0 B", "out-of-range"),
    ("-4 B", "out-of-range"), ("1.5 B", "wrong-value"), ("lots", "wrong-type"),
    ("99999999999999999999 B", "out-of-range"),
    ("9000000 TiB", "out-of-range"), ("999999999 TiB", "out-of-range"), ("1e3 B", "wrong-unit"),
    ("0x10 B", "wrong-unit"),
    ("", "wrong-type"), ("1/0 B", "wrong-type"), ("nan B", "wrong-type"),
  ])
  func refusesSizes(_ text: String, _ code: String) {
    let issues = Issues()
    #expect(node(text).bytes("size", in: 1...1 << 50, issues) == nil)
    #expect(issues.found.map(\.code) == [code])
  }

  @Test func hintsAtTheUnitMeant() {
    let issues = Issues()
    _ = node("256 kib").bytes("size", in: 1...1 << 50, issues)
    #expect(issues.found[0].hint?.hasPrefix("did you mean 'KiB'?") == true)
  }

  @Test(arguments: [
    ("16 B/cycle", 16, 1), ("19.2 GB/s", 96, 5), ("96/5 B/cycle", 96, 5), ("1 GiB/s", 67_108_864, 62_500_000),
    ("12.8 GB/s", 64, 5),
  ])
  func bandwidthIsExact(_ text: String, _ numerator: Int, _ denominator: Int) {
    let issues = Issues()
    let value = node(text).bandwidth("bandwidth", clock: 1_000_000_000, issues)
    #expect(value == Ratio(numerator, over: denominator))
  }

  @Test(arguments: [
    ("0 B/cycle", "out-of-range"), ("-1 B/cycle", "out-of-range"), ("16", "missing-unit"), ("16 B", "wrong-unit"),
    ("99999999 B/cycle", "out-of-range"),
  ])
  func refusesBandwidths(_ text: String, _ code: String) {
    let issues = Issues()
    #expect(node(text).bandwidth("bandwidth", clock: 1_000_000_000, issues) == nil)
    #expect(issues.found.map(\.code) == [code])
  }

  @Test func oddBandwidthsAreRoundedNotRefused() throws {
    let issues = Issues()
    let value = try #require(
      ConfigNode(.scalar("17.066667 GiB/s", isQuoted: false)).bandwidth("bandwidth", clock: 1_333_333_333, issues))
    #expect(value.denominator <= 1 << 22)
    #expect(abs(value.value - 17.066667 * 1_073_741_824 / 1_333_333_333) < 1e-6)
    #expect(ConfigNode(.scalar("1 B/s", isQuoted: false)).bandwidth("bandwidth", clock: 1_000_000_000, issues) == nil)
    #expect(issues.found.map(\.code) == ["out-of-range"])
  }

  @Test func timesAreRoundedUpToCycles() {
    let issues = Issues()
    #expect(node("100 cycles").cycles("latency", in: 0...1000, clock: nil, issues)?.count == 100)
    #expect(node("1 cycle").cycles("latency", in: 0...1000, clock: nil, issues)?.count == 1)
    #expect(node("10.1 ns").cycles("latency", in: 0...1000, clock: 1_000_000_000, issues)?.count == 11)
    #expect(node("10 ns").cycles("latency", in: 0...1000, clock: 800_000_000, issues)?.count == 8)
    #expect(issues.isEmpty)
    #expect(node("10").cycles("latency", in: 0...1000, clock: nil, issues) == nil)
    #expect(issues.found.map(\.code) == ["missing-unit"])
  }

  @Test func countsTakeNoUnitAndNoFraction() {
    for (text, code) in [
      ("16 KiB", "wrong-unit"), ("1.5", "wrong-type"), ("300", "out-of-range"), ("[1]", "wrong-type"),
    ] {
      let issues = Issues()
      #expect(node(text).count("rows", in: 1...256, issues) == nil)
      #expect(issues.found.map(\.code) == [code], "\(text)")
    }
  }

  @Test func ratioReportsOverflowAsNil() {
    #expect(Ratio(Int.max).multiplied(by: Ratio(2)) == nil)
    #expect(Ratio(Int.max, over: 2).multiplied(by: Ratio(2)) == Ratio(Int.max))
    #expect(Ratio(7, over: 2).roundedUp == 4)
    #expect(Ratio(8, over: 2).roundedUp == 4)
    #expect(Ratio(-7, over: 2).roundedUp == -3)
    #expect(Ratio(1).divided(by: Ratio(0)) == nil)
  }
}
