import PantileSupport

/// A named set of op definitions.
public struct Dialect: Sendable {
  public var name: String
  public var summary: String
  public var ops: [OpDefinition]

  public init(_ name: String, summary: String, ops: [OpDefinition]) {
    self.name = name
    self.summary = summary
    self.ops = ops
  }
}

/// The dialects that a tool knows; immutable once made.
public struct DialectRegistry: Sendable {
  public let dialects: [Dialect]
  private let definitions: [String: OpDefinition]

  /// - Precondition: no op name occurs twice.
  public init(_ dialects: [Dialect]) {
    self.dialects = dialects
    var definitions: [String: OpDefinition] = [:]
    for dialect in dialects {
      for op in dialect.ops {
        precondition(definitions[op.name] == nil, "'\(op.name)' is defined twice")
        definitions[op.name] = op
      }
    }
    self.definitions = definitions
  }

  public func definition(of name: String) -> OpDefinition? { definitions[name] }

  /// Whether the name's dialect is known, so that an unknown op of it is a mistake.
  public func knowsDialect(of name: String) -> Bool {
    let prefix = name.prefix { $0 != "." }
    return dialects.contains { $0.name == prefix }
  }

  /// All op names in order, for suggestions.
  public var opNames: [String] { dialects.flatMap { $0.ops.map(\.name) } }
}
