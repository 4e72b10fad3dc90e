import Foundation
import PantileSupport
import PantileText

extension Module {
  /// Reads a module from text in generic or short form.
  ///
  /// A text that is not exactly one `builtin.module` gets one around it. Ops of known dialects get their absent
  /// attributes' defaults. The result is not verified: see `verify(_:)`.
  /// - Throws: the parser's codes; `undefined-value`, `redefined-value`, `type-mismatch`, `unknown-block`, all of a file
  ///   at once.
  public init(parsing text: String, path: String, registry: DialectRegistry) throws(DiagnosticError) {
    let source = SourceText(text, path: path)
    self = try Module(TextFile(parsing: source), registry: registry, source: source)
  }

  /// Builds a module from a syntax tree.
  /// - Throws: as `init(parsing:path:registry:)`.
  public init(_ file: TextFile, registry: DialectRegistry, source: SourceText? = nil) throws(DiagnosticError) {
    self.init()
    var reader = ModuleReader(registry: registry, source: source)
    reader.read(file, into: &self)
    guard reader.diagnostics.isEmpty else { throw DiagnosticError(reader.diagnostics) }
  }

  /// The module as MLIR text: generic form for other tools, short form for people.
  ///
  /// Blobs in memory are written into the resource section; those of files and rules as well when `withWeights`.
  /// - Throws: `cannot-read`, `resource-size` when weights cannot be fetched.
  public func print(
    _ options: Printer.Options = .init(), registry: DialectRegistry? = nil, withWeights: Bool = true
  ) throws(DiagnosticError) -> String {
    var printer = Printer(options)
    printer.write(syntax(droppingDefaultsOf: options.form == .short ? registry : nil))
    guard withWeights else { return printer.text }
    var blobs: [TextFile.Resource] = []
    let used = usedResourceKeys
    for key in resources.keys where used.contains(key) {
      guard let resource = resources[key], let data = try resource.data() else { continue }
      blobs.append(.init(key: key, alignment: resource.alignment, bytes: Array(data)))
    }
    printer.write(blobs)
    return printer.text
  }

  /// The syntax tree of the module; value names are made unique.
  public func syntax(droppingDefaultsOf registry: DialectRegistry? = nil) -> OpSyntax {
    var writer = ModuleWriter(module: self, registry: registry)
    return writer.syntax(of: root)
  }

  /// The syntax tree of one op and what is nested in it, for messages.
  public func syntax(of op: OpID) -> OpSyntax {
    var writer = ModuleWriter(module: self, registry: nil)
    return writer.syntax(of: op)
  }

  /// Keys of `dense_resource` attributes anywhere in the module.
  var usedResourceKeys: Set<String> {
    var keys = Set<String>()
    for op in walk(root) {
      for entry in attributes(of: op) { collectResourceKeys(entry.value, into: &keys) }
    }
    return keys
  }

  private func collectResourceKeys(_ attribute: AttributeSyntax, into keys: inout Set<String>) {
    switch attribute {
    case .resource(let key, _): keys.insert(key)
    case .array(let elements):
      for element in elements { collectResourceKeys(element, into: &keys) }
    case .dictionary(let dictionary):
      for entry in dictionary { collectResourceKeys(entry.value, into: &keys) }
    case .typed(let inner, _): collectResourceKeys(inner, into: &keys)
    case .unit, .bool, .integer, .float, .string, .type, .symbol, .denseArray, .dense, .dialect, .verbatim: break
    }
  }
}
