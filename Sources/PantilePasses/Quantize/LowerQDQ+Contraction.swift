import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor
import PantileText

extension QDQLowering {
  /// Weights and their scales as integers.
  private struct IntegerWeights {
    var value: ValueID
    var scales: [Float]
    var location: SourceLocation
  }

  /// The integer form of a contraction with dequantised operands; nil when it has none.
  /// - Throws: `unsupported-weight-zero-point`.
  mutating func accumulator(of op: OpID) throws(DiagnosticError) -> Accumulator? {
    if let known = accumulators[op] { return known }
    let view = rewrite.module[op]
    let operands = view.operands
    guard let x = try source(operands[0]), !x.isConstant else { return nil }
    let isMatMul = view.name == "dnn.matmul"
    let rank = try view.operandTensor(1).rank
    let isRowMajor = isMatMul ? try !view.flag("transpose_b") : false
    let weightAxis = isMatMul ? (rank == 1 ? 0 : isRowMajor ? rank - 1 : rank - 2) : 0
    guard var weights = try integerWeights(view, axis: weightAxis) else { return nil }
    if operands.count > 2 { try makeRoom(for: operands[2], &weights, inputScale: x.parameters.scale, at: op) }
    let scales = weights.scales.map { Double(x.parameters.scale) * Double($0) }
    var location = view.location.fused(with: x.location).fused(with: weights.location)
    var integers = [x.value, weights.value]
    if operands.count > 2 {
      guard let bias = try integerBias(view, scales: scales) else { return nil }
      integers.append(bias.value)
      location = location.fused(with: bias.location)
    }
    var attributes = view.attributes
    attributes["input_zero_point"] = .integer(x.parameters.zeroPoint)
    let value = try rewrite.insertValue(
      view.name, integers, attributes, at: .before(op), location: location,
      resultName: rewrite.module.name(of: view.result).map { "\($0)_sum" })
    let resultRank = try view.resultTensor().rank
    // Channels are dimension 1 of images and dense layers, and the last of products.
    let accumulator = Accumulator(
      value: value, scales: scales, axis: isMatMul ? max(0, resultRank - 1) : 1)
    accumulators[op] = accumulator
    return accumulator
  }

  private mutating func integerWeights(_ op: OpView, axis: Int) throws(DiagnosticError) -> IntegerWeights? {
    guard let maker = rewrite.maker(op.operands[1], "dnn.dequantize") else { return nil }
    let view = rewrite.module[maker]
    let parameters = try QuantizationParameters(view)
    let type = try view.operandTensor(0)
    guard parameters.element == .i8 || parameters.element == .i4 else { return nil }
    guard parameters.isPerTensor || parameters.axis == axis else { return nil }
    if let zero = parameters.zeroPoints.first(where: { $0 != 0 }) {
      // Two activations may have any zero points: such a product stays float.
      guard rewrite.module.isConstant(view.operands[0]) else { return nil }
      throw DiagnosticError(
        "unsupported-weight-zero-point",
        "the weights of '\(op.location.names.first ?? op.name)' have zero point \(zero) as int8 but arrays need 0",
        at: op.location, hint: "quantise weights symmetrically")
    }
    // Rank 1 on the right has no columns to scale one by one.
    guard parameters.isPerTensor || type.rank > 1 else { return nil }
    return IntegerWeights(value: view.operands[0], scales: parameters.scales, location: view.location)
  }

  /// Coarser weights for channels whose bias would not fit 31 bits in units of the accumulator.
  ///
  /// Such a channel is quantised so coarsely behind the contraction, or limited, that the lost weight bits do not show.
  private mutating func makeRoom(
    for bias: ValueID, _ weights: inout IntegerWeights, inputScale: Float, at op: OpID
  ) throws(DiagnosticError) {
    guard let constant = rewrite.module.definingOp(of: weights.value), rewrite.module.isConstant(constant),
      rewrite.module.hasValues(constant), let real = try realBias(bias)
    else { return }
    let type = try rewrite.module[constant].resultTensor()
    // With one scale for all, all channels share what the largest bias needs.
    let isPerTensor = weights.scales.count == 1
    let magnitudes = isPerTensor ? [real.map(\.magnitude).max() ?? 0] : real.map(\.magnitude)
    let scales = zip(weights.scales, magnitudes).map { scale, magnitude in
      let least = magnitude / (Double(inputScale) * 0x1p30)
      return least > Double(scale) ? Float(least) : scale
    }
    guard scales != weights.scales, scales.allSatisfy(\.isFinite) else { return }
    let old = weights.scales
    weights.value = try rewrite.insertConstant(
      type, from: [constant], name: rewrite.module.name(of: weights.value) ?? "weights",
      summary: "weights of a coarser scale", at: .before(op), location: rewrite.module.location(of: constant)
    ) { tensors throws(DiagnosticError) in
      let row = tensors[0].count / max(1, scales.count)
      let values = tensors[0].values(as: Int8.self).enumerated().map { index, value in
        let channel = isPerTensor ? 0 : index / row
        let ratio = Double(old[channel]) / Double(scales[channel])
        return ratio == 1 ? value : Int8((Double(value) * ratio).rounded(.toNearestOrEven))
      }
      return HostTensor(shape: tensors[0].shape, elementType: tensors[0].elementType, values: values)
    }
    weights.scales = scales
  }

  /// The real values of a constant bias, dequantised or float; nil when they are not known.
  private func realBias(_ bias: ValueID) throws(DiagnosticError) -> [Double]? {
    guard let maker = rewrite.module.definingOp(of: bias) else { return nil }
    if rewrite.module.isConstant(maker) { return try rewrite.module.constantTensor(of: maker)?.floats.map(Double.init) }
    guard rewrite.module.name(of: maker) == "dnn.dequantize" else { return nil }
    let view = rewrite.module[maker]
    guard let tensor = try rewrite.module.constantTensor(view.operands[0]) else { return nil }
    return Self.dequantized(tensor, try QuantizationParameters(view))
  }

  private static func dequantized(_ tensor: HostTensor, _ parameters: QuantizationParameters) -> [Double] {
    (0..<tensor.count).map { index in
      let channel = parameters.isPerTensor ? 0 : index
      return (tensor.double(at: index) - Double(parameters.zeroPoints[channel])) * Double(parameters.scales[channel])
    }
  }

  /// The bias in units of the accumulator.
  private mutating func integerBias(
    _ op: OpView, scales: [Double]
  ) throws(DiagnosticError) -> (value: ValueID, location: SourceLocation)? {
    let bias = op.operands[2]
    guard let maker = rewrite.module.definingOp(of: bias) else { return nil }
    let channels = try op.operandTensor(2).count
    if rewrite.module.name(of: maker) == "dnn.dequantize" {
      let view = rewrite.module[maker]
      let parameters = try QuantizationParameters(view)
      guard rewrite.module.isConstant(view.operands[0]), let source = rewrite.module.definingOp(of: view.operands[0])
      else { return nil }
      let isExact =
        parameters.element == .i32 && parameters.zeroPoints.allSatisfy { $0 == 0 }
        && (0..<channels).allSatisfy { channel in
          let has = Double(parameters.scales[parameters.isPerTensor ? 0 : channel])
          let wants = scales[scales.count == 1 ? 0 : channel]
          return (has - wants).magnitude <= wants * 1e-6
        }
      if isExact { return (view.operands[0], view.location) }
      let value = try integerConstant(
        source, view, parameters: parameters, channels: channels, scales: scales, at: op.id)
      return (value, view.location)
    }
    guard rewrite.module.isConstant(maker) else { return nil }
    let value = try integerConstant(
      maker, rewrite.module[maker], parameters: nil, channels: channels, scales: scales, at: op.id)
    return (value, rewrite.module.location(of: maker))
  }

  /// A constant bias, float or of another scale, rounded to units of the accumulator.
  private mutating func integerConstant(
    _ source: OpID, _ view: OpView, parameters: QuantizationParameters?, channels: Int, scales: [Double], at op: OpID
  ) throws(DiagnosticError) -> ValueID {
    try rewrite.insertConstant(
      TensorType([channels], .i32), from: [source], name: rewrite.module.name(of: view.result) ?? "bias",
      summary: "bias in units of the accumulator", at: .before(op), location: rewrite.module.location(of: source)
    ) { tensors throws(DiagnosticError) in
      let values = parameters.map { Self.dequantized(tensors[0], $0) } ?? tensors[0].floats.map(Double.init)
      let real = HostTensor(shape: [channels], values: values)
      return WeightQuantization.quantised(bias: real, scales: scales)
    }
  }

  /// `dnn.requantize` of an accumulator.
  mutating func requantized(_ accumulator: Accumulator, _ target: Target) throws(DiagnosticError) -> ValueID {
    try requantize(
      accumulator.value, scales: accumulator.scales, axis: accumulator.axis, inputZeroPoint: 0, target,
      at: target.location)
  }

  /// `dnn.requantize` of integers of which one unit is worth `scales`.
  mutating func requantize(
    _ value: ValueID, scales: [Double], axis: Int, inputZeroPoint: Int, _ target: Target, at location: SourceLocation
  ) throws(DiagnosticError) -> ValueID {
    var factors: [Requantisation] = []
    for scale in scales { factors.append(try requantisation(scale / Double(target.parameters.scale), at: location)) }
    if let first = factors.first, factors.allSatisfy({ $0 == first }) { factors = [first] }
    return try rewrite.insertValue(
      "dnn.requantize", [value],
      [
        "multiplier": .integers32(factors.map { Int($0.multiplier) }), "shift": .integers32(factors.map(\.shift)),
        "axis": .integer(axis), "input_zero_point": .integer(inputZeroPoint),
        "zero_point": .integer(target.parameters.zeroPoint), "min": .integer(target.low), "max": .integer(target.high),
      ], at: .before(target.op), location: location)
  }
}
