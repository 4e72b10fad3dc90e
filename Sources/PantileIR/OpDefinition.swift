import PantileSupport
import PantileText

/// Everything that is known about one kind of op: syntax, verification, documentation and tests derive from it.
public final class OpDefinition: Sendable {
  /// `dialect.name`.
  public let name: String
  /// One line for tables.
  public let summary: String
  /// The meaning in full: formula, layout, rounding; Markdown.
  public let documentation: String
  public let operands: [OperandDefinition]
  public let results: [ResultDefinition]
  public let attributes: [AttributeDefinition]
  public let regionCount: Int
  public let traits: Set<OpTrait>
  /// The shape rule: result types from operand types and attributes; nil when text must state them.
  public let inferResultTypes: (@Sendable (OpSignature) throws(DiagnosticError) -> [TypeSyntax])?
  /// What the other members cannot say.
  public let verify: (@Sendable (OpView) throws(DiagnosticError) -> Void)?
  /// A whole module, in either form, that uses the op and verifies.
  public let example: String

  public init(
    _ name: String, summary: String, documentation: String = "", operands: [OperandDefinition] = [],
    results: [ResultDefinition] = [], attributes: [AttributeDefinition] = [], regionCount: Int = 0,
    traits: Set<OpTrait> = [],
    inferResultTypes: (@Sendable (OpSignature) throws(DiagnosticError) -> [TypeSyntax])? = nil,
    verify: (@Sendable (OpView) throws(DiagnosticError) -> Void)? = nil, example: String
  ) {
    self.name = name
    self.summary = summary
    self.documentation = documentation
    self.operands = operands
    self.results = results
    self.attributes = attributes
    self.regionCount = regionCount
    self.traits = traits
    self.inferResultTypes = inferResultTypes
    self.verify = verify
    self.example = example
  }

  /// The attributes with every absent one that has a default set to it.
  public func fillingDefaults(_ given: AttributeDictionary) -> AttributeDictionary {
    var result = given
    for attribute in attributes where result[attribute.name] == nil {
      if let value = attribute.defaultValue { result[attribute.name] = value }
    }
    return result
  }

  /// The attributes without those that have their default value.
  public func droppingDefaults(_ given: AttributeDictionary) -> AttributeDictionary {
    var result = given
    for attribute in attributes where attribute.defaultValue != nil && result[attribute.name] == attribute.defaultValue
    {
      result[attribute.name] = nil
    }
    return result
  }
}

/// A property of an op kind that generic code acts on.
public enum OpTrait: String, Hashable, Sendable, CaseIterable {
  /// No effect but its results: may be erased when unused, merged with its equal, moved.
  case pure
  /// Must be the last op of its block.
  case terminator
  /// Its regions see no value from outside.
  case isolatedFromAbove
  /// Its first region holds symbols that must be unique.
  case symbolTable
  /// Each of its regions has exactly one block.
  case singleBlock
}

/// One operand, or a tail of them.
public struct OperandDefinition: Sendable {
  public enum Arity: String, Sendable { case one, optional, variadic }
  public var name: String
  public var arity: Arity
  public var type: TypeConstraint
  public var summary: String

  public init(_ name: String, _ type: TypeConstraint, arity: Arity = .one, summary: String = "") {
    self.name = name
    self.arity = arity
    self.type = type
    self.summary = summary
  }
}

/// One result.
public struct ResultDefinition: Sendable {
  public var name: String
  public var type: TypeConstraint
  public var isVariadic: Bool
  public var summary: String

  public init(_ name: String, _ type: TypeConstraint, isVariadic: Bool = false, summary: String = "") {
    self.name = name
    self.type = type
    self.isVariadic = isVariadic
    self.summary = summary
  }
}

/// A named predicate on types.
public struct TypeConstraint: Sendable {
  /// What messages and documentation say: `a float tensor`.
  public var name: String
  public var accepts: @Sendable (TypeSyntax) -> Bool

  public init(_ name: String, _ accepts: @escaping @Sendable (TypeSyntax) -> Bool) {
    self.name = name
    self.accepts = accepts
  }

  public static let any = TypeConstraint("any type") { _ in true }

  /// A ranked tensor, perhaps with open dimensions.
  public static let tensor = TypeConstraint("a ranked tensor") { type in
    if case .tensor = type { return true }
    return false
  }

  /// A ranked tensor with one of the element types.
  public static func tensor(of elements: [TypeSyntax]) -> TypeConstraint {
    let list = elements.map(\.description).joined(separator: ", ")
    return TypeConstraint("a ranked tensor of \(list)") { type in
      guard case .tensor(_, let element, _) = type else { return false }
      return elements.contains(element)
    }
  }
}

/// One attribute of an op kind.
public struct AttributeDefinition: Sendable {
  public var name: String
  public var kind: AttributeKind
  /// Filled in when absent; nil means required, unless `isOptional`.
  public var defaultValue: AttributeSyntax?
  public var isOptional: Bool
  public var summary: String

  /// A required attribute.
  public init(_ name: String, _ kind: AttributeKind, summary: String = "") {
    self.name = name
    self.kind = kind
    self.isOptional = false
    self.summary = summary
  }

  /// An attribute with a default.
  public init(_ name: String, _ kind: AttributeKind, default value: AttributeSyntax, summary: String = "") {
    self.init(name, kind, summary: summary)
    self.defaultValue = value
  }

  /// An attribute that may be absent.
  public static func optional(_ name: String, _ kind: AttributeKind, summary: String = "") -> AttributeDefinition {
    var definition = AttributeDefinition(name, kind, summary: summary)
    definition.isOptional = true
    return definition
  }
}

/// What an attribute may hold.
public enum AttributeKind: Hashable, Sendable {
  case integer
  /// A list of integers, of a fixed length when given.
  case integers(count: Int?)
  case number
  case numbers
  case flag
  case string
  case choice([String])
  case type
  case symbol
  case array
  case dictionary
  case elements
  case any

  /// A list of integers of any length.
  public static let integers = AttributeKind.integers(count: nil)

  /// What messages and documentation say.
  public var name: String {
    switch self {
    case .integer: return "an integer"
    case .integers(nil): return "a list of integers"
    case .integers(let count?): return "a list of \(count) integers"
    case .number: return "a number"
    case .numbers: return "a list of numbers"
    case .flag: return "a boolean"
    case .string: return "a string"
    case .choice(let names): return "one of " + names.map { "\"\($0)\"" }.joined(separator: ", ")
    case .type: return "a type"
    case .symbol: return "a symbol"
    case .array: return "an array"
    case .dictionary: return "a dictionary"
    case .elements: return "tensor elements"
    case .any: return "any attribute"
    }
  }

  public func accepts(_ attribute: AttributeSyntax) -> Bool {
    switch self {
    case .integer: return attribute.asInteger != nil
    case .integers(let count):
      guard let values = attribute.asIntegers else { return false }
      return count == nil || values.count == count
    case .number: return attribute.asDouble != nil
    case .numbers: return attribute.asDoubles != nil
    case .flag: return attribute.asBool != nil
    case .string: return attribute.asString != nil
    case .choice(let names): return attribute.asString.map(names.contains) ?? false
    case .type: return attribute.asType != nil
    case .symbol: return attribute.asSymbol != nil
    case .array: return attribute.asArray != nil
    case .dictionary: return attribute.asDictionary != nil
    case .elements:
      switch attribute {
      case .dense, .resource, .dialect, .typed(.dialect, _): return true
      default: return false
      }
    case .any: return true
    }
  }
}
