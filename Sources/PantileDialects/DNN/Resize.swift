import PantileIR
import PantileSupport
import PantileTensor
import PantileText

extension DNN {
  /// `dnn.resize`: resamples a tensor.
  public static let resize = GraphOp(
    OpDefinition(
      "dnn.resize", summary: "resamples each dimension",
      documentation: """
        ONNX Resize with every choice stated: `mode` nearest, linear or cubic; `coordinates` the ONNX coordinate
        transformation; `rounding` for nearest; `cubic_coefficient` and `exclude_outside` for cubic. `scales` are output over
        input extents as the model gives them (they may differ from the ratio of the sizes).
        """,
      operands: [OperandDefinition("x", .number)], results: [ResultDefinition("y", .number)],
      attributes: [
        AttributeDefinition("shape", .integers, summary: "sizes of the result"),
        AttributeDefinition("scales", .numbers),
        AttributeDefinition("mode", .choice(ResizeRule.Mode.allCases.map(\.rawValue)), default: "nearest"),
        AttributeDefinition(
          "coordinates", .choice(ResizeRule.Coordinates.allCases.map(\.rawValue)), default: "half_pixel"),
        AttributeDefinition(
          "rounding", .choice(ResizeRule.Rounding.allCases.map(\.rawValue)), default: "round_prefer_floor"),
        AttributeDefinition("cubic_coefficient", .number, default: .float32(-0.75)),
        AttributeDefinition("exclude_outside", .flag, default: false),
      ], traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let x = try op.tensor(0)
        let shape = try op.bounded("shape", 0...1 << 30)
        let scales = try op.numbers("scales")
        guard shape.count == x.rank, scales.count == x.rank else {
          throw op.error("axis-range", "shape and scales need \(x.rank) entries")
        }
        guard scales.allSatisfy({ $0 > 0 && $0 <= 1e9 }) else {
          throw op.error("attribute-range", "scales must be above 0 and at most 1e9")
        }
        guard zip(x.shape, shape).allSatisfy({ $0 > 0 || $1 == 0 }) else {
          throw op.error("shape-mismatch", "an empty dimension cannot grow")
        }
        return try op.result(shape, x.element)
      },
      example: DNN.example(
        "%x: tensor<1x2x4x4xf32>", "tensor<1x2x8x8xf32>",
        "%y = dnn.resize %x {shape = [1, 2, 8, 8], scales = [1.0, 1.0, 2.0, 2.0], coordinates = \"asymmetric\"} : "
          + "(tensor<1x2x4x4xf32>) -> tensor<1x2x8x8xf32>")),
    kernel: { call throws(DiagnosticError) in
      let rule = ResizeRule(
        mode: try call.choice("mode"), coordinates: try call.choice("coordinates"),
        rounding: try call.choice("rounding"), cubicCoefficient: try call.number("cubic_coefficient"),
        excludesOutside: try call.flag("exclude_outside"))
      return [
        Reference.resize(
          call.inputs[0], to: call.resultTypes[0].shape, scales: try call.numbers("scales"), rule: rule)
      ]
    })
}
