import PantileIR
import PantileSupport
import PantileTensor
import PantileText

// The functions of two numbers differ in their formula alone, so they are rows of a table; each is an op of its own.
extension DNN {
  /// `dnn.add sub mul div max min pow mod fmod`, comparisons and logic, with numpy broadcasting.
  public static let binary: [GraphOp] = [
    binaryOp(.add, "a + b"), binaryOp(.sub, "a - b"), binaryOp(.mul, "a · b"),
    binaryOp(.div, "a / b", "Integers truncate; a zero divisor gives 0."),
    binaryOp(.max, "the larger of both", "NaN is passed on."),
    binaryOp(.min, "the smaller of both", "NaN is passed on."),
    binaryOp(.pow, "a to the power of b", "`b` may have an element type of its own."),
    binaryOp(.mod, "remainder with the divisor's sign"), binaryOp(.fmod, "remainder with the dividend's sign"),
    binaryOp(.equal, "a = b"), binaryOp(.greater, "a > b"), binaryOp(.less, "a < b"),
    binaryOp(.greaterOrEqual, "a ≥ b"), binaryOp(.lessOrEqual, "a ≤ b"), binaryOp(.and, "both are true"),
    binaryOp(.or, "one is true"), binaryOp(.xor, "exactly one is true"),
  ]

  /// `dnn.add`.
  public static let add = binary[0]
  /// `dnn.mul`.
  public static let mul = binary[2]

  private static func binaryOp(_ function: BinaryFunction, _ formula: String, _ note: String = "") -> GraphOp {
    let isLogic = [.and, .or, .xor].contains(function)
    let operand: TypeConstraint = isLogic ? .truth : function == .equal ? .data : .number
    let (source, target) = isLogic ? ("i1", "i1") : ("f32", function.isPredicate ? "i1" : "f32")
    let signature = "(tensor<2x3x\(source)>, tensor<3x\(source)>) -> tensor<2x3x\(target)>"
    return GraphOp(
      OpDefinition(
        "dnn.\(function.rawValue)", summary: formula,
        documentation: """
          `a, b -> y` of the shape to which both broadcast\(function.isPredicate ? "; the result is `i1`" : "").
          Integers wrap.\(note.isEmpty ? "" : " " + note)
          """,
        operands: [OperandDefinition("a", operand), OperandDefinition("b", operand)],
        results: [ResultDefinition("y", function.isPredicate ? .truth : operand)], traits: [.pure],
        inferResultTypes: { op throws(DiagnosticError) in
          let a = try op.tensor(0)
          let b = try op.tensor(1)
          if function != .pow { try op.requireSameElement(a, b, "operands") }
          return try op.result(try op.broadcast(a.shape, b.shape), function.isPredicate ? .i1 : a.element)
        },
        example: DNN.example(
          "%a: tensor<2x3x\(source)>, %b: tensor<3x\(source)>", "tensor<2x3x\(target)>",
          "%y = dnn.\(function.rawValue) %a, %b : \(signature)")),
      kernel: { call throws(DiagnosticError) in [Reference.binary(function, call.inputs[0], call.inputs[1])] },
      work: { op throws(DiagnosticError) in try op.elementwiseWork() })
  }
}
