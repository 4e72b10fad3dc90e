import PantileIR
import PantileSupport
import PantileText

/// The structure around graphs, as MLIR has it: `builtin.module`.
public enum BuiltinDialect {
  public static let dialect = Dialect(
    "builtin", summary: "The module that holds everything, as MLIR defines it.",
    ops: [
      OpDefinition(
        "builtin.module", summary: "holds functions",
        attributes: [.optional("sym_name", .string), .optional("sym_visibility", .string)], regionCount: 1,
        traits: [.isolatedFromAbove, .symbolTable, .singleBlock], example: "module @empty {\n}")
    ])
}
