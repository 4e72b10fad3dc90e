import PantileIR
import PantileProblem
import PantileSupport
import PantileText

extension DNN {
  /// `dnn.quantized_add`: sum of two differently scaled i8 tensors.
  public static let quantizedAdd = GraphOp(
    OpDefinition(
      "dnn.quantized_add", summary: "adds two i8 tensors of different scales",
      documentation: """
        `y = clamp(((a - a_zero_point)·a_multiplier + (b - b_zero_point)·b_multiplier + 2^(shift-1)) >> shift + zero_point,
        min, max)`, in 64-bit two's complement with an arithmetic shift. Operands broadcast.
        """,
      operands: [OperandDefinition("a", .int8), OperandDefinition("b", .int8)],
      results: [ResultDefinition("y", .int8)],
      attributes: [
        AttributeDefinition("a_zero_point", .integer, default: 0),
        AttributeDefinition("b_zero_point", .integer, default: 0),
        AttributeDefinition("a_multiplier", .integer), AttributeDefinition("b_multiplier", .integer),
        AttributeDefinition("shift", .integer), AttributeDefinition("zero_point", .integer, default: 0),
        AttributeDefinition("min", .integer, default: -128), AttributeDefinition("max", .integer, default: 127),
      ], traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let a = try op.tensor(0)
        let b = try op.tensor(1)
        for key in ["a_multiplier", "b_multiplier"] { _ = try op.bounded(key, in: 0...Int(Int32.max)) }
        for key in ["a_zero_point", "b_zero_point"] { _ = try op.bounded(key, in: -128...127) }
        _ = try op.bounded("shift", in: 1...62)
        try checkOutputRange(op)
        return try op.result(try op.broadcast(a.shape, b.shape), .i8)
      },
      example: DNN.example(
        "%a: tensor<1x8xi8>, %b: tensor<1x8xi8>", "tensor<1x8xi8>",
        "%y = dnn.quantized_add %a, %b {a_multiplier = 1073741824, b_multiplier = 536870912, shift = 31} : tensor<1x8xi8>"
      )
    ),
    kernel: { call throws(DiagnosticError) in
      [
        Reference.quantizedAdd(
          call.inputs[0], call.inputs[1],
          Reference.QuantizedAddition(
            aZeroPoint: try call.integer("a_zero_point"), bZeroPoint: try call.integer("b_zero_point"),
            aMultiplier: Int32(try call.integer("a_multiplier")), bMultiplier: Int32(try call.integer("b_multiplier")),
            shift: try call.integer("shift"), zeroPoint: try call.integer("zero_point"),
            minimum: try call.integer("min"), maximum: try call.integer("max")))
      ]
    },
    work: { op throws(DiagnosticError) in try op.elementwiseWork() })
}
