import PantileIR
import PantileSupport
import PantileTensor
import PantileText

extension DNN {
  /// `dnn.cast`: changes the element type.
  public static let cast = GraphOp(
    OpDefinition(
      "dnn.cast", summary: "another element type",
      documentation: """
        Float to float rounds to nearest even; float to integer truncates toward zero and saturates; integer to integer
        keeps the low bits; anything to `i1` is true unless zero.
        """,
      operands: [OperandDefinition("x", .data)], results: [ResultDefinition("y", .data)],
      attributes: [AttributeDefinition("to", .type, summary: "element type of the result")], traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let x = try op.tensor(0)
        let to = try op.type("to")
        _ = try ElementType(to, at: op.location)
        return try op.result(x.shape, to)
      },
      example: DNN.example(
        "%x: tensor<4xf32>", "tensor<4xi32>", "%y = dnn.cast %x {to = i32} : (tensor<4xf32>) -> tensor<4xi32>")),
    kernel: { call throws(DiagnosticError) in [call.inputs[0].converted(to: try call.resultElement())] },
    work: { op throws(DiagnosticError) in try op.elementwiseWork() })
}
