import PantileSupport

/// Recursive descent over MLIR text; builds syntax trees.
///
/// Nesting of ops, types, attributes and locations together is limited, so that hostile text cannot exhaust the stack.
struct Parser {
  static let depthLimit = 96

  let source: SourceText
  var lexer: Lexer
  var token: Token
  /// Where the token before `token` ended.
  var previousEnd = 0
  var attributeAliases: [String: AttributeSyntax] = [:]
  var typeAliases: [String: TypeSyntax] = [:]
  /// Location aliases may be used before they are defined.
  var locationAliases: [String: SourceLocation] = [:]
  var pendingLocationAliases: [String: Int] = [:]
  private var depth = 0
  /// Nodes made so far, aliases counted with all that they stand for.
  private(set) var nodeCount = 0
  /// Nodes that each alias stands for, by its text with `#` or `!`.
  var aliasSizes: [String: Int] = [:]

  init(_ source: SourceText) {
    self.source = source
    self.lexer = Lexer(source)
    self.token = lexer.next()
  }

  // MARK: Tokens

  mutating func advance() {
    previousEnd = token.end
    token = lexer.next()
  }

  /// Makes the token at `offset` the current one.
  mutating func restart(at offset: Int) {
    lexer.rewind(to: offset)
    previousEnd = offset
    token = lexer.next()
  }

  func text(_ token: Token) -> String { slice(token.start, token.end) }

  func slice(_ start: Int, _ end: Int) -> String { String(decoding: source.bytes[start..<end], as: UTF8.self) }

  /// The token's text without its first byte.
  func suffix(_ token: Token) -> String { slice(token.start + 1, token.end) }

  func at(_ kind: Token.Kind) -> Bool { token.kind == kind }

  func atKeyword(_ word: StaticString) -> Bool {
    guard token.kind == .bareIdentifier, token.end - token.start == word.utf8CodeUnitCount else { return false }
    for index in 0..<word.utf8CodeUnitCount where source.bytes[token.start + index] != word.utf8Start[index] {
      return false
    }
    return true
  }

  mutating func take(_ kind: Token.Kind) -> Bool {
    guard token.kind == kind else { return false }
    advance()
    return true
  }

  mutating func takeKeyword(_ word: StaticString) -> Bool {
    guard atKeyword(word) else { return false }
    advance()
    return true
  }

  mutating func expect(_ kind: Token.Kind, _ what: String) throws(DiagnosticError) {
    guard take(kind) else { throw unexpected("expected \(what)") }
  }

  /// A syntax error at the current token that says what was found.
  func unexpected(_ message: String) -> DiagnosticError {
    let found: String
    switch token.kind {
    case .endOfFile: found = "the end of the text"
    case .invalid: return source.error("syntax", "\(message): \(lexer.failure)", at: token.start)
    default:
      let text = slice(token.start, min(token.end, token.start + 40))
      found = "'\(text)'"
    }
    return source.error("syntax", "\(message) but found \(found)", at: token.start)
  }

  func location(_ token: Token) -> SourceLocation { source.location(at: token.start) }

  // MARK: Depth

  mutating func descend() throws(DiagnosticError) {
    depth += 1
    try countNodes(1)
    guard depth <= Parser.depthLimit else {
      throw source.error(
        "nesting-too-deep", "nested deeper than \(Parser.depthLimit) levels", at: token.start)
    }
  }

  mutating func ascend() { depth -= 1 }

  /// Counts tree nodes; aliases of aliases could otherwise stand for more than memory holds.
  mutating func countNodes(_ count: Int) throws(DiagnosticError) {
    nodeCount += count
    guard nodeCount <= source.bytes.count + 1 << 22 else {
      throw source.error("alias-expansion", "aliases stand for more than 4194304 nodes", at: token.start)
    }
  }

  // MARK: Pieces

  /// Comma-separated items until `close`, which is consumed. A trailing comma is an error.
  mutating func list<T>(
    until close: Token.Kind, _ closeText: String, _ item: (inout Parser) throws(DiagnosticError) -> T
  ) throws(DiagnosticError) -> [T] {
    if take(close) { return [] }
    var items: [T] = []
    repeat { items.append(try item(&self)) } while take(.comma)
    try expect(close, "',' or '\(closeText)'")
    return items
  }

  /// The value of a string token: escapes resolved.
  /// - Throws: `not-utf8`.
  func stringValue(from start: Int, to end: Int) throws(DiagnosticError) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(end - start)
    var index = start + 1
    while index < end - 1 {
      let byte = source.bytes[index]
      guard byte == UInt8(ascii: "\\") else {
        bytes.append(byte)
        index += 1
        continue
      }
      switch source.bytes[index + 1] {
      case UInt8(ascii: "n"): bytes.append(0x0A)
      case UInt8(ascii: "t"): bytes.append(0x09)
      case UInt8(ascii: "\""): bytes.append(UInt8(ascii: "\""))
      case UInt8(ascii: "\\"): bytes.append(UInt8(ascii: "\\"))
      case let high:
        // The lexer has checked both digits.
        bytes.append((hexadecimalDigit(high) ?? 0) << 4 | (hexadecimalDigit(source.bytes[index + 2]) ?? 0))
        index += 1
      }
      index += 2
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw source.error("not-utf8", "a string must hold UTF-8 text", at: start)
    }
    return text
  }

  mutating func takeString(_ what: String) throws(DiagnosticError) -> String {
    guard at(.string) else { throw unexpected("expected \(what)") }
    let value = try stringValue(from: token.start, to: token.end)
    advance()
    return value
  }

  /// `@name` or `@"any string"`, the current token.
  mutating func takeSymbolName() throws(DiagnosticError) -> String {
    guard at(.symbolIdentifier) else { throw unexpected("expected a symbol name") }
    let name =
      source.bytes[token.start + 1] == UInt8(ascii: "\"")
      ? try stringValue(from: token.start + 1, to: token.end) : suffix(token)
    advance()
    return name
  }

  /// The magnitude of the current integer token, decimal or hexadecimal.
  func magnitude() -> UInt64? {
    let text = self.text(token)
    return text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
  }

  /// A plain non-negative integer.
  mutating func takeCount(_ what: String) throws(DiagnosticError) -> Int {
    guard at(.integer) else { throw unexpected("expected \(what)") }
    guard let value = magnitude(), let result = Int(exactly: value) else {
      throw source.error("number-range", "'\(text(token))' is too large for \(what)", at: token.start)
    }
    advance()
    return result
  }

  /// Skips a balanced body that starts at the `<` at byte `start`; returns the offset after the closing `>`.
  /// Strings are skipped, `->` is an arrow.
  func balancedEnd(from start: Int) throws(DiagnosticError) -> Int {
    var stack: [UInt8] = []
    var index = start
    let bytes = source.bytes
    while index < bytes.count {
      let byte = bytes[index]
      switch byte {
      case UInt8(ascii: "<"): stack.append(UInt8(ascii: ">"))
      case UInt8(ascii: "("): stack.append(UInt8(ascii: ")"))
      case UInt8(ascii: "["): stack.append(UInt8(ascii: "]"))
      case UInt8(ascii: "{"): stack.append(UInt8(ascii: "}"))
      case UInt8(ascii: "-") where index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: ">"): index += 1
      case UInt8(ascii: ">"), UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"):
        guard stack.last == byte else {
          throw source.error("syntax", "unbalanced '\(Character(Unicode.Scalar(byte)))'", at: index)
        }
        stack.removeLast()
        if stack.isEmpty { return index + 1 }
      case UInt8(ascii: "\""):
        index += 1
        while index < bytes.count, bytes[index] != UInt8(ascii: "\""), bytes[index] != 0x0A {
          index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else {
          throw source.error("syntax", "a string must end on its line", at: min(index, bytes.count))
        }
      default: break
      }
      index += 1
    }
    throw source.error("syntax", "'<' is never closed", at: start)
  }
}
