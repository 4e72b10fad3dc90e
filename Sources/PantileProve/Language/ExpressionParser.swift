/// Reads expressions by operator precedence.
///
/// Numbers are decimal, `0x` or `0b`. Names are letters, digits and `_`. Words: `and`, `or`, `not`.
struct ExpressionParser {
  /// Parentheses and operators inside each other; the call stack bears it.
  static let deepest = 100
  /// Bytes of a text.
  static let longest = 4096

  private enum Token: Equatable {
    case number(Int)
    case name(String)
    case sign(String)
    case end
  }

  private let bytes: [UInt8]
  private var position = 0
  private var token = Token.end
  private var start = 0
  private var depth = 0

  private init(_ text: String) throws(ExpressionError) {
    bytes = Array(text.utf8)
    guard bytes.count <= Self.longest else {
      throw ExpressionError(message: "the expression has \(bytes.count) bytes, the limit is \(Self.longest)", offset: 0)
    }
    try advance()
  }

  /// The expression that the whole text is.
  static func parse(_ text: String) throws(ExpressionError) -> Expression {
    var parser = try ExpressionParser(text)
    let result = try parser.expression(above: 0)
    guard parser.token == .end else { throw parser.unexpected("an operator") }
    return result
  }

  /// A definition's left side: a name, perhaps with names of arguments: `digit(i)`.
  static func parseSignature(_ text: String) throws(ExpressionError) -> (name: String, arguments: [String]) {
    let expression = try parse(text)
    switch expression.content {
    case .name(let name): return (name, [])
    case .call(let name, let arguments):
      var names: [String] = []
      for argument in arguments {
        guard case .name(let name) = argument.content, !names.contains(name) else {
          throw ExpressionError(message: "an argument of '\(text)' is no name of its own", offset: argument.offset)
        }
        names.append(name)
      }
      return (name, names)
    default:
      throw ExpressionError(
        message: "'\(text)' is neither a name nor a name with arguments", offset: 0, hint: "write for example digit(i)")
    }
  }

  private mutating func expression(above strength: Int) throws(ExpressionError) -> Expression {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.deepest else {
      throw ExpressionError(message: "the expression is nested more than \(Self.deepest) deep", offset: start)
    }
    var left = try operand()
    while let operation = binary, operation.strength > strength {
      let isComparison = operation.strength == Expression.Binary.equal.strength
      try advance()
      let right = try expression(above: operation.strength)
      left = Expression(content: .binary(operation, left, right), offset: left.offset)
      if isComparison, let next = binary, next.strength == operation.strength {
        throw ExpressionError(
          message: "comparisons do not chain", offset: start, hint: "join two of them with 'and'")
      }
    }
    return left
  }

  private var binary: Expression.Binary? {
    switch token {
    case .sign(let text): Expression.Binary(rawValue: text)
    case .name("and"): .and
    case .name("or"): .or
    default: nil
    }
  }

  private mutating func operand() throws(ExpressionError) -> Expression {
    let offset = start
    switch token {
    case .number(let value):
      try advance()
      return Expression(content: .number(value), offset: offset)
    case .name("not"):
      try advance()
      // Weaker than comparisons: `not a == b`.
      return Expression(content: .unary(.not, try expression(above: 3)), offset: offset)
    case .name(let name) where name != "and" && name != "or":
      try advance()
      if token == .sign("(") {
        return Expression(content: .call(name, try list(until: ")")), offset: offset)
      }
      if token == .sign("[") {
        let indices = try list(until: "]")
        guard indices.count == 1 else {
          throw ExpressionError(message: "'\(name)' takes one index, found \(indices.count)", offset: offset)
        }
        return Expression(content: .element(name, indices[0]), offset: offset)
      }
      return Expression(content: .name(name), offset: offset)
    case .sign("-"):
      try advance()
      return Expression(content: .unary(.minus, try expression(above: 7)), offset: offset)
    case .sign("("):
      try advance()
      let inner = try expression(above: 0)
      guard token == .sign(")") else { throw unexpected("')'") }
      try advance()
      return Expression(content: inner.content, offset: offset)
    default: throw unexpected("a value")
    }
  }

  private mutating func list(until close: String) throws(ExpressionError) -> [Expression] {
    try advance()
    var items: [Expression] = []
    if token == .sign(close) {
      try advance()
      return items
    }
    while true {
      items.append(try expression(above: 0))
      if token == .sign(",") {
        try advance()
        continue
      }
      guard token == .sign(close) else { throw unexpected("',' or '\(close)'") }
      try advance()
      return items
    }
  }

  private func unexpected(_ wanted: String) -> ExpressionError {
    let found: String
    switch token {
    case .number(let value): found = "\(value)"
    case .name(let name): found = "'\(name)'"
    case .sign(let text): found = "'\(text)'"
    case .end: found = "the end"
    }
    return ExpressionError(message: "\(wanted) is expected, found \(found)", offset: start)
  }

  private mutating func advance() throws(ExpressionError) {
    while position < bytes.count, bytes[position] == 32 || bytes[position] == 10 { position += 1 }
    start = position
    guard position < bytes.count else {
      token = .end
      return
    }
    let byte = bytes[position]
    if isDigit(byte) {
      while position < bytes.count, isDigit(bytes[position]) || isLetter(bytes[position]) { position += 1 }
      let text = String(decoding: bytes[start..<position], as: UTF8.self)
      let value: Int?
      if text.hasPrefix("0x") {
        value = Int(text.dropFirst(2), radix: 16)
      } else if text.hasPrefix("0b") {
        value = Int(text.dropFirst(2), radix: 2)
      } else {
        value = Int(text.replacing("_", with: ""))
      }
      guard let value else { throw ExpressionError(message: "'\(text)' is no whole number", offset: start) }
      token = .number(value)
    } else if isLetter(byte) {
      while position < bytes.count, isDigit(bytes[position]) || isLetter(bytes[position]) { position += 1 }
      token = .name(String(decoding: bytes[start..<position], as: UTF8.self))
    } else {
      let pair = String(decoding: bytes[start..<min(start + 2, bytes.count)], as: UTF8.self)
      if ["<<", ">>", "<=", ">=", "==", "!="].contains(pair) {
        position += 2
        token = .sign(pair)
      } else {
        let one = String(decoding: [byte], as: UTF8.self)
        guard "+-*/%<>()[],".contains(one) else {
          throw ExpressionError(
            message: "unexpected sign '\(byte < 128 ? one : "…")'", offset: start,
            hint: "signs: + - * / % << >> == != < <= > >= ( ) [ ] ,")
        }
        position += 1
        token = .sign(one)
      }
    }
  }

  private func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }
  private func isLetter(_ byte: UInt8) -> Bool { byte == 95 || ((byte | 32) >= 97 && (byte | 32) <= 122) }
}
