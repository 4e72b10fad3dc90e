import ArgumentParser
import Pantile

/// `pantile awq`: scales of input channels, chosen by the magnitude of activations.
struct AWQCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "awq",
    abstract: "Scales input channels by the magnitude of activations, so that quantised weights hurt outputs least.",
    discussion: """
      Each input channel of a layer gets a factor mean|x|^a; a is the exponent of a grid with the least squared error of the layer's \
      outputs on calibration inputs, with weights quantised as --weight-bits or --weight-format say. The factor goes into the weights, its \
      reciprocal into the layer or normalisation before, so that the float network stays the same. 'compile', 'run' and 'explain' do the same \
      with --awq.
      """)

  @Argument(help: ArgumentHelp("The float model.", valueName: "model")) var operands: [String]
  @Option(
    name: .customLong("input"),
    help: ArgumentHelp("Inputs for --labels, by position or name. May be repeated.", valueName: "x.npy|name=x.npy"))
  var inputs: [String] = []
  @Option(help: ArgumentHelp("Labels [n] of the inputs; reports accuracy.", valueName: "labels.npy")) var labels:
    String?
  @Option(help: ArgumentHelp("Steps of the exponent from 0 to 1.", valueName: "n")) var grid = 20
  @Flag(help: "Round factors to powers of two: no bit of the float network changes.") var powerOfTwo = false
  @Option(
    help: ArgumentHelp(
      "Of outputs: divergence of their softmax, for logits; or squared error over the outputs' power.",
      valueName: "kl|mse"))
  var error = OutputError.kl.rawValue
  @Option(help: ArgumentHelp("Write the float model with its scales.", valueName: "scaled.mlir")) var out: String?
  @Option(help: ArgumentHelp("Write the result as JSON.", valueName: "file|-")) var json: String?
  @OptionGroup var integer: IntegerOptions
  @OptionGroup var options: ModelOptions
  @OptionGroup var root: RootOptions

  func run() throws {
    try OutputFiles.check(json)
    try OutputFiles.check(out)
    guard let measure = OutputError(rawValue: error) else {
      throw DiagnosticError("unknown-value", "--error is '\(error)'", hint: "valid values: kl, mse")
    }
    guard (1...1000).contains(grid) else {
      throw DiagnosticError("out-of-range", "a grid of \(grid) steps is not in 1 to 1000")
    }
    var graph = try integer.pipeline()
    var awq = AWQOptions()
    awq.grid = grid
    awq.powerOfTwo = powerOfTwo
    graph.awq = awq
    let operands = try Operands(operands)
    guard operands.settings.isEmpty else {
      throw DiagnosticError(
        "option-conflict", "'\(operands.settings[0])' changes a chip, but there is none", hint: "leave it out")
    }
    let given = inputs + operands.inputs
    let values = given.isEmpty ? nil : try Inputs.files(given)
    let labels = try labels.map { path throws(DiagnosticError) in try NPY.read(path) }
    if labels != nil, values == nil {
      throw DiagnosticError("missing-input", "labels are given but no inputs", hint: "add --input FILE.npy")
    }
    let model = try options.load(operands.model, root: root.folder, inputs: values)
    for warning in model.warnings { Terminal.writeError(warning.rendered + "\n") }
    let runs = try values?.runs(for: model.inputs) ?? []
    let study = try ScaleStudy(
      model, calibration: try integer.sets(for: model, inputs: runs),
      labelled: labels.map { .init(runs: runs, labels: $0) }, graph: graph, error: measure)
    for remark in study.remarks where remark.severity == .warning { Terminal.writeError(remark.rendered + "\n") }
    let weights = integer.weightFormat ?? "int\(integer.weightBits ?? graph.quantize.weightBits)"
    var files = OutputFiles()
    if let out { files.add(try study.scaled.print(.init(form: .short), registry: Dialects.registry), to: out) }
    if let json {
      files.add(
        study.json(version: pantileVersion, model: model.name, modelHash: try model.hash(), weights: weights).text,
        to: json)
    }
    if json != "-" { files.add(study.text(model: model.name, weights: weights, labels: labels?.count), to: "-") }
    try files.write()
  }
}
