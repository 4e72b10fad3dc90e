import PantileDialects
import PantileIR
import PantileReport
import PantileSim
import PantileSupport
import PantileTarget
import PantileTensor

/// Runs compiled networks on one chip for whole sets of samples, and writes down what came out.
///
/// **Example**
/// ```swift
/// let session = try Session(chip: chip)
/// let outputs = try session.outputs(of: compiled, runs: inputs.runs(for: compiled.inputs))
/// let report = try session.report(of: compiled, outputs: outputs)
/// ```
public struct Session: Sendable {
  public let chip: Chip
  public let simulator: Simulator

  /// - Throws: what `Simulator` throws for the chip.
  public init(chip: Chip) throws(DiagnosticError) {
    self.chip = chip
    simulator = try Simulator(chip: chip)
  }

  /// What the chip computes for each set of inputs: one tensor an output, samples stacked along the first dimension.
  ///
  /// - Parameter progress: is told how many of how many runs are done.
  /// - Throws: what `Simulator.run` throws.
  public func outputs(
    of compiled: CompiledModel, runs: [[HostTensor]], progress: (Int, Int) -> Void = { _, _ in }
  ) throws(DiagnosticError) -> [NamedTensor] {
    let ports = try compiled.inputs
    var results: [[HostTensor]] = []
    for (index, run) in runs.enumerated() {
      let inputs = zip(ports, run).map { (name: $0.name, tensor: $1) }
      results.append(try simulator.run(compiled.program, inputs: inputs).map(\.tensor))
      progress(index + 1, runs.count)
    }
    return NamedTensor.stacked(results, names: try compiled.outputs.map(\.name))
  }

  /// What the values of one set of inputs make of the times; nil on a chip whose times do not depend on values.
  /// - Throws: what `Simulator.run` throws.
  public func profile(of compiled: CompiledModel, run: [HostTensor]) throws(DiagnosticError) -> DataProfile? {
    let inputs = zip(try compiled.inputs, run).map { (name: $0.name, tensor: $1) }
    return try simulator.profile(of: compiled.program, inputs: inputs)
  }

  /// The report of one inference.
  /// - Parameters:
  ///   - timing: of `compiled`; made when nil, without values.
  ///   - isMeasured: whether `timing` has the profile of given values.
  ///   - outputs: of a functional run; without one the outputs have no hash.
  /// - Throws: what timing throws.
  public func report(
    of compiled: CompiledModel, timing: TimingResult? = nil, isMeasured: Bool = false, outputs: [NamedTensor]? = nil,
    accuracy: RunReport.Accuracy? = nil
  ) throws(DiagnosticError) -> RunReport {
    let time: TimingResult
    if let timing { time = timing } else { time = try simulator.time(compiled.program) }
    var entries = outputs?.map(\.report) ?? []
    if outputs == nil {
      entries = try compiled.outputs.map {
        RunReport.Output(name: $0.name, shape: $0.shape, elementType: $0.elementType.rawValue)
      }
    }
    var report = RunReport(
      timing: time, program: compiled.program, chip: chip,
      context: .init(
        version: pantileVersion, model: compiled.model, modelHash: compiled.program.modelHash,
        array: simulator.machine.array,
        peakScratchpadBytes: compiled.peakScratchpadBytes, plan: compiled.plan,
        outputs: entries,
        accuracy: accuracy, isMeasured: isMeasured))
    if simulator.dependsOnValues {
      let longest = isMeasured ? try simulator.time(compiled.program).cycles : time.cycles
      report.values = RunReport.Values(isMeasured: isMeasured, longestCycles: longest)
    }
    return report
  }

  /// What the reference kernels compute for each set of inputs, samples stacked along the first dimension.
  /// - Throws: what `Interpreter` throws.
  public static func interpret(
    _ module: Module, runs: [[HostTensor]], progress: (Int, Int) -> Void = { _, _ in }
  ) throws(DiagnosticError) -> [NamedTensor] {
    let interpreter = try Interpreter(module)
    var results: [[HostTensor]] = []
    for (index, run) in runs.enumerated() {
      results.append(try interpreter.run(run))
      progress(index + 1, runs.count)
    }
    return NamedTensor.stacked(results, names: module.outputNames(of: interpreter.function))
  }
}
