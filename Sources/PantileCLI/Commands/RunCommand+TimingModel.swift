import ArgumentParser
import Foundation
import Pantile

/// What `run` takes for the files of another tool.
struct PeerRunOptions: ParsableArguments {
  enum TopologyFormat: String, ExpressibleByArgument, CaseIterable { case auto, conv, gemm }

  @OptionGroup var model: TimingModelOptions
  @Option(help: "scalesim: what the columns of the topology are; auto tells it from the header.")
  var topologyFormat = TopologyFormat.auto
  @Option(help: "scalesim, with --timing: how often the closed form is evaluated for its CPU seconds.")
  var `repeat`: Int?

  /// Refuses options that only another tool's files take.
  /// - Throws: `option-conflict`.
  func checkUnused(chip: String?) throws(DiagnosticError) {
    if let chip, chip.hasSuffix(".cfg") {
      throw DiagnosticError(
        "option-conflict", "'\(chip)' is a configuration of SCALE-Sim, chips are YAML files",
        hint: "add --timing-model \(TimingModel.scaleSim.name)")
    }
    guard topologyFormat == .auto, `repeat` == nil else {
      throw DiagnosticError(
        "option-conflict", "--topology-format and --repeat are for SCALE-Sim's files",
        hint: "add --timing-model \(TimingModel.scaleSim.name)")
    }
  }
}

extension RunCommand {
  /// A topology of SCALE-Sim on a configuration of SCALE-Sim, as that tool counts.
  func run(as model: TimingModel) throws {
    guard model.name == TimingModel.scaleSim.name else {
      throw DiagnosticError(
        "not-modelled", "the timing model '\(model.name)' knows single products, no networks",
        hint: "use 'pantile gemm --timing-model \(model.name)'")
    }
    try checkForeignOptions()
    let files = try Operands(operands)
    guard files.inputs.isEmpty, files.settings.isEmpty, chip.settings.isEmpty else {
      throw DiagnosticError(
        "option-conflict", "SCALE-Sim's files take no inputs and no settings", hint: "change the .cfg file itself")
    }
    guard let config = chip.chip else {
      throw DiagnosticError("missing-chip", "no configuration is named", hint: "add --chip FILE.cfg")
    }
    guard peer.repeat ?? 1 > 0 else {
      throw DiagnosticError("out-of-range", "--repeat is \(peer.repeat ?? 1), it must be at least 1")
    }
    let start = PhaseClock.now()
    let (run, topology) = try ScaleSimRun.files(
      topology: files.model, config: config, format: .init(rawValue: peer.topologyFormat.rawValue))
    if timing { try report(run, topology, readSeconds: PhaseClock.now() - start) }
    for warning in topology.warnings { Terminal.writeError(warning.rendered + "\n") }
    let name = URL(fileURLWithPath: files.model).deletingPathExtension().lastPathComponent
    let result = ScaleSimResult(run, network: name, warnings: topology.warnings)
    var outputs = OutputFiles()
    if let json { outputs.add(JSON.text(result), to: json) }
    if let csv { outputs.add(result.csv, to: csv) }
    if json != "-", csv != "-" { outputs.add(result.text, to: "-") }
    try outputs.write()
  }

  private func checkForeignOptions() throws(DiagnosticError) {
    let given: [(String, Bool)] = [
      ("--input", !inputs.isEmpty), ("--labels", labels != nil), ("--seed", seed != nil),
      ("--output-dir", outputDir != nil), ("--trace", trace != nil), ("--html", html != nil),
      ("--interpret", interpret), ("--integer-form", integerForm), ("--print-after", !printAfter.isEmpty),
      ("--dim", !options.dims.isEmpty), ("--shape", !options.shapes.isEmpty),
      ("--calibrate", !integer.calibrate.isEmpty), ("--weight-bits", integer.weightBits != nil),
      ("--weight-format", integer.weightFormat != nil),
      ("--sparsity", integer.sparsity != nil), ("--times", times != nil), ("--every-burst", everyBurst),
    ]
    let unknown = given.filter(\.1).map(\.0)
    guard unknown.isEmpty else {
      throw DiagnosticError(
        "not-modelled", "a topology has sizes only, it knows no \(unknown.joined(separator: ", "))",
        hint: "leave it out")
    }
  }

  /// Says what reading and evaluating cost: the first in one go, the second as a mean over many turns.
  private func report(_ run: ScaleSimRun, _ topology: ScaleSimTopology, readSeconds: Double) throws(DiagnosticError) {
    let turns = peer.repeat ?? 1
    let start = PhaseClock.now()
    var cycles = 0
    for _ in 0..<turns { cycles ^= try ScaleSimRun(topology, on: run.config).totals.cycles }
    let seconds = (PhaseClock.now() - start) / Double(turns)
    // The sum is used, so that no turn can be left out.
    let isSame = cycles == (turns % 2 == 0 ? 0 : run.totals.cycles)
    precondition(isSame, "evaluating twice gave two results")
    func text(_ seconds: Double) -> String { String(format: "%.9f", seconds) }
    Terminal.writeError("read and evaluate: \(text(readSeconds)) CPU s\n")
    Terminal.writeError("evaluate: \(text(seconds)) CPU s (mean of \(turns))\n")
  }
}
