import PantileIR
import PantileSupport
import PantileTensor
import PantileText

extension DNN {
  /// `dnn.reshape`: the same elements with another shape; squeeze, unsqueeze and flatten are this.
  public static let reshape = GraphOp(
    OpDefinition(
      "dnn.reshape", summary: "the same elements, in order, with another shape",
      documentation: "Squeeze, unsqueeze and flatten are reshapes. Every size is stated: no -1 and no 0 for 'keep'.",
      operands: [OperandDefinition("x", .data)], results: [ResultDefinition("y", .data)],
      attributes: [AttributeDefinition("shape", .integers, summary: "sizes of the result")], traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let x = try op.tensor(0)
        let y = try TensorType(checked: try op.integers("shape"), x.element, at: op.location)
        guard y.count == x.count else {
          throw op.error("element-count", "\(x.shape) has \(x.count) elements but \(y.shape) has \(y.count)")
        }
        return [y.syntax]
      },
      example: DNN.example(
        "%x: tensor<1x8x2x2xf32>", "tensor<1x32xf32>",
        "%y = dnn.reshape %x {shape = [1, 32]} : (tensor<1x8x2x2xf32>) -> tensor<1x32xf32>")),
    kernel: { call throws(DiagnosticError) in [call.inputs[0].reshaped(to: call.resultTypes[0].shape)] })
}
