import PantileIR
import PantileProblem
import PantileSupport
import PantileText

extension DNN {
  /// `dnn.fully_connected`: a dense layer.
  public static let fullyConnected = GraphOp(
    OpDefinition(
      "dnn.fully_connected", summary: "dense layer: x·wᵀ + bias",
      documentation: """
        `x: [N, K], w: [O, K][, bias: [O]] -> [N, O]`

        Floats sum `k` ascending, the bias comes last. Integers (`i8` by `i8` or `i4`, bias and result `i32`):
        `Σ (x - input_zero_point)·w + bias`, wrapping at 32 bits.
        """,
      operands: [
        OperandDefinition("x", .contractible), OperandDefinition("w", .contractible, summary: "one row per output"),
        OperandDefinition("bias", .accumulable, arity: .optional),
      ],
      results: [ResultDefinition("y", .accumulable)], attributes: [.inputZeroPoint], traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let x = try op.tensor(0)
        let w = try op.tensor(1)
        guard x.rank == 2, w.rank == 2 else {
          throw op.error("rank", "both operands must have rank 2 but have \(x.rank) and \(w.rank)")
        }
        guard x.shape[1] == w.shape[1] else {
          throw op.error("shape-mismatch", "x has \(x.shape[1]) columns but w has \(w.shape[1])")
        }
        let element = try op.contractionElement(x, w)
        try op.require(2, "bias", shape: [w.shape[0]], element: element)
        try op.checkInputZeroPoint(x)
        return try op.result([x.shape[0], w.shape[0]], element)
      },
      example: DNN.example(
        "%x: tensor<1x64xi8>, %w: tensor<10x64xi8>, %b: tensor<10xi32>", "tensor<1x10xi32>",
        "%y = dnn.fully_connected %x, %w, %b {input_zero_point = -3} : "
          + "(tensor<1x64xi8>, tensor<10x64xi8>, tensor<10xi32>) -> tensor<1x10xi32>")),
    kernel: { call throws(DiagnosticError) in
      [
        Reference.fullyConnected(
          call.inputs[0], call.inputs[1], bias: call.optionalInput(2),
          inputZeroPoint: try call.integer("input_zero_point"))
      ]
    },
    work: { op throws(DiagnosticError) in
      let x = try op.operandTensor(0)
      let w = try op.operandTensor(1)
      let y = try op.resultTensor()
      guard x.count > 0, w.count > 0 else { return nil }
      let (rows, columns, depth) = (x.shape[0], w.shape[0], x.shape[1])
      var operands = [
        try op.workOperand("x", .read, [.init(dim: 0, extent: rows), .init(dim: 2, extent: depth)], x.element),
        try op.workOperand("w", .read, [.init(dim: 2, extent: depth), .init(dim: 1, extent: columns)], w.element),
      ]
      if op.operands.count > 2 {
        operands.append(
          try op.workOperand("bias", .read, [.init(dim: 1, extent: columns)], try op.operandTensor(2).element))
      }
      operands.append(
        try op.workOperand("y", .write, [.init(dim: 0, extent: rows), .init(dim: 1, extent: columns)], y.element))
      return Work(
        kind: .contraction,
        dims: [
          .init("m", extent: rows, role: .row), .init("n", extent: columns, role: .column),
          .init("k", extent: depth, role: .reduced),
        ], operands: operands)
    })
}
