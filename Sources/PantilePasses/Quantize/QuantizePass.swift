import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor

/// Options of `quantize`.
public struct QuantizeOptions: PassOptions {
  public var method = RangeMethod.minmax
  /// Percent of the values that stay inside the range, with `method=percentile`.
  public var percentile = 99.99
  public var weightBits = 8
  /// A number format of weights in place of integers of `weightBits`; empty for those.
  public var weightFormat = ""
  /// Multiples of a format's scale among which the best is taken, as `ScaleGrid` reads them; empty for the format's own scale.
  public var scaleSearch = ""
  /// Exceptions to `weightBits` and `weightFormat`.
  public var layerBits: [LayerBits] = []
  /// Nodes that stay float.
  public var skip: [String] = []
  /// One scale for each output channel, or one for all.
  public var perChannel = true
  /// Inputs to make up when none are given.
  public var samples = 1
  /// Of made-up inputs.
  public var seed = 1

  public init() {}

  public static let fields: [PassOptionField<QuantizeOptions>] = [
    PassOptionField("method", \.method, "how ranges follow from calibration runs"),
    PassOptionField("percentile", \.percentile, "share of values inside the range, for method=percentile"),
    PassOptionField("weight-bits", \.weightBits, "bits of weights, 2 to 8"),
    PassOptionField("weight-format", \.weightFormat, "number format of weights, as bitmod-fp4 or ternary"),
    PassOptionField("scale-search", \.scaleSearch, "multiples of a format's scale that are tried, FROM:TO:STEPS"),
    PassOptionField("layer-bits", \.layerBits, "bits of single layers, NODE:BITS"),
    PassOptionField("skip", \.skip, "nodes that stay float"),
    PassOptionField("per-channel", \.perChannel, "one weight scale for each output channel"),
    PassOptionField("samples", \.samples, "inputs to make up when none are given"),
    PassOptionField("seed", \.seed, "seed of made-up inputs"),
  ]

  /// `NODE:BITS`.
  public struct LayerBits: Hashable, Sendable, PassOptionValue {
    public var node: String
    public var bits: Int

    public init(node: String, bits: Int) {
      self.node = node
      self.bits = bits
    }

    public static var optionKind: String { "NODE:BITS" }
    public init?(optionText: String) {
      // Node names may hold colons; the bits stand behind the last.
      guard let colon = optionText.lastIndex(of: ":"),
        let bits = Int(optionText[optionText.index(after: colon)...])
      else { return nil }
      self.init(node: String(optionText[..<colon]), bits: bits)
    }
    public var optionText: String { "\(node):\(bits)" }
  }

  /// Bits of the weights of an op.
  func bits(of location: SourceLocation) -> Int {
    let names = location.names
    return layerBits.last { names.contains($0.node) }?.bits ?? weightBits
  }

  /// The number format of the weights of an op; nil for integers.
  /// - Throws: `unknown-format`, `option-value`.
  func format(of location: SourceLocation) throws(DiagnosticError) -> NumberFormat? {
    let names = location.names
    guard !weightFormat.isEmpty, !layerBits.contains(where: { names.contains($0.node) }) else { return nil }
    return try NumberFormat.named(weightFormat)
  }

  /// How scales of number formats are found.
  /// - Throws: `wrong-grid`.
  func matrixOptions() throws(DiagnosticError) -> QuantisedMatrix.Options {
    var options = QuantisedMatrix.Options()
    if !scaleSearch.isEmpty { options.grid = try ScaleGrid(scaleSearch) }
    return options
  }

  /// - Throws: `option-value`, all at once.
  func check(nodes: Set<String>) throws(DiagnosticError) {
    var diagnostics: [Diagnostic] = []
    for bits in [weightBits] + layerBits.map(\.bits) where !(2...8).contains(bits) {
      diagnostics.append(Diagnostic("option-value", "weights have 2 to 8 bits, not \(bits)"))
    }
    if !(percentile > 0 && percentile <= 100) {
      diagnostics.append(Diagnostic("option-value", "percentile \(percentile) is not in 0 to 100"))
    }
    if !(1...4096).contains(samples) {
      diagnostics.append(Diagnostic("option-value", "samples \(samples) is not in 1 to 4096"))
    }
    let known = nodes.sorted()
    for name in layerBits.map(\.node) + skip where !nodes.contains(name) {
      diagnostics.append(
        Diagnostic(
          "unknown-node", "no node is called '\(name)'",
          hint: nearestName(to: name, among: known).map { "did you mean '\($0)'?" }))
    }
    if !weightFormat.isEmpty {
      do {
        let format = try NumberFormat.named(weightFormat)
        _ = try FormattedWeights.bits(of: format)
        try QuantisedMatrix.check(try matrixOptions().grid, for: format)
      } catch {
        diagnostics += error.diagnostics
      }
    }
    if !scaleSearch.isEmpty, weightFormat.isEmpty {
      diagnostics.append(
        Diagnostic(
          "option-value", "scales of plain integers are not searched",
          hint: "give a number format too: weight-format=int4"))
    }
    if !diagnostics.isEmpty { throw DiagnosticError(diagnostics) }
  }
}

extension Pass {
  /// Post-training quantisation to int8, written as ONNX writes it: `dnn.quantize` and `dnn.dequantize` around float ops.
  ///
  /// **Requires** a float graph; folded constants and normalisations. **Guarantees** quantised ops read `dequantize`d int8
  /// activations, int8 weights and int32 biases; their results are quantised. Activations: asymmetric per tensor, zero
  /// exact. Weights: symmetric per output channel. Biases: scale input times weight. Pooling, reshape and concat share one
  /// scale between operands and result.
  ///
  /// The artifact `Calibration` gives the inputs; the artifact `QuantizeReport` says what happened.
  public static let quantize = Pass(
    "quantize", summary: "post-training quantisation to int8, as quantize and dequantize around float ops",
    documentation: """
      Activations: asymmetric int8 per tensor, zero exact, ranges measured on the given inputs, or on seeded uniform ones
      when none are given. Weights: symmetric int8 (or fewer bits), or a number format's
      values, with a scale per output channel. Biases: int32 of scale input times
      weight. Without weights all scales are 1. Ops that only move or select elements share the scale of operands and result.
      """,
    scope: .module, isOptional: false,
    before: [
      Ordering("lower-qdq", because: "there is nothing to lower before quantisation")
    ], options: QuantizeOptions.self
  ) { run, options throws(DiagnosticError) in
    let function = try run.module.mainFunction()
    var nodes: Set<String> = []
    for op in run.module.ops(inBodyOf: function) { nodes.formUnion(run.module.location(of: op).names) }
    try options.check(nodes: nodes)
    var report = QuantizeReport()
    var ranges: ActivationRanges?
    let hasWeights = run.module.ops(inBodyOf: function).allSatisfy {
      !run.module.isConstant($0) || run.module.hasValues($0)
    }
    if hasWeights {
      let calibration: Calibration
      if let given = run.artifacts[Calibration.self], !given.samples.isEmpty {
        calibration = given
      } else {
        calibration = try Calibration.synthetic(
          for: run.module, function: function, count: options.samples, seed: options.seed)
      }
      report.isSynthetic = calibration.isSynthetic
      report.sampleCount = calibration.samples.count
      if calibration.isSynthetic {
        run.remark(
          "synthetic-calibration", "no calibration inputs: ranges are measured on \(report.sampleCount) made-up ones",
          severity: .warning, hint: "give real inputs to get meaningful accuracy")
      }
      ranges = try ActivationRanges(
        run.module, function: function, calibration: calibration, method: options.method,
        percentile: options.percentile)
    } else {
      report.hasUnitScales = true
      run.remark("unit-scales", "the weights are absent: all scales are 1", severity: .warning)
    }
    let plan = try QuantizationPlan(run.module, function: function, ranges: ranges, options: options)
    var insertion = QuantizationInsertion(run.rewrite, plan: plan, options: options)
    try insertion.run(function)
    run.rewrite = insertion.rewrite
    for layer in plan.floatLayers { run.diagnostics.append(layer.remark) }
    report.layers = plan.report(insertion.weightBits)
    run.artifacts[QuantizeReport.self] = report
  }
}
