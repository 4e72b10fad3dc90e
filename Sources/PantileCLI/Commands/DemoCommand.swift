import ArgumentParser
import Pantile

/// `pantile demo`: the digits network on three chips.
struct DemoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Compiles the digits network for three chips and runs all test images on them.")

  @Option(help: ArgumentHelp("Where reports and traces go.", valueName: "folder")) var outputDir: String = "out/demo"
  @OptionGroup var root: RootOptions

  /// Chip and network; the sparse array takes the twin whose weights are pruned 2:4.
  private static let pairs: [(chip: String, model: String)] = [
    ("systolic-16x16", "digits-cnn"), ("bitserial-16x16", "digits-cnn"), ("nm-16x16", "digits-cnn-2of4"),
  ]

  func run() throws {
    guard let folder = root.folder else {
      throw DiagnosticError(
        "no-root", "the shipped network is not found", hint: "run in the repository, or say --root FOLDER")
    }
    let digits = (folder == "." ? "" : folder + "/") + "Workloads/models/digits-cnn"
    let images = try Inputs.files(["\(digits)/test-images.npy"])
    let labels = try NPY.read("\(digits)/test-labels.npy")
    try OutputFiles.makeFolder(outputDir)
    var files = OutputFiles()
    var reports: [RunReport] = []
    for pair in DemoCommand.pairs {
      Terminal.progress("\(pair.model) on \(pair.chip)")
      let chip = try Chip.load(pair.chip, schemas: Machine.schemas(), root: folder)
      let model = try Model(contentsOf: "\(digits)/\(pair.model).onnx")
      let calibration = try Inputs.files(["\(digits)/calibration.npy"]).runs(for: model.inputs)
      let compilation = try Compiler(chip: chip).compile(model, calibration: calibration)
      let compiled = CompiledModel(compilation, model: model.name)
      let session = try Session(chip: chip)
      let runs = try images.runs(for: compiled.inputs)
      let outputs = try session.outputs(of: compiled, runs: runs)
      let float = try Session.interpret(model.module, runs: runs)
      guard let chipOutput = outputs.first, let floatOutput = float.first else { continue }
      let accuracy = RunReport.Accuracy(
        samples: labels.count, correct: try chipOutput.correct(labels),
        floatTop1: Double(try floatOutput.correct(labels)) / Double(labels.count))
      let timing = try session.simulator.time(compiled.program, trace: true)
      let report = try session.report(of: compiled, timing: timing, outputs: outputs, accuracy: accuracy)
      let stem = "\(outputDir)/\(pair.chip)"
      files.add(report.json(), to: "\(stem).json")
      files.add(report.layersCSV(), to: "\(stem).csv")
      files.add(report.html(), to: "\(stem).html")
      files.add(
        ChromeTrace.json(timing: timing, program: compiled.program, title: "\(model.name) on \(chip.name)"),
        to: "\(stem).trace.json")
      reports.append(report)
    }
    let samples = labels.count
    var text = "digits-cnn, trained, \(samples) test images; nm-16x16 runs its 2:4-pruned twin. One inference:\n\n"
    text += RunReport.comparison(of: reports)
    text +=
      "\nCycles are the simulator's; energy is an estimate from cited tables (see each report for what it leaves out).\n"
    text += "Reports and traces for ui.perfetto.dev: \(outputDir)/CHIP.{html,json,csv,trace.json}\n"
    files.add(text, to: "-")
    try files.write()
  }
}
