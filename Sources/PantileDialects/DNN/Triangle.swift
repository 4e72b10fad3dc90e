import PantileIR
import PantileSupport
import PantileText

extension DNN {
  /// `dnn.triangle`: keeps one triangle of matrices.
  public static let triangle = GraphOp(
    OpDefinition(
      "dnn.triangle", summary: "keeps a triangle of the last two dimensions and zeroes the rest",
      documentation: "Diagonal `diagonal` (0 the main one, positive above) belongs to both triangles.",
      operands: [OperandDefinition("x", .data)], results: [ResultDefinition("y", .data)],
      attributes: [
        AttributeDefinition("upper", .flag, default: false), AttributeDefinition("diagonal", .integer, default: 0),
      ], traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let x = try op.tensor(0)
        guard x.rank >= 2 else { throw op.error("rank", "x must have rank 2 or more but has \(x.rank)") }
        _ = try op.bounded("diagonal", in: -(1 << 40)...1 << 40)
        return try op.result(x.shape, x.element)
      },
      example: DNN.example(
        "%x: tensor<4x4xf32>", "tensor<4x4xf32>", "%y = dnn.triangle %x {upper = true, diagonal = 1} : tensor<4x4xf32>")
    ),
    kernel: { call throws(DiagnosticError) in
      [
        Reference.triangle(
          call.inputs[0], isUpper: try call.flag("upper"), diagonal: try call.integer("diagonal"))
      ]
    },
    work: { op throws(DiagnosticError) in try op.elementwiseWork() })
}
