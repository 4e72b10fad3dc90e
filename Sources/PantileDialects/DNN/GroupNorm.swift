import PantileIR
import PantileSupport
import PantileText

extension DNN {
  /// `dnn.group_norm`; `groups = C` is instance normalisation.
  public static let groupNorm = GraphOp(
    OpDefinition(
      "dnn.group_norm", summary: "normalises groups of channels of each image by their own statistics",
      documentation: """
        Channels on axis 1; scale and bias have one value a channel. `groups` equal to the channel count is instance
        normalisation.
        """,
      operands: [
        OperandDefinition("x", .float), OperandDefinition("scale", .float), OperandDefinition("bias", .float),
      ],
      results: [ResultDefinition("y", .float)],
      attributes: [
        AttributeDefinition("groups", .integer), AttributeDefinition("epsilon", .number, default: .float32(1e-5)),
      ], traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let x = try op.tensor(0)
        guard x.rank >= 2 else { throw op.error("rank", "x must have rank 2 or more but has \(x.rank)") }
        let groups = try op.bounded("groups", in: 1...1 << 20)
        guard x.shape[1] % groups == 0 else {
          throw op.error("channel-count", "\(x.shape[1]) channels do not split into \(groups) groups")
        }
        for (index, name) in ["scale", "bias"].enumerated() {
          let shape = try op.tensor(index + 1).shape
          guard shape == [x.shape[1]] else {
            throw op.error("shape-mismatch", "\(name) has shape \(shape) but needs [\(x.shape[1])]")
          }
        }
        return try op.result(x.shape, x.element)
      },
      example: DNN.example(
        "%x: tensor<1x8x4x4xf32>, %s: tensor<8xf32>, %b: tensor<8xf32>", "tensor<1x8x4x4xf32>",
        "%y = dnn.group_norm %x, %s, %b {groups = 4} : "
          + "(tensor<1x8x4x4xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<1x8x4x4xf32>")),
    kernel: { call throws(DiagnosticError) in
      [
        Reference.groupNorm(
          call.inputs[0], scale: call.inputs[1], bias: call.inputs[2], groups: try call.integer("groups"),
          epsilon: Float(try call.number("epsilon")))
      ]
    },
    work: { op throws(DiagnosticError) in
      try op.reductionWork(axes: Array(1..<(try op.operandTensor(0).rank)), keepsShape: true)
    })

  /// `dnn.local_response_norm`.
  public static let localResponseNorm = GraphOp(
    OpDefinition(
      "dnn.local_response_norm", summary: "divides by a power of the energy of neighbouring channels",
      documentation: "`x / (bias + alpha/size · Σ x²)^beta`, the sum over `size` channels around each.",
      operands: [OperandDefinition("x", .float)], results: [ResultDefinition("y", .float)],
      attributes: [
        AttributeDefinition("size", .integer), AttributeDefinition("alpha", .number, default: .float32(1e-4)),
        AttributeDefinition("beta", .number, default: .float32(0.75)),
        AttributeDefinition("bias", .number, default: .float32(1)),
      ], traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let x = try op.tensor(0)
        guard x.rank >= 2 else { throw op.error("rank", "x must have rank 2 or more but has \(x.rank)") }
        _ = try op.bounded("size", in: 1...1 << 20)
        return try op.result(x.shape, x.element)
      },
      example: DNN.example(
        "%x: tensor<1x8x4x4xf32>", "tensor<1x8x4x4xf32>",
        "%y = dnn.local_response_norm %x {size = 5} : tensor<1x8x4x4xf32>")),
    kernel: { call throws(DiagnosticError) in
      [
        Reference.localResponseNorm(
          call.inputs[0], size: try call.integer("size"), alpha: Float(try call.number("alpha")),
          beta: Float(try call.number("beta")), bias: Float(try call.number("bias")))
      ]
    },
    work: { op throws(DiagnosticError) in try op.reductionWork(axes: [1], keepsShape: true) })
}
