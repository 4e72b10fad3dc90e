import PantileSupport

/// The sorts of all terms of a query, found before Z3 sees it: Z3 reports some misuse, but not all of it, and has no limit of size.
struct SMTSorts {
  /// The variables in order of first use.
  private(set) var variables: [(name: String, sort: SMTSort)] = []
  private var sorts: [ObjectIdentifier: SMTSort] = [:]
  /// Of the integer terms that are not constant: 1 when linear.
  private var degrees: [ObjectIdentifier: Int] = [:]
  private var errors: [Diagnostic] = []
  /// Gates of a plain circuit for the words, roughly.
  private var size = 0

  /// Bits of a word.
  static let widthLimit = 1 << 16
  /// One multiplication of 512 bits or division of 128. Z3's resource limit does not count the making of circuits, so this does: a
  /// remainder of 300 bits took 20 seconds.
  static let sizeLimit = 1 << 18
  /// Factors in a product of integer variables: Z3 did not end with four.
  static let degreeLimit = 2

  /// - Parameter order: all nodes, arguments before users.
  /// - Throws: `bad-query`, `query-too-large`.
  init(_ order: [SMTNode]) throws(DiagnosticError) {
    var declared: [String: SMTSort] = [:]
    for node in order {
      if case .variable(let name, let sort) = node.operation {
        if let known = declared[name] {
          if known != sort { fail("variable '\(name)' is \(known) and \(sort)") }
        } else {
          declared[name] = sort
          variables.append((name, sort))
        }
      }
      // A node whose argument is wrong has been reported there.
      let arguments = node.arguments.compactMap { sorts[ObjectIdentifier($0)] }
      if arguments.count == node.arguments.count, let sort = sort(node.operation, arguments) {
        sorts[ObjectIdentifier(node)] = sort
        if sort == .integer { try measure(node) }
      }
      if errors.count >= 20 { break }
    }
    if !errors.isEmpty { throw DiagnosticError(errors) }
    if size > Self.sizeLimit {
      throw DiagnosticError("query-too-large", "the words need about \(size) gates, the limit is \(Self.sizeLimit)")
    }
  }

  private mutating func measure(_ node: SMTNode) throws(DiagnosticError) {
    var degree = 0
    for argument in node.arguments {
      let other = degrees[ObjectIdentifier(argument)] ?? 0
      degree = node.operation == .multiply ? degree + other : max(degree, other)
    }
    if case .variable = node.operation { degree = 1 }
    if degree > Self.degreeLimit {
      throw DiagnosticError("query-too-large", "a product has degree \(degree), the limit is \(Self.degreeLimit)")
    }
    if degree > 0 { degrees[ObjectIdentifier(node)] = degree }
  }

  private mutating func fail(_ message: String) { errors.append(Diagnostic("bad-query", message)) }

  private mutating func word(_ width: Int) -> SMTSort? {
    if width < 1 || width > Self.widthLimit {
      fail("a word has \(width) bits, the limit is \(Self.widthLimit)")
      return nil
    }
    count(width)
    return .bits(width: width)
  }

  private mutating func count(_ gates: Int) {
    let (sum, overflow) = size.addingReportingOverflow(gates)
    size = overflow ? .max : sum
  }

  /// The sort of an operation's result; nil after a report.
  private mutating func sort(_ operation: SMTNode.Operation, _ arguments: [SMTSort]) -> SMTSort? {
    func all(_ sort: SMTSort) -> Bool { arguments.allSatisfy { $0 == sort } }
    var width: Int? {
      guard case .bits(let width)? = arguments.first, all(.bits(width: width)) else { return nil }
      return width
    }
    switch operation {
    case .variable(_, .bits(let width)): return word(width)
    case .variable(_, let sort): return sort
    case .truth: return .truth
    case .integer: return .integer
    case .bits(_, let width): return word(width)
    case .not, .and, .or, .xor, .implies:
      if all(.truth) { return .truth }
    case .equal:
      if let first = arguments.first, all(first) {
        if case .bits(let width) = first { count(width) }
        return .truth
      }
    case .ifThenElse:
      if arguments.count == 3, arguments[0] == .truth, arguments[1] == arguments[2] {
        if case .bits(let width) = arguments[1] { count(width) }
        return arguments[1]
      }
    case .add, .subtract, .multiply:
      if all(.integer) { return .integer }
    case .lessOrEqual, .less:
      if all(.integer) { return .truth }
    case .bitAnd, .bitOr, .bitXor, .bitNot, .bitAdd, .bitSubtract, .bitNegate:
      if let width { return word(width) }
    case .shiftLeft, .logicalShiftRight, .arithmeticShiftRight:
      if let width {
        count(width * (Int.bitWidth - width.leadingZeroBitCount))
        return word(width)
      }
    case .bitMultiply:
      if let width {
        count(width * width)
        return word(width)
      }
    case .unsignedDivide, .unsignedRemainder, .signedDivide, .signedRemainder:
      if let width {
        count(16 * width * width)
        return word(width)
      }
    case .unsignedLess, .unsignedLessOrEqual, .signedLess, .signedLessOrEqual:
      if let width {
        count(width)
        return .truth
      }
    case .extract(let high, let low):
      if let width {
        if low >= 0, high >= low, high < width { return word(high - low + 1) }
        fail("bits \(low) ... \(high) of \(width) are asked for")
        return nil
      }
    case .concatenate:
      if case .bits(let high)? = arguments.first, case .bits(let low)? = arguments.last, arguments.count == 2 {
        return word(high + low)
      }
    case .signExtend(let count), .zeroExtend(let count):
      if let width {
        let (sum, overflow) = width.addingReportingOverflow(count)
        if count >= 0 { return word(overflow ? .max : sum) }
        fail("a word of \(width) bits is extended by \(count)")
        return nil
      }
    }
    fail("\(operation) is applied to \(arguments.map { "\($0)" }.joined(separator: ", "))")
    return nil
  }
}
