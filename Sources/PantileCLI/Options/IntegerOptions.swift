import ArgumentParser
import Pantile

/// How a float model becomes an integer one.
struct IntegerOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Inputs to calibrate quantisation on: [n, ...] arrays. May be repeated. Else the first 100 inputs, or seeded ones.",
      valueName: "x.npy"))
  var calibrate: [String] = []

  @Option(help: "Bits of a weight, 2 to 8.") var weightBits: Int?

  @Option(
    help: ArgumentHelp(
      "Bits of the weights of one layer, in place of --weight-bits and --weight-format. May be repeated.",
      valueName: "node:bits"))
  var layerBits: [String] = []

  @Option(help: ArgumentHelp("Number format of the weights (pantile list formats).", valueName: "name"))
  var weightFormat: String?

  @Option(
    help: ArgumentHelp(
      "With --weight-format: multiples of a format's scale among which each is chosen by squared error.",
      valueName: "from:to:steps"))
  var scaleSearch: String?

  @Flag(
    help:
      "Scale input channels by the magnitude of activations before quantisation, folded into the op before (pantile awq)."
  )
  var awq = false

  @Option(help: ArgumentHelp("Prune weights to this pattern.", valueName: "N:M")) var sparsity: String?

  /// What the graph passes get.
  /// - Throws: `wrong-pattern`, `out-of-range`, `wrong-layer-bits`.
  func pipeline() throws(DiagnosticError) -> GraphPipeline.Options {
    var options = try IntegerOptions.pipeline(weightBits: weightBits, weightFormat: weightFormat, sparsity: sparsity)
    if let scaleSearch {
      guard weightFormat != nil else {
        throw DiagnosticError(
          "option-conflict", "--scale-search without a number format", hint: "add --weight-format int4")
      }
      options.quantize.scaleSearch = try ScaleGrid(scaleSearch).description
    }
    if awq { options.awq = AWQOptions() }
    var problems: [Diagnostic] = []
    for text in layerBits {
      guard let layer = QuantizeOptions.LayerBits(optionText: text), !layer.node.isEmpty else {
        problems.append(
          Diagnostic("wrong-layer-bits", "'\(text)' gives no layer a width", hint: "write --layer-bits conv1:4"))
        continue
      }
      if !(2...8).contains(layer.bits) {
        problems.append(
          Diagnostic(
            "out-of-range", "weights of \(layer.bits) bits in '\(layer.node)' are not supported, 2 to 8 are"))
      }
      options.quantize.layerBits.append(layer)
    }
    if !problems.isEmpty { throw DiagnosticError(problems) }
    return options
  }

  /// Options of the graph passes from what users write.
  /// - Throws: `wrong-pattern`, `out-of-range`, `unknown-format`, `option-conflict`.
  static func pipeline(
    weightBits: Int?, weightFormat: String?, sparsity: String?
  ) throws(DiagnosticError) -> GraphPipeline.Options {
    var options = GraphPipeline.Options()
    if let weightFormat {
      guard weightBits == nil else {
        throw DiagnosticError(
          "option-conflict", "weights are in the format '\(weightFormat)' and of \(weightBits ?? 0) bits",
          hint: "give one of the two")
      }
      options.quantize.weightFormat = try NumberFormat.named(weightFormat).name
    }
    if let weightBits {
      guard (2...8).contains(weightBits) else {
        throw DiagnosticError("out-of-range", "weights of \(weightBits) bits are not supported, 2 to 8 are")
      }
      options.quantize.weightBits = weightBits
    }
    if let sparsity {
      guard let pattern = PruneNMOptions.NMPatternText(optionText: sparsity) else {
        throw DiagnosticError(
          "wrong-pattern", "'\(sparsity)' is no sparsity pattern",
          hint: "write N:M as in 2:4, with M in 1, 2, 4, 8, 16, 32")
      }
      options.prune = PruneNMOptions()
      options.prune?.pattern = pattern
    }
    return options
  }

  /// Input sets for calibration; those of the run itself when no others are given.
  /// - Throws: what reading the files throws; `input-shape` and the like.
  func sets(for model: Model, inputs: [[HostTensor]]) throws(DiagnosticError) -> [[HostTensor]] {
    guard !calibrate.isEmpty else { return Array(inputs.prefix(100)) }
    return try Inputs.files(calibrate).runs(for: try model.inputs)
  }
}
