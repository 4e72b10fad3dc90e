import PantileSupport

/// One `--set key=value`: a dotted path into a configuration tree and the text to put there.
public struct ConfigOverride: Hashable, Sendable {
  /// The keys from the root, `engines`, `array0`, `rows`.
  public var path: [String]
  /// YAML text of the value: a scalar, or a list in brackets.
  public var value: String
  /// As written, for messages.
  public var text: String

  /// - Throws: `wrong-override` when the text is not `key=value` with non-empty keys between dots.
  public init(_ text: String) throws(DiagnosticError) {
    guard let equals = text.firstIndex(of: "=") else {
      throw DiagnosticError(
        "wrong-override", "'\(text)' is not key=value", at: .named("--set \(text)"),
        hint: "write for example engines.array0.rows=32")
    }
    func trimmed(_ part: Substring) -> String {
      String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
    path = trimmed(text[..<equals]).split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    value = trimmed(text[text.index(after: equals)...])
    self.text = text
    guard !path.contains(""), !value.isEmpty, path.count <= 8 else {
      throw DiagnosticError(
        "wrong-override", "'\(text)' is not key=value", at: .named("--set \(text)"),
        hint: "write for example engines.array0.rows=32")
    }
  }

  /// Puts the value into `root`. The last key may be new (the reader checks it); the mappings on the way must exist.
  /// - Throws: `unknown-key` when a mapping on the way is missing; `wrong-type` when it is not a mapping;
  ///   `yaml-syntax` when the value is not YAML.
  public func apply(to root: inout ConfigNode) throws(DiagnosticError) {
    let location = SourceLocation.named("--set \(text)")
    var parsed = try ConfigOverride.parseValue(value, location: location)
    ConfigOverride.relocate(&parsed, to: location)
    try ConfigOverride.put(parsed, at: path[...], into: &root, walked: [], location: location)
  }

  private static func parseValue(_ value: String, location: SourceLocation) throws(DiagnosticError) -> ConfigNode {
    do {
      return try ConfigDocument.parse(value, path: "--set")
    } catch {
      throw DiagnosticError(
        error.diagnostics.map { Diagnostic($0.code, $0.message, at: location, hint: $0.hint) })
    }
  }

  private static func put(
    _ value: ConfigNode, at path: ArraySlice<String>, into node: inout ConfigNode, walked: [String],
    location: SourceLocation
  ) throws(DiagnosticError) {
    guard let key = path.first else {
      node = value
      return
    }
    guard case .mapping(var entries) = node.content else {
      throw DiagnosticError(
        "wrong-type", "'\(walked.joined(separator: "."))' is \(node.kindName) and has no key '\(key)'", at: location)
    }
    if let index = entries.firstIndex(where: { $0.key == key }) {
      try put(value, at: path.dropFirst(), into: &entries[index].value, walked: walked + [key], location: location)
    } else if path.count == 1 {
      entries.append(.init(key: key, keyLocation: location, value: value))
    } else {
      let names = entries.map(\.key)
      let nearest = nearestName(to: key, among: names).map { "did you mean '\($0)'? " } ?? ""
      let holder = walked.isEmpty ? "the file" : "'\(walked.joined(separator: "."))'"
      throw DiagnosticError(
        "unknown-key", "\(holder) has no key '\(key)'", at: location,
        hint: "\(nearest)keys: \(names.joined(separator: ", "))")
    }
    node.content = .mapping(entries)
  }

  private static func relocate(_ node: inout ConfigNode, to location: SourceLocation) {
    node.location = location
    node.sourceLine = nil
    switch node.content {
    case .scalar, .empty: break
    case .sequence(var elements):
      for index in elements.indices { relocate(&elements[index], to: location) }
      node.content = .sequence(elements)
    case .mapping(var entries):
      for index in entries.indices {
        entries[index].keyLocation = location
        entries[index].keyLine = nil
        relocate(&entries[index].value, to: location)
      }
      node.content = .mapping(entries)
    }
  }
}
