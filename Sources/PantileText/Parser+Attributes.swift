import PantileSupport

extension Parser {
  mutating func parseAttribute() throws(DiagnosticError) -> AttributeSyntax {
    try descend()
    defer { ascend() }
    switch token.kind {
    case .string:
      let value = try takeString("a string")
      if take(.colon) { return .typed(.string(value), try parseType()) }
      return .string(value)
    case .integer, .float, .minus: return try parseNumberAttribute()
    case .symbolIdentifier: return try parseSymbolReference()
    case .leftBracket:
      advance()
      return .array(
        try list(until: .rightBracket, "]") { parser throws(DiagnosticError) in try parser.parseAttribute() })
    case .leftBrace: return .dictionary(try parseAttributeDictionary())
    case .hashIdentifier: return try parseDialectAttribute()
    case .bangIdentifier, .leftParen: return .type(try parseType())
    case .bareIdentifier: return try parseKeywordAttribute()
    default: throw unexpected("expected an attribute")
    }
  }

  /// `{key = value, "odd key" = 1, unit}`.
  mutating func parseAttributeDictionary() throws(DiagnosticError) -> AttributeDictionary {
    try expect(.leftBrace, "'{'")
    if take(.rightBrace) { return [:] }
    var entries: [AttributeDictionary.Entry] = []
    var keys: Set<String> = []
    repeat {
      let start = token
      let key: String
      switch token.kind {
      case .string: key = try takeString("an attribute name")
      case .bareIdentifier:
        key = text(token)
        advance()
      default: throw unexpected("expected an attribute name")
      }
      guard !key.isEmpty else { throw source.error("syntax", "an attribute name must not be empty", at: start.start) }
      guard keys.insert(key).inserted else {
        throw source.error("duplicate-attribute", "attribute '\(key)' is given twice", at: start.start)
      }
      entries.append(.init(key: key, value: take(.equal) ? try parseAttribute() : .unit))
    } while take(.comma)
    try expect(.rightBrace, "',' or '}'")
    return AttributeDictionary(unsorted: entries)
  }

  private mutating func parseSymbolReference() throws(DiagnosticError) -> AttributeSyntax {
    var path = [try takeSymbolName()]
    while take(.doubleColon) { path.append(try takeSymbolName()) }
    return .symbol(path)
  }

  private mutating func parseDialectAttribute() throws(DiagnosticError) -> AttributeSyntax {
    let start = token
    let name = suffix(token)
    if let alias = attributeAliases[name] {
      try countNodes(aliasSizes["#" + name] ?? 1)
      advance()
      return alias
    }
    let end = try dialectEnd(start)
    guard end > start.end || name.contains(".") else {
      throw source.error("unknown-alias", "attribute alias '#\(name)' is not defined", at: start.start)
    }
    restart(at: end)
    let attribute = AttributeSyntax.dialect(slice(start.start + 1, end))
    if take(.colon) { return .typed(attribute, try parseType()) }
    return attribute
  }

  private mutating func parseKeywordAttribute() throws(DiagnosticError) -> AttributeSyntax {
    let start = token
    switch text(token) {
    case "true":
      advance()
      return .bool(true)
    case "false":
      advance()
      return .bool(false)
    case "unit":
      advance()
      return .unit
    case "dense": return try parseDense()
    case "dense_resource":
      advance()
      try expect(.less, "'<'")
      let key: String
      if at(.string) {
        key = try takeString("a resource name")
      } else {
        guard at(.bareIdentifier) else { throw unexpected("expected a resource name") }
        key = text(token)
        advance()
      }
      try expect(.greater, "'>'")
      try expect(.colon, "':' and the type")
      return .resource(key: key, try parseType())
    case "array": return try parseDenseArray()
    case "affine_map", "affine_set", "strided":
      let end = try bodyEnd()
      restart(at: end)
      return .verbatim(slice(start.start, end))
    case "sparse":
      let end = try bodyEnd()
      restart(at: end)
      try expect(.colon, "':' and the type")
      return .typed(.verbatim(slice(start.start, end)), try parseType())
    case "loc":
      _ = try parseLocation()
      return .verbatim(slice(start.start, previousEnd))
    default: return .type(try parseType())
    }
  }

  /// The end of the `<…>` that must follow the current keyword.
  private func bodyEnd() throws(DiagnosticError) -> Int {
    guard token.end < source.bytes.count, source.bytes[token.end] == UInt8(ascii: "<") else {
      throw source.error("syntax", "expected '<' after '\(text(token))'", at: token.end)
    }
    return try balancedEnd(from: token.end)
  }

  /// `array<i64: 1, 2>`.
  private mutating func parseDenseArray() throws(DiagnosticError) -> AttributeSyntax {
    advance()
    try expect(.less, "'<'")
    let start = token
    let element = try parseType()
    switch element {
    case .integer(let width, _) where width <= 64: break
    case .float: break
    default:
      throw source.error("syntax", "array elements must be integers or floats of at most 64 bits", at: start.start)
    }
    if take(.greater) { return .denseArray(element, []) }
    try expect(.colon, "':' or '>'")
    let values = try list(until: .greater, ">") { parser throws(DiagnosticError) in
      let place = parser.token
      return try parser.scalarAttribute(try parser.takeScalar(), element, at: place.start)
    }
    return .denseArray(element, values)
  }

  // MARK: Numbers

  /// A literal before its type is known.
  enum Scalar {
    case bool(Bool)
    case integer(negative: Bool, magnitude: UInt64, isHexadecimal: Bool)
    case float(Double)
  }

  mutating func takeScalar() throws(DiagnosticError) -> Scalar {
    if takeKeyword("true") { return .bool(true) }
    if takeKeyword("false") { return .bool(false) }
    let negative = take(.minus)
    switch token.kind {
    case .integer:
      guard let magnitude = magnitude() else {
        throw source.error("number-range", "'\(text(token))' does not fit 64 bits", at: token.start)
      }
      let isHexadecimal = text(token).hasPrefix("0x")
      advance()
      return .integer(negative: negative, magnitude: magnitude, isHexadecimal: isHexadecimal)
    case .float:
      var literal = text(token)
      // Double's parser wants a digit after the dot.
      if let dot = literal.firstIndex(of: ".") {
        let after = literal.index(after: dot)
        if after == literal.endIndex || !literal[after].isNumber { literal.insert("0", at: after) }
      }
      guard let value = Double(literal) else { throw unexpected("expected a number") }
      advance()
      return .float(negative ? -value : value)
    default: throw unexpected("expected a number")
    }
  }

  private mutating func parseNumberAttribute() throws(DiagnosticError) -> AttributeSyntax {
    let start = token
    let scalar = try takeScalar()
    var type: TypeSyntax
    switch scalar {
    case .bool: type = .i1
    case .integer: type = .i64
    case .float: type = .f64
    }
    if take(.colon) { type = try parseType() }
    return try scalarAttribute(scalar, type, at: start.start)
  }

  /// The attribute of a literal with its type.
  /// - Throws: `number-range`, `number-type`.
  func scalarAttribute(_ scalar: Scalar, _ type: TypeSyntax, at offset: Int) throws(DiagnosticError) -> AttributeSyntax
  {
    let bits = try scalarBits(scalar, type, at: offset)
    switch type {
    case .integer(1, .signless): return .bool(bits != 0)
    case .integer(let width, let signedness):
      let shift = UInt64(64 - width)
      if signedness == .unsigned { return .integer(Int(Int64(bitPattern: bits)), type) }
      return .integer(Int(Int64(bitPattern: bits << shift) >> Int64(shift)), type)
    case .index: return .integer(Int(Int64(bitPattern: bits)), type)
    case .float(let kind):
      guard let value = FloatBits.decode(bits, as: kind) else {
        // A format without arithmetic here: its pattern stands for itself.
        return .typed(.integer(Int(bits), .i64), type)
      }
      return .float(value, type)
    case .none, .tensor, .unrankedTensor, .memref, .vector, .function, .tuple, .complex, .dialect:
      throw source.error("number-type", "a number cannot have type \(type)", at: offset)
    }
  }

  /// The bit pattern of a literal in its type, in the low bits.
  /// - Throws: `number-range`, `number-type`.
  func scalarBits(_ scalar: Scalar, _ type: TypeSyntax, at offset: Int) throws(DiagnosticError) -> UInt64 {
    switch (type, scalar) {
    case (.integer(let width, let signedness), .integer(let negative, let magnitude, _)) where width <= 64:
      let mask = width == 64 ? UInt64.max : (1 << UInt64(width)) - 1
      let half = UInt64(1) << UInt64(width - 1)
      let limit: UInt64
      switch (negative, signedness) {
      case (true, .unsigned): limit = 0
      case (true, _): limit = half
      case (false, .signed): limit = half - 1
      case (false, _): limit = mask
      }
      guard magnitude <= limit else {
        throw source.error(
          "number-range", "\(negative ? "-" : "")\(magnitude) does not fit type \(type)", at: offset)
      }
      return (negative ? 0 &- magnitude : magnitude) & mask
    case (.index, .integer(let negative, let magnitude, _)):
      guard magnitude <= (negative ? 1 << 63 : (1 << 63) - 1) else {
        throw source.error("number-range", "\(negative ? "-" : "")\(magnitude) does not fit type index", at: offset)
      }
      return negative ? 0 &- magnitude : magnitude
    case (.integer(1, _), .bool(let value)): return value ? 1 : 0
    case (.float(let kind), .float(let value)):
      guard let bits = FloatBits.encode(value, as: kind) else {
        throw source.error(
          "number-type", "decimal numbers of type \(type) are not supported", at: offset,
          hint: "write the bit pattern as 0x…")
      }
      return bits
    case (.float, .integer(false, let magnitude, true)):
      guard let width = type.bitWidth, width <= 64, width == 64 || magnitude >> UInt64(width) == 0 else {
        throw source.error("number-range", "the bit pattern does not fit type \(type)", at: offset)
      }
      return magnitude
    case (.float, .integer), (.float, .bool):
      throw source.error(
        "number-type", "a number of type \(type) needs a decimal point or a hexadecimal bit pattern", at: offset)
    case (.integer, .float), (.integer, .bool), (.integer, .integer), (.index, .float), (.index, .bool):
      throw source.error("number-type", "this literal cannot have type \(type)", at: offset)
    case (.none, _), (.tensor, _), (.unrankedTensor, _), (.memref, _), (.vector, _), (.function, _), (.tuple, _),
      (.complex, _), (.dialect, _):
      throw source.error("number-type", "a number cannot have type \(type)", at: offset)
    }
  }
}
