import PantileIR
import PantileSupport
import PantileTensor
import PantileText

extension DNN {
  /// `dnn.expand`: repeats dimensions of size 1.
  public static let expand = GraphOp(
    OpDefinition(
      "dnn.expand", summary: "broadcasts to a shape",
      documentation: "Dimensions of size 1 are repeated; missing leading dimensions are added.",
      operands: [OperandDefinition("x", .data)], results: [ResultDefinition("y", .data)],
      attributes: [AttributeDefinition("shape", .integers)], traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let x = try op.tensor(0)
        let shape = try TensorType(checked: try op.integers("shape"), x.element, at: op.location).shape
        guard try op.broadcast(x.shape, shape) == shape else {
          throw op.error("broadcast", "\(x.shape) does not expand to \(shape)")
        }
        return try op.result(shape, x.element)
      },
      example: DNN.example(
        "%x: tensor<3x1xf32>", "tensor<2x3x4xf32>",
        "%y = dnn.expand %x {shape = [2, 3, 4]} : (tensor<3x1xf32>) -> tensor<2x3x4xf32>")),
    kernel: { call throws(DiagnosticError) in [call.inputs[0].broadcast(to: call.resultTypes[0].shape)] },
    work: { op throws(DiagnosticError) in try op.elementwiseWork() })

  /// `dnn.tile`: repeats a whole tensor.
  public static let tile = GraphOp(
    OpDefinition(
      "dnn.tile", summary: "repeats a tensor along each dimension", operands: [OperandDefinition("x", .data)],
      results: [ResultDefinition("y", .data)],
      attributes: [AttributeDefinition("repeats", .integers)], traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let x = try op.tensor(0)
        let repeats = try op.bounded("repeats", 0...1 << 16)
        guard repeats.count == x.rank else { throw op.error("axis-range", "repeats need \(x.rank) entries") }
        return try op.result(zip(x.shape, repeats).map { $0 * $1 }, x.element)
      },
      example: DNN.example(
        "%x: tensor<2x3xf32>", "tensor<4x3xf32>",
        "%y = dnn.tile %x {repeats = [2, 1]} : (tensor<2x3xf32>) -> tensor<4x3xf32>")),
    kernel: { call throws(DiagnosticError) in
      [Reference.tile(call.inputs[0], repeats: try call.integers("repeats"))]
    })
}
