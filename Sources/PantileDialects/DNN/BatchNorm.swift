import PantileIR
import PantileSupport
import PantileText

extension DNN {
  /// `dnn.batch_norm`: normalisation by stored statistics.
  public static let batchNorm = GraphOp(
    OpDefinition(
      "dnn.batch_norm", summary: "normalises channels by stored statistics",
      documentation: """
        `(x - mean[c]) / sqrt(variance[c] + epsilon) · scale[c] + bias[c]`, channels on axis 1 (a tensor of rank 1 is one
        channel). The factor `scale / sqrt(variance + epsilon)` is rounded first.
        """,
      operands: [
        OperandDefinition("x", .float), OperandDefinition("scale", .float), OperandDefinition("bias", .float),
        OperandDefinition("mean", .float), OperandDefinition("variance", .float),
      ],
      results: [ResultDefinition("y", .float)],
      attributes: [AttributeDefinition("epsilon", .number, default: .float32(1e-5))], traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let x = try op.tensor(0)
        let channels = x.rank > 1 ? x.shape[1] : 1
        for (index, name) in ["scale", "bias", "mean", "variance"].enumerated() {
          guard try op.tensor(index + 1).shape == [channels] else {
            throw op.error(
              "shape-mismatch", "\(name) has shape \(try op.tensor(index + 1).shape) but needs [\(channels)]")
          }
        }
        return try op.result(x.shape, x.element)
      },
      example: DNN.example(
        "%x: tensor<1x8x4x4xf32>, %s: tensor<8xf32>, %b: tensor<8xf32>, %m: tensor<8xf32>, %v: tensor<8xf32>",
        "tensor<1x8x4x4xf32>",
        "%y = dnn.batch_norm %x, %s, %b, %m, %v : (tensor<1x8x4x4xf32>, tensor<8xf32>, tensor<8xf32>, "
          + "tensor<8xf32>, tensor<8xf32>) -> tensor<1x8x4x4xf32>")),
    kernel: { call throws(DiagnosticError) in
      [
        Reference.batchNorm(
          call.inputs[0], scale: call.inputs[1], bias: call.inputs[2], mean: call.inputs[3],
          variance: call.inputs[4], epsilon: Float(try call.number("epsilon")))
      ]
    },
    work: { op throws(DiagnosticError) in try op.reductionWork(axes: [], keepsShape: true) })
}
