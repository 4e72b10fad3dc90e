import PantileSupport
import Yams

/// Turns YAML text into a `ConfigNode` tree.
///
/// Refused, each with a diagnostic: syntax errors, several documents in a file, anchors and aliases (a small file could
/// stand for a huge tree), keys written twice, keys that are not text, nesting beyond 32 levels and files
/// over 4 MiB.
public enum ConfigDocument {
  /// The largest accepted file, in bytes; no description written by people comes near it.
  public static let maximumBytes = 4 << 20
  /// The deepest accepted nesting; chip, energy, sweep and suite files need six levels.
  public static let maximumDepth = 32

  /// Reads and parses the file at `path`.
  /// - Throws: `cannot-read`, `not-utf8`, and what `parse` throws.
  public static func read(_ path: String) throws(DiagnosticError) -> ConfigNode {
    try parse(AtomicFile.readText(path), path: path)
  }

  /// Parses `text`; `path` only names the file in locations.
  /// - Throws: `yaml-syntax`, `yaml-alias`, `duplicate-key`, `wrong-type`, `file-too-large`,
  ///   `nesting-too-deep`, `empty-file`.
  public static func parse(_ text: String, path: String) throws(DiagnosticError) -> ConfigNode {
    guard text.utf8.count <= maximumBytes else {
      throw DiagnosticError(
        "file-too-large", "the file has \(text.utf8.count) bytes, the limit is \(maximumBytes)",
        at: .file(path: path, line: 1, column: 1))
    }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map {
      String($0.last == "\r" ? $0.dropLast() : $0)
    }
    let place = PlaceTable(path: path, lines: lines)
    if let reference = firstReference(in: lines) {
      throw DiagnosticError(
        "yaml-alias", "anchors (&name) and aliases (*name) are not allowed here",
        at: .file(path: path, line: reference.line, column: reference.column),
        hint: "write the value out, or quote text that starts with & or *", sourceLine: lines[reference.line - 1])
    }
    let root: Node?
    do {
      root = try Parser(yaml: text, encoding: .utf8).singleRoot()
    } catch let error as YamlError {
      throw DiagnosticError(diagnostic(for: error, in: place))
    } catch {
      throw DiagnosticError(
        "yaml-syntax", "cannot parse the file: \(error)", at: .file(path: path, line: 1, column: 1))
    }
    guard let root else {
      throw DiagnosticError("empty-file", "the file holds no value", at: .file(path: path, line: 1, column: 1))
    }
    let issues = Issues()
    let result = convert(root, depth: 0, place: place, issues: issues)
    try issues.check()
    return result
  }

  /// Lines and their path: turns a mark of the parser into a location.
  private struct PlaceTable {
    let path: String
    let lines: [String]

    /// The parser counts columns in Unicode scalars, locations count UTF-8 bytes.
    func location(_ mark: Mark?) -> SourceLocation {
      guard let mark, mark.line >= 1, mark.column >= 1 else { return .file(path: path, line: 1, column: 1) }
      let line = self.line(mark) ?? ""
      let bytes = line.unicodeScalars.prefix(mark.column - 1).reduce(0) { $0 + UTF8.width($1) }
      return .file(path: path, line: mark.line, column: bytes + 1)
    }

    func line(_ mark: Mark?) -> String? {
      guard let mark, lines.indices.contains(mark.line - 1) else { return nil }
      return lines[mark.line - 1]
    }
  }

  private static func convert(_ node: Node, depth: Int, place: PlaceTable, issues: Issues) -> ConfigNode {
    var result = ConfigNode(.empty, at: place.location(node.mark), sourceLine: place.line(node.mark))
    if depth > maximumDepth {
      issues.add("nesting-too-deep", "values are nested more than \(maximumDepth) deep", at: result)
      return result
    }
    switch node {
    case .scalar(let scalar):
      let isQuoted = scalar.style == .singleQuoted || scalar.style == .doubleQuoted
      let isNothing = scalar.style == .plain && ["", "~", "null"].contains(scalar.string)
      result.content = isNothing ? .empty : .scalar(scalar.string, isQuoted: isQuoted)
    case .sequence(let sequence):
      result.content = .sequence(sequence.map { convert($0, depth: depth + 1, place: place, issues: issues) })
    case .mapping(let mapping):
      var entries: [ConfigNode.Entry] = []
      var seen: Set<String> = []
      for (key, value) in mapping {
        guard case .scalar(let scalar) = key else {
          issues.add(
            Diagnostic(
              "wrong-type", "a key must be text", at: place.location(key.mark), sourceLine: place.line(key.mark)))
          continue
        }
        let location = place.location(key.mark)
        if !seen.insert(scalar.string).inserted {
          issues.add(
            Diagnostic(
              "duplicate-key", "key '\(scalar.string)' is written twice", at: location, sourceLine: place.line(key.mark)
            ))
          continue
        }
        entries.append(
          .init(
            key: scalar.string, keyLocation: location, keyLine: place.line(key.mark),
            value: convert(value, depth: depth + 1, place: place, issues: issues)))
      }
      result.content = .mapping(entries)
    case .alias:
      issues.add("yaml-alias", "anchors (&name) and aliases (*name) are not allowed here", at: result)
    }
    return result
  }

  private static func diagnostic(for error: YamlError, in place: PlaceTable) -> Diagnostic {
    func make(_ code: String, _ message: String, _ mark: Mark?) -> Diagnostic {
      Diagnostic(code, message, at: place.location(mark), sourceLine: place.line(mark))
    }
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let prefix = context.map { "\($0.text), " } ?? ""
      return make("yaml-syntax", prefix + problem, mark)
    case .duplicatedKeysInMapping(let duplicates, let context):
      let names = duplicates.map { "'\($0)'" }.joined(separator: ", ")
      return make("duplicate-key", "\(duplicates.count == 1 ? "key" : "keys") \(names) written twice", context.mark)
    case .reader(let problem, _, _, _):
      return make("yaml-syntax", problem, nil)
    case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
      return make("yaml-syntax", "cannot parse the file", nil)
    }
  }

  /// The first `&name` or `*name` at the start of a value, outside comments, quotes and block texts.
  ///
  /// This runs before the parser because aliases in keys make the parser itself take exponential time. It may refuse
  /// a continuation line of a plain text that starts with such a sign; the hint says to quote it.
  private static func firstReference(in lines: [String]) -> (line: Int, column: Int)? {
    var quote: UInt8 = 0
    var blockIndent: Int?
    for (number, line) in lines.enumerated() {
      let bytes = Array(line.utf8)
      let indent = bytes.prefix { $0 == UInt8(ascii: " ") }.count
      if let limit = blockIndent {
        if indent == bytes.count || indent > limit { continue }
        blockIndent = nil
      }
      var atStart = true
      var index = 0
      var last: UInt8 = 0
      while index < bytes.count {
        let byte = bytes[index]
        if quote != 0 {
          if byte == quote {
            if quote == UInt8(ascii: "'"), index + 1 < bytes.count, bytes[index + 1] == quote {
              index += 1
            } else {
              quote = 0
            }
          } else if quote == UInt8(ascii: "\""), byte == UInt8(ascii: "\\") {
            index += 1
          }
          atStart = false
        } else {
          switch byte {
          case UInt8(ascii: " "), UInt8(ascii: "\t"): break
          case UInt8(ascii: "#") where index == 0 || bytes[index - 1] == UInt8(ascii: " ") || bytes[index - 1] == 9:
            index = bytes.count
            continue
          case UInt8(ascii: "'") where atStart, UInt8(ascii: "\"") where atStart: quote = byte
          case UInt8(ascii: "&") where atStart, UInt8(ascii: "*") where atStart:
            return (number + 1, index + 1)
          case UInt8(ascii: ","), UInt8(ascii: "["), UInt8(ascii: "{"): atStart = true
          case UInt8(ascii: ":"), UInt8(ascii: "-"), UInt8(ascii: "?"):
            let next = index + 1 < bytes.count ? bytes[index + 1] : 32
            atStart = next == 32 || next == 9 || last == UInt8(ascii: "\"") || last == UInt8(ascii: "'")
          default: atStart = false
          }
        }
        if byte != UInt8(ascii: " "), byte != 9 { last = byte }
        index += 1
      }
      if quote == 0, last == UInt8(ascii: "|") || last == UInt8(ascii: ">") { blockIndent = indent }
    }
    return firstOfMany(in: lines)
  }

  /// The scan above is not a parser and can be led astray by quotes inside plain text; whatever it missed is harmless
  /// as long as there are only a few references.
  private static func firstOfMany(in lines: [String]) -> (line: Int, column: Int)? {
    var first: (line: Int, column: Int)?
    var (references, anchors) = (0, 0)
    for (number, line) in lines.enumerated() {
      let bytes = Array(line.utf8)
      for (column, (sign, next)) in zip(bytes, bytes.dropFirst()).enumerated() where next > 32 {
        if sign == UInt8(ascii: "*") {
          references += 1
          first = first ?? (number + 1, column + 1)
        } else if sign == UInt8(ascii: "&") {
          anchors += 1
        }
      }
    }
    return references > 16 && anchors > 3 ? first : nil
  }
}
