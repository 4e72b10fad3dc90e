import PantileIR
import PantileSupport
import PantileText

/// Functions, as MLIR's `func` dialect defines them.
public enum FunctionDialect {
  public static let dialect = Dialect(
    "func", summary: "Functions, as MLIR defines them.", ops: [function, returnOp, call])

  /// `func.func`.
  public static let function = OpDefinition(
    "func.func", summary: "a named graph",
    documentation: """
      The body is one block whose arguments are the inputs. `arg_attrs` and `res_attrs` may carry `dnn.name`, the tensor's
      name in the model that was imported.
      """,
    attributes: [
      AttributeDefinition("sym_name", .string), AttributeDefinition("function_type", .type),
      .optional("sym_visibility", .choice(["public", "private", "nested"])), .optional("arg_attrs", .array),
      .optional("res_attrs", .array),
    ], regionCount: 1, traits: [.isolatedFromAbove],
    verify: { op throws(DiagnosticError) in
      guard case .type(.function(let inputs, let results)) = try op.requiredAttribute("function_type") else {
        throw op.error("attribute-kind", "function_type must be a function type")
      }
      for (key, count) in [("arg_attrs", inputs.count), ("res_attrs", results.count)] where op.has(key) {
        let entries = try op.array(key)
        guard entries.count == count, entries.allSatisfy({ $0.asDictionary != nil }) else {
          throw op.error("attribute-kind", "\(key) must be \(count) dictionaries")
        }
      }
      guard let body = op.module.body(of: op.id) else { return }
      let arguments = op.module.arguments(of: body).map { op.module.type(of: $0) }
      guard arguments == inputs else {
        throw op.error(
          "argument-type", "the body takes \(arguments.count) arguments that differ from the \(inputs.count) inputs")
      }
      guard let last = op.module.lastOp(in: body), op.module.name(of: last) == "func.return" else {
        throw op.error("no-terminator", "the body must end with 'func.return'")
      }
    },
    example: """
      func.func @main(%x: tensor<4xf32> {dnn.name = "input"}) -> tensor<4xf32> {
        func.return %x : tensor<4xf32>
      }
      """)

  /// `func.return`.
  public static let returnOp = OpDefinition(
    "func.return", summary: "ends a function and gives its results",
    operands: [OperandDefinition("values", .any, arity: .variadic)], traits: [.terminator],
    verify: { op throws(DiagnosticError) in
      guard let parent = op.module.parent(of: op.id), op.module.name(of: parent) == "func.func" else {
        throw op.error("misplaced", "must stand in a 'func.func'")
      }
      guard case .type(.function(_, let results))? = op.module.attributes(of: parent)["function_type"] else { return }
      let types = op.operandTypes
      guard types.map(\.withoutEncoding) == results.map(\.withoutEncoding) else {
        throw op.error(
          "return-type",
          "returns (\(types.map(\.description).joined(separator: ", "))) but the function promises "
            + "(\(results.map(\.description).joined(separator: ", ")))")
      }
    },
    example: "func.func @nothing() {\n  func.return\n}")

  /// `func.call`.
  public static let call = OpDefinition(
    "func.call", summary: "applies another function",
    operands: [OperandDefinition("arguments", .any, arity: .variadic)],
    results: [ResultDefinition("values", .any, isVariadic: true)],
    attributes: [AttributeDefinition("callee", .symbol)],
    verify: { op throws(DiagnosticError) in
      let name = try op.symbol("callee")
      guard let callee = op.module.symbol(name), op.module.name(of: callee) == "func.func" else {
        throw op.error("unknown-symbol", "there is no function '@\(name)'")
      }
      let type = AttributeSyntax.type(.function(inputs: op.operandTypes, results: op.resultTypes))
      guard op.module.attributes(of: callee)["function_type"] == type else {
        throw op.error("type-mismatch", "the types differ from those of '@\(name)'")
      }
    },
    example: """
      func.func private @inner(%x: tensor<4xf32>) -> tensor<4xf32> {
        func.return %x : tensor<4xf32>
      }
      func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
        %y = func.call @inner(%x) : (tensor<4xf32>) -> tensor<4xf32>
        func.return %y : tensor<4xf32>
      }
      """)
}
