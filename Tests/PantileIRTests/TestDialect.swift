import PantileIR
import PantileSupport
import PantileText

/// A small dialect for tests of the IR alone.
enum TestDialect {
  static let registry = DialectRegistry([
    Dialect(
      "builtin", summary: "modules",
      ops: [
        OpDefinition(
          "builtin.module", summary: "holds everything", attributes: [.optional("sym_name", .string)], regionCount: 1,
          traits: [.isolatedFromAbove, .symbolTable, .singleBlock], example: "module {}")
      ]),
    Dialect(
      "func", summary: "functions",
      ops: [
        OpDefinition(
          "func.func", summary: "a function",
          attributes: [.init("sym_name", .string), .init("function_type", .type)], regionCount: 1,
          traits: [.isolatedFromAbove], example: "func.func @f()"),
        OpDefinition(
          "func.return", summary: "ends a function",
          operands: [OperandDefinition("values", .any, arity: .variadic)], traits: [.terminator],
          example: "func.return"),
      ]),
    Dialect(
      "t", summary: "test ops",
      ops: [
        OpDefinition(
          "t.relu", summary: "like relu", operands: [OperandDefinition("x", .tensor)],
          results: [ResultDefinition("y", .tensor)],
          attributes: [
            AttributeDefinition("alpha", .integer, default: 0), .optional("note", .string),
            AttributeDefinition("mode", .choice(["a", "b"]), default: "a"),
          ], traits: [.pure],
          inferResultTypes: { op throws(DiagnosticError) in [try op.tensor(0).syntax] }, example: "")
      ]),
  ])

  static func module(_ text: String) throws -> Module {
    try Module(parsing: text, path: "t.mlir", registry: registry)
  }
}
