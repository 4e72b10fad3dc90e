import PantileIR
import PantileSupport
import PantileText

extension DNN {
  /// `dnn.softmax`.
  public static let softmax = softmaxOp(
    "softmax", "exp(x - max) / Σ exp(x - max) along an axis",
    kernel: { call throws(DiagnosticError) in
      [Reference.softmax(call.inputs[0], axis: try call.integer("axis"))]
    })

  /// `dnn.log_softmax`.
  public static let logSoftmax = softmaxOp(
    "log_softmax", "x - max - log Σ exp(x - max) along an axis",
    kernel: { call throws(DiagnosticError) in
      [Reference.logSoftmax(call.inputs[0], axis: try call.integer("axis"))]
    })

  private static func softmaxOp(_ name: String, _ formula: String, kernel: @escaping ReferenceKernel) -> GraphOp {
    GraphOp(
      OpDefinition(
        "dnn.\(name)", summary: formula, documentation: "Sums run in index order in `f32` (`f64` in `f64`).",
        operands: [OperandDefinition("x", .float)], results: [ResultDefinition("y", .float)],
        attributes: [AttributeDefinition("axis", .integer, summary: "normalised axis, from 0")], traits: [.pure],
        inferResultTypes: { op throws(DiagnosticError) in
          let x = try op.tensor(0)
          _ = try op.axis(rank: x.rank)
          return try op.result(x.shape, x.element)
        },
        example: DNN.example(
          "%x: tensor<2x10xf32>", "tensor<2x10xf32>", "%y = dnn.\(name) %x {axis = 1} : tensor<2x10xf32>")),
      kernel: kernel,
      work: { op throws(DiagnosticError) in
        try op.reductionWork(axes: [try op.integer("axis")], keepsShape: true)
      })
  }
}
