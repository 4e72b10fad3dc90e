import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor
import PantileText

extension Pass {
  /// Merges normalisation by stored statistics, and scaling of channels by constants, into the contraction before it.
  ///
  /// **Requires** constant statistics and weights. **Guarantees** no `dnn.batch_norm` with constant statistics is left: one
  /// without a contraction before it becomes a multiplication and an addition.
  ///
  /// `w' = w · s / sqrt(v + ε)`, `b' = (b − m) · s / sqrt(v + ε) + β`, computed in double precision and rounded once.
  public static let foldBatchNorm = Pass(
    "fold-batch-norm", summary: "merge batch normalisation into the convolution or dense layer before it",
    documentation: """
      `w' = w · s / sqrt(v + ε)`, `b' = (b − m) · s / sqrt(v + ε) + β`, in double precision, rounded once. Without a
      contraction before it, a normalisation becomes a multiplication and an addition. A multiplication of channels by a
      constant merges the same way.
      """,
    after: [
      Ordering("fold-constants", because: "statistics and weights must be constants before they can be merged")
    ],
    before: [
      Ordering("quantize", because: "quantised weights can no longer take a factor for each channel")
    ]
  ) { run throws(DiagnosticError) in
    for function in run.functions {
      for op in run.module.ops(inBodyOf: function) where !run.module.isErased(op) {
        switch run.module.name(of: op) {
        case "dnn.batch_norm": try foldNormalisation(&run.rewrite, op)
        case "dnn.mul": try foldChannelFactor(&run.rewrite, op)
        default: break
        }
      }
      run.rewrite.eraseUnusedOps(of: function)
    }
  }

  private static func foldNormalisation(_ rewrite: inout RewriteContext, _ op: OpID) throws(DiagnosticError) {
    let view = rewrite.module[op]
    let operands = view.operands
    let statistics = operands.dropFirst().compactMap { value in
      rewrite.module.definingOp(of: value).flatMap { rewrite.module.isConstant($0) ? $0 : nil }
    }
    guard statistics.count == 4 else { return }
    let epsilon = try view.number("epsilon")
    let type = try view.resultTensor()
    let parameters = try view.operandTensor(1)
    let location = view.location
    // Both parameter vectors are small constants of their own; merging reads them like any others.
    let factor = try rewrite.insertConstant(
      parameters, from: [statistics[0], statistics[3]], name: "bn_factor", summary: "s / sqrt(v + epsilon)",
      at: .before(op), location: location
    ) { tensors throws(DiagnosticError) in
      channelwise(tensors[0], tensors[1]) { $0 / ($1 + epsilon).squareRoot() }
    }
    let shift = try rewrite.insertConstant(
      parameters, from: statistics, name: "bn_shift", summary: "beta - m * s / sqrt(v + epsilon)", at: .before(op),
      location: location
    ) { tensors throws(DiagnosticError) in
      let scaled = channelwise64(tensors[0], tensors[3]) { $0 / ($1 + epsilon).squareRoot() }
      let moved = channelwise64(tensors[2], scaled) { $0 * $1 }
      return channelwise(tensors[1], moved) { $0 - $1 }
    }
    if try mergeAffine(&rewrite, op, into: operands[0], factor: factor, shift: shift) { return }
    // On its own: x · factor + shift, broadcast along the other dimensions.
    let broadcastShape = type.shape.indices.map { $0 == min(1, type.rank - 1) ? parameters.shape[0] : 1 }
    func reshaped(_ value: ValueID) throws(DiagnosticError) -> ValueID {
      guard type.rank > 1 else { return value }
      guard let source = rewrite.module.definingOp(of: value) else { return value }
      return try rewrite.insertConstant(
        TensorType(broadcastShape, parameters.element), from: [source],
        name: rewrite.module.name(of: value) ?? "bn", summary: "reshaped", at: .before(op), location: location
      ) { tensors throws(DiagnosticError) in tensors[0].reshaped(to: broadcastShape) }
    }
    let product = try rewrite.insertValue(
      "dnn.mul", [operands[0], try reshaped(factor)], at: .before(op), location: location)
    try rewrite.replace(op, by: "dnn.add", [product, try reshaped(shift)])
  }

  /// `mul(contraction, constant for each channel)`.
  private static func foldChannelFactor(_ rewrite: inout RewriteContext, _ op: OpID) throws(DiagnosticError) {
    let operands = rewrite.module.operands(of: op)
    for (x, factor) in [(operands[0], operands[1]), (operands[1], operands[0])] {
      guard let source = rewrite.module.definingOp(of: factor), rewrite.module.isConstant(source),
        let contraction = Contraction(maker: x, rewrite.module),
        let vector = try contraction.channelVector(&rewrite, source, at: op)
      else { continue }
      if try mergeAffine(&rewrite, op, into: x, factor: vector, shift: nil) { return }
    }
  }

  /// Multiplies the weights of the contraction behind `x` by `factor` and moves its bias; false when that is not possible.
  private static func mergeAffine(
    _ rewrite: inout RewriteContext, _ op: OpID, into x: ValueID, factor: ValueID, shift: ValueID?
  ) throws(DiagnosticError) -> Bool {
    guard rewrite.module.hasOneUse(x), let contraction = Contraction(maker: x, rewrite.module),
      let weights = contraction.constantWeights, contraction.hasConstantBias(rewrite.module),
      let factorOp = rewrite.module.definingOp(of: factor)
    else { return false }
    let weightType = try rewrite.module[weights].resultTensor()
    guard weightType.element == .f32, try rewrite.module.tensor(of: x).element == .f32 else { return false }
    let location = rewrite.module.location(of: contraction.op)
    let newWeights = try rewrite.insertConstant(
      weightType, from: [weights, factorOp], name: rewrite.module.name(of: contraction.weights) ?? "weights",
      summary: "weights times a factor for each output channel", at: .before(contraction.op),
      location: rewrite.module.location(of: weights)
    ) { tensors throws(DiagnosticError) in scaledRows(tensors[0], tensors[1]) }
    var operands = [contraction.x, newWeights]
    let channels = TensorType([contraction.channels], .f32)
    let name = contraction.bias.flatMap { rewrite.module.name(of: $0) } ?? "bias"
    var biasSources: [OpID] = []
    if let bias = contraction.bias.flatMap({ rewrite.module.definingOp(of: $0) }) { biasSources = [bias, factorOp] }
    let hasBias = !biasSources.isEmpty
    if let shift, let shiftOp = rewrite.module.definingOp(of: shift) { biasSources.append(shiftOp) }
    if !biasSources.isEmpty {
      operands.append(
        try rewrite.insertConstant(
          channels, from: biasSources, name: name, summary: "bias times factor plus shift", at: .before(contraction.op),
          location: rewrite.module.location(of: op)
        ) { tensors throws(DiagnosticError) in
          let scaled = hasBias ? channelwise64(tensors[0], tensors[1]) { $0 * $1 } : nil
          guard let last = tensors.last, let scaled else { return tensors[0] }
          return tensors.count == 3 ? channelwise(scaled, last) { $0 + $1 } : scaled.converted(to: .f32)
        })
    }
    let view = rewrite.module[contraction.op]
    let merged = try rewrite.insertValue(
      view.name, operands, view.attributes, at: .before(contraction.op), location: location)
    rewrite.replace(op, with: [merged])
    rewrite.eraseIfUnused(contraction.op)
    return true
  }
}

/// `body(a[i], b[i])` in double precision, as `f32`.
func channelwise(_ a: HostTensor, _ b: HostTensor, _ body: (Double, Double) -> Double) -> HostTensor {
  channelwise64(a, b, body).converted(to: .f32)
}

private func channelwise64(_ a: HostTensor, _ b: HostTensor, _ body: (Double, Double) -> Double) -> HostTensor {
  HostTensor(shape: a.shape, values: (0..<a.count).map { body(a.double(at: $0), b.double(at: $0)) })
}

/// Each row of the outermost dimension times its factor, in double precision.
private func scaledRows(_ tensor: HostTensor, _ factors: HostTensor) -> HostTensor {
  let row = tensor.count / max(1, tensor.shape[0])
  return tensor.withValues(as: Float.self) { values in
    HostTensor(shape: tensor.shape, elementType: .f32) { (output: UnsafeMutableBufferPointer<Float>) in
      for channel in 0..<tensor.shape[0] {
        let factor = factors.double(at: channel)
        for i in (channel * row)..<((channel + 1) * row) { output[i] = Float(Double(values[i]) * factor) }
      }
    }
  }
}
