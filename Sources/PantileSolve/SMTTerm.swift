/// A node of a formula. Immutable and shared, so that a value used twice is one node and is translated once.
final class SMTNode: Sendable {
  enum Operation: Hashable, Sendable {
    case variable(String, SMTSort)
    case truth(Bool)
    case integer(Int)
    case bits(UInt64, width: Int)
    case not, and, or, xor, implies, equal, ifThenElse
    case add, subtract, multiply, lessOrEqual, less
    case bitAnd, bitOr, bitXor, bitNot, bitAdd, bitSubtract, bitMultiply, bitNegate
    case shiftLeft, logicalShiftRight, arithmeticShiftRight
    case unsignedDivide, unsignedRemainder, signedDivide, signedRemainder
    case unsignedLess, unsignedLessOrEqual, signedLess, signedLessOrEqual
    case extract(high: Int, low: Int)
    case concatenate
    case signExtend(Int)
    case zeroExtend(Int)
  }
  let operation: Operation
  /// Written by `init` and `deinit` alone, which no other thread can overlap.
  nonisolated(unsafe) private(set) var arguments: [SMTNode]

  init(_ operation: Operation, _ arguments: [SMTNode] = []) {
    self.operation = operation
    self.arguments = arguments
  }

  /// Takes a formula apart by a list of our own: releasing a deep one by recursion would exhaust the stack.
  deinit {
    if arguments.isEmpty { return }
    var pending = arguments
    arguments = []
    while var node = pending.popLast() {
      if isKnownUniquelyReferenced(&node) {
        pending += node.arguments
        node.arguments = []
      }
    }
  }
}

/// The type of a variable in a query.
public enum SMTSort: Hashable, Sendable {
  case truth
  case integer
  case bits(width: Int)
}

/// A statement that is true or false.
public struct SMTBool: Sendable {
  let node: SMTNode
  init(_ op: SMTNode.Operation, _ arguments: [SMTNode] = []) { node = SMTNode(op, arguments) }

  public init(_ value: Bool) { self.init(.truth(value)) }

  /// A free truth value.
  public static func variable(_ name: String) -> SMTBool { SMTBool(.variable(name, .truth)) }

  public static prefix func ! (a: SMTBool) -> SMTBool { SMTBool(.not, [a.node]) }
  public static func && (a: SMTBool, b: SMTBool) -> SMTBool { SMTBool(.and, [a.node, b.node]) }
  public static func || (a: SMTBool, b: SMTBool) -> SMTBool { SMTBool(.or, [a.node, b.node]) }
  public static func ^ (a: SMTBool, b: SMTBool) -> SMTBool { SMTBool(.xor, [a.node, b.node]) }
  public static func == (a: SMTBool, b: SMTBool) -> SMTBool { SMTBool(.equal, [a.node, b.node]) }
  public func implies(_ other: SMTBool) -> SMTBool { SMTBool(.implies, [node, other.node]) }

  /// All of a list; true when it is empty.
  public static func all(_ list: [SMTBool]) -> SMTBool {
    list.isEmpty ? SMTBool(true) : SMTBool(.and, list.map(\.node))
  }

  /// One of a list; false when it is empty.
  public static func any(_ list: [SMTBool]) -> SMTBool {
    list.isEmpty ? SMTBool(false) : SMTBool(.or, list.map(\.node))
  }
}

/// An unbounded integer. Products of two variables leave linear arithmetic; the answer may then be unknown.
public struct SMTInt: Sendable {
  let node: SMTNode
  init(_ op: SMTNode.Operation, _ arguments: [SMTNode] = []) { node = SMTNode(op, arguments) }

  public init(_ value: Int) { self.init(.integer(value)) }

  /// A free integer.
  public static func variable(_ name: String) -> SMTInt { SMTInt(.variable(name, .integer)) }

  public static func + (a: SMTInt, b: SMTInt) -> SMTInt { SMTInt(.add, [a.node, b.node]) }
  public static func - (a: SMTInt, b: SMTInt) -> SMTInt { SMTInt(.subtract, [a.node, b.node]) }
  public static func * (a: Int, b: SMTInt) -> SMTInt { SMTInt(.multiply, [SMTInt(a).node, b.node]) }
  public static func * (a: SMTInt, b: SMTInt) -> SMTInt { SMTInt(.multiply, [a.node, b.node]) }
  public static func + (a: SMTInt, b: Int) -> SMTInt { a + SMTInt(b) }
  public static func <= (a: SMTInt, b: SMTInt) -> SMTBool { SMTBool(.lessOrEqual, [a.node, b.node]) }
  public static func < (a: SMTInt, b: SMTInt) -> SMTBool { SMTBool(.less, [a.node, b.node]) }
  public static func == (a: SMTInt, b: SMTInt) -> SMTBool { SMTBool(.equal, [a.node, b.node]) }
  public static func <= (a: SMTInt, b: Int) -> SMTBool { a <= SMTInt(b) }
  public static func >= (a: SMTInt, b: Int) -> SMTBool { SMTInt(b) <= a }
  public static func == (a: SMTInt, b: Int) -> SMTBool { a == SMTInt(b) }

  /// The first where the condition holds, else the second.
  public static func choose(_ condition: SMTBool, _ a: SMTInt, _ b: SMTInt) -> SMTInt {
    SMTInt(.ifThenElse, [condition.node, a.node, b.node])
  }
}

/// A word of a fixed number of bits, with the wrapping arithmetic of hardware.
///
/// Both sides of an operation must have the same width; a mismatch is reported when the query is solved.
public struct SMTBits: Sendable {
  let node: SMTNode
  public let width: Int

  init(_ op: SMTNode.Operation, _ arguments: [SMTNode] = [], width: Int) {
    node = SMTNode(op, arguments)
    self.width = width
  }

  /// A constant; bits above `width` are cut off.
  public init(_ value: Int, width: Int) {
    self.init(.bits(UInt64(bitPattern: Int64(value)), width: width), width: width)
  }

  /// A free word.
  public static func variable(_ name: String, width: Int) -> SMTBits {
    SMTBits(.variable(name, .bits(width: width)), width: width)
  }

  private func with(_ op: SMTNode.Operation, _ other: SMTBits) -> SMTBits {
    SMTBits(op, [node, other.node], width: width)
  }

  public static func & (a: SMTBits, b: SMTBits) -> SMTBits { a.with(.bitAnd, b) }
  public static func | (a: SMTBits, b: SMTBits) -> SMTBits { a.with(.bitOr, b) }
  public static func ^ (a: SMTBits, b: SMTBits) -> SMTBits { a.with(.bitXor, b) }
  public static prefix func ~ (a: SMTBits) -> SMTBits { SMTBits(.bitNot, [a.node], width: a.width) }
  public static prefix func - (a: SMTBits) -> SMTBits { SMTBits(.bitNegate, [a.node], width: a.width) }
  public static func &+ (a: SMTBits, b: SMTBits) -> SMTBits { a.with(.bitAdd, b) }
  public static func &- (a: SMTBits, b: SMTBits) -> SMTBits { a.with(.bitSubtract, b) }
  public static func &* (a: SMTBits, b: SMTBits) -> SMTBits { a.with(.bitMultiply, b) }
  public static func == (a: SMTBits, b: SMTBits) -> SMTBool { SMTBool(.equal, [a.node, b.node]) }
  public func shiftedLeft(by b: SMTBits) -> SMTBits { with(.shiftLeft, b) }
  public func shiftedLeft(by count: Int) -> SMTBits { with(.shiftLeft, SMTBits(count, width: width)) }
  /// Zeros come in from the left.
  public func logicallyShiftedRight(by b: SMTBits) -> SMTBits { with(.logicalShiftRight, b) }
  public func logicallyShiftedRight(by count: Int) -> SMTBits {
    logicallyShiftedRight(by: SMTBits(count, width: width))
  }
  /// Copies of the sign come in from the left.
  public func arithmeticallyShiftedRight(by b: SMTBits) -> SMTBits { with(.arithmeticShiftRight, b) }
  public func arithmeticallyShiftedRight(by count: Int) -> SMTBits {
    arithmeticallyShiftedRight(by: SMTBits(count, width: width))
  }
  public func unsignedDivided(by b: SMTBits) -> SMTBits { with(.unsignedDivide, b) }
  public func unsignedRemainder(by b: SMTBits) -> SMTBits { with(.unsignedRemainder, b) }
  /// Rounded towards zero.
  public func signedDivided(by b: SMTBits) -> SMTBits { with(.signedDivide, b) }
  public func signedRemainder(by b: SMTBits) -> SMTBits { with(.signedRemainder, b) }
  public func unsignedLess(_ b: SMTBits) -> SMTBool { SMTBool(.unsignedLess, [node, b.node]) }
  public func unsignedLessOrEqual(_ b: SMTBits) -> SMTBool { SMTBool(.unsignedLessOrEqual, [node, b.node]) }
  public func signedLess(_ b: SMTBits) -> SMTBool { SMTBool(.signedLess, [node, b.node]) }
  public func signedLessOrEqual(_ b: SMTBits) -> SMTBool { SMTBool(.signedLessOrEqual, [node, b.node]) }

  /// Bits `range.lowerBound ... range.upperBound`, bit 0 is the lowest.
  public func bits(_ range: ClosedRange<Int>) -> SMTBits {
    SMTBits(
      .extract(high: range.upperBound, low: range.lowerBound), [node], width: range.upperBound &- range.lowerBound &+ 1)
  }

  /// This word above the other.
  public func concatenated(with low: SMTBits) -> SMTBits {
    SMTBits(.concatenate, [node, low.node], width: width &+ low.width)
  }

  /// The same signed value in more bits; the word itself when it is wide enough.
  public func signExtended(to newWidth: Int) -> SMTBits {
    newWidth <= width ? self : SMTBits(.signExtend(newWidth &- width), [node], width: newWidth)
  }

  /// The same unsigned value in more bits; the word itself when it is wide enough.
  public func zeroExtended(to newWidth: Int) -> SMTBits {
    newWidth <= width ? self : SMTBits(.zeroExtend(newWidth &- width), [node], width: newWidth)
  }

  /// The first where the condition holds, else the second.
  public static func choose(_ condition: SMTBool, _ a: SMTBits, _ b: SMTBits) -> SMTBits {
    SMTBits(.ifThenElse, [condition.node, a.node, b.node], width: a.width)
  }
}
