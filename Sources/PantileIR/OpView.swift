import PantileSupport
import PantileText

/// An op of a module with everything that can be asked about it; a snapshot of the moment it was taken.
public struct OpView: AttributeHolder, Sendable {
  public let module: Module
  public let id: OpID

  /// `dialect.name`.
  public var name: String { module.name(of: id) }
  public var location: SourceLocation { module.location(of: id) }
  public var attributes: AttributeDictionary { module.attributes(of: id) }
  public var operands: [ValueID] { module.operands(of: id) }
  public var results: [ValueID] { module.results(of: id) }
  public var regions: [RegionID] { module.regions(of: id) }
  public var successors: [BlockID] { module.successors(of: id) }

  public func attribute(_ key: String) -> AttributeSyntax? { attributes[key] }
  public var attributeOwner: String { name }

  public var operandTypes: [TypeSyntax] { operands.map { module.type(of: $0) } }
  public var resultTypes: [TypeSyntax] { results.map { module.type(of: $0) } }

  /// The only result.
  /// - Precondition: there is exactly one.
  public var result: ValueID {
    let results = self.results
    precondition(results.count == 1, "'\(name)' has \(results.count) results, not one")
    return results[0]
  }

  /// The only result's type.
  public var resultType: TypeSyntax { module.type(of: result) }

  /// - Throws: `operand-count`, `not-a-tensor`, `dynamic-shape`.
  public func operandTensor(_ index: Int) throws(DiagnosticError) -> TensorType {
    let operands = self.operands
    guard operands.indices.contains(index) else {
      throw DiagnosticError(
        "operand-count", "'\(name)' has \(operands.count) operands but operand \(index) is needed", at: location)
    }
    return try TensorType(module.type(of: operands[index]), at: location)
  }

  /// - Throws: `result-count`, `not-a-tensor`, `dynamic-shape`.
  public func resultTensor(_ index: Int = 0) throws(DiagnosticError) -> TensorType {
    let results = self.results
    guard results.indices.contains(index) else {
      throw DiagnosticError(
        "result-count", "'\(name)' has \(results.count) results but result \(index) is needed", at: location)
    }
    return try TensorType(module.type(of: results[index]), at: location)
  }

  /// The op that makes operand `index`; nil for a block argument.
  public func definingOp(ofOperand index: Int) -> OpView? {
    module.definingOp(of: operands[index]).map { module[$0] }
  }

  /// The ops that read any result, each once, in order of use.
  public var users: [OpID] {
    var found: [OpID] = []
    for result in results {
      for user in module.users(of: result) where !found.contains(user) { found.append(user) }
    }
    return found
  }

  /// The signature alone, for shape rules.
  public var signature: OpSignature {
    OpSignature(name: name, operandTypes: operandTypes, attributes: attributes, location: location)
  }

  /// An error about this op: message prefixed with its name.
  public func error(_ code: String, _ message: String, hint: String? = nil) -> DiagnosticError {
    DiagnosticError(code, "'\(name)': \(message)", at: location, hint: hint)
  }
}

/// What a shape rule sees: name, operand types and attributes of an op that may not exist yet.
public struct OpSignature: AttributeHolder, Sendable {
  public var name: String
  public var operandTypes: [TypeSyntax]
  public var attributes: AttributeDictionary
  public var location: SourceLocation

  public init(name: String, operandTypes: [TypeSyntax], attributes: AttributeDictionary, location: SourceLocation) {
    self.name = name
    self.operandTypes = operandTypes
    self.attributes = attributes
    self.location = location
  }

  public func attribute(_ key: String) -> AttributeSyntax? { attributes[key] }
  public var attributeOwner: String { name }

  /// - Throws: `operand-count`, `not-a-tensor`, `dynamic-shape`.
  public func tensor(_ index: Int) throws(DiagnosticError) -> TensorType {
    guard operandTypes.indices.contains(index) else {
      throw error("operand-count", "\(operandTypes.count) operands but operand \(index) is needed")
    }
    return try TensorType(operandTypes[index], at: location)
  }

  /// An error about this op: message prefixed with its name.
  public func error(_ code: String, _ message: String, hint: String? = nil) -> DiagnosticError {
    DiagnosticError(code, "'\(name)': \(message)", at: location, hint: hint)
  }
}
