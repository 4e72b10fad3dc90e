/// A combinational datapath over whole numbers: what a file's definitions become for fixed parameters.
///
/// Nodes stand after their arguments; equal nodes are one. Values are unbounded integers; the words of hardware are made by
/// `wrapSigned`, `wrapUnsigned` and `field`.
struct Circuit: Sendable {
  enum Operation: Hashable, Sendable {
    case constant(Int)
    case input(Int)
    case add, subtract, multiply
    /// Rounded to minus infinity, by a positive constant.
    case floorDivide(Int)
    case shiftLeft, shiftRight
    /// 1 or 0.
    case less, equal
    case select
    case minimum, maximum
    case table(Int)
    /// The place of the highest one bit; -1 where there is none: of zero and of negative numbers.
    case leadingOne
    case bitAnd, bitOr, bitXor
    case wrapSigned(Int)
    case wrapUnsigned(Int)
    /// Bits `low ..< low + width` as an unsigned number.
    case field(low: Int, width: Int)
  }

  struct Node: Hashable, Sendable {
    var operation: Operation
    var arguments: [Int]
  }

  /// A free value with all it may be.
  struct Input: Sendable {
    var name: String
    var range: ClosedRange<Int>
  }

  private(set) var nodes: [Node] = []
  private(set) var ranges: [ClosedRange<Int>] = []
  private(set) var inputs: [Input] = []
  /// Contents of the tables, by number.
  private(set) var tables: [[Int]] = []
  private var known: [Node: Int] = [:]

  /// Nodes of a circuit; a datapath of 64 lanes of 8 bits has a few thousand.
  static let largest = 1 << 18

  mutating func addInput(_ name: String, _ range: ClosedRange<Int>) -> Int {
    inputs.append(Input(name: name, range: range))
    return append(Node(operation: .input(inputs.count - 1), arguments: []), range)
  }

  mutating func addTable(_ values: [Int]) -> Int {
    tables.append(values)
    return tables.count - 1
  }

  mutating func constant(_ value: Int) -> Int {
    append(Node(operation: .constant(value), arguments: []), value...value)
  }

  /// The node's value when it is one number.
  func constantValue(_ node: Int) -> Int? {
    if case .constant(let value) = nodes[node].operation { return value }
    return nil
  }

  /// The node for an operation, folded when all arguments are constant.
  /// - Throws: what makes it meaningless for some values of its arguments.
  mutating func make(_ operation: Operation, _ arguments: [Int]) throws(CircuitError) -> Int {
    guard nodes.count < Self.largest else { throw .tooLarge }
    let constants = arguments.compactMap { constantValue($0) }
    if constants.count == arguments.count {
      return constant(try evaluate(operation, constants))
    }
    switch operation {
    case .select:
      if let condition = constantValue(arguments[0]) { return arguments[condition != 0 ? 1 : 2] }
      if arguments[1] == arguments[2] { return arguments[1] }
    case .multiply:
      if constants == [0] { return constant(0) }
      if constants == [1] { return arguments[constantValue(arguments[0]) == nil ? 0 : 1] }
    case .add:
      if constants == [0] { return arguments[constantValue(arguments[0]) == nil ? 0 : 1] }
    default: break
    }
    let range = try self.range(operation, arguments)
    return append(Node(operation: operation, arguments: arguments), range)
  }

  private mutating func append(_ node: Node, _ range: ClosedRange<Int>) -> Int {
    if let index = known[node] { return index }
    nodes.append(node)
    ranges.append(range)
    known[node] = nodes.count - 1
    return nodes.count - 1
  }

  private func range(_ operation: Operation, _ arguments: [Int]) throws(CircuitError) -> ClosedRange<Int> {
    let r = arguments.map { ranges[$0] }
    switch operation {
    case .constant(let value): return value...value
    case .input(let index): return inputs[index].range
    case .add:
      return Interval.sum(r[0], r[1])
    case .subtract: return Interval.sum(r[0], Interval.product(r[1], -1 ... -1))
    case .multiply: return Interval.product(r[0], r[1])
    case .floorDivide(let divisor): return Interval.floorDivide(r[0], divisor)
    case .shiftLeft, .shiftRight:
      guard r[1].lowerBound >= 0, r[1].upperBound <= 62 else { throw .shift(r[1]) }
      if operation == .shiftLeft {
        return Interval.product(r[0], (1 << r[1].lowerBound)...(1 << r[1].upperBound))
      }
      return Interval.shiftRight(r[0], r[1])
    case .less, .equal: return 0...1
    case .select: return Interval.hull([r[1].lowerBound, r[1].upperBound, r[2].lowerBound, r[2].upperBound])
    case .minimum: return min(r[0].lowerBound, r[1].lowerBound)...min(r[0].upperBound, r[1].upperBound)
    case .maximum: return max(r[0].lowerBound, r[1].lowerBound)...max(r[0].upperBound, r[1].upperBound)
    case .table(let index):
      let values = tables[index]
      guard r[0].lowerBound >= 0, r[0].upperBound < values.count else { throw .index(r[0], values.count) }
      return Interval.hull(Array(values[r[0]]))
    case .leadingOne:
      return LeadingOne.of(r[0].lowerBound)...LeadingOne.of(r[0].upperBound)
    case .bitAnd, .bitOr, .bitXor: return Interval.bitwise(operation == .bitAnd, r[0], r[1])
    case .wrapSigned(let width):
      let whole = Interval.signed(width)
      return whole.contains(r[0].lowerBound) && whole.contains(r[0].upperBound) ? r[0] : whole
    case .wrapUnsigned(let width):
      let whole = Interval.unsigned(width)
      return whole.contains(r[0].lowerBound) && whole.contains(r[0].upperBound) ? r[0] : whole
    case .field(_, let width): return Interval.unsigned(width)
    }
  }
}

/// Why an operation cannot be part of a circuit.
enum CircuitError: Error {
  /// Numbers beyond 64 bits.
  case overflow
  case tooLarge
  case shift(ClosedRange<Int>)
  case index(ClosedRange<Int>, Int)
}

enum LeadingOne {
  static func of(_ value: Int) -> Int { value > 0 ? Int.bitWidth - 1 - value.leadingZeroBitCount : -1 }
}
