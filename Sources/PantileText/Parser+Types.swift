import PantileSupport

extension Parser {
  mutating func parseType() throws(DiagnosticError) -> TypeSyntax {
    try descend()
    defer { ascend() }
    if at(.leftParen) { return try parseFunctionType() }
    return try parseNonFunctionType()
  }

  /// `(a, b) -> c` or `() -> (a, b)`.
  mutating func parseFunctionType() throws(DiagnosticError) -> TypeSyntax {
    try expect(.leftParen, "'('")
    let inputs = try list(until: .rightParen, ")") { parser throws(DiagnosticError) in try parser.parseType() }
    try expect(.arrow, "'->'")
    return .function(inputs: inputs, results: try parseResultTypes())
  }

  mutating func parseResultTypes() throws(DiagnosticError) -> [TypeSyntax] {
    if take(.leftParen) {
      return try list(until: .rightParen, ")") { parser throws(DiagnosticError) in try parser.parseType() }
    }
    try descend()
    defer { ascend() }
    return [try parseNonFunctionType()]
  }

  mutating func parseNonFunctionType() throws(DiagnosticError) -> TypeSyntax {
    switch token.kind {
    case .bangIdentifier: return try parseDialectType()
    case .bareIdentifier: break
    default: throw unexpected("expected a type")
    }
    let start = token
    let word = text(token)
    switch word {
    case "index":
      advance()
      return .index
    case "none":
      advance()
      return .none
    case "tensor": return try parseTensor()
    case "memref": return try parseMemref()
    case "vector": return try parseVector()
    case "tuple":
      advance()
      try expect(.less, "'<'")
      return .tuple(try list(until: .greater, ">") { parser throws(DiagnosticError) in try parser.parseType() })
    case "complex":
      advance()
      try expect(.less, "'<'")
      let element = try parseType()
      try expect(.greater, "'>'")
      return .complex(element)
    default:
      if let kind = TypeSyntax.FloatKind(rawValue: word) {
        advance()
        return .float(kind)
      }
      if let integer = integerType(word) {
        guard case .integer(let width, _) = integer, width <= 1 << 24 else {
          throw source.error("number-range", "integer width of '\(word)' exceeds 16777216", at: start.start)
        }
        advance()
        return integer
      }
      throw source.error("syntax", "'\(word)' is no type", at: start.start)
    }
  }

  private func integerType(_ word: String) -> TypeSyntax? {
    for (prefix, signedness) in [("si", TypeSyntax.Signedness.signed), ("ui", .unsigned), ("i", .signless)]
    where word.hasPrefix(prefix) {
      let digits = word.dropFirst(prefix.count)
      guard !digits.isEmpty, digits.utf8.allSatisfy(isDigit), digits.first != "0" else { continue }
      return .integer(width: Int(digits) ?? Int.max, signedness)
    }
    return nil
  }

  private mutating func parseDialectType() throws(DiagnosticError) -> TypeSyntax {
    let start = token
    let name = suffix(token)
    if let alias = typeAliases[name] {
      try countNodes(aliasSizes["!" + name] ?? 1)
      advance()
      return alias
    }
    let end = try dialectEnd(start)
    guard end > start.end || name.contains(".") else {
      throw source.error("unknown-alias", "type alias '!\(name)' is not defined", at: start.start)
    }
    restart(at: end)
    return .dialect(slice(start.start + 1, end))
  }

  /// The offset after a dialect attribute or type whose first token is given: with its `<…>` body if one follows.
  func dialectEnd(_ start: Token) throws(DiagnosticError) -> Int {
    guard start.end < source.bytes.count, source.bytes[start.end] == UInt8(ascii: "<") else { return start.end }
    return try balancedEnd(from: start.end)
  }

  // MARK: Shaped types

  private mutating func parseTensor() throws(DiagnosticError) -> TypeSyntax {
    advance()
    try expect(.less, "'<'")
    if at(.star) {
      advance()
      try expectCross()
      let element = try parseType()
      try expect(.greater, "'>'")
      return .unrankedTensor(element: element)
    }
    let shape = try parseDimensions()
    let element = try parseType()
    var encoding: AttributeSyntax?
    if take(.comma) { encoding = try parseAttribute() }
    try expect(.greater, "'>'")
    return .tensor(shape: shape, element: element, encoding: encoding)
  }

  private mutating func parseMemref() throws(DiagnosticError) -> TypeSyntax {
    advance()
    try expect(.less, "'<'")
    let shape = try parseDimensions()
    let element = try parseType()
    var parameters: [AttributeSyntax] = []
    while take(.comma) { parameters.append(try parseAttribute()) }
    try expect(.greater, "'>'")
    return .memref(shape: shape, element: element, parameters: parameters)
  }

  private mutating func parseVector() throws(DiagnosticError) -> TypeSyntax {
    advance()
    try expect(.less, "'<'")
    var shape: [Int] = []
    var scalable: [Bool] = []
    while at(.integer) || at(.leftBracket) {
      let isScalable = take(.leftBracket)
      shape.append(try takeDimension())
      scalable.append(isScalable)
      if isScalable { try expect(.rightBracket, "']'") }
      try expectCross()
    }
    let element = try parseType()
    try expect(.greater, "'>'")
    return .vector(shape: shape, scalable: scalable, element: element)
  }

  /// `4x?x8x`, possibly empty; stops before the element type.
  private mutating func parseDimensions() throws(DiagnosticError) -> [Int?] {
    var shape: [Int?] = []
    while at(.integer) || at(.question) {
      if at(.question) {
        advance()
        shape.append(nil)
      } else {
        shape.append(try takeDimension())
      }
      try expectCross()
    }
    return shape
  }

  /// One size. `0x4` was lexed as hexadecimal: only the zero belongs to the size.
  private mutating func takeDimension() throws(DiagnosticError) -> Int {
    guard at(.integer) else { throw unexpected("expected a dimension") }
    if token.end - token.start > 1, source.bytes[token.start] == UInt8(ascii: "0"),
      source.bytes[token.start + 1] == UInt8(ascii: "x")
    {
      restart(at: token.start + 1)
      return 0
    }
    return try takeCount("a dimension")
  }

  /// The `x` between dimensions; what follows it in the same identifier (`x8`, `xf32`) is lexed anew.
  private mutating func expectCross() throws(DiagnosticError) {
    guard at(.bareIdentifier), source.bytes[token.start] == UInt8(ascii: "x") else {
      throw unexpected("expected 'x' after a dimension")
    }
    restart(at: token.start + 1)
  }
}
