import PantileEngines
import PantileProgram
import PantileSim
import PantileSupport

/// A seeded Program of either generator with a seeded list of latencies, as the twin is compared on it.
struct CoreTwinSample {
  var program: Program
  var machine: Machine
  var name: String
  private var setInputs: @Sendable (FunctionalRun) throws(DiagnosticError) -> Void

  /// Even seeds are products, odd ones convolutions.
  init(seed: Int, array: SystolicOptions) throws {
    name = "seed \(seed)"
    if seed % 2 == 0 {
      let sample = try RandomProgram(seed: UInt64(seed / 2), array: array)
      (program, machine) = (sample.program, sample.machine)
      setInputs = { run throws(DiagnosticError) in try sample.setInputs(of: run) }
    } else {
      let sample = RandomConvolution(seed: UInt64(seed / 2), array: array)
      (program, machine) = (sample.program, sample.machine)
      setInputs = { run throws(DiagnosticError) in try sample.setInputs(of: run) }
    }
  }

  /// The k-th latency of a memory that answers out of order; seed 0 is the machine's own constant one.
  static func latencies(seed: Int) -> [Int] {
    if seed == 0 { return [] }
    var random = SplitMix64(seed: UInt64(seed) &* 977)
    return (0..<4000).map { _ in random.next(below: 10 * seed) }
  }

  func twinCase(latencySeed: Int = 0) throws -> CoreTwinCase { try twinCase(of: program, latencySeed: latencySeed) }

  /// The case of a changed copy of the program.
  func twinCase(of program: Program, latencySeed: Int) throws -> CoreTwinCase {
    try CoreTwinCase(
      program, on: machine, latencies: Self.latencies(seed: latencySeed), setInputs: setInputs)
  }
}
