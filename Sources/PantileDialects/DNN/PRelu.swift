import PantileIR
import PantileSupport
import PantileTensor
import PantileText

extension DNN {
  /// `dnn.prelu`: leaky relu with slopes that are an operand.
  public static let prelu = GraphOp(
    OpDefinition(
      "dnn.prelu", summary: "x < 0 ? slope·x : x",
      documentation: "`slope` broadcasts to the shape of `x`.",
      operands: [OperandDefinition("x", .number), OperandDefinition("slope", .number)],
      results: [ResultDefinition("y", .number)], traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let x = try op.tensor(0)
        let slope = try op.tensor(1)
        try op.requireSameElement(x, slope, "operands")
        guard try op.broadcast(x.shape, slope.shape) == x.shape else {
          throw op.error("broadcast", "slope of shape \(slope.shape) does not broadcast to \(x.shape)")
        }
        return try op.result(x.shape, x.element)
      },
      example: DNN.example(
        "%x: tensor<2x3xf32>, %s: tensor<3xf32>", "tensor<2x3xf32>",
        "%y = dnn.prelu %x, %s : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>")),
    kernel: { call throws(DiagnosticError) in
      let x = call.inputs[0]
      let zero = HostTensor(shape: [], elementType: x.elementType)
      let isNegative = Reference.binary(.less, x, zero)
      return [Reference.select(isNegative, Reference.binary(.mul, x, call.inputs[1]), x)]
    },
    work: { op throws(DiagnosticError) in try op.elementwiseWork() })
}
