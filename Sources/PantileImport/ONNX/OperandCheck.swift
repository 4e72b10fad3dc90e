import PantileIR
import PantileSupport
import PantileText

extension OpDefinition {
  /// Whether operand types and attributes are ones that the op takes; so that constants can be computed with before there
  /// is an op that the verifier sees.
  /// - Throws: `operand-count`, `operand-type`, `attribute-kind`, `missing-attribute`.
  func check(_ signature: OpSignature) throws(DiagnosticError) {
    let required = operands.filter { $0.arity == .one }.count
    let isOpen = operands.contains { $0.arity == .variadic }
    let count = signature.operandTypes.count
    guard count >= required, isOpen || count <= operands.count else {
      throw signature.error("operand-count", "\(count) operands are too \(count < required ? "few" : "many")")
    }
    for (index, type) in signature.operandTypes.enumerated() {
      guard let definition = index < operands.count ? operands[index] : operands.last else { continue }
      guard definition.type.accepts(type) else {
        throw signature.error("operand-type", "\(definition.name) must be \(definition.type.name) but is \(type)")
      }
    }
    for attribute in attributes {
      guard let value = signature.attributes[attribute.name] else {
        if attribute.isOptional || attribute.defaultValue != nil { continue }
        throw signature.error("missing-attribute", "'\(attribute.name)' is missing")
      }
      guard attribute.kind.accepts(value) else {
        throw signature.error("attribute-kind", "'\(attribute.name)' must be \(attribute.kind.name) but is \(value)")
      }
    }
  }
}
