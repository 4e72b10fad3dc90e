import PantileIR
import PantileProblem
import PantileSupport
import PantileTensor
import PantileText

extension DNN {
  /// `dnn.requantize`: integers to another integer scale.
  public static let requantize = GraphOp(
    OpDefinition(
      "dnn.requantize", summary: "rescales integers by a multiplier and a shift",
      documentation: """
        `y = clamp(((x - input_zero_point)·multiplier + 2^(shift-1)) >> shift + zero_point, min, max)`, in 64-bit two's
        complement with an arithmetic shift (halves go toward +infinity). `multiplier` (0 … 2^31 - 1) and `shift` (1 … 62)
        have one entry, or one for each index of `axis`.
        """,
      operands: [OperandDefinition("x", .tensor(of: [.i32, .i8]))], results: [ResultDefinition("y", .int8)],
      attributes: [
        AttributeDefinition("multiplier", .integers), AttributeDefinition("shift", .integers),
        AttributeDefinition("axis", .integer, default: 1, summary: "counts when there are several multipliers"),
        AttributeDefinition("input_zero_point", .integer, default: 0),
        AttributeDefinition("zero_point", .integer, default: 0),
        AttributeDefinition("min", .integer, default: -128), AttributeDefinition("max", .integer, default: 127),
      ], traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let x = try op.tensor(0)
        let multipliers = try op.bounded("multiplier", 0...Int(Int32.max))
        let shifts = try op.bounded("shift", 1...62)
        guard shifts.count == multipliers.count, !shifts.isEmpty else {
          throw op.error("parameter-count", "\(shifts.count) shifts for \(multipliers.count) multipliers")
        }
        try checkPerAxis(op, x, "multiplier", multipliers.count)
        _ = try op.bounded("input_zero_point", in: -128...255)
        try checkOutputRange(op)
        return try op.result(x.shape, .i8)
      },
      example: DNN.example(
        "%x: tensor<1x2x4x4xi32>", "tensor<1x2x4x4xi8>",
        "%y = dnn.requantize %x {multiplier = array<i32: 1073741824, 2147483647>, shift = array<i32: 38, 40>, "
          + "zero_point = -5} : (tensor<1x2x4x4xi32>) -> tensor<1x2x4x4xi8>")),
    kernel: { call throws(DiagnosticError) in
      let factors = zip(try call.integers("multiplier"), try call.integers("shift")).map {
        Requantisation(multiplier: Int32($0), shift: $1)
      }
      return [
        Reference.requantize(
          call.inputs[0], factors: factors, axis: try call.integer("axis"),
          inputZeroPoint: try call.integer("input_zero_point"), zeroPoint: try call.integer("zero_point"),
          minimum: try call.integer("min"), maximum: try call.integer("max"))
      ]
    },
    work: { op throws(DiagnosticError) in try op.elementwiseWork() })

  /// `zero_point`, `min` and `max` of an i8 result.
  static func checkOutputRange(_ op: OpSignature) throws(DiagnosticError) {
    _ = try op.bounded("zero_point", in: -128...127)
    let least = try op.bounded("min", in: -128...127)
    let most = try op.bounded("max", in: -128...127)
    guard least <= most else { throw op.error("attribute-range", "min \(least) is above max \(most)") }
  }
}
