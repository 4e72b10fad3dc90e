import ArgumentParser
import Pantile

/// `pantile demo`: the digits network on three chips.
struct DemoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Compiles the digits network for three chips and runs all test images on them.")

  @Option(help: ArgumentHelp("Where reports and traces go.", valueName: "folder")) var outputDir: String = "out/demo"
  @Flag(help: "Compare number formats of the weights on a bit-serial chip instead: accuracy, cycles, energy.")
  var formats = false
  @OptionGroup var root: RootOptions

  /// Chip, network and the pattern of its weights; the sparse array takes the twin whose weights are pruned 2:4.
  private static let pairs: [(chip: String, model: String, sparsity: String?)] = [
    ("systolic-16x16", "digits-cnn", nil), ("bitserial-16x16", "digits-cnn", nil),
    ("nm-16x16", "digits-cnn-2of4", "2:4"),
  ]

  func run() throws {
    let digits = try DigitsNetwork(root: root.folder)
    try OutputFiles.makeFolder(outputDir)
    if formats { return try compareFormats(digits) }
    var files = OutputFiles()
    var reports: [RunReport] = []
    for pair in DemoCommand.pairs {
      Terminal.progress("\(pair.model) on \(pair.chip)")
      let pipeline = try IntegerOptions.pipeline(weightBits: nil, weightFormat: nil, sparsity: pair.sparsity)
      let run = try digits.run(pair.model, on: pair.chip, pipeline: pipeline)
      let stem = "\(outputDir)/\(pair.chip)"
      files.add(run.report.json(), to: "\(stem).json")
      files.add(run.report.layersCSV(), to: "\(stem).csv")
      files.add(run.report.html(), to: "\(stem).html")
      files.add(ChromeTrace.json(timing: run.timing, program: run.program, title: run.title), to: "\(stem).trace.json")
      reports.append(run.report)
    }
    let samples = digits.labels.count
    var text = "digits-cnn, trained, \(samples) test images; nm-16x16 runs its 2:4-pruned twin. One inference:\n\n"
    text += RunReport.comparison(of: reports)
    text +=
      "\nCycles are the simulator's; energy is an estimate from cited tables (see each report for what it leaves out).\n"
    text += "Reports and traces for ui.perfetto.dev: \(outputDir)/CHIP.{html,json,csv,trace.json}\n"
    files.add(text, to: "-")
    try files.write()
  }
}
