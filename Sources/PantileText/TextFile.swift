import PantileSupport

/// A whole text: its top-level ops and its resource blobs.
///
/// **Example**
/// ```swift
/// let file = try TextFile(parsing: text, path: "net.mlir")
/// for op in file.ops { print(op.name, op.location) }
/// print(file.description)
/// ```
public struct TextFile: Hashable, Sendable {
  public var ops: [OpSyntax]
  /// Blobs of `dialect_resources: { builtin: … }`, in file order.
  public var resources: [Resource]

  /// A named blob of the resource section.
  public struct Resource: Hashable, Sendable {
    public var key: String
    /// Bytes to which the data wants to be aligned.
    public var alignment: Int
    public var bytes: [UInt8]

    public init(key: String, alignment: Int = 4, bytes: [UInt8]) {
      self.key = key
      self.alignment = alignment
      self.bytes = bytes
    }
  }

  public init(ops: [OpSyntax] = [], resources: [Resource] = []) {
    self.ops = ops
    self.resources = resources
  }

  /// Parses generic form, and the short form of any op (see `Printer.Form.short`).
  /// - Throws: `syntax`, `unknown-alias`, `nesting-too-deep`, `dense-size`, `number-range` and others, one at a time:
  ///   after a syntax error nothing further is trusted.
  public init(parsing text: String, path: String) throws(DiagnosticError) {
    try self.init(parsing: SourceText(text, path: path))
  }

  public init(parsing source: SourceText) throws(DiagnosticError) {
    var parser = Parser(source)
    self = try parser.parseFile()
  }
}

extension TextFile: CustomStringConvertible {
  /// Generic MLIR text with resources.
  public var description: String { print() }

  /// The file as text.
  public func print(_ options: Printer.Options = .init()) -> String {
    var printer = Printer(options)
    for op in ops { printer.write(op) }
    printer.write(resources)
    return printer.text
  }
}
