import PantileIR
import PantileProblem
import PantileSupport
import PantileTensor
import PantileText

extension DNN {
  /// `dnn.quantize`: floats to integers.
  public static let quantize = GraphOp(
    OpDefinition(
      "dnn.quantize", summary: "saturate(roundHalfEven(x / scale) + zero_point)",
      documentation: """
        The division is in `f32`, as ONNX has it. `scale` and `zero_point` have one entry, or one for each index of `axis`.
        """,
      operands: [OperandDefinition("x", .float)], results: [ResultDefinition("y", .data)],
      attributes: quantizationAttributes + [AttributeDefinition("to", .type, default: .type(.i8))], traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let x = try op.tensor(0)
        let to = try op.type("to")
        let element = try ElementType(to, at: op.location)
        guard element.isInteger, element.bitWidth <= 32 else {
          throw op.error("element-type", "values quantise to integers of at most 32 bits, not \(to)")
        }
        try checkQuantization(op, x, element)
        return try op.result(x.shape, to)
      },
      example: DNN.example(
        "%x: tensor<1x4xf32>", "tensor<1x4xi8>",
        "%y = dnn.quantize %x {scale = array<f32: 0.5>, zero_point = array<i32: -3>} : "
          + "(tensor<1x4xf32>) -> tensor<1x4xi8>")),
    kernel: { call throws(DiagnosticError) in
      [
        Reference.quantize(
          call.inputs[0], scales: try call.numbers("scale").map { Float($0) },
          zeroPoints: try zeroPoints(call), axis: try call.integer("axis"), to: try call.resultElement())
      ]
    },
    work: { op throws(DiagnosticError) in try op.elementwiseWork() })

  /// `dnn.dequantize`: integers to floats.
  public static let dequantize = GraphOp(
    OpDefinition(
      "dnn.dequantize", summary: "f32(x - zero_point) · scale",
      documentation: "`scale` and `zero_point` have one entry, or one for each index of `axis`.",
      operands: [OperandDefinition("x", .number)], results: [ResultDefinition("y", .float)],
      attributes: quantizationAttributes, traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let x = try op.tensor(0)
        let element = try ElementType(x.element, at: op.location)
        guard element.isInteger, element.bitWidth <= 32 else {
          throw op.error("element-type", "x must hold integers of at most 32 bits, not \(x.element)")
        }
        try checkQuantization(op, x, element)
        return try op.result(x.shape, .f32)
      },
      example: DNN.example(
        "%x: tensor<2x4xi8>", "tensor<2x4xf32>",
        "%y = dnn.dequantize %x {scale = array<f32: 0.5, 0.25>, zero_point = array<i32: 0>, axis = 0} : "
          + "(tensor<2x4xi8>) -> tensor<2x4xf32>")),
    kernel: { call throws(DiagnosticError) in
      [
        Reference.dequantize(
          call.inputs[0], scales: try call.numbers("scale").map { Float($0) },
          zeroPoints: try zeroPoints(call), axis: try call.integer("axis"))
      ]
    },
    work: { op throws(DiagnosticError) in try op.elementwiseWork() })

  private static let quantizationAttributes: [AttributeDefinition] = [
    AttributeDefinition("scale", .numbers, summary: "one f32 above zero, or one for each index of axis"),
    AttributeDefinition("zero_point", .integers, default: .integers32([0]), summary: "one entry, or as many as scale"),
    AttributeDefinition("axis", .integer, default: 1, summary: "counts when scale has several entries"),
  ]

  /// One zero point for each scale.
  private static func zeroPoints(_ call: KernelCall) throws(DiagnosticError) -> [Int] {
    let given = try call.integers("zero_point")
    let count = try call.numbers("scale").count
    return given.count == 1 ? Array(repeating: given[0], count: count) : given
  }

  private static func checkQuantization(
    _ op: OpSignature, _ x: TensorType, _ element: ElementType
  ) throws(DiagnosticError) {
    let scales = try op.numbers("scale")
    let zeros = try op.integers("zero_point")
    guard scales.allSatisfy({ $0 > 0 && $0.isFinite && Float($0) > 0 && Float($0).isFinite }) else {
      throw op.error("attribute-range", "every scale must be finite and above zero in f32")
    }
    try checkPerAxis(op, x, "scale", scales.count)
    guard zeros.count == 1 || zeros.count == scales.count else {
      throw op.error("parameter-count", "\(zeros.count) zero points for \(scales.count) scales")
    }
    let range = element.integerRange ?? 0...0
    for zero in zeros where !range.contains(zero) {
      throw op.error("attribute-range", "zero_point \(zero) is outside of \(element.rawValue)")
    }
  }

  /// Per-axis parameters: one, or as many as the axis has indices.
  static func checkPerAxis(
    _ op: OpSignature, _ x: TensorType, _ key: String, _ count: Int
  ) throws(DiagnosticError) {
    guard count != 1 else { return }
    let axis = try op.axis(rank: x.rank)
    guard count == x.shape[axis] else {
      throw op.error(
        "parameter-count", "\(key) has \(count) entries but dimension \(axis) of \(x.shape) has \(x.shape[axis])")
    }
  }
}
