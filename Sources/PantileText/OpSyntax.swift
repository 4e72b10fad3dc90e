import PantileSupport

/// One operation of a text: what stands written, before any meaning. A plain value: build it by hand and print it, or
/// parse it and read it with the typed getters.
///
/// **Example**
/// ```swift
/// var op = OpSyntax("program.repeat", attributes: ["count": 4])
/// op.regions = [RegionSyntax(ops: [OpSyntax("program.sync", attributes: ["wait": .symbol("b_full")])])]
/// print(op)                                  // generic MLIR text
/// let again = try OpSyntax(parsing: op.description)
/// let count = try again.integer("count")     // DiagnosticError with the place when absent or no integer
/// ```
public struct OpSyntax: Hashable, Sendable {
  /// `dialect.name`.
  public var name: String
  /// Value names without `%`; result k of a pack `%x:2` is `x#k`.
  public var results: [String]
  /// Value names without `%`, also in the form `x#1`.
  public var operands: [String]
  /// Block names without `^`.
  public var successors: [String]
  public var attributes: AttributeDictionary
  public var regions: [RegionSyntax]
  public var operandTypes: [TypeSyntax]
  public var resultTypes: [TypeSyntax]
  /// The place in the text unless the text says otherwise with `loc(…)`.
  public var location: SourceLocation

  public init(
    _ name: String, results: [String] = [], operands: [String] = [], successors: [String] = [],
    attributes: AttributeDictionary = [:], regions: [RegionSyntax] = [], operandTypes: [TypeSyntax] = [],
    resultTypes: [TypeSyntax] = [], location: SourceLocation = .unknown
  ) {
    self.name = name
    self.results = results
    self.operands = operands
    self.successors = successors
    self.attributes = attributes
    self.regions = regions
    self.operandTypes = operandTypes
    self.resultTypes = resultTypes
    self.location = location
  }

  /// The ops of the only block of the first region; empty when there is none.
  public var body: [OpSyntax] {
    get { regions.first?.blocks.first?.ops ?? [] }
    set {
      if regions.isEmpty { regions = [RegionSyntax()] }
      if regions[0].blocks.isEmpty { regions[0].blocks = [BlockSyntax()] }
      regions[0].blocks[0].ops = newValue
    }
  }
}

/// A region: blocks in order; the first may be unnamed.
public struct RegionSyntax: Hashable, Sendable {
  public var blocks: [BlockSyntax]

  public init(blocks: [BlockSyntax] = []) { self.blocks = blocks }

  /// A region with one unnamed block.
  public init(ops: [OpSyntax], arguments: [BlockSyntax.Argument] = []) {
    self.blocks = [BlockSyntax(arguments: arguments, ops: ops)]
  }
}

/// A block: label, arguments, ops.
public struct BlockSyntax: Hashable, Sendable {
  public struct Argument: Hashable, Sendable {
    /// Without `%`.
    public var name: String
    public var type: TypeSyntax
    public var location: SourceLocation

    public init(_ name: String, _ type: TypeSyntax, location: SourceLocation = .unknown) {
      self.name = name
      self.type = type
      self.location = location
    }
  }

  /// Without `^`; empty for an entry block without label.
  public var label: String
  public var arguments: [Argument]
  public var ops: [OpSyntax]

  public init(label: String = "", arguments: [Argument] = [], ops: [OpSyntax] = []) {
    self.label = label
    self.arguments = arguments
    self.ops = ops
  }
}

extension OpSyntax: AttributeHolder {
  public func attribute(_ key: String) -> AttributeSyntax? { attributes[key] }
  public var attributeOwner: String { name }
}

extension OpSyntax: CustomStringConvertible {
  /// Generic MLIR text, named locations included.
  public var description: String { Printer.print(self) }

  /// Parses exactly one op; an implicit module is not added.
  /// - Throws: `syntax` and the other parser codes.
  public init(parsing text: String, path: String = "-") throws(DiagnosticError) {
    let file = try TextFile(parsing: text, path: path)
    guard file.ops.count == 1, let only = file.ops.first else {
      throw DiagnosticError(
        "syntax", "expected one operation but the text has \(file.ops.count)",
        at: .file(path: path, line: 1, column: 1))
    }
    self = only
  }
}
