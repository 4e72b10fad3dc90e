import PantileIR
import PantileSupport
import PantileTensor
import PantileText

extension DNN {
  /// `dnn.clamp`: limits values to a range.
  public static let clamp = GraphOp(
    OpDefinition(
      "dnn.clamp", summary: "min(max(x, min), max)",
      documentation: "An absent bound does not limit. Bounds are rounded to the element type; NaN stays NaN.",
      operands: [OperandDefinition("x", .number)], results: [ResultDefinition("y", .number)],
      attributes: [
        .optional("min", .number, summary: "lower bound"), .optional("max", .number, summary: "upper bound"),
      ],
      traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let x = try op.tensor(0)
        for key in ["min", "max"] where op.has(key) {
          guard try !op.number(key).isNaN else { throw op.error("attribute-range", "\(key) must be a number") }
        }
        return try op.result(x.shape, x.element)
      },
      example: DNN.example(
        "%x: tensor<4xf32>", "tensor<4xf32>",
        "%y = dnn.clamp %x {min = 0.0 : f32, max = 6.0 : f32} : tensor<4xf32>")),
    kernel: { call throws(DiagnosticError) in
      let x = call.inputs[0]
      let range = x.elementType.integerRange
      return [
        Reference.clamp(
          x, low: try call.number("min", default: range.map { Double($0.lowerBound) } ?? -.infinity),
          high: try call.number("max", default: range.map { Double($0.upperBound) } ?? .infinity))
      ]
    },
    work: { op throws(DiagnosticError) in try op.elementwiseWork() })
}
