/// Cuts MLIR text into tokens, one at a time, from any byte offset.
///
/// **Source** MLIR language reference, "Notation" and "Common syntax"; strings follow LLVM's lexer (`\"`, `\\`, `\n`,
/// `\t`, two hexadecimal digits).
struct Lexer {
  let source: SourceText
  private(set) var position = 0
  /// Why the last token was `.invalid`.
  private(set) var failure = ""

  init(_ source: SourceText) { self.source = source }

  /// Goes on at another offset; the next token starts there.
  mutating func rewind(to offset: Int) { position = offset }

  @inline(__always) private func byte(at offset: Int) -> UInt8 {
    offset < source.bytes.count ? source.bytes[offset] : 0
  }

  /// The next token after white space and comments.
  mutating func next() -> Token {
    skipTrivia()
    let start = position
    guard start < source.bytes.count else { return Token(kind: .endOfFile, start: start, end: start) }
    let first = source.bytes[start]
    if isLetter(first) || first == UInt8(ascii: "_") { return bareIdentifier(from: start) }
    if isDigit(first) { return number(from: start) }
    switch first {
    case UInt8(ascii: "\""): return string(from: start)
    case UInt8(ascii: "%"): return suffixed(.valueIdentifier, from: start)
    case UInt8(ascii: "^"): return suffixed(.blockIdentifier, from: start)
    case UInt8(ascii: "#"):
      if byte(at: start + 1) == UInt8(ascii: "-"), byte(at: start + 2) == UInt8(ascii: "}") {
        return token(.metadataEnd, start, length: 3)
      }
      return suffixed(.hashIdentifier, from: start)
    case UInt8(ascii: "!"): return suffixed(.bangIdentifier, from: start)
    case UInt8(ascii: "@"): return symbol(from: start)
    case UInt8(ascii: "-"):
      return byte(at: start + 1) == UInt8(ascii: ">") ? token(.arrow, start, length: 2) : token(.minus, start)
    case UInt8(ascii: ":"):
      return byte(at: start + 1) == first ? token(.doubleColon, start, length: 2) : token(.colon, start)
    case UInt8(ascii: "."):
      if byte(at: start + 1) == first, byte(at: start + 2) == first { return token(.ellipsis, start, length: 3) }
      return invalid("a single '.' is no token", start)
    case UInt8(ascii: "{"):
      if byte(at: start + 1) == UInt8(ascii: "-"), byte(at: start + 2) == UInt8(ascii: "#") {
        return token(.metadataBegin, start, length: 3)
      }
      return token(.leftBrace, start)
    case UInt8(ascii: "="): return token(.equal, start)
    case UInt8(ascii: ","): return token(.comma, start)
    case UInt8(ascii: "("): return token(.leftParen, start)
    case UInt8(ascii: ")"): return token(.rightParen, start)
    case UInt8(ascii: "["): return token(.leftBracket, start)
    case UInt8(ascii: "]"): return token(.rightBracket, start)
    case UInt8(ascii: "}"): return token(.rightBrace, start)
    case UInt8(ascii: "<"): return token(.less, start)
    case UInt8(ascii: ">"): return token(.greater, start)
    case UInt8(ascii: "?"): return token(.question, start)
    case UInt8(ascii: "*"): return token(.star, start)
    case UInt8(ascii: "+"): return token(.plus, start)
    case UInt8(ascii: "/"): return token(.slash, start)
    case UInt8(ascii: "|"): return token(.bar, start)
    default: return invalid("unexpected character", start)
    }
  }

  private mutating func token(_ kind: Token.Kind, _ start: Int, length: Int = 1) -> Token {
    position = start + length
    return Token(kind: kind, start: start, end: position)
  }

  private mutating func invalid(_ reason: String, _ start: Int) -> Token {
    failure = reason
    position = min(start + 1, source.bytes.count)
    return Token(kind: .invalid, start: start, end: position)
  }

  private mutating func skipTrivia() {
    while position < source.bytes.count {
      switch source.bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      case UInt8(ascii: "/") where byte(at: position + 1) == UInt8(ascii: "/"):
        while position < source.bytes.count, source.bytes[position] != 0x0A { position += 1 }
      default: return
      }
    }
  }

  private mutating func bareIdentifier(from start: Int) -> Token {
    var end = start + 1
    while end < source.bytes.count, isIdentifierByte(source.bytes[end]) { end += 1 }
    return token(.bareIdentifier, start, length: end - start)
  }

  /// `%name`, `%0`, `^bb1`, `#attr`, `!type`: all digits, or a letter of `A-Z a-z $ . _ -` and then also digits.
  private mutating func suffixed(_ kind: Token.Kind, from start: Int) -> Token {
    var end = start + 1
    if isDigit(byte(at: end)) {
      while isDigit(byte(at: end)) { end += 1 }
    } else {
      // `-` may stand inside a value name, but not before `>` (an arrow).
      while end < source.bytes.count,
        isIdentifierByte(source.bytes[end])
          || (source.bytes[end] == UInt8(ascii: "-") && kind != .bangIdentifier && kind != .hashIdentifier
            && byte(at: end + 1) != UInt8(ascii: ">"))
      { end += 1 }
    }
    guard end > start + 1 else {
      return invalid("expected a name after '\(Character(Unicode.Scalar(source.bytes[start])))'", start)
    }
    return token(kind, start, length: end - start)
  }

  private mutating func symbol(from start: Int) -> Token {
    let after = byte(at: start + 1)
    if after == UInt8(ascii: "\"") {
      let quoted = string(from: start + 1)
      guard quoted.kind == .string else { return quoted }
      return Token(kind: .symbolIdentifier, start: start, end: quoted.end)
    }
    guard isLetter(after) || after == UInt8(ascii: "_") else {
      return invalid("expected a symbol name after '@'", start)
    }
    var end = start + 2
    while end < source.bytes.count, isIdentifierByte(source.bytes[end]) { end += 1 }
    return token(.symbolIdentifier, start, length: end - start)
  }

  private mutating func string(from start: Int) -> Token {
    var end = start + 1
    while end < source.bytes.count {
      switch source.bytes[end] {
      case UInt8(ascii: "\""): return token(.string, start, length: end + 1 - start)
      case 0x0A, 0x0D: return invalid("a string must end on its line", start)
      case UInt8(ascii: "\\"):
        let escaped = byte(at: end + 1)
        if escaped == UInt8(ascii: "\"") || escaped == UInt8(ascii: "\\") || escaped == UInt8(ascii: "n")
          || escaped == UInt8(ascii: "t")
        {
          end += 2
        } else if hexadecimalDigit(escaped) != nil, hexadecimalDigit(byte(at: end + 2)) != nil {
          end += 3
        } else {
          return invalid("unknown escape in string", end)
        }
      default: end += 1
      }
    }
    return invalid("a string must end on its line", start)
  }

  private mutating func number(from start: Int) -> Token {
    var end = start
    if source.bytes[start] == UInt8(ascii: "0"), byte(at: start + 1) == UInt8(ascii: "x"),
      hexadecimalDigit(byte(at: start + 2)) != nil
    {
      end = start + 2
      while hexadecimalDigit(byte(at: end)) != nil { end += 1 }
      return token(.integer, start, length: end - start)
    }
    while isDigit(byte(at: end)) { end += 1 }
    guard byte(at: end) == UInt8(ascii: ".") else { return token(.integer, start, length: end - start) }
    end += 1
    while isDigit(byte(at: end)) { end += 1 }
    let exponent = byte(at: end)
    if exponent == UInt8(ascii: "e") || exponent == UInt8(ascii: "E") {
      var digits = end + 1
      if byte(at: digits) == UInt8(ascii: "+") || byte(at: digits) == UInt8(ascii: "-") { digits += 1 }
      if isDigit(byte(at: digits)) {
        while isDigit(byte(at: digits)) { digits += 1 }
        end = digits
      }
    }
    return token(.float, start, length: end - start)
  }
}

@inline(__always) func isLetter(_ byte: UInt8) -> Bool {
  (byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z")) || (byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z"))
}

@inline(__always) func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

/// A byte that may follow the first one of a bare identifier.
@inline(__always) func isIdentifierByte(_ byte: UInt8) -> Bool {
  isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "$") || byte == UInt8(ascii: ".")
}

@inline(__always) func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
  switch byte {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): return byte - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): return byte - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): return byte - UInt8(ascii: "A") + 10
  default: return nil
  }
}

/// Whether `text` can stand as a bare identifier, without quotes.
func isBareIdentifier(_ text: String) -> Bool {
  let bytes = text.utf8
  guard let first = bytes.first, isLetter(first) || first == UInt8(ascii: "_") else { return false }
  return bytes.allSatisfy(isIdentifierByte)
}
