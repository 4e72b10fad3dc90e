import PantileSupport

/// A node of a configuration file: what was written, and where.
public struct ConfigNode: Sendable {
  /// The three shapes of YAML, and nothing at all (`key:` without a value).
  public indirect enum Content: Sendable {
    /// Text as written, without quotes. `isQuoted` tells `"16"` from `16`.
    case scalar(String, isQuoted: Bool)
    case sequence([ConfigNode])
    case mapping([Entry])
    case empty
  }

  /// A key of a mapping with its value, in file order.
  public struct Entry: Sendable {
    public var key: String
    public var keyLocation: SourceLocation
    /// The text of the line that holds the key, for the caret.
    public var keyLine: String?
    public var value: ConfigNode

    public init(key: String, keyLocation: SourceLocation, keyLine: String? = nil, value: ConfigNode) {
      self.key = key
      self.keyLocation = keyLocation
      self.keyLine = keyLine
      self.value = value
    }
  }

  public var content: Content
  public var location: SourceLocation
  /// The text of the line that holds the node, for the caret.
  public var sourceLine: String?

  public init(_ content: Content, at location: SourceLocation = .unknown, sourceLine: String? = nil) {
    self.content = content
    self.location = location
    self.sourceLine = sourceLine
  }

  /// What stands here, for messages: `a list`, `a mapping`, `'16'`, `nothing`.
  public var kindName: String {
    switch content {
    case .scalar(let text, _): return "'\(text.count > 60 ? text.prefix(60) + "…" : text[...])'"
    case .sequence: return "a list"
    case .mapping: return "a mapping"
    case .empty: return "nothing"
    }
  }

  /// The value of `key` when this is a mapping that has it.
  public subscript(key: String) -> ConfigNode? {
    guard case .mapping(let entries) = content else { return nil }
    return entries.first { $0.key == key }?.value
  }

  /// Whether the node holds text without a value in it: the word `none`, or nothing.
  public var isEmpty: Bool {
    if case .empty = content { return true }
    return false
  }
}
