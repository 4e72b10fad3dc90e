import PantileSupport

extension CostExpr: CustomStringConvertible {
  /// Text that `init(parsing:)` reads back to an equal expression, for example
  /// `ceildiv(tile(m), 16) * trips(n) + max(tile(k), 4)`.
  public var description: String { text(precedence: 0) }

  private func text(precedence: Int) -> String {
    switch self {
    case .constant(let value): return String(value)
    case .extent(let d): return "extent(\(d))"
    case .tile(let d): return "tile(\(d))"
    case .trips(let d): return "trips(\(d))"
    case .last(let d): return "last(\(d))"
    case .add(let a, let b):
      let sum = "\(a.text(precedence: 1)) + \(b.text(precedence: 2))"
      return precedence > 1 ? "(\(sum))" : sum
    case .multiply(let a, let b):
      let product = "\(a.text(precedence: 2)) * \(b.text(precedence: 3))"
      return precedence > 2 ? "(\(product))" : product
    case .maximum(let a, let b): return "max(\(a), \(b))"
    case .minimum(let a, let b): return "min(\(a), \(b))"
    case .ceilDivide(let a, let b): return "ceildiv(\(a), \(b))"
    case .select(let a, let b, let x, let y): return "select(\(a) <= \(b), \(x), \(y))"
    }
  }

  /// Reads the text form.
  ///
  /// Nothing is folded, so that printing and parsing are inverse to each other.
  /// - Throws: `cost-syntax` with the byte offset where reading stopped.
  public init(parsing text: String) throws(DiagnosticError) {
    var reader = CostReader(bytes: Array(text.utf8))
    self = try reader.sum(depth: 0)
    try reader.end()
  }
}

/// A recursive-descent reader of cost expressions.
private struct CostReader {
  let bytes: [UInt8]
  var position = 0
  /// Nesting beyond this is refused instead of overflowing the call stack.
  static let depthLimit = 200
  /// More operators than this are refused: a chain of them is as deep a tree as nested parentheses.
  static let operatorLimit = 4_000
  var operators = 0

  mutating func countOperator() throws(DiagnosticError) {
    operators += 1
    if operators > Self.operatorLimit { throw failure("at most \(Self.operatorLimit) operators") }
  }

  mutating func skipSpace() {
    while position < bytes.count, bytes[position] == 32 || bytes[position] == 9 || bytes[position] == 10 {
      position += 1
    }
  }

  func failure(_ expected: String) -> DiagnosticError {
    let found = position < bytes.count ? "'\(Character(Unicode.Scalar(bytes[position])))'" : "the end"
    return DiagnosticError(
      "cost-syntax", "expected \(expected), found \(found) at offset \(position) of cost expression")
  }

  mutating func take(_ token: String) -> Bool {
    skipSpace()
    let want = Array(token.utf8)
    guard position + want.count <= bytes.count, Array(bytes[position..<(position + want.count)]) == want else {
      return false
    }
    position += want.count
    return true
  }

  mutating func expect(_ token: String) throws(DiagnosticError) {
    if !take(token) { throw failure("'\(token)'") }
  }

  mutating func end() throws(DiagnosticError) {
    skipSpace()
    if position < bytes.count { throw failure("the end") }
  }

  mutating func sum(depth: Int) throws(DiagnosticError) -> CostExpr {
    guard depth < Self.depthLimit else { throw failure("at most \(Self.depthLimit) nested parentheses") }
    var left = try product(depth: depth)
    while take("+") {
      try countOperator()
      left = .add(left, try product(depth: depth))
    }
    return left
  }

  mutating func product(depth: Int) throws(DiagnosticError) -> CostExpr {
    var left = try atom(depth: depth)
    while take("*") {
      try countOperator()
      left = .multiply(left, try atom(depth: depth))
    }
    return left
  }

  mutating func name() throws(DiagnosticError) -> String {
    skipSpace()
    let start = position
    while position < bytes.count, Self.isNameByte(bytes[position]) { position += 1 }
    guard position > start else { throw failure("a name") }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  static func isNameByte(_ b: UInt8) -> Bool {
    (b >= 97 && b <= 122) || (b >= 65 && b <= 90) || (b >= 48 && b <= 57) || b == 95 || b == 46
  }

  mutating func atom(depth: Int) throws(DiagnosticError) -> CostExpr {
    skipSpace()
    guard position < bytes.count else { throw failure("an expression") }
    if take("(") {
      let inner = try sum(depth: depth + 1)
      try expect(")")
      return inner
    }
    let first = bytes[position]
    if first == 45 || (first >= 48 && first <= 57) { return try number() }
    let start = position
    let word = try name()
    switch word {
    case "extent": return .extent(try argument())
    case "tile": return .tile(try argument())
    case "trips": return .trips(try argument())
    case "last": return .last(try argument())
    case "max":
      let (a, b) = try pair(depth)
      return .maximum(a, b)
    case "min":
      let (a, b) = try pair(depth)
      return .minimum(a, b)
    case "ceildiv":
      let (a, b) = try pair(depth)
      return .ceilDivide(a, b)
    case "select":
      try expect("(")
      let a = try sum(depth: depth + 1)
      try expect("<=")
      let b = try sum(depth: depth + 1)
      try expect(",")
      let x = try sum(depth: depth + 1)
      try expect(",")
      let y = try sum(depth: depth + 1)
      try expect(")")
      return .select(a, b, x, y)
    default:
      position = start
      throw failure("one of extent, tile, trips, last, max, min, ceildiv, select")
    }
  }

  mutating func number() throws(DiagnosticError) -> CostExpr {
    let start = position
    if bytes[position] == 45 { position += 1 }
    while position < bytes.count, bytes[position] >= 48, bytes[position] <= 57 { position += 1 }
    guard let value = Int(String(decoding: bytes[start..<position], as: UTF8.self)) else {
      position = start
      throw failure("a 64-bit integer")
    }
    return .constant(value)
  }

  mutating func argument() throws(DiagnosticError) -> String {
    try expect("(")
    let value = try name()
    try expect(")")
    return value
  }

  mutating func pair(_ depth: Int) throws(DiagnosticError) -> (CostExpr, CostExpr) {
    try expect("(")
    let a = try sum(depth: depth + 1)
    try expect(",")
    let b = try sum(depth: depth + 1)
    try expect(")")
    return (a, b)
  }
}
