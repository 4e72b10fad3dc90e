import PantileIR
import PantileSupport
import PantileText

extension GradientRule {
  static let products: [GradientRule] = [fullyConnected, matmul]

  /// `y = x·wᵀ + bias`: `dw = dyᵀ·x`, `dx = dy·w`, `dbias` the sum over rows.
  private static let fullyConnected = GradientRule(["fully_connected"], refusal: integerRefusal) {
    context, op, gradient throws(DiagnosticError) in
    let (x, w) = (op.operands[0], op.operands[1])
    if context.wants(op, 0) {
      try context.accumulate(
        try context.product(
          .backward, try context.operand(gradient), try context.operand(op.backwardWeights ?? w)), to: x)
    }
    if context.wants(op, 2) {
      try context.accumulate(try context.sum(gradient, axes: [0], keepsDimensions: false), to: op.operands[2])
    }
    if context.wants(op, 1) {
      var rows = x
      if let part = context.parts[w] { rows = try context.keptSlice(x, axis: 1, 0..<part.count) }
      try context.accumulate(
        try context.product(.weightUpdate, try context.operand(gradient), try context.operand(rows), transposeA: true),
        to: w)
    }
  }

  /// `y = a·b`: `da = dy·bᵀ`, `db = aᵀ·dy`, each in the layout in which the operand is stored and summed over what was
  /// broadcast. One matrix on the right sees the batch as further rows.
  private static let matmul = GradientRule(["matmul"], refusal: integerRefusal) {
    context, op, gradient throws(DiagnosticError) in
    let view = context.module[op.op]
    let transposeA = try view.flag("transpose_a")
    let transposeB = try view.flag("transpose_b")
    let (a, b) = (op.operands[0], op.operands[1])
    let (shapeA, shapeB) = (context.shape(a), context.shape(b))
    // A vector is a row (a) or a column (b) whose dimension vanished.
    let matrixA = shapeA.count == 1 ? [1, shapeA[0]] : shapeA
    let matrixB = shapeB.count == 1 ? [shapeB[0], 1] : shapeB
    var matrixY = context.shape(gradient)
    if shapeB.count == 1 { matrixY.append(1) }
    if shapeA.count == 1 { matrixY.insert(1, at: matrixY.count - 1) }

    let batch = matrixA.dropLast(2).reduce(1, *)
    let isShared = matrixB.count == 2 && matrixA.count > 2 && !transposeA
    if context.wants(op, 0) {
      let output = try context.reshape(try context.operand(gradient), matrixY)
      let weights = try context.reshape(try context.operand(op.backwardWeights ?? b), matrixB)
      let product =
        transposeA
        ? try context.product(.backward, weights, output, transposeA: transposeB, transposeB: true)
        : try context.product(.backward, output, weights, transposeB: !transposeB)
      let summed = try context.sum(product, to: matrixA)
      try context.accumulate(try context.reshape(summed, shapeA), to: a)
    }
    if context.wants(op, 1) {
      let part = context.parts[b]
      var rows = a
      if let part { rows = try context.keptSlice(a, axis: shapeA.count - 1, 0..<part.count) }
      rows = try context.operand(rows)
      var output = try context.operand(gradient)
      if isShared {
        let depth = context.shape(rows)[shapeA.count - 1]
        rows = try context.reshape(rows, [batch * matrixA[matrixA.count - 2], depth])
        output = try context.reshape(output, [batch * matrixY[matrixY.count - 2], matrixY[matrixY.count - 1]])
      } else {
        if shapeA.count == 1 { rows = try context.reshape(rows, [1, context.shape(rows)[0]]) }
        output = try context.reshape(output, matrixY)
      }
      let product =
        transposeB
        ? try context.product(.weightUpdate, output, rows, transposeA: true, transposeB: transposeA)
        : try context.product(.weightUpdate, rows, output, transposeA: !transposeA)
      if part != nil {
        try context.accumulate(product, to: b)
      } else {
        let summed = try context.sum(product, to: matrixB)
        try context.accumulate(try context.reshape(summed, shapeB), to: b)
      }
    }
  }
}

extension GradientContext {
  /// A matrix product that is counted under a phase.
  mutating func product(
    _ phase: TrainingPhase, _ a: ValueID, _ b: ValueID, transposeA: Bool = false, transposeB: Bool = false
  ) throws(DiagnosticError) -> ValueID {
    let result = try emit(
      "matmul", [a, b], ["transpose_a": .bool(transposeA), "transpose_b": .bool(transposeB)])
    let depth = shape(a)[shape(a).count - (transposeA ? 2 : 1)]
    count(phase, macs: type(result).count * depth)
    return result
  }
}
