import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor
import PantileText

/// The standard ways of a graph from import to integers.
public enum GraphPipeline {
  /// Plain form: constants folded, normalisation merged, equal and unused ops gone.
  public static let clean = PassPipeline([
    .init(.foldConstants), .init(.canonicalize), .init(.foldBatchNorm), .init(.canonicalize), .init(.foldConstants),
    .init(.cse), .init(.dce),
  ])

  /// What a graph's numbers are.
  public enum Form: Sendable {
    /// No quantised activation anywhere.
    case float
    /// `quantize` and `dequantize` around float ops.
    case quantizeDequantize
    /// Integer contractions.
    case integer
  }

  /// The form of a module's main function.
  /// - Throws: `no-main`.
  public static func form(of module: Module) throws(DiagnosticError) -> Form {
    var hasPairs = false
    for op in module.ops(inBodyOf: try module.mainFunction()) {
      let view = module[op]
      switch view.name {
      case "dnn.requantize", "dnn.quantized_add": return .integer
      case "dnn.conv2d", "dnn.fully_connected", "dnn.matmul":
        if TensorType(view.operandTypes[0])?.element == .i8 { return .integer }
      case "dnn.quantize", "dnn.dequantize":
        let isWeight = module.isConstant(view.operands[0])
        if !isWeight { hasPairs = true }
      default: break
      }
    }
    return hasPairs ? .quantizeDequantize : .float
  }

  /// How to get to integers.
  public struct Options: Sendable {
    public var quantize = QuantizeOptions()
    /// N:M pruning before quantisation; nil leaves weights as they are.
    public var prune: PruneNMOptions?
    /// Scaling of input channels before quantisation, for the weights that `quantize` makes; nil leaves weights as they are.
    public var awq: AWQOptions?
    public var manager = PassManager.Options()

    public init() {}
  }

  /// A graph in integers and what it took to get there.
  public struct Result: Sendable {
    public var module: Module
    /// Nil when the model came quantised.
    public var quantization: QuantizeReport?
    public var pruning: PruneReport?
    public var scaling: ScaleReport?
    /// Warnings and notes of all passes.
    public var diagnostics: [Diagnostic]
  }

  /// The plain form of a graph.
  /// - Throws: what passes and the verifier throw.
  public static func cleaned(_ module: Module) throws(DiagnosticError) -> Module {
    try PassManager(clean, registry: Dialects.registry).run(module).module
  }

  /// The `quantize` and `dequantize` form of a float graph: cleaned, pruned when asked, quantised.
  ///
  /// A graph that has this form already is cleaned only.
  /// - Parameter calibration: nil makes inputs up and says so.
  /// - Throws: what passes and the verifier throw.
  public static func quantized(
    _ module: Module, calibration: Calibration? = nil, options: Options = Options()
  ) throws(DiagnosticError) -> Result {
    try run(module, calibration, options, pipeline: steps(for: module, options))
  }

  /// A float graph with its input channels scaled, cleaned and pruned when asked, not quantised.
  /// - Parameter calibration: nil makes inputs up and says so.
  /// - Throws: what passes and the verifier throw.
  public static func scaled(
    _ module: Module, calibration: Calibration? = nil, options: Options = Options()
  ) throws(DiagnosticError) -> Result {
    var pipeline = try steps(for: module, options)
    pipeline.steps.removeAll { $0.pass.name == Pass.quantize.name }
    return try run(module, calibration, options, pipeline: pipeline)
  }

  /// The integer graph that lowering to engines takes, from any form.
  /// - Parameter calibration: for float graphs; nil makes inputs up and says so.
  /// - Throws: what passes and the verifier throw, `unsupported-weight-zero-point` among it.
  public static func integer(
    _ module: Module, calibration: Calibration? = nil, options: Options = Options()
  ) throws(DiagnosticError) -> Result {
    var pipeline = try steps(for: module, options)
    pipeline.steps += [.init(.lowerQDQ), .init(.canonicalize), .init(.foldConstants), .init(.cse), .init(.dce)]
    return try run(module, calibration, options, pipeline: pipeline)
  }

  /// The steps to the `quantize` and `dequantize` form.
  private static func steps(for module: Module, _ options: Options) throws(DiagnosticError) -> PassPipeline {
    let form = try form(of: module)
    var pipeline = clean
    if form == .float {
      // Weights that come as integers between float activations are float weights here.
      var options = FoldConstantsOptions()
      options.dequantize = true
      pipeline.steps[0] = .init(.foldConstants, options)
    }
    if let prune = options.prune { pipeline.steps.append(.init(.pruneNM, prune)) }
    guard form == .float else { return pipeline }
    if var awq = options.awq {
      awq.weights = options.quantize
      pipeline.steps.append(.init(.awq, awq))
    }
    pipeline.steps.append(.init(.quantize, options.quantize))
    return pipeline
  }

  private static func run(
    _ module: Module, _ calibration: Calibration?, _ options: Options, pipeline: PassPipeline
  ) throws(DiagnosticError) -> Result {
    var artifacts = PassArtifacts()
    artifacts[Calibration.self] = calibration
    let manager = PassManager(pipeline, registry: Dialects.registry, options: options.manager)
    let outcome = try manager.run(module, artifacts: artifacts)
    return Result(
      module: outcome.module, quantization: outcome.artifacts[QuantizeReport.self],
      pruning: outcome.artifacts[PruneReport.self], scaling: outcome.artifacts[ScaleReport.self],
      diagnostics: outcome.diagnostics)
  }
}
