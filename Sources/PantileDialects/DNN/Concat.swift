import PantileIR
import PantileSupport
import PantileText

extension DNN {
  /// `dnn.concat`: joins tensors along an axis.
  public static let concat = GraphOp(
    OpDefinition(
      "dnn.concat", summary: "joins tensors along an axis",
      documentation: "All operands have one element type and, but for the axis, one shape.",
      operands: [OperandDefinition("parts", .data, arity: .variadic)], results: [ResultDefinition("y", .data)],
      attributes: [AttributeDefinition("axis", .integer)], traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        guard !op.operandTypes.isEmpty else { throw op.error("operand-count", "needs at least one operand") }
        let first = try op.tensor(0)
        let axis = try op.axis(rank: first.rank)
        var shape = first.shape
        for index in op.operandTypes.indices.dropFirst() {
          let part = try op.tensor(index)
          try op.requireSameElement(first, part, "operands")
          var other = part.shape
          guard other.count == shape.count else {
            throw op.error("shape-mismatch", "operand \(index) has rank \(other.count) but needs \(shape.count)")
          }
          shape[axis] += other[axis]
          other[axis] = shape[axis]
          guard other == shape else {
            throw op.error("shape-mismatch", "operand \(index) of shape \(part.shape) does not fit \(first.shape)")
          }
        }
        return try op.result(shape, first.element)
      },
      example: DNN.example(
        "%a: tensor<1x8x4x4xf32>, %b: tensor<1x4x4x4xf32>", "tensor<1x12x4x4xf32>",
        "%y = dnn.concat %a, %b {axis = 1} : (tensor<1x8x4x4xf32>, tensor<1x4x4x4xf32>) -> tensor<1x12x4x4xf32>")),
    kernel: { call throws(DiagnosticError) in [Reference.concat(call.inputs, axis: try call.integer("axis"))] })
}
