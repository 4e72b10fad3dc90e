import ArgumentParser
import Pantile

/// `pantile run`: a model on a chip, or on the reference kernels.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Runs a model or a compiled program on the model of a chip.",
    discussion: """
      With inputs (or --seed) values are computed, bit for bit as the chip does; times depend on them (of the first run) where
      an array skips terms, and nowhere else. A model with batch 1 takes inputs [n, ...] as n runs. --interpret computes with the reference kernels instead, without a chip.
      """)

  @Argument(help: ArgumentHelp("The model, or a program written by 'pantile compile'.", valueName: "model"))
  var operands: [String]
  @Option(
    name: .customLong("input"),
    help: ArgumentHelp("An input, by position or name. May be repeated.", valueName: "x.npy|name=x.npy"))
  var inputs: [String] = []
  @Option(help: ArgumentHelp("Labels [n] of the inputs; reports accuracy.", valueName: "labels.npy")) var labels:
    String?
  @Option(help: "Makes inputs, and weights that are absent, from their names and this seed.") var seed: UInt64?
  @Option(help: ArgumentHelp("Write out0.npy, out1.npy, ... there, in graph-output order.", valueName: "folder"))
  var outputDir: String?
  @Option(help: ArgumentHelp("Write the report as JSON.", valueName: "file|-")) var json: String?
  @Option(help: ArgumentHelp("Write a trace for Perfetto.", valueName: "file")) var trace: String?
  @Option(help: ArgumentHelp("Write the report as a page.", valueName: "file")) var html: String?
  @Option(help: ArgumentHelp("Write the layers as CSV.", valueName: "file|-")) var csv: String?
  @Flag(help: "Compute with the reference kernels: the model as it is.") var interpret = false
  @Flag(help: "With --interpret: the integer form that chips run.") var integerForm = false
  @Option(
    help: ArgumentHelp("Print after this stage: integer, choose or program. May be repeated.", valueName: "stage"))
  var printAfter: [CompileCommand.Stage] = []
  @Option(
    help: ArgumentHelp(
      "Time it so often, each time behind the one before, on memories that stay as they are.", valueName: "times"))
  var times: Int?
  @Flag(
    help:
      "With --repeat: step every burst of DRAM devices, also where it is known what comes of it; the result is the same."
  )
  var everyBurst = false
  @Flag(help: "Say on stderr how long each phase took.") var timing = false
  @OptionGroup var peer: PeerRunOptions
  @OptionGroup var chip: ChipOptions
  @OptionGroup var options: ModelOptions
  @OptionGroup var integer: IntegerOptions
  @OptionGroup var root: RootOptions

  func run() throws {
    for path in [json, trace, html, csv] { try OutputFiles.check(path) }
    if let model = try peer.model.peer() { return try run(as: model) }
    try peer.checkUnused(chip: chip.chip)
    let operands = try Operands(operands)
    let given = inputs + operands.inputs
    let values = given.isEmpty ? nil : try Inputs.files(given)
    let labels = try labels.map { path throws(DiagnosticError) in try NPY.read(path) }
    if labels != nil, values == nil {
      throw DiagnosticError("missing-input", "labels are given but no inputs", hint: "add --input FILE.npy")
    }
    try checkTimes()
    if interpret {
      try interpret(operands, values, labels)
    } else {
      try simulate(operands, values, labels)
    }
  }

  /// Refuses times that cannot be, or that nothing comes of.
  private func checkTimes() throws(DiagnosticError) {
    guard let times else {
      if !everyBurst { return }
      throw DiagnosticError("option-conflict", "--every-burst is about repeated runs", hint: "add --times N")
    }
    guard (1...1_000_000).contains(times) else {
      throw DiagnosticError("out-of-range", "--times is \(times)", hint: "a program can be timed 1 to 1,000,000 times")
    }
    if interpret {
      throw DiagnosticError("option-conflict", "--interpret knows no cycles: --times needs a chip")
    }
  }

  // MARK: On the chip

  private func simulate(_ operands: Operands, _ values: Inputs?, _ labels: HostTensor?) throws {
    let folder = root.folder
    var clock = PhaseClock(isOn: timing)
    let target = try chip.load(root: folder, extraSettings: operands.settings)
    let session = try Session(chip: target)
    let compiled: CompiledModel
    var reference: Model?
    if operands.model.hasSuffix(".pantile") {
      compiled = try CompiledModel(contentsOf: operands.model)
      clock.end("import")
    } else {
      let model = try options.load(operands.model, root: folder, inputs: values, weightSeed: seed)
      clock.end("import")
      let runs = try values?.runs(for: model.inputs) ?? []
      let compilation = try Compilations.compile(
        model, for: target, calibration: try integer.sets(for: model, inputs: runs), options: try integer.pipeline())
      clock.end("compile")
      try Compilations.print(compilation, after: printAfter)
      compiled = CompiledModel(compilation, model: model.name)
      reference = model
    }
    let inputs =
      try values ?? seed.map { seed throws(DiagnosticError) in Inputs.seeded(try compiled.inputs, seed: seed) }
    let runs = try inputs?.runs(for: compiled.inputs)
    let profile = try runs?.first.flatMap { run throws(DiagnosticError) in
      try session.profile(of: compiled, run: run)
    }
    if profile != nil, times != nil {
      throw DiagnosticError(
        "option-conflict", "--times repeats a program, and runs on '\(target.name)' depend on the values of each time",
        hint: "leave the inputs out: then nothing is skipped")
    }
    let time = try session.simulator.time(compiled.program, profile: profile, trace: trace != nil)
    clock.end("timing run")
    var outputs: [NamedTensor]?
    if let runs {
      outputs = try session.outputs(of: compiled, runs: runs) { done, total in
        if total > 1 { Terminal.progress("run \(done) of \(total)") }
      }
      clock.end("functional run")
    }
    var accuracy: RunReport.Accuracy?
    if let labels, let outputs, let runs {
      accuracy = try self.accuracy(outputs, labels, reference: reference, runs: runs)
      clock.end("float reference")
    }
    var report = try session.report(
      of: compiled, timing: time, isMeasured: profile != nil, outputs: outputs, accuracy: accuracy)
    if let times {
      let ends = try session.simulator.ends(of: compiled.program, times: times, everyBurst: everyBurst)
      report.repeats = RunReport.Repeats(ends: ends, clockHertz: report.clockHertz)
      clock.end("repeated runs")
    }
    var files = OutputFiles()
    try add(outputs, to: &files, &report.outputs)
    if let json { files.add(report.json(), to: json) }
    if let csv { files.add(report.layersCSV(), to: csv) }
    if let html { files.add(report.html(), to: html) }
    if let trace {
      files.add(
        ChromeTrace.json(timing: time, program: compiled.program, title: "\(compiled.model) on \(target.name)"),
        to: trace)
    }
    if json != "-", csv != "-" { files.add(report.text(), to: "-") }
    try files.write()
  }

  /// Accuracy of the outputs, and of the float reference when the model is at hand.
  private func accuracy(
    _ outputs: [NamedTensor], _ labels: HostTensor, reference: Model?, runs: [[HostTensor]]
  ) throws(DiagnosticError) -> RunReport.Accuracy? {
    guard let first = outputs.first else { return nil }
    let correct = try first.correct(labels)
    var float: Double?
    if let reference, let exact = try Session.interpret(reference.module, runs: runs).first {
      float = Double(try exact.correct(labels)) / Double(labels.count)
    }
    return RunReport.Accuracy(samples: labels.count, correct: correct, floatTop1: float)
  }

  // MARK: On the reference kernels

  private func interpret(_ operands: Operands, _ values: Inputs?, _ labels: HostTensor?) throws {
    guard trace == nil, html == nil, csv == nil else {
      throw DiagnosticError("option-conflict", "--interpret knows no times: --trace, --html and --csv need a chip")
    }
    let folder = root.folder
    var clock = PhaseClock(isOn: timing)
    let model = try options.load(operands.model, root: folder, inputs: values, weightSeed: seed)
    for warning in model.warnings { Terminal.writeError(warning.rendered + "\n") }
    clock.end("import")
    let ports = try model.inputs
    guard
      let inputs = values ?? seed.map({ Inputs.seeded(ports, seed: $0) }) ?? (ports.isEmpty ? Inputs([]) : nil)
    else {
      throw DiagnosticError("missing-input", "no inputs are given", hint: "add --input FILE.npy or --seed N")
    }
    let runs = try inputs.runs(for: ports)
    var module = model.module
    if integerForm {
      let samples = try integer.sets(for: model, inputs: runs)
      module = try GraphPipeline.integer(
        module, calibration: samples.isEmpty ? nil : Calibration(samples: samples), options: try integer.pipeline()
      ).module
      clock.end("compile")
    }
    let outputs = try Session.interpret(module, runs: runs) { done, total in
      if total > 1 { Terminal.progress("run \(done) of \(total)") }
    }
    clock.end("interpret")
    var result = InterpretResult(model: model.name, modelHash: try model.hash(), outputs: outputs.map(\.report))
    if let labels, let first = outputs.first {
      result.accuracy = RunReport.Accuracy(samples: labels.count, correct: try first.correct(labels))
    }
    var files = OutputFiles()
    try add(outputs, to: &files, &result.outputs)
    if let json { files.add(JSON.text(result), to: json) }
    if json != "-" { files.add(result.text, to: "-") }
    try files.write()
  }

  /// Adds the output arrays, and their places to the report.
  private func add(
    _ outputs: [NamedTensor]?, to files: inout OutputFiles, _ reports: inout [RunReport.Output]
  ) throws(DiagnosticError) {
    guard let outputDir else { return }
    guard let outputs else {
      throw DiagnosticError(
        "missing-input", "--output-dir needs values, but no inputs are given", hint: "add --input FILE.npy or --seed N")
    }
    try OutputFiles.makeFolder(outputDir)
    for (index, output) in outputs.enumerated() {
      files.add(NPY.data(of: output.tensor), to: "\(outputDir)/out\(index).npy")
      reports[index].file = "out\(index).npy"
    }
  }
}

/// What `run --interpret --json` writes.
struct InterpretResult: Encodable {
  var schema = "pantile.interpret/1"
  var version = pantileVersion
  var model: String
  var modelHash: String
  var outputs: [RunReport.Output]
  var accuracy: RunReport.Accuracy?

  init(model: String, modelHash: String, outputs: [RunReport.Output]) {
    self.model = model
    self.modelHash = modelHash
    self.outputs = outputs
  }

  enum CodingKeys: String, CodingKey {
    case schema, version, model
    case modelHash = "model_hash"
    case outputs, accuracy
  }

  /// For a terminal.
  var text: String {
    var text = "\(model) on the reference kernels (model \(modelHash))\n"
    if let accuracy {
      text += "  accuracy  \(Table.percent(accuracy.top1)) (\(accuracy.correct) of \(accuracy.samples))\n"
    }
    for output in outputs {
      let shape = (output.shape.map(String.init) + [output.elementType]).joined(separator: "x")
      text += "  output    \(output.name) \(shape)" + (output.hash.map { "  hash \($0)" } ?? "")
      text += (output.file.map { ", \($0)" } ?? "") + "\n"
    }
    return text
  }
}
