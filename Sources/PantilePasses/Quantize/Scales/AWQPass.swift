import Foundation
import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor
import PantileText

/// Options of `awq`.
public struct AWQOptions: PassOptions {
  /// How weights will be quantised; ranges of activations do not matter here.
  public var weights = QuantizeOptions()
  /// Exponents are 0, 1/grid, 2/grid … 1.
  public var grid = 20
  /// Input channels that share a scale, for formats in groups; 0 gives a scale to each output channel, as `quantize` does.
  public var group = 0
  /// Factors rounded to powers of two: the float network stays the same to the bit.
  public var powerOfTwo = false

  public init() {}

  public static let fields: [PassOptionField<AWQOptions>] = [
    PassOptionField("grid", \.grid, "steps of the exponent from 0 to 1"),
    PassOptionField("group", \.group, "inputs that share a scale, for weight-format; 0 for a scale a channel"),
    PassOptionField(
      "power-of-two", \.powerOfTwo, "round factors to powers of two, which changes no bit of the network"),
    PassOptionField("weight-bits", \.weights.weightBits, "bits of weights, 2 to 8"),
    PassOptionField("weight-format", \.weights.weightFormat, "number format of weights, as bitmod-fp4"),
    PassOptionField(
      "scale-search", \.weights.scaleSearch, "multiples of a format's scale that are tried, FROM:TO:STEPS"),
    PassOptionField("layer-bits", \.weights.layerBits, "bits of single layers, NODE:BITS"),
    PassOptionField("skip", \.weights.skip, "nodes that stay float"),
    PassOptionField("per-channel", \.weights.perChannel, "one weight scale for each output channel"),
    PassOptionField("samples", \.weights.samples, "inputs to make up when none are given"),
    PassOptionField("seed", \.weights.seed, "seed of made-up inputs"),
  ]

  /// The format with the groups that are asked for.
  /// - Throws: `wrong-group`.
  func grouped(_ format: NumberFormat, columns: Int) throws(DiagnosticError) -> NumberFormat {
    if group > 0 { return try format.withGroup(group) }
    if case .group = format.scheme.granularity, !format.groupIsFixed { return try format.withGroup(columns) }
    return format
  }

  /// - Throws: `option-value`, `unknown-node`, `wrong-group`, all at once.
  func check(nodes: Set<String>) throws(DiagnosticError) {
    var diagnostics: [Diagnostic] = []
    if !(1...1000).contains(grid) {
      diagnostics.append(Diagnostic("option-value", "a grid of \(grid) steps is not in 1 to 1000"))
    }
    var plain = weights
    // Formats of all kinds can be measured, not only those that arrays take.
    plain.weightFormat = ""
    if !weights.weightFormat.isEmpty { plain.scaleSearch = "" }
    do throws(DiagnosticError) {
      try plain.check(nodes: nodes)
      if group < 0 || (group > 0 && weights.weightFormat.isEmpty) {
        throw DiagnosticError(
          "option-value", "groups of \(group) inputs share a scale, but weights are plain integers",
          hint: "give weight-format=int4 or another format in groups")
      }
      if !weights.weightFormat.isEmpty {
        let format = try NumberFormat.named(weights.weightFormat)
        _ = try grouped(format, columns: 1)
        try QuantisedMatrix.check(try weights.matrixOptions().grid, for: format)
      }
    } catch {
      diagnostics += error.diagnostics
    }
    if !diagnostics.isEmpty { throw DiagnosticError(diagnostics) }
  }
}

extension Pass {
  /// Moves the weight of large activations: scales input channels of layers so that quantised weights hurt the outputs least.
  ///
  /// **Requires** a float graph with weights; folded constants and normalisations. **Guarantees** the same function but for
  /// rounding (to the bit with `power-of-two`): a factor `s` on the weights of an input channel meets `1 / s` in the constants of
  /// the op before. Layers without such an op keep their weights, with a remark.
  ///
  /// The artifact `Calibration` gives the inputs; the artifact `ScaleReport` says what happened.
  public static let awq = Pass(
    "awq", summary: "scale input channels by activation magnitude before quantisation, folded into the op before",
    documentation: """
      `s = mean|x|^α` for each input channel of a layer, normalised so that the largest and the least multiply to 1; α from a
      grid by the least squared error of the layer's outputs with quantised weights, the first of equals. `w·s` stays in the layer, `1/s`
      goes into the layer norm or the layer before: through relu, pooling, padding with zeros, movements and products with constants.
      Layers that read the same value share its factors. Source: Lin et al., "AWQ", MLSys 2024.
      """,
    scope: .module,
    after: [
      Ordering("fold-batch-norm", because: "a normalisation between two layers hides the first from the second"),
      Ordering("prune-nm", because: "the error is that of the weights that stay"),
    ],
    before: [
      Ordering("quantize", because: "quantised weights can no longer take factors")
    ], options: AWQOptions.self
  ) { run, options throws(DiagnosticError) in
    let function = try run.module.mainFunction()
    var nodes: Set<String> = []
    for op in run.module.ops(inBodyOf: function) { nodes.formUnion(run.module.location(of: op).names) }
    try options.check(nodes: nodes)
    guard run.module.ops(inBodyOf: function).allSatisfy({ !run.module.isConstant($0) || run.module.hasValues($0) })
    else {
      run.remark(
        "unit-scales", "the weights are absent: there is nothing to measure and all factors are 1", severity: .warning)
      run.artifacts[ScaleReport.self] = ScaleReport()
      return
    }
    let calibration: Calibration
    if let given = run.artifacts[Calibration.self], !given.samples.isEmpty {
      calibration = given
    } else {
      calibration = try Calibration.synthetic(
        for: run.module, function: function, count: options.weights.samples, seed: options.weights.seed)
      run.remark(
        "synthetic-calibration",
        "no calibration inputs: scales are chosen on \(calibration.samples.count) made-up ones",
        severity: .warning, hint: "give real inputs to get meaningful scales")
    }
    var scaling = ChannelScaling(run.rewrite, options: options)
    var report = try scaling.run(function, calibration: calibration)
    run.rewrite = scaling.rewrite
    report.isSynthetic = calibration.isSynthetic
    report.sampleCount = calibration.samples.count
    for remark in scaling.remarks { run.diagnostics.append(remark) }
    run.artifacts[ScaleReport.self] = report
  }
}

/// One run of `awq` over a function.
private struct ChannelScaling {
  private(set) var rewrite: RewriteContext
  private(set) var remarks: [Diagnostic] = []
  private let options: AWQOptions

  init(_ rewrite: RewriteContext, options: AWQOptions) {
    self.rewrite = rewrite
    self.options = options
  }

  mutating func run(_ function: OpID, calibration: Calibration) throws(DiagnosticError) -> ScaleReport {
    let module = rewrite.module
    let layers = module.ops(inBodyOf: function).filter { ScaleSite.isLayer(module.name(of: $0)) }
      .filter { op in
        let weights = module.operands(of: op)[1]
        return module.isConstant(weights) && TensorType(module.type(of: weights))?.element == .f32
          && (TensorType(module.type(of: weights))?.rank ?? 0) >= 2
      }
    let search = try ScaleSearch(
      module, function: function, layers: layers, calibration: calibration, options: options)
    var sites: [ScaleSite] = []
    var reasons: [OpID: String] = [:]
    for op in module.ops(inBodyOf: function) {
      guard let found = try ScaleSite.at(op, module, hasOneScale: { hasOneScale($0, module) }) else { continue }
      if let site = found.site { sites.append(site) }
      for reader in found.obstacle?.readers ?? [] { reasons[reader] = found.obstacle?.reason }
    }
    var rows: [OpID: ScaleReport.Layer] = [:]
    for site in sites {
      let choice = try search.choose(site)
      for (reader, error) in zip(site.readers, choice.errors) {
        var row = try self.row(reader.op, search, unit: reader.unit, channels: site.channels)
        row.origin = module.location(of: site.origin).names.first ?? module.name(of: site.origin)
        row.alpha = choice.alpha
        row.scales = (choice.factors.min() ?? 1)...(choice.factors.max() ?? 1)
        row.after.meanSquaredError = error / Double(max(1, search.elementCount[reader.op] ?? 1))
        rows[reader.op] = row
      }
      if choice.factors.contains(where: { $0 != 1 }) { try apply(site, choice.factors) }
    }
    rewrite.eraseUnusedOps(of: function)
    var report = ScaleReport()
    for layer in layers {
      if let row = rows[layer] {
        report.layers.append(row)
        continue
      }
      let inputs = try module[layer].operandTensor(0)
      let axis = module.name(of: layer) == "dnn.matmul" ? inputs.rank - 1 : 1
      var row = try self.row(layer, search, unit: 1, channels: inputs.shape[axis])
      let reason: String
      if let known = reasons[layer] { reason = known } else { reason = try reasonWithoutOrigin(layer, module) }
      row.reason = reason
      report.layers.append(row)
      remarks.append(
        Diagnostic(
          "keeps-scales", "'\(module.name(of: layer))' keeps its weights: \(reason)", at: module.location(of: layer),
          severity: .note))
    }
    return report
  }

  private func reasonWithoutOrigin(_ layer: OpID, _ module: Module) throws(DiagnosticError) -> String {
    guard let maker = module.definingOp(of: module.operands(of: layer)[0]) else {
      return "it reads the network's input"
    }
    if try isDepthwise(layer, module) { return "each of its output channels has one input channel" }
    return "nothing before '\(module.name(of: maker))' takes divisors"
  }

  private func isDepthwise(_ layer: OpID, _ module: Module) throws(DiagnosticError) -> Bool {
    guard module.name(of: layer) == "dnn.conv2d" else { return false }
    let (groups, weights) = (try module[layer].integer("groups"), try module[layer].operandTensor(1))
    return groups > 1 && weights.shape[1] == 1
  }

  /// The layer as it is without factors.
  private func row(
    _ layer: OpID, _ search: ScaleSearch, unit: Int, channels: Int
  ) throws(DiagnosticError) -> ScaleReport.Layer {
    let module = search.module
    let count = Double(max(1, search.elementCount[layer] ?? 1))
    let error = try search.error(of: layer, factors: [Double](repeating: 1, count: channels), unit: unit)
    let plain = ScaleReport.Distortion(meanSquaredError: error / count, power: (search.power[layer] ?? 0) / count)
    return ScaleReport.Layer(
      name: module.location(of: layer).names.first ?? module.name(of: layer), kind: module.name(of: layer), alpha: 0,
      scales: 1...1, before: plain, after: plain)
  }

  /// Whether all weights of a layer share one scale.
  private func hasOneScale(_ layer: OpID, _ module: Module) -> Bool {
    let location = module.location(of: layer)
    guard let format = try? options.weights.format(of: location) else { return !options.weights.perChannel }
    return format.scheme.granularity == .tensor && format.scheme.scale != .none
  }

  // MARK: Folding

  private mutating func apply(_ site: ScaleSite, _ factors: [Double]) throws(DiagnosticError) {
    let divisors = factors.map { 1 / $0 }
    let origin = rewrite.module[site.origin]
    let count = origin.operands.count
    switch origin.name {
    case "dnn.matmul":
      let places = try WeightPlaces(origin)
      try scale(site.origin, operand: 1, axis: places.outputAxis, by: divisors, unit: 1, extent: site.channels)
    case "dnn.conv2d", "dnn.fully_connected":
      for operand in 1..<count {
        try scale(site.origin, operand: operand, axis: 0, by: divisors, unit: 1, extent: site.channels)
      }
    default:
      // Parameters of a normalisation broadcast to its result.
      for operand in 1..<count {
        let rank = try rewrite.module[site.origin].operandTensor(operand).rank
        try scale(
          site.origin, operand: operand, axis: max(0, rank - 1), by: divisors, unit: 1, extent: site.channels)
      }
    }
    for shift in site.shifts {
      let view = rewrite.module[shift.op]
      let result = try view.resultTensor()
      let rank = try view.operandTensor(shift.operand).rank
      try scale(
        shift.op, operand: shift.operand, axis: shift.axis - (result.rank - rank), by: divisors, unit: shift.unit,
        extent: result.shape[shift.axis])
    }
    for reader in site.readers {
      let view = rewrite.module[reader.op]
      let places = try WeightPlaces(view)
      let unit = reader.unit
      try replace(
        reader.op, operand: 1, type: try view.operandTensor(1), summary: "weights times factors of their inputs"
      ) {
        places.multiplied($0, by: factors, unit: unit)
      }
    }
  }

  /// Multiplies a constant operand along an axis; where it is constant along that axis (size 1, or absent because `axis` is
  /// negative), it is spread first.
  private mutating func scale(
    _ op: OpID, operand: Int, axis: Int, by factors: [Double], unit: Int, extent: Int
  ) throws(DiagnosticError) {
    let type = try rewrite.module[op].operandTensor(operand)
    var shape = [Int](repeating: 1, count: max(0, -axis)) + type.shape
    let place = max(0, axis)
    if shape.isEmpty { shape = [1] }
    shape[place] = extent
    let target = shape
    let inner = target[(place + 1)...].reduce(1, *)
    let encoding = target == type.shape ? type.encoding : nil
    try replace(
      op, operand: operand, type: TensorType(target, type.element, encoding: encoding),
      summary: "divided by factors of channels"
    ) { tensor in
      let spread = tensor.shape == target ? tensor : tensor.broadcast(to: target)
      return HostTensor(
        shape: target,
        values: (0..<spread.count).map { Float(spread.double(at: $0) * factors[$0 / inner % extent / unit]) })
    }
  }

  private mutating func replace(
    _ op: OpID, operand: Int, type: TensorType, summary: String,
    make: @escaping @Sendable (HostTensor) -> HostTensor
  ) throws(DiagnosticError) {
    let value = rewrite.module.operands(of: op)[operand]
    guard let constant = rewrite.module.definingOp(of: value) else {
      preconditionFailure("operand \(operand) of \(op) is a constant")
    }
    let new = try rewrite.insertConstant(
      type, from: [constant], name: rewrite.module.name(of: value) ?? "scaled", summary: summary, at: .before(op),
      location: rewrite.module.location(of: constant)
    ) { tensors throws(DiagnosticError) in make(tensors[0]) }
    rewrite.setOperand(of: op, operand, to: new)
  }
}
