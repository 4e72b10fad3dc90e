import PantileIR
import PantileProblem
import PantileSupport
import PantileText

extension DNN {
  /// `dnn.layer_norm`.
  public static let layerNorm = GraphOp(
    OpDefinition(
      "dnn.layer_norm", summary: "normalises by mean and variance over the axes from one on",
      documentation: """
        `(x - mean) / sqrt(variance + epsilon) · scale + bias`; mean and variance (of the differences, divided by the count)
        are summed in index order in `f32` (`f64` in `f64`). Scale and bias broadcast to `x`.
        """,
      operands: [
        OperandDefinition("x", .float), OperandDefinition("scale", .float, arity: .optional),
        OperandDefinition("bias", .float, arity: .optional),
      ],
      results: [ResultDefinition("y", .float)],
      attributes: [
        AttributeDefinition("axis", .integer, summary: "first normalised axis"),
        AttributeDefinition("epsilon", .number, default: .float32(1e-5)),
      ], traits: [.pure], inferResultTypes: normInference,
      example: DNN.example(
        "%x: tensor<4x16xf32>, %s: tensor<16xf32>, %b: tensor<16xf32>", "tensor<4x16xf32>",
        "%y = dnn.layer_norm %x, %s, %b {axis = 1} : "
          + "(tensor<4x16xf32>, tensor<16xf32>, tensor<16xf32>) -> tensor<4x16xf32>")),
    kernel: { call throws(DiagnosticError) in
      [
        Reference.layerNorm(
          call.inputs[0], scale: call.optionalInput(1), bias: call.optionalInput(2), axis: try call.integer("axis"),
          epsilon: Float(try call.number("epsilon")))
      ]
    }, work: normWork)

  /// `dnn.rms_norm`.
  public static let rmsNorm = GraphOp(
    OpDefinition(
      "dnn.rms_norm", summary: "divides by the root mean square over the axes from one on",
      documentation:
        "`x / sqrt(mean(x²) + epsilon) · scale`, the sum in index order in `f32` (`f64` in `f64`); scale broadcasts to `x`.",
      operands: [OperandDefinition("x", .float), OperandDefinition("scale", .float, arity: .optional)],
      results: [ResultDefinition("y", .float)],
      attributes: [
        AttributeDefinition("axis", .integer, summary: "first normalised axis"),
        AttributeDefinition("epsilon", .number, default: .float32(1e-5)),
      ], traits: [.pure], inferResultTypes: normInference,
      example: DNN.example(
        "%x: tensor<4x16xf32>, %s: tensor<16xf32>", "tensor<4x16xf32>",
        "%y = dnn.rms_norm %x, %s {axis = 1} : (tensor<4x16xf32>, tensor<16xf32>) -> tensor<4x16xf32>")),
    kernel: { call throws(DiagnosticError) in
      [
        Reference.rmsNorm(
          call.inputs[0], scale: call.optionalInput(1), axis: try call.integer("axis"),
          epsilon: Float(try call.number("epsilon")))
      ]
    }, work: normWork)

  @Sendable private static func normInference(_ op: OpSignature) throws(DiagnosticError) -> [TypeSyntax] {
    let x = try op.tensor(0)
    _ = try op.axis(rank: x.rank)
    for index in op.operandTypes.indices.dropFirst() {
      let parameter = try op.tensor(index)
      guard try op.broadcast(x.shape, parameter.shape) == x.shape else {
        throw op.error("broadcast", "operand \(index) of shape \(parameter.shape) does not broadcast to \(x.shape)")
      }
    }
    return try op.result(x.shape, x.element)
  }

  @Sendable private static func normWork(_ op: OpView) throws(DiagnosticError) -> Work? {
    let rank = try op.operandTensor(0).rank
    return try op.reductionWork(axes: Array(try op.integer("axis")..<rank), keepsShape: true)
  }
}
