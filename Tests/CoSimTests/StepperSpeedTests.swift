import Foundation
import PantileEngines
import PantileSupport
import PantileTensor
import Testing

/// How many PEs the register-transfer model moves in a second, on one thread, idle ones included.
@Suite(.serialized) struct StepperSpeedTests {
  static let isBench = ProcessInfo.processInfo.environment["PANTILE_STEPPER_BENCH"] != nil

  /// A command whose streams are four times as long as a load, repeated, so that the array is full for most of the time.
  static func command(_ options: SystolicOptions) -> SystolicCommand {
    let (r, c) = (options.rows, options.columns)
    let extents: TileExtents
    switch options.dataflow {
    case .weightStationary: extents = TileExtents(m: 4 * r, k: 2 * r, n: 2 * c)
    case .inputStationary: extents = TileExtents(m: 2 * c, k: 2 * r, n: 4 * r)
    case .outputStationary: extents = TileExtents(m: 2 * r, k: 4 * r, n: 2 * c)
    }
    return Twin.Case(extents: extents, seed: 9).command(width: 8)
  }

  /// PE-cycles a second of processor time, the best of three runs.
  static func rate(_ options: SystolicOptions, peCycles: Int = 1 << 28) -> Double {
    let command = command(options)
    let repeats = max(1, peCycles / (options.rows * options.columns * 16 * options.rows))
    let commands = [SystolicCommand](repeating: command, count: repeats)
    return (0..<3).map { _ in
      let start = clock()
      let cycles = SystolicStepper.run(options, commands).result.cycles
      let seconds = Double(clock() - start) / Double(CLOCKS_PER_SEC)
      return Double(options.rows * options.columns * cycles) / seconds
    }.max() ?? 0
  }

  /// Limits of `Benchmarks/thresholds-stepper.csv`: array, dataflow, variant, least and aimed G PE-cycles/s.
  @Test(.enabled(if: isBench, "PANTILE_STEPPER_BENCH=1 runs it: make bench-stepper"))
  func theStepperIsFast() throws {
    let table = try String(
      contentsOf: Twin.root.appendingPathComponent("Benchmarks/thresholds-stepper.csv"), encoding: .utf8)
    for line in table.split(separator: "\n").dropFirst() {
      let words = line.split(separator: ",").map(String.init)
      let sizes = words[0].split(separator: "x").compactMap { Int($0) }
      let dataflow = try #require(SystolicOptions.Dataflow(rawValue: words[1]))
      let variant = try #require(SystolicOptions.Variant(rawValue: words[2]))
      let (limit, aim) = (try #require(Double(words[3])), try #require(Double(words[4])))
      try #require(sizes.count == 2)
      let rate =
        Self.rate(SystolicOptions(rows: sizes[0], columns: sizes[1], dataflow: dataflow, variant: variant)) / 1e9
      print("stepper \(words[0]) \(words[1]) \(words[2]): \(Self.text(rate)) G PE-cycles/s, limit \(limit), aim \(aim)")
      #expect(rate >= limit, "\(line)")
    }
  }

  /// 3136x576x64 with 2:8 weights on 32x32, in milliseconds of processor time, the best of three; limits of
  /// `Benchmarks/thresholds-nm.csv`.
  @Test(.enabled(if: isBench, "PANTILE_STEPPER_BENCH=1 runs it: make bench-stepper"))
  func theSparseStepperIsFast() throws {
    let pattern = try NMPattern(kept: 2, group: 8)
    let format = ContractionFormat(pattern: pattern)
    var random = SplitMix64(seed: 1)
    let input = NMTwinTests.input(TileExtents(m: 3136, k: 576, n: 64), pattern, &random)
    let table = try String(
      contentsOf: Twin.root.appendingPathComponent("Benchmarks/thresholds-nm.csv"), encoding: .utf8)
    for line in table.split(separator: "\n").dropFirst() {
      let words = line.split(separator: ",").map(String.init)
      let dataflow = try #require(NMSparseOptions.Dataflow(rawValue: words[0]))
      let (limit, aim) = (try #require(Double(words[1])), try #require(Double(words[2])))
      let array = ArrayEngine.nmSparse(
        NMSparseOptions(rows: 32, columns: 32, dataflow: dataflow, patterns: [pattern], variant: .serial))
      var (best, cycles) = (Double.infinity, 0)
      for _ in 0..<3 {
        let start = clock()
        cycles = array.stepper([input], format).cycles
        best = min(best, Double(clock() - start) / Double(CLOCKS_PER_SEC) * 1000)
      }
      print("stepper nm \(words[0]) 2:8: \(cycles) cycles in \(Self.text(best)) ms, limit \(limit), aim \(aim)")
      #expect(best <= limit, "\(line)")
    }
  }

  /// The same array stepped in Swift and in Verilator, one after the other in one process run.
  @Test(
    .enabled(if: Twin.isAvailable, "verilator, g++ and make are not installed"),
    .enabled(if: CoSimTests.isFull, "PANTILE_COSIM=full runs it: make cosim"))
  func theStepperIsFasterThanVerilator() throws {
    let options = SystolicOptions(rows: 16, columns: 16)
    let quiet = Twin.Case(extents: Self.command(options).extents, seed: 9, isQuiet: true)
    let twin = try Twin(options: options).run([Twin.Case](repeating: quiet, count: 64))
    let (verilator, stepper) = (twin.peCycles / twin.seconds, Self.rate(options))
    print(
      "speed 16x16 ws overlapped: stepper \(Self.text(stepper / 1e9)) G, Verilator \(Self.text(verilator / 1e9)) G "
        + "PE-cycles/s, ratio \(Self.text(stepper / verilator))")
    #expect(stepper > verilator)
  }

  private static func text(_ value: Double) -> String { String(format: "%.2f", value) }
}
