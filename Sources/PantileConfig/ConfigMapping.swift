import PantileSupport

/// Reads a mapping key by key and refuses the keys that nobody asked for.
///
/// **Example**
/// ```
/// guard let map = ConfigMapping(node, "memory 'spad'", issues) else { return nil }
/// let size = map.required("size")?.bytes("size of memory 'spad'", in: 1...1 << 40, issues)
/// let banks = map.optional("banks")?.count("banks of memory 'spad'", in: 1...1024, issues) ?? 1
/// map.finish()
/// ```
public final class ConfigMapping {
  /// What is described, for messages: `chip`, `memory 'spad'`.
  public let what: String
  public let node: ConfigNode
  private let entries: [ConfigNode.Entry]
  private var known: [String] = []
  private let issues: Issues

  /// Nil, with a `wrong-type` diagnostic, when `node` is not a mapping.
  public init?(_ node: ConfigNode, _ what: String, _ issues: Issues) {
    guard let entries = node.entries(what, issues) else { return nil }
    self.what = what
    self.node = node
    self.entries = entries
    self.issues = issues
  }

  /// The value of `key`; nil when absent.
  public func optional(_ key: String) -> ConfigNode? {
    known.append(key)
    return entries.first { $0.key == key }?.value
  }

  /// The value of `key`; nil with a `missing-key` diagnostic when absent.
  public func required(_ key: String) -> ConfigNode? {
    if let value = optional(key) { return value }
    let near = nearestName(to: key, among: entries.map(\.key).filter { !known.contains($0) })
    issues.add(
      "missing-key", "\(what) has no key '\(key)'", at: node, hint: near.map { "is '\($0)' meant to be '\(key)'?" })
    return nil
  }

  /// The entry of `key` with the place of the key itself; nil when absent.
  public func entry(_ key: String) -> ConfigNode.Entry? {
    known.append(key)
    return entries.first { $0.key == key }
  }

  /// Names `key` as valid without reading it.
  public func allow(_ key: String) { known.append(key) }

  /// Adds an `unknown-key` diagnostic for every key that was not asked for.
  public func finish() {
    for entry in entries where !known.contains(entry.key) {
      let hint: String
      if let nearest = nearestName(to: entry.key, among: known) {
        hint = "did you mean '\(nearest)'?"
      } else {
        hint = "valid keys: \(known.sorted().joined(separator: ", "))"
      }
      issues.add(
        Diagnostic(
          "unknown-key", "\(what) has no key '\(entry.key)'", at: entry.keyLocation, hint: hint,
          sourceLine: entry.keyLine))
    }
  }
}
