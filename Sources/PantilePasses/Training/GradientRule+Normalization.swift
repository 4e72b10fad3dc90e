import PantileIR
import PantileSupport
import PantileText

extension GradientRule {
  static let normalisations: [GradientRule] = [layerNorm, rmsNorm, batchNorm]

  /// With x̂ = (x − mean)·r and g = dy·scale: dx = r·(g − mean(g) − x̂·mean(g·x̂)). Mean and r are computed again.
  ///
  /// **Source** Ba, Kiros, Hinton, "Layer normalization", 2016; its gradient as in Ioffe, Szegedy, "Batch normalization",
  /// ICML 2015, section 3.
  private static let layerNorm = GradientRule(["layer_norm"]) { context, op, gradient throws(DiagnosticError) in
    let view = context.module[op.op]
    let axis = try view.integer("axis")
    let epsilon = try view.number("epsilon")
    let x = op.operands[0]
    let axes = Array(axis..<context.shape(x).count)
    if context.wants(op, 2) { try context.accumulate(gradient, toOperand: 2, of: op) }
    guard context.wants(op, 0) || context.wants(op, 1) else { return }
    let centred = try context.sub(x, try context.mean(x, axes))
    let variance = try context.mean(try context.mul(centred, centred), axes)
    let factor = try context.emit("rsqrt", [try context.add(variance, epsilon)])
    let normal = try context.mul(centred, factor)
    if context.wants(op, 1) { try context.accumulate(try context.mul(gradient, normal), toOperand: 1, of: op) }
    guard context.wants(op, 0) else { return }
    let scaled = op.operands.count > 1 ? try context.mul(gradient, op.operands[1]) : gradient
    let level = try context.mean(scaled, axes)
    let tilt = try context.mul(normal, try context.mean(try context.mul(scaled, normal), axes))
    let moved = try context.sub(try context.sub(scaled, level), tilt)
    try context.accumulate(try context.mul(moved, factor), to: x)
  }

  /// With x̂ = x·r: dx = r·(g − x̂·mean(g·x̂)).
  private static let rmsNorm = GradientRule(["rms_norm"]) { context, op, gradient throws(DiagnosticError) in
    let view = context.module[op.op]
    let axis = try view.integer("axis")
    let epsilon = try view.number("epsilon")
    let x = op.operands[0]
    let axes = Array(axis..<context.shape(x).count)
    let energy = try context.mean(try context.mul(x, x), axes)
    let factor = try context.emit("rsqrt", [try context.add(energy, epsilon)])
    let normal = try context.mul(x, factor)
    if context.wants(op, 1) { try context.accumulate(try context.mul(gradient, normal), toOperand: 1, of: op) }
    guard context.wants(op, 0) else { return }
    let scaled = op.operands.count > 1 ? try context.mul(gradient, op.operands[1]) : gradient
    let tilt = try context.mul(normal, try context.mean(try context.mul(scaled, normal), axes))
    try context.accumulate(try context.mul(try context.sub(scaled, tilt), factor), to: x)
  }

  /// The inference form: mean and variance are constants, so it is an affine map of each channel.
  private static let batchNorm = GradientRule(["batch_norm"], operands: [0, 1, 2]) {
    context, op, gradient throws(DiagnosticError) in
    let epsilon = try context.module[op.op].number("epsilon")
    let shape = context.shape(op.operands[0])
    let channels = shape.count > 1 ? shape[1] : 1
    let column = shape.indices.map { $0 == min(1, shape.count - 1) && shape.count > 1 ? channels : 1 }
    let others = shape.indices.filter { column[$0] == 1 }
    /// A vector of channels from a value of the input's shape.
    func total(_ value: ValueID, _ context: inout GradientContext) throws(DiagnosticError) -> ValueID {
      try context.reshape(try context.sum(value, axes: Array(others), keepsDimensions: false), [channels])
    }
    if context.wants(op, 2) { try context.accumulate(try total(gradient, &context), to: op.operands[2]) }
    guard context.wants(op, 0) || context.wants(op, 1) else { return }
    let factor = try context.emit("rsqrt", [try context.add(op.operands[4], epsilon)])
    if context.wants(op, 1) {
      let mean = try context.reshape(op.operands[3], column)
      let product = try context.mul(gradient, try context.sub(op.operands[0], mean))
      try context.accumulate(try context.mul(try total(product, &context), factor), to: op.operands[1])
    }
    if context.wants(op, 0) {
      let slope = try context.reshape(try context.mul(op.operands[1], factor), column)
      try context.accumulate(try context.mul(gradient, slope), to: op.operands[0])
    }
  }
}

extension GradientContext {
  /// The mean over axes, which stay with size 1.
  fileprivate mutating func mean(_ value: ValueID, _ axes: [Int]) throws(DiagnosticError) -> ValueID {
    try emit("reduce_mean", [value], ["axes": .integers(axes), "keepdims": .bool(true)])
  }
}
