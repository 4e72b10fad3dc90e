import PantileEngines
import PantilePasses
import PantileProblem
import PantileProgram
import PantileReport
import PantileSim
import PantileSupport
import PantileTarget
import PantileTensor

/// Runs compiled Programs on the chip that they were compiled for.
///
/// **Example**
/// ```swift
/// let simulator = try Simulator(chip: chip)
/// let outputs = try simulator.run(compilation.program, inputs: [("image", image)])
/// let timing = try simulator.time(compilation.program)
/// ```
public struct Simulator: Sendable {
  public let chip: Chip
  public let machine: Machine

  public init(chip: Chip, families: [ArrayFamily] = .all) throws(DiagnosticError) {
    self.chip = chip
    machine = try Machine(chip, families: families)
  }

  /// The values that the chip computes: outputs in graph order.
  ///
  /// - Throws: `chip-mismatch`, `unknown-input`, `input-shape`; `no-weights` for a Program without images.
  public func run(
    _ program: Program, inputs: [(name: String, tensor: HostTensor)]
  ) throws(DiagnosticError) -> [(name: String, tensor: HostTensor)] {
    try finished(program, inputs: inputs, profiles: false).outputs()
  }

  /// What the values of a run make of a Program's times and actions; nil on a chip where nothing of them depends on values.
  ///
  /// - Throws: as `run`.
  public func profile(
    of program: Program, inputs: [(name: String, tensor: HostTensor)]
  ) throws(DiagnosticError) -> DataProfile? {
    guard dependsOnValues else { return nil }
    return try finished(program, inputs: inputs, profiles: true).profile
  }

  /// Whether times or actions of the chip depend on values: its array skips terms, or gates products.
  public var dependsOnValues: Bool { machine.array?.measure != nil }

  private func finished(
    _ program: Program, inputs: [(name: String, tensor: HostTensor)], profiles: Bool
  ) throws(DiagnosticError) -> FunctionalRun {
    let weights = program.regions.count { $0.kind == .weight }
    guard program.images.count == weights else {
      throw DiagnosticError(
        "no-weights", "program '\(program.name)' was compiled without weights: it can be timed, not run",
        hint: "compile it from a model whose weights are there")
    }
    let run = try FunctionalRun(program, on: machine, profiles: profiles)
    for input in inputs { try run.setInput(input.name, input.tensor) }
    try run.run()
    return run
  }

  /// When everything happens.
  ///
  /// - Parameter profile: of the Program with given values; without one, times that depend on values are the longest of any.
  public func time(
    _ program: Program, profile: DataProfile? = nil, trace: Bool = false
  ) throws(DiagnosticError) -> TimingResult {
    try TimingRun(program, on: machine, options: .init(trace: trace, profile: profile)).run()
  }

  /// The cycles in which a Program is done that runs `times` times, one after the other, on memories that stay as they are in between.
  ///
  /// - Parameter everyBurst: step every burst of DRAM devices, also where it is known what comes of it; the result is the same.
  /// - Precondition: `times` is positive.
  public func ends(
    of program: Program, times: Int, everyBurst: Bool = false
  ) throws(DiagnosticError) -> [Int] {
    try CycleRun(program, on: machine, remembers: !everyBurst).run(times: times)
  }

  /// The report of a compilation's run.
  public func report(
    _ compilation: Compiler.Compilation, model: String, timing: TimingResult? = nil, outputs: [RunReport.Output] = [],
    accuracy: RunReport.Accuracy? = nil
  ) -> RunReport {
    RunReport(
      timing: timing ?? compilation.timing, program: compilation.program, chip: chip,
      context: .init(
        version: pantileVersion, model: model, modelHash: compilation.program.modelHash,
        array: machine.array,
        peakScratchpadBytes: compilation.plan.peakScratchpadBytes, plan: .init(compilation), outputs: outputs,
        accuracy: accuracy))
  }
}

/// The version of the tool and library, in every output.
public let pantileVersion = "0.1.0"

extension RunReport.Plan {
  /// Status, gaps and bounds of a compilation.
  public init(_ compilation: Compiler.Compilation) {
    func relative(_ name: String) -> Double? {
      compilation.plan.gaps.first { $0.name == name }.map { gap in
        gap.relative.isFinite ? gap.relative : 0
      }
    }
    var bounds = NamedAmounts<Int>()
    for bound in compilation.bounds.bounds {
      bounds.add(bound.name.replacing(" ", with: "_"), bound.cycles)
    }
    self.init(
      status: compilation.plan.status,
      gaps: Gaps(
        tiling: relative("tiling"), residency: relative("residency"), packing: relative("packing"),
        network: relative("network")), bounds: bounds)
  }
}
