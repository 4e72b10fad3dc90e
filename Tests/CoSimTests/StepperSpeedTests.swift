import Foundation
import PantileEngines
import PantileSupport
import Testing

/// How many PEs the register-transfer model moves in a second, on one thread.
@Suite struct StepperSpeedTests {
  struct Figure: Sendable {
    var options: SystolicOptions
    var cycles: Int
    var seconds: Double
    var rate: Double { Double(options.rows * options.columns * cycles) / seconds }
  }

  /// A product whose streams are as long as two loads, so that the array is full for most of the time.
  static func measure(_ options: SystolicOptions, peCycles: Int = 1 << 29) -> Figure {
    let (r, c) = (options.rows, options.columns)
    let stream = 4 * r
    let extents: TileExtents
    switch options.dataflow {
    case .weightStationary: extents = TileExtents(m: stream, k: 2 * r, n: 2 * c)
    case .inputStationary: extents = TileExtents(m: 2 * c, k: 2 * r, n: stream)
    case .outputStationary: extents = TileExtents(m: 2 * r, k: stream, n: 2 * c)
    }
    var random = SplitMix64(seed: 9)
    let command = SystolicCommand(
      extents: extents, a: (0..<extents.m * extents.k).map { _ in Int16(random.next(below: 256) - 128) },
      b: (0..<extents.k * extents.n).map { _ in Int16(random.next(below: 256) - 128) })
    let repeats = max(1, peCycles / (r * c * 4 * stream))
    let commands = [SystolicCommand](repeating: command, count: repeats)
    var best = Figure(options: options, cycles: 0, seconds: .infinity)
    for _ in 0..<3 {
      let start = clock()
      let run = SystolicStepper.run(options, commands)
      let seconds = Double(clock() - start) / Double(CLOCKS_PER_SEC)
      if seconds < best.seconds { best = Figure(options: options, cycles: run.result.cycles, seconds: seconds) }
    }
    return best
  }

  @Test func printsTheSpeedOfTheStepper() {
    for size in [8, 16, 32, 64, 128] {
      for kind in SystolicOptions.kinds where kind.dataflow != .inputStationary {
        let figure = Self.measure(
          SystolicOptions(rows: size, columns: size, dataflow: kind.dataflow, variant: kind.variant),
          peCycles: 1 << 27)
        print(
          "stepper \(size)x\(size) \(kind.dataflow.rawValue) \(kind.variant.rawValue): "
            + String(format: "%.2f G PE-cycles/s", figure.rate / 1e9))
      }
    }
  }
}
