import PantileSupport

extension Parser {
  /// Literals of a `dense<…>` before the type is known: scalars in order, and the shape of the brackets.
  private struct DenseLiteral {
    var scalars: [(Scalar, offset: Int)] = []
    /// Sizes from the outermost bracket in; nil until the first list of that level is closed.
    var sizes: [Int] = []
    /// Whether there are no brackets: a splat.
    var isScalar = false
  }

  /// `dense<…> : type`.
  mutating func parseDense() throws(DiagnosticError) -> AttributeSyntax {
    let start = token
    advance()
    try expect(.less, "'<'")
    if at(.string) { return try parseDenseBlob(start) }
    // `dense<(1.0, 2.0)>` is complex: kept word for word.
    if at(.leftParen) { return try parseVerbatimDense(start) }
    var literal = DenseLiteral()
    if !at(.greater) {
      if at(.leftBracket) {
        if try containsUnreadableElements() { return try parseVerbatimDense(start) }
        literal.sizes = try parseDenseList(&literal)
      } else {
        literal.isScalar = true
        let offset = token.start
        literal.scalars.append((try takeScalar(), offset))
      }
    } else {
      literal.sizes = [0]
    }
    try expect(.greater, "'>'")
    try expect(.colon, "':' and the type")
    let typeStart = token.start
    let type = try parseType()
    return .dense(try encode(literal, type, at: typeStart))
  }

  /// Whether the first element of the list is a string or a complex number.
  private func containsUnreadableElements() throws(DiagnosticError) -> Bool {
    var probe = lexer
    var next = token
    while next.kind == .leftBracket { next = probe.next() }
    return next.kind == .string || next.kind == .leftParen
  }

  private mutating func parseVerbatimDense(_ start: Token) throws(DiagnosticError) -> AttributeSyntax {
    let end = try balancedEnd(from: start.end)
    restart(at: end)
    try expect(.colon, "':' and the type")
    return .typed(.verbatim(slice(start.start, end)), try parseType())
  }

  /// One bracketed list; returns the sizes of it and of what it holds.
  private mutating func parseDenseList(_ literal: inout DenseLiteral) throws(DiagnosticError) -> [Int] {
    try descend()
    defer { ascend() }
    try expect(.leftBracket, "'['")
    if take(.rightBracket) { return [0] }
    var count = 0
    var inner: [Int]?
    repeat {
      let place = token
      let sizes: [Int]
      if at(.leftBracket) {
        sizes = try parseDenseList(&literal)
      } else {
        literal.scalars.append((try takeScalar(), place.start))
        sizes = []
      }
      if let inner, inner != sizes {
        throw source.error("dense-size", "lists of a dense value must have equal sizes", at: place.start)
      }
      inner = sizes
      count += 1
    } while take(.comma)
    try expect(.rightBracket, "',' or ']'")
    return [count] + (inner ?? [])
  }

  private func encode(_ literal: DenseLiteral, _ type: TypeSyntax, at offset: Int) throws(DiagnosticError)
    -> DenseElements
  {
    let (shape, element, count, size) = try denseLayout(type, at: offset)
    if literal.isScalar {
      guard count > 0 else {
        throw source.error("dense-size", "a tensor without elements takes no value", at: offset)
      }
    } else if count == 0 {
      guard literal.scalars.isEmpty else {
        throw source.error("dense-size", "\(literal.scalars.count) values for a tensor without elements", at: offset)
      }
    } else if literal.sizes != shape {
      throw source.error("dense-size", "the value has shape \(literal.sizes) but its type has \(shape)", at: offset)
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(literal.scalars.count * size)
    for (scalar, place) in literal.scalars {
      appendLittleEndian(try scalarBits(scalar, element, at: place), byteCount: size, to: &bytes)
    }
    return DenseElements(type: type, isSplat: literal.isScalar, bytes: bytes)
  }

  private func denseLayout(_ type: TypeSyntax, at offset: Int) throws(DiagnosticError)
    -> (shape: [Int], element: TypeSyntax, count: Int, size: Int)
  {
    let isValueType: Bool
    switch type {
    case .tensor, .vector: isValueType = true
    default: isValueType = false
    }
    guard isValueType, let shape = type.staticShape, let element = type.elementType,
      let size = DenseElements.byteCount(of: element)
    else {
      throw source.error(
        "dense-type", "a dense value needs a tensor or vector of static shape and number elements, not \(type)",
        at: offset)
    }
    guard let count = DenseElements.elementCount(shape), count <= 1 << 40 else {
      throw source.error("number-range", "the shape of \(type) has too many elements", at: offset)
    }
    return (shape, element, count, size)
  }

  /// `dense<"0x…"> : type`: little-endian bytes of all elements or of one.
  private mutating func parseDenseBlob(_ start: Token) throws(DiagnosticError) -> AttributeSyntax {
    let blob = token
    guard let bytes = hexadecimalBytes(blob) else {
      if source.bytes[blob.start + 1] == UInt8(ascii: "0") {
        throw source.error("dense-size", "a dense blob must be '0x' and pairs of hexadecimal digits", at: blob.start)
      }
      return try parseVerbatimDense(start)
    }
    advance()
    try expect(.greater, "'>'")
    try expect(.colon, "':' and the type")
    let typeStart = token.start
    let type = try parseType()
    let (_, _, count, size) = try denseLayout(type, at: typeStart)
    let isSplat = bytes.count == size && count != 0
    guard isSplat || bytes.count == count * size else {
      throw source.error(
        "dense-size", "the blob has \(bytes.count) bytes but \(type) needs \(count * size)", at: blob.start)
    }
    return .dense(DenseElements(type: type, isSplat: isSplat, bytes: bytes))
  }

  /// The bytes of a `"0x…"` string token; nil when it is something else.
  func hexadecimalBytes(_ token: Token) -> [UInt8]? {
    let start = token.start + 3
    let end = token.end - 1
    guard end >= start, (end - start) % 2 == 0, source.bytes[token.start + 1] == UInt8(ascii: "0"),
      source.bytes[token.start + 2] == UInt8(ascii: "x")
    else { return nil }
    return source.bytes.withUnsafeBufferPointer { buffer in
      var bytes: [UInt8] = []
      bytes.reserveCapacity((end - start) / 2)
      var index = start
      while index < end {
        guard let high = hexadecimalDigit(buffer[index]), let low = hexadecimalDigit(buffer[index + 1]) else {
          return nil
        }
        bytes.append(high << 4 | low)
        index += 2
      }
      return bytes
    }
  }
}
