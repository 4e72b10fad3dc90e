import PantileSupport

/// The lines of a text, to point into it with a caret.
struct TextPlaces {
  private let path: String
  private let lines: [Substring.UTF8View]

  init(_ text: String, path: String) {
    self.path = path
    lines = text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).map { Substring($0).utf8 }
  }

  /// The error with its source line, when it has a place in this text.
  func diagnostic(_ code: String, _ message: String, at location: SourceLocation, hint: String? = nil) -> Diagnostic {
    guard let position = location.filePosition, position.path == path, lines.indices.contains(position.line - 1) else {
      return Diagnostic(code, message, at: location, hint: hint)
    }
    let line = String(decoding: lines[position.line - 1].prefix(400), as: UTF8.self)
    return Diagnostic(code, message, at: location, hint: hint, sourceLine: line)
  }

  /// Where `body`, which stands somewhere behind `location`, has its byte `offset`; the location itself if it is not found.
  func place(of body: String, offset: Int, after location: SourceLocation) -> SourceLocation {
    guard let position = location.filePosition, position.path == path, !body.isEmpty, position.column > 0,
      lines.indices.contains(position.line - 1)
    else { return location }
    let wanted = Array(body.utf8)
    // An attribute stands on one line; an op seldom has more than these.
    for index in position.line - 1..<min(position.line + 40, lines.count) {
      let line = Array(lines[index])
      let from = index == position.line - 1 ? position.column - 1 : 0
      guard line.count >= from + wanted.count else { continue }
      for start in from...line.count - wanted.count where line[start] == wanted[0] {
        if line[start..<start + wanted.count].elementsEqual(wanted) {
          return .file(path: path, line: index + 1, column: start + offset + 1)
        }
      }
    }
    return location
  }
}

/// Reads the small syntax inside the `program` dialect's attributes.
struct TextScanner {
  /// What is wrong, and at which byte of the scanned text.
  struct Failure: Error {
    var code = "program-syntax"
    var message: String
    var offset: Int
  }

  private let bytes: [UInt8]
  private(set) var offset = 0

  init(_ text: String) { bytes = Array(text.utf8) }

  private mutating func skipSpace() {
    while offset < bytes.count, bytes[offset] == 0x20 || bytes[offset] == 0x09 { offset += 1 }
  }

  /// What stands at the current place, for messages.
  private var found: String {
    if offset >= bytes.count { return "the end" }
    return "'\(String(decoding: bytes[offset..<min(bytes.count, offset + 16)], as: UTF8.self))'"
  }

  func failure(_ message: String) -> Failure { Failure(message: "\(message) but found \(found)", offset: offset) }

  mutating func isAtEnd() -> Bool {
    skipSpace()
    return offset == bytes.count
  }

  mutating func expectEnd() throws(Failure) {
    guard isAtEnd() else { throw failure("expected the end") }
  }

  /// A punctuation byte.
  mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard offset < bytes.count, bytes[offset] == UInt8(ascii: character) else { return false }
    offset += 1
    return true
  }

  mutating func expect(_ character: Unicode.Scalar) throws(Failure) {
    guard take(character) else { throw failure("expected '\(character)'") }
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      return true
    default: return false
    }
  }

  /// Letters, digits and underscores, not consumed; empty when something else stands there.
  mutating func peekWord() -> String {
    skipSpace()
    var end = offset
    while end < bytes.count, Self.isWordByte(bytes[end]) { end += 1 }
    return String(decoding: bytes[offset..<end], as: UTF8.self)
  }

  mutating func word(_ what: String) throws(Failure) -> String {
    let word = peekWord()
    guard !word.isEmpty else { throw failure("expected \(what)") }
    offset += word.utf8.count
    return word
  }

  mutating func takeWord(_ word: String) -> Bool {
    guard peekWord() == word else { return false }
    offset += word.utf8.count
    return true
  }

  mutating func expectWord(_ word: String) throws(Failure) {
    guard takeWord(word) else { throw failure("expected '\(word)'") }
  }

  /// A decimal or `0x` number with an optional sign.
  mutating func integer(_ what: String) throws(Failure) -> Int {
    skipSpace()
    let start = offset
    let isNegative = take("-")
    let digits = peekWord()
    guard let first = digits.utf8.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
      offset = start
      throw failure("expected \(what)")
    }
    let text = isNegative ? "-" : ""
    let value = digits.hasPrefix("0x") ? Int(text + digits.dropFirst(2), radix: 16) : Int(text + digits)
    guard let value else {
      throw Failure(code: "number-range", message: "'\(text)\(digits)' is no number of 64 bits", offset: start)
    }
    offset += digits.utf8.count
    return value
  }

  /// `prefix` and a number that is not negative, as in `i0`.
  mutating func indexed(_ prefix: String, _ what: String) throws(Failure) -> Int {
    let word = peekWord()
    guard word.hasPrefix(prefix), let index = Int(word.dropFirst(prefix.utf8.count)), index >= 0 else {
      throw failure("expected \(what)")
    }
    offset += word.utf8.count
    return index
  }

  /// The characters of a number, `0x` pattern included, up to something that cannot be part of one.
  mutating func numberText() throws(Failure) -> String {
    skipSpace()
    var end = offset
    while end < bytes.count,
      Self.isWordByte(bytes[end]) || bytes[end] == UInt8(ascii: ".") || bytes[end] == UInt8(ascii: "-")
        || bytes[end] == UInt8(ascii: "+")
    {
      end += 1
    }
    guard end > offset else { throw failure("expected a number") }
    defer { offset = end }
    return String(decoding: bytes[offset..<end], as: UTF8.self)
  }

  /// `@name` or `@"any \22 name"`.
  mutating func symbol() throws(Failure) -> String {
    skipSpace()
    guard offset < bytes.count, bytes[offset] == UInt8(ascii: "@") else { throw failure("expected a symbol") }
    var end = offset + 1
    if end < bytes.count, bytes[end] == UInt8(ascii: "\"") {
      var name: [UInt8] = []
      end += 1
      while end < bytes.count, bytes[end] != UInt8(ascii: "\"") {
        if bytes[end] == UInt8(ascii: "\\"), end + 2 < bytes.count,
          let value = UInt8(String(decoding: bytes[end + 1...end + 2], as: UTF8.self), radix: 16)
        {
          name.append(value)
          end += 3
        } else if bytes[end] == UInt8(ascii: "\\"), end + 1 < bytes.count {
          switch bytes[end + 1] {
          case UInt8(ascii: "n"): name.append(0x0A)
          case UInt8(ascii: "t"): name.append(0x09)
          case let other: name.append(other)
          }
          end += 2
        } else {
          name.append(bytes[end])
          end += 1
        }
      }
      guard end < bytes.count else { throw failure("expected a closing '\"'") }
      offset = end + 1
      return String(decoding: name, as: UTF8.self)
    }
    let start = end
    while end < bytes.count,
      Self.isWordByte(bytes[end]) || bytes[end] == UInt8(ascii: "$") || bytes[end] == UInt8(ascii: ".")
    {
      end += 1
    }
    guard end > start else { throw failure("expected a symbol") }
    defer { offset = end }
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }
}

// MARK: Pieces of a Program

extension TextScanner {
  /// A sum of constants, loops `i0` and, when `dims` is not nil, dims `d0`, each with an optional constant factor.
  mutating func affine(dims: UnsafeMutablePointer<[Int]>? = nil) throws(Failure) -> Affine {
    var constant = 0
    var coefficients: [(depth: Int, value: Int)] = []
    var isFirst = true
    while true {
      var sign = 1
      if take("-") {
        sign = -1
      } else if !isFirst {
        guard take("+") else { break }
      }
      isFirst = false
      let start = offset
      var factor = sign
      var name = peekWord()
      if let byte = name.utf8.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
        factor = try Self.small(try integer("a number"), at: start) * sign
        guard take("*") else {
          constant = try Self.small(constant + factor, at: start)
          continue
        }
        name = peekWord()
      }
      if name.hasPrefix("d"), dims != nil {
        let d = try indexed("d", "a dim such as d0")
        guard d < AddressGenerator.maximumDims else {
          throw Failure(
            message: "dim d\(d) is beyond the \(AddressGenerator.maximumDims) that there are", offset: start)
        }
        while let count = dims?.pointee.count, count <= d { dims?.pointee.append(0) }
        dims?.pointee[d] = factor
      } else {
        let depth = try indexed("i", "a number or a loop such as i0")
        guard depth < 1 << 16 else { throw Failure(message: "loop i\(depth) is too deep", offset: start) }
        if let known = coefficients.firstIndex(where: { $0.depth == depth }) {
          coefficients[known].value = try Self.small(coefficients[known].value + factor, at: start)
        } else {
          coefficients.append((depth, factor))
        }
      }
    }
    return Affine(constant, coefficients.map { Affine.Term(depth: $0.depth, coefficient: $0.value) })
  }

  /// Sums of two such numbers and eight times one of them fit 64 bits.
  private static func small(_ value: Int, at offset: Int) throws(Failure) -> Int {
    guard value.magnitude < 1 << 56 else {
      throw Failure(code: "number-range", message: "\(value) is no address: it needs more than 56 bits", offset: offset)
    }
    return value
  }

  mutating func loop() throws(Failure) -> Int { try indexed("i", "a loop such as i0") }

  /// `64` or `64 last(i0) 17`.
  mutating func extent() throws(Failure) -> Extent {
    let full = try integer("a length")
    guard takeWord("last") else { return Extent(full) }
    try expect("(")
    let depth = try loop()
    try expect(")")
    return Extent(full: full, last: try integer("the last length"), depth: depth)
  }

  /// `first(i0), notLast(i1)`.
  mutating func guards() throws(Failure) -> [Guard] {
    var guards: [Guard] = []
    repeat {
      let start = offset
      let name = try word("first, last, notFirst or notLast")
      guard let position = Guard.Position(rawValue: name) else {
        throw Failure(message: "'\(name)' is not one of first, last, notFirst, notLast", offset: start)
      }
      try expect("(")
      guards.append(Guard(position, try loop()))
      try expect(")")
    } while take(",")
    return guards
  }

  mutating func optionalCount() throws(Failure) -> Int { take("*") ? try integer("a token count") : 1 }

  mutating func optionalGuards() throws(Failure) -> [Guard] { takeWord("when") ? try guards() : [] }

  mutating func register(_ what: String) throws(Failure) -> Int { try indexed("r", "\(what) such as r0") }

  /// `r2 = addI32(r0, r1)`.
  mutating func instruction() throws(Failure) -> Kernel.Instruction {
    let destination = try register("a destination register")
    try expect("=")
    let start = offset
    let name = try word("an operation")
    guard let operation = KernelOperation(rawValue: name) else {
      let near = nearestName(to: name, among: KernelOperation.allCases.map(\.rawValue))
      throw Failure(
        message: "'\(name)' is no kernel operation\(near.map { ", did you mean '\($0)'" } ?? "")", offset: start)
    }
    try expect("(")
    var registers: [Int] = []
    var immediates: [Int] = []
    repeat {
      if peekWord().hasPrefix("r"), registers.count < 3 {
        let index = try register("a register")
        if registers.count == 2 { immediates.append(index) }
        registers.append(index)
      } else if operation.hasFloatImmediates {
        immediates.append(try floatBits())
      } else {
        immediates.append(try integer("a number"))
      }
    } while take(",")
    try expect(")")
    let wanted = operation.isBinary ? 2 : 1
    guard registers.count >= wanted, registers.count < 3 || operation.readsThirdRegister else {
      throw Failure(message: "'\(name)' reads \(wanted) registers, not \(registers.count)", offset: start)
    }
    return Kernel.Instruction(operation, destination, registers[0], registers.count > 1 ? registers[1] : 0, immediates)
  }

  private mutating func floatBits() throws(Failure) -> Int {
    let start = offset
    let text = try numberText()
    if text.hasPrefix("0x"), let bits = Int(text.dropFirst(2), radix: 16) { return bits }
    if text.hasPrefix("-0x"), let bits = Int("-" + text.dropFirst(3), radix: 16) { return bits }
    guard !text.contains("x"), let value = Float(text) else {
      throw Failure(message: "'\(text)' is no number", offset: start)
    }
    return Int(value.bitPattern)
  }
}
