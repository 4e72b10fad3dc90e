import ArgumentParser
import Pantile

/// `pantile assign-widths`: bit widths of a network's weights, layer by layer, under limits of size and latency.
struct AssignWidthsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "assign-widths",
    abstract:
      "Assigns a bit width to the weights of each layer by an integer program, under limits of size and latency.",
    discussion: """
      Each layer alone gets each width while the others keep 8 bits: the error of the outputs that this makes is the width's cost, the \
      layer's cycles on the chip its latency. The integer program chooses one width a layer for the least sum of errors, and proves its \
      bound. Errors do not quite add up, so its best assignments are measured and the one of least error is compiled and set beside \
      uniform widths. Exit code 1 when the limits cannot be kept.
      """)

  @Argument(help: ArgumentHelp("The float model.", valueName: "model")) var operands: [String]
  @Option(
    help: ArgumentHelp(
      "Inputs to measure ranges and errors on: [n, ...] arrays. May be repeated. Else the first 100 inputs, or 16 made-up ones.",
      valueName: "x.npy"))
  var calibrate: [String] = []
  @Option(
    name: .customLong("input"),
    help: ArgumentHelp("Inputs for --labels, by position or name. May be repeated.", valueName: "x.npy|name=x.npy"))
  var inputs: [String] = []
  @Option(help: ArgumentHelp("Labels [n] of the inputs; reports accuracy.", valueName: "labels.npy")) var labels:
    String?
  @Option(help: ArgumentHelp("The most bytes of all weights together.", valueName: "12KiB")) var sizeLimit: String?
  @Option(help: ArgumentHelp("The most cycles of one inference.", valueName: "cycles")) var latencyLimit: Int?
  @Option(help: ArgumentHelp("Bits that layers may have, 2 to 8.", valueName: "2,3,...")) var widths = "2,3,4,5,6,8"
  @Option(
    help: ArgumentHelp(
      "Of outputs: divergence of their softmax, for logits; or squared error over the outputs' power.",
      valueName: "kl|mse"))
  var error = OutputError.kl.rawValue
  @Option(help: ArgumentHelp("Branch-and-bound nodes that may be used.", valueName: "nodes")) var budget = 20_000
  @Option(
    help: ArgumentHelp("Assignments of the integer program, best first, whose error is measured.", valueName: "n"))
  var candidates = 16
  @Option(help: ArgumentHelp("Write the result as JSON.", valueName: "file|-")) var json: String?
  @OptionGroup var chip: ChipOptions
  @OptionGroup var options: ModelOptions
  @OptionGroup var root: RootOptions

  func run() throws {
    try OutputFiles.check(json)
    let study = try studyOptions()
    let folder = root.folder
    let operands = try Operands(operands)
    let target = try chip.load(root: folder, extraSettings: operands.settings)
    let given = inputs + operands.inputs
    let values = given.isEmpty ? nil : try Inputs.files(given)
    let labels = try labels.map { path throws(DiagnosticError) in try NPY.read(path) }
    if labels != nil, values == nil {
      throw DiagnosticError("missing-input", "labels are given but no inputs", hint: "add --input FILE.npy")
    }
    let model = try options.load(operands.model, root: folder, inputs: values)
    for warning in model.warnings { Terminal.writeError(warning.rendered + "\n") }
    let ports = try model.inputs
    let runs = try values?.runs(for: ports) ?? []
    let calibration = try calibrate.isEmpty ? Array(runs.prefix(100)) : Inputs.files(calibrate).runs(for: ports)
    let result = try WidthStudy(
      model, chip: target, calibration: calibration, labelled: labels.map { .init(runs: runs, labels: $0) },
      options: study
    ) { Terminal.progress($0) }
    Terminal.endProgress()
    for remark in result.remarks where remark.severity == .warning { Terminal.writeError(remark.rendered + "\n") }
    var files = OutputFiles()
    if let json {
      files.add(
        try result.json(version: pantileVersion, model: model.name, modelHash: try model.hash(), chip: target).text,
        to: json)
    }
    if json != "-" {
      files.add(result.text(model: model.name, chip: target.name, labels: labels?.count), to: "-")
    }
    try files.write()
    if result.assigned == nil { throw ExitCode.answerIsNo }
  }

  private func studyOptions() throws(DiagnosticError) -> WidthStudy.Options {
    var problems: [Diagnostic] = []
    let numbers = widths.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    if !numbers.allSatisfy({ (2...8).contains($0) }) || Set(numbers).count != numbers.count {
      problems.append(
        Diagnostic("out-of-range", "--widths is '\(widths)'", hint: "give each of some widths from 2 to 8 once: 2,4,8"))
    }
    let measure = OutputError(rawValue: error)
    if measure == nil {
      problems.append(Diagnostic("unknown-value", "--error is '\(error)'", hint: "valid values: kl, mse"))
    }
    let size = sizeLimit.map { byteCount(of: $0) }
    if let size, !(1...(ProblemLimit.amount / 8)).contains(size ?? 0) {
      problems.append(
        Diagnostic(
          "wrong-size", "'\(sizeLimit ?? "")' is no size in bytes", hint: "write --size-limit 12KiB or 12288"))
    }
    if let latencyLimit, !(1...ProblemLimit.amount).contains(latencyLimit) {
      problems.append(Diagnostic("out-of-range", "a limit of \(latencyLimit) cycles is none"))
    }
    if budget < 1 { problems.append(Diagnostic("out-of-range", "a budget of \(budget) nodes is none")) }
    if !(1...1_000).contains(candidates) {
      problems.append(Diagnostic("out-of-range", "--candidates is \(candidates), not in 1 to 1000"))
    }
    if !problems.isEmpty { throw DiagnosticError(problems) }
    return WidthStudy.Options(
      widths: numbers.sorted(), error: measure ?? .kl, sizeLimit: size ?? nil, cycleLimit: latencyLimit,
      search: .init(nodeBudget: budget), candidates: candidates)
  }
}
