import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor
import PantileText

/// Writes a quantisation plan into the module.
struct QuantizationInsertion {
  var rewrite: RewriteContext
  private let plan: QuantizationPlan
  private let options: QuantizeOptions
  /// Bits of the weights of each contraction, by its id before the rewrite (contractions keep theirs).
  private(set) var weightBits: [OpID: Int] = [:]
  private var known: [ValueID: QuantizationParameters] = [:]
  /// Dequantised weights that several contractions share.
  private var weights: [WeightKey: (value: ValueID, scales: [Float])] = [:]

  private struct WeightKey: Hashable {
    var constant: OpID
    var axis: Int
    var bits: Int
    var format: String
  }

  init(_ rewrite: RewriteContext, plan: QuantizationPlan, options: QuantizeOptions) {
    self.rewrite = rewrite
    self.plan = plan
    self.options = options
  }

  mutating func run(_ function: OpID) throws(DiagnosticError) {
    for entry in plan.parameters { known[entry.value] = entry.parameters }
    // Weights first: their biases need the input's parameters, which stand in `known` under the values before the rewrite.
    for op in plan.quantized where QuantizationPlan.role(rewrite.module[op]) == .contraction {
      try quantizeWeights(op)
    }
    for entry in plan.parameters { try insertPair(entry.value, entry.parameters) }
    rewrite.eraseUnusedOps(of: function)
  }

  /// `quantize` and `dequantize` behind a value; readers that run in integers read the latter, and all readers do when the
  /// value's maker runs in integers.
  private mutating func insertPair(
    _ value: ValueID, _ parameters: QuantizationParameters
  ) throws(DiagnosticError) {
    let module = rewrite.module
    let maker = module.definingOp(of: value)
    let isInteger = maker.map(plan.contains) ?? false
    let uses = module.uses(of: value).filter { isInteger || plan.contains($0.op) }
    guard !uses.isEmpty else { return }
    let point: RewriteContext.InsertionPoint
    if let maker {
      point = .after(maker)
    } else if let block = module.argumentBlock(of: value) {
      point = .start(block)
    } else {
      return
    }
    let location = maker.map { module.location(of: $0) } ?? .named(module.name(of: value) ?? "input")
    let name = module.name(of: value)
    let quantised = try rewrite.insertValue(
      "dnn.quantize", [value], parameters.quantizeAttributes, at: point, location: location,
      resultName: name.map { "\($0)_quantized" })
    guard let op = rewrite.module.definingOp(of: quantised) else { return }
    let back = try rewrite.insertValue(
      "dnn.dequantize", [quantised], parameters.attributes, at: .after(op), location: location,
      resultName: name.map { "\($0)_dequantized" })
    for use in uses { rewrite.setOperand(of: use.op, use.operand, to: back) }
  }

  private mutating func quantizeWeights(_ op: OpID) throws(DiagnosticError) {
    let view = rewrite.module[op]
    let operands = view.operands
    guard let constant = rewrite.module.definingOp(of: operands[1]), rewrite.module.isConstant(constant),
      let input = known[operands[0]]
    else { return }
    let isRowMajor = view.name == "dnn.matmul" ? try !view.flag("transpose_b") : false
    let axis = isRowMajor ? 1 : 0
    let format = try options.format(of: view.location)
    let bits =
      try format.map { named throws(DiagnosticError) in try FormattedWeights.bits(of: named) }
      ?? options.bits(of: view.location)
    weightBits[op] = bits
    let location = view.location
    let type = try view.operandTensor(1)
    let biasOp = operands.count > 2 ? rewrite.module.definingOp(of: operands[2]) : nil
    let tensor = try rewrite.module.constantTensor(of: constant)
    let bias = try biasOp.flatMap { op throws(DiagnosticError) in try rewrite.module.constantTensor(of: op) }
    // A raised scale serves one layer alone; others are shared between the layers that read the same weights.
    let key = WeightKey(constant: constant, axis: axis, bits: bits, format: format?.name ?? "")
    let isShareable = rewrite.module.users(of: operands[1]).count > 1 && bias == nil
    let found: (value: ValueID, scales: [Float])
    if isShareable, let shared = weights[key] {
      found = shared
    } else {
      found = try insertWeights(
        op, constant, type, tensor, bias: bias, axis: axis, bits: bits, format: format, inputScale: input.scale,
        location)
      if isShareable { weights[key] = found }
    }
    rewrite.setOperand(of: op, 1, to: found.value)
    guard let biasOp else { return }
    let scales = found.scales.map { input.scale * $0 }
    let biasType = TensorType(try rewrite.module[biasOp].resultTensor().shape, .i32)
    let name = rewrite.module.name(of: operands[2]) ?? "bias"
    let value: ValueID
    if let bias {
      let quantised = WeightQuantization.quantised(bias: bias, scales: scales.map { Double($0) })
      value = try rewrite.insertConstant(
        quantised, name: "\(name)_quantized", at: .before(op), location: rewrite.module.location(of: biasOp))
    } else {
      value = try rewrite.insertAbsentConstant(
        biasType, name: "\(name)_quantized", at: .before(op), location: rewrite.module.location(of: biasOp))
    }
    let parameters = QuantizationParameters(
      scales: scales, zeroPoints: scales.map { _ in 0 }, axis: 0, element: .i32)
    let back = try rewrite.insertValue(
      "dnn.dequantize", [value], parameters.attributes, at: .before(op), location: location,
      resultName: "\(name)_dequantized")
    rewrite.setOperand(of: op, 2, to: back)
  }

  private mutating func insertWeights(
    _ op: OpID, _ constant: OpID, _ type: TensorType, _ tensor: HostTensor?, bias: HostTensor?, axis: Int, bits: Int,
    format number: NumberFormat?, inputScale: Float, _ location: SourceLocation
  ) throws(DiagnosticError) -> (value: ValueID, scales: [Float]) {
    let source = try rewrite.module[constant].resultTensor()
    var format = try WeightFormat(source.encoding, at: location)
    if bits < 8 { format.bits = bits }
    let name = rewrite.module.name(of: rewrite.module.results(of: constant)[0]) ?? "weights"
    let from = rewrite.module.location(of: constant)
    var scales: [Float] = [1]
    let value: ValueID
    if let tensor, let number {
      let formatted = try FormattedWeights(
        tensor, axis: axis, format: number, options: try options.matrixOptions())
      scales = formatted.scales
      value = try rewrite.insertConstant(
        formatted.tensor, name: "\(name)_quantized", at: .before(op), location: from)
    } else if let tensor {
      scales = WeightQuantization.scales(
        tensor, axis: axis, bits: bits, bias: bias, inputScale: inputScale, isPerChannel: options.perChannel)
      let quantised = WeightQuantization.quantised(tensor, scales: scales, axis: axis, bits: bits)
      value = try rewrite.insertConstant(quantised, name: "\(name)_quantized", at: .before(op), location: from)
    } else {
      value = try rewrite.insertAbsentConstant(
        TensorType(type.shape, .i8), name: "\(name)_quantized", at: .before(op), location: from)
    }
    if format.encoding != nil {
      rewrite.setType(of: value, to: TensorType(type.shape, .i8, encoding: format.encoding).syntax)
    }
    let parameters = QuantizationParameters(
      scales: scales, zeroPoints: scales.map { _ in 0 }, axis: axis, element: .i8)
    let back = try rewrite.insertValue(
      "dnn.dequantize", [value], parameters.attributes, at: .before(op), location: location,
      resultName: "\(name)_dequantized")
    return (back, scales)
  }
}
