import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor
import PantileText

extension Pass {
  /// Turns `dequantize`, float op, `quantize` into the integer op that computes the same.
  ///
  /// **Requires** quantised models as ONNX writes them, int8 or uint8 activations per tensor, weights with zero point 0.
  /// **Guarantees** contractions with integer operands are integer ops; each `quantize`d result is within one step of what
  /// the float ops give; no uint8 value is left but at the function's border; what cannot be lowered stays float between
  /// `dequantize` and `quantize`.
  ///
  /// ```
  /// %xf = dnn.dequantize %x; %wf = dnn.dequantize %w; %y = dnn.conv2d %xf, %wf; %r = dnn.relu %y; %q = dnn.quantize %r
  /// ```
  /// becomes `%a = dnn.conv2d %x, %w {input_zero_point}; %q = dnn.requantize %a {multiplier, shift, zero_point, min, max}`.
  public static let lowerQDQ = Pass(
    "lower-qdq", summary: "turn dequantize, float op, quantize into integer ops",
    documentation: """
      Convolutions, dense layers and products become integer contractions and `dnn.requantize`; relu and clamp become its
      bounds, exactly; additions become `dnn.quantized_add`; mean pooling with a constant divisor becomes a sum and
      `dnn.requantize`; maximum pooling, reshape, transpose, slice, pad and concat work on int8. uint8 becomes int8 with zero
      point less 128. Results are within one step of the float ops' at each quantisation. A contraction whose result is not
      quantised becomes an int32 contraction and `dnn.dequantize`.
      """,
    isOptional: false
  ) { run throws(DiagnosticError) in
    for function in run.functions {
      try makeSigned(&run.rewrite, function)
      var lowering = QDQLowering(run.rewrite)
      try lowering.run(function)
      run.rewrite = lowering.rewrite
      run.rewrite.eraseUnusedOps(of: function)
    }
  }
}

/// The walk of `lower-qdq` over one function.
struct QDQLowering {
  var rewrite: RewriteContext
  /// Integer results of contractions, shared by all `quantize`s behind one.
  var accumulators: [OpID: Accumulator] = [:]
  /// Errors so far; all are reported at once.
  var problems: [Diagnostic] = []

  /// The int32 result of a contraction and what one unit of it is worth.
  struct Accumulator {
    var value: ValueID
    /// One, or one for each index of `axis`.
    var scales: [Double]
    var axis: Int
  }

  /// An int8 activation behind a `dequantize`.
  struct Source {
    var value: ValueID
    var parameters: QuantizationParameters
    var location: SourceLocation
    /// Known before running.
    var isConstant: Bool
  }

  init(_ rewrite: RewriteContext) { self.rewrite = rewrite }

  mutating func run(_ function: OpID) throws(DiagnosticError) {
    // Quantised float constants are constants.
    for op in rewrite.module.ops(inBodyOf: function) where rewrite.module.name(of: op) == "dnn.quantize" {
      try foldQuantizedConstant(op)
    }
    for op in rewrite.module.ops(inBodyOf: function) where rewrite.module.name(of: op) == "dnn.quantize" {
      do throws(DiagnosticError) { try lower(quantize: op) } catch { problems += error.diagnostics }
    }
    guard problems.isEmpty else { throw DiagnosticError(problems) }
    rewrite.eraseUnusedOps(of: function)
    for op in rewrite.module.ops(inBodyOf: function) where !rewrite.module.isErased(op) {
      try lowerUnquantized(op)
    }
    guard problems.isEmpty else { throw DiagnosticError(problems) }
    rewrite.eraseUnusedOps(of: function)
    for op in rewrite.module.ops(inBodyOf: function) where rewrite.module.name(of: op) == "dnn.dequantize" {
      try foldDequantizedConstant(op)
    }
  }

  // MARK: Constants

  private mutating func foldQuantizedConstant(_ op: OpID) throws(DiagnosticError) {
    let view = rewrite.module[op]
    guard let source = rewrite.module.definingOp(of: view.operands[0]), rewrite.module.isConstant(source) else {
      return
    }
    try foldUnary(op, source, keepsEncoding: true)
  }

  /// What float ops read of quantised weights is a float constant.
  private mutating func foldDequantizedConstant(_ op: OpID) throws(DiagnosticError) {
    let view = rewrite.module[op]
    guard let source = rewrite.module.definingOp(of: view.operands[0]), rewrite.module.isConstant(source) else {
      return
    }
    try foldUnary(op, source, keepsEncoding: false)
  }

  private mutating func foldUnary(_ op: OpID, _ source: OpID, keepsEncoding: Bool) throws(DiagnosticError) {
    let view = rewrite.module[op]
    guard let graphOp = DNN.op(view.name) else { return }
    let result = try view.resultTensor()
    let encoding = keepsEncoding ? try view.operandTensor(0).encoding : nil
    let call = KernelCall(
      name: view.name, inputs: [], attributes: view.attributes,
      resultTypes: [TensorType(result.shape, result.element)], location: view.location)
    let value = try rewrite.insertConstant(
      TensorType(result.shape, result.element, encoding: encoding), from: [source],
      name: rewrite.module.name(of: view.result) ?? "folded", summary: "\(view.name) of a constant", at: .before(op),
      location: rewrite.module.location(of: source)
    ) { tensors throws(DiagnosticError) in
      var call = call
      call.inputs = tensors
      return try graphOp.kernel(call)[0]
    }
    rewrite.replace(op, with: [value])
  }

  // MARK: Reading

  /// The int8 tensor, quantised as a whole, that `value` is the real value of; nil when it is something else.
  func source(_ value: ValueID) throws(DiagnosticError) -> Source? {
    guard let op = rewrite.maker(value, "dnn.dequantize") else { return nil }
    let view = rewrite.module[op]
    let parameters = try QuantizationParameters(view)
    guard parameters.isPerTensor, parameters.element == .i8 else { return nil }
    return Source(
      value: view.operands[0], parameters: parameters, location: view.location,
      isConstant: rewrite.module.isConstant(view.operands[0]))
  }

  /// The requantisation of a real factor.
  /// - Throws: `requantise-factor` at the place.
  func requantisation(_ factor: Double, at location: SourceLocation) throws(DiagnosticError) -> Requantisation {
    do throws(DiagnosticError) { return try Requantisation(factor: factor) } catch {
      throw DiagnosticError(
        error.diagnostics.map { diagnostic in
          var diagnostic = diagnostic
          diagnostic.location = location
          return diagnostic
        })
    }
  }

  // MARK: One quantised result

  /// What is asked of the op behind a `quantize`: the target's parameters, bounds, and the place of the new ops.
  struct Target {
    var op: OpID
    var parameters: QuantizationParameters
    var low: Int
    var high: Int
    /// Of the `quantize` and the bounds before it.
    var location: SourceLocation

    /// Whether nothing but the type's range limits.
    var isUnbounded: Bool { low == -128 && high == 127 }
  }

  private mutating func lower(quantize op: OpID) throws(DiagnosticError) {
    let view = rewrite.module[op]
    let parameters = try QuantizationParameters(view)
    guard parameters.isPerTensor, parameters.element == .i8 else { return }
    var target = Target(op: op, parameters: parameters, low: -128, high: 127, location: view.location)
    var bounds = Bounds(low: -.infinity, high: .infinity)
    var value = view.operands[0]
    // Rounding is monotone, so limiting before it is limiting behind it, by the rounded bounds.
    while let maker = rewrite.module.definingOp(of: value), let inner = try Bounds(rewrite.module[maker]) {
      guard let merged = bounds.after(inner) else { return }
      bounds = merged
      target.location = rewrite.module.location(of: maker).fused(with: target.location)
      value = rewrite.module.operands(of: maker)[0]
    }
    if bounds.low > -.infinity { target.low = parameters.quantised(bounds.low) }
    if bounds.high < .infinity { target.high = parameters.quantised(bounds.high) }
    guard let core = rewrite.module.definingOp(of: value) else { return }
    guard let result = try integerResult(core, target) else { return }
    // A value that stands for several ops says so; one that was there before keeps its own origin.
    rewrite.replace(op, with: [result])
  }

  /// The int8 value that equals the quantised result of `core`; nil when the op stays float.
  private mutating func integerResult(_ core: OpID, _ target: Target) throws(DiagnosticError) -> ValueID? {
    let view = rewrite.module[core]
    switch view.name {
    case "dnn.dequantize":
      guard let source = try source(view.result) else { return nil }
      return try rescaled(source, target, at: target.location.fused(with: source.location))
    case "dnn.conv2d", "dnn.fully_connected", "dnn.matmul":
      guard let accumulator = try accumulator(of: core) else { return nil }
      return try requantized(accumulator, target)
    case "dnn.add": return try addition(view, target)
    case "dnn.global_avg_pool", "dnn.reduce_mean", "dnn.avg_pool2d": return try mean(view, target)
    case "dnn.concat": return try concatenation(view, target)
    default:
      return Self.movements.contains(view.name) ? try movement(view, target) : nil
    }
  }

  /// A contraction with integer operands whose result float ops read.
  private mutating func lowerUnquantized(_ op: OpID) throws(DiagnosticError) {
    let name = rewrite.module.name(of: op)
    guard name == "dnn.conv2d" || name == "dnn.fully_connected" || name == "dnn.matmul" else { return }
    let found: Accumulator?
    do throws(DiagnosticError) { found = try accumulator(of: op) } catch {
      problems += error.diagnostics
      return
    }
    guard let found else { return }
    let location = rewrite.module.location(of: op)
    let rank = try rewrite.module.tensor(of: found.value).rank
    let isUniform = found.scales.count == 1
    let parameters = QuantizationParameters(
      scale: isUniform ? Float(found.scales[0]) : 1, zeroPoint: 0, element: .i32)
    let real = try rewrite.insertValue(
      "dnn.dequantize", [found.value], parameters.attributes, at: .before(op), location: location)
    if isUniform {
      rewrite.replace(op, with: [real])
    } else {
      var shape = [Int](repeating: 1, count: rank)
      shape[found.axis] = found.scales.count
      let scales = try rewrite.insertConstant(
        HostTensor(shape: shape, values: found.scales.map { Float($0) }), name: "scales", at: .before(op),
        location: location)
      try rewrite.replace(op, by: "dnn.mul", [real, scales])
    }
  }
}
