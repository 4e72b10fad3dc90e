import Foundation

/// A JSON value whose keys stay in the order in which they are given, for formats that fix it.
public indirect enum OrderedJSON: Hashable, Sendable {
  case null
  case bool(Bool)
  case integer(Int)
  /// Shortest digits that read back to the same double; not finite is written as `null`.
  case number(Double)
  case string(String)
  case list([OrderedJSON])
  case object([Entry])
  /// JSON text that stands as it is, without the space at its end.
  case verbatim(String)

  public struct Entry: Hashable, Sendable {
    public var key: String
    public var value: OrderedJSON

    public init(_ key: String, _ value: OrderedJSON) {
      self.key = key
      self.value = value
    }
  }

  /// An integer, or null.
  public static func optional(_ value: Int?) -> OrderedJSON { value.map { .integer($0) } ?? .null }

  /// A list of integers.
  public static func integers(_ values: [Int]) -> OrderedJSON { .list(values.map { .integer($0) }) }

  /// The value as text. An object at the top has one line a key; a list of objects in it one line an object; all else stands
  /// in one line.
  public var text: String {
    guard case .object(let entries) = self, !entries.isEmpty else { return line + "\n" }
    let lines = entries.map { entry -> String in
      let key = "  \(JSONText.string(entry.key)): "
      guard case .list(let items) = entry.value, items.contains(where: \.isObject) else {
        return key + entry.value.line
      }
      return key + "[\n" + items.map { "    \($0.line)" }.joined(separator: ",\n") + "\n  ]"
    }
    return "{\n" + lines.joined(separator: ",\n") + "\n}\n"
  }

  private var isObject: Bool {
    if case .object = self { return true }
    return false
  }

  private var line: String {
    switch self {
    case .null: return "null"
    case .bool(let value): return value ? "true" : "false"
    case .integer(let value): return "\(value)"
    case .number(let value): return value.isFinite ? "\(value)" : "null"
    case .string(let text): return JSONText.string(text)
    case .verbatim(let text): return text.trimmingCharacters(in: .whitespacesAndNewlines)
    case .list(let items): return "[" + items.map(\.line).joined(separator: ", ") + "]"
    case .object(let entries):
      return "{" + entries.map { "\(JSONText.string($0.key)): \($0.value.line)" }.joined(separator: ", ") + "}"
    }
  }
}
