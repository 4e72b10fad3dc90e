import PantileIR
import PantileSupport
import PantileText

extension DNN {
  /// `dnn.select`: elementwise choice.
  public static let select = GraphOp(
    OpDefinition(
      "dnn.select", summary: "c ? a : b", documentation: "All three operands broadcast to the result's shape.",
      operands: [
        OperandDefinition("c", .truth), OperandDefinition("a", .data), OperandDefinition("b", .data),
      ],
      results: [ResultDefinition("y", .data)], traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let a = try op.tensor(1)
        let b = try op.tensor(2)
        try op.requireSameElement(a, b, "a and b")
        let shape = try op.broadcast(try op.tensor(0).shape, try op.broadcast(a.shape, b.shape))
        return try op.result(shape, a.element)
      },
      example: DNN.example(
        "%c: tensor<2x1xi1>, %a: tensor<2x3xf32>, %b: tensor<f32>", "tensor<2x3xf32>",
        "%y = dnn.select %c, %a, %b : (tensor<2x1xi1>, tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>")),
    kernel: { call throws(DiagnosticError) in
      [Reference.select(call.inputs[0], call.inputs[1], call.inputs[2])]
    },
    work: { op throws(DiagnosticError) in try op.elementwiseWork() })
}
