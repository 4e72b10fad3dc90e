import PantileIR
import PantileSupport
import PantileText

/// Renders reference pages from op definitions.
public enum DialectReference {
  /// The file of a dialect's page, relative to the repository.
  public static func path(of dialect: Dialect) -> String { "Docs/dialects/\(dialect.name).md" }

  /// The page of a dialect in Markdown: a table of its ops, then a section for each.
  public static func markdown(_ dialect: Dialect) -> String {
    var text = "# Dialect `\(dialect.name)`\n\n\(dialect.summary)\n\n"
    text += "Generated from the op definitions by `pantile doc dialects`; do not edit.\n\n"
    text += "| op | meaning |\n| --- | --- |\n"
    for op in dialect.ops { text += "| [`\(op.name)`](#\(anchor(op.name))) | \(cell(op.summary)) |\n" }
    for op in dialect.ops { text += "\n" + section(op) }
    return text
  }

  private static func section(_ op: OpDefinition) -> String {
    var text = "## `\(op.name)`\n\n\(capitalised(op.summary)).\n"
    if !op.documentation.isEmpty { text += "\n\(op.documentation)\n" }
    let values =
      op.operands.map { ("operand", $0.name, suffix($0.arity) + $0.type.name, $0.summary) }
      + op.results.map { ("result", $0.name, ($0.isVariadic ? "any number of: " : "") + $0.type.name, $0.summary) }
    if !values.isEmpty {
      text += "\n| | name | type | |\n| --- | --- | --- | --- |\n"
      for (kind, name, type, summary) in values {
        text += "| \(kind) | `\(name)` | \(cell(type)) | \(cell(summary)) |\n"
      }
    }
    if !op.attributes.isEmpty {
      text += "\n| attribute | holds | default | |\n| --- | --- | --- | --- |\n"
      for attribute in op.attributes {
        let fallback = attribute.defaultValue.map { "`\($0)`" } ?? (attribute.isOptional ? "absent" : "required")
        text +=
          "| `\(attribute.name)` | \(cell(attribute.kind.name)) | \(cell(fallback)) | \(cell(attribute.summary)) |\n"
      }
    }
    let traits = OpTrait.allCases.filter(op.traits.contains).map(\.rawValue)
    if !traits.isEmpty { text += "\nTraits: \(traits.joined(separator: ", ")).\n" }
    text += "\n```mlir\n\(op.example)\n```\n"
    return text
  }

  private static func suffix(_ arity: OperandDefinition.Arity) -> String {
    switch arity {
    case .one: return ""
    case .optional: return "optional: "
    case .variadic: return "any number of: "
    }
  }

  private static func anchor(_ name: String) -> String { name.filter { $0 != "." } }

  private static func capitalised(_ text: String) -> String {
    // Formulas keep their letters.
    guard let first = text.first, first.isLetter, text.dropFirst().first?.isLetter ?? false else { return text }
    return first.uppercased() + text.dropFirst()
  }

  /// Bars end a table cell.
  private static func cell(_ text: String) -> String {
    text.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
  }
}
