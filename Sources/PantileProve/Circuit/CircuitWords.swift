import PantileSolve
import PantileSupport

/// A claim of a circuit as a question to Z3: words so wide that nothing overflows, and a point where the claim fails.
struct CircuitWords {
  /// What Z3 is asked for.
  enum Question: Sendable {
    /// A point where the conditions hold and the statement does not.
    case failure
    /// A point where the conditions hold.
    case conditions
  }

  private(set) var query = SMTQuery()
  private let circuit: Circuit

  /// Bits of the words; wider ones make circuits that Z3 does not finish.
  static let widest = 96

  /// - Throws: `query-too-large`.
  init(_ circuit: Circuit, _ parts: [Prover.Part], _ question: Question = .failure) throws(DiagnosticError) {
    self.circuit = circuit
    var needed = [Bool](repeating: false, count: circuit.nodes.count)
    for part in parts {
      for node in part.conditions { needed[node] = true }
      switch part.part {
      case .equal(let a, let b), .atMost(let a, let b):
        needed[a] = true
        needed[b] = true
      case .holds(let a): needed[a] = true
      }
    }
    var bits = 8
    for index in needed.indices.reversed() where needed[index] {
      for argument in circuit.nodes[index].arguments { needed[argument] = true }
      let range = circuit.ranges[index]
      for end in [range.lowerBound, range.upperBound] {
        if end == .min || end == .max { throw DiagnosticError("query-too-large", "numbers can leave 64 bits") }
        bits = max(bits, Int.bitWidth - (end < 0 ? ~end : end).leadingZeroBitCount)
      }
      switch circuit.nodes[index].operation {
      case .wrapSigned(let width), .wrapUnsigned(let width): bits = max(bits, width)
      case .field(let low, let width): bits = max(bits, low + width)
      case .floorDivide(let divisor): bits = max(bits, Int.bitWidth - divisor.leadingZeroBitCount)
      default: break
      }
    }
    let width = bits + 2
    guard width <= Self.widest, needed.count(where: { $0 }) <= 1 << 15 else {
      throw DiagnosticError("query-too-large", "words of \(width) bits, \(needed.count(where: { $0 })) nodes")
    }
    var words: [SMTBits?] = []
    for (index, node) in circuit.nodes.enumerated() {
      guard needed[index] else {
        words.append(nil)
        continue
      }
      // Arguments of needed nodes are needed.
      let arguments = node.arguments.compactMap { words[$0] }
      words.append(word(node, arguments, width))
    }
    func made(_ node: Int) -> SMTBits { words[node] ?? SMTBits(0, width: width) }
    let zero = SMTBits(0, width: width)
    let failures = parts.map { part -> SMTBool in
      let conditions = part.conditions.map { !(made($0) == zero) }
      if question == .conditions { return .all(conditions) }
      let failure: SMTBool
      switch part.part {
      case .equal(let a, let b): failure = !(made(a) == made(b))
      case .atMost(let a, let b): failure = made(b).signedLess(made(a))
      case .holds(let a): failure = made(a) == zero
      }
      return .all(conditions + [failure])
    }
    query.require(.any(failures), named: "failure")
  }

  /// The inputs of a model.
  func point(_ model: SMTModel) -> [Int] {
    circuit.inputs.enumerated().map { index, input in
      let width = Self.width(input.range)
      let bits = Int(bitPattern: UInt(model.bits("input\(index)") ?? 0))
      let value = input.range.lowerBound < 0 ? (bits << (Int.bitWidth - width)) >> (Int.bitWidth - width) : bits
      return min(max(value, input.range.lowerBound), input.range.upperBound)
    }
  }

  private static func width(_ range: ClosedRange<Int>) -> Int {
    let bits = [range.lowerBound, range.upperBound].map { Int.bitWidth - ($0 < 0 ? ~$0 : $0).leadingZeroBitCount }
    return max(1, max(bits[0], bits[1]) + (range.lowerBound < 0 ? 1 : 0))
  }

  private mutating func word(_ node: Circuit.Node, _ a: [SMTBits], _ width: Int) -> SMTBits {
    func number(_ value: Int) -> SMTBits { SMTBits(value, width: width) }
    func truth(_ statement: SMTBool) -> SMTBits { .choose(statement, number(1), number(0)) }
    switch node.operation {
    case .constant(let value): return number(value)
    case .input(let index):
      let range = circuit.inputs[index].range
      let variable = SMTBits.variable("input\(index)", width: Self.width(range))
      let wide =
        range.lowerBound < 0 ? variable.signExtended(to: width) : variable.zeroExtended(to: width)
      query.require(number(range.lowerBound).signedLessOrEqual(wide), named: "lowest\(index)")
      query.require(wide.signedLessOrEqual(number(range.upperBound)), named: "highest\(index)")
      return wide
    case .add: return a[0] &+ a[1]
    case .subtract: return a[0] &- a[1]
    case .multiply: return a[0] &* a[1]
    case .floorDivide(let divisor):
      if divisor & (divisor - 1) == 0 { return a[0].arithmeticallyShiftedRight(by: divisor.trailingZeroBitCount) }
      let remainder = a[0].signedRemainder(by: number(divisor))
      let quotient = a[0].signedDivided(by: number(divisor))
      return .choose(remainder.signedLess(number(0)), quotient &- number(1), quotient)
    case .shiftLeft: return a[0].shiftedLeft(by: a[1])
    case .shiftRight: return a[0].arithmeticallyShiftedRight(by: a[1])
    case .less: return truth(a[0].signedLess(a[1]))
    case .equal: return truth(a[0] == a[1])
    case .select: return .choose(a[0] == number(0), a[2], a[1])
    case .minimum: return .choose(a[0].signedLess(a[1]), a[0], a[1])
    case .maximum: return .choose(a[0].signedLess(a[1]), a[1], a[0])
    case .table(let table):
      let values = circuit.tables[table]
      var result = number(values[values.count - 1])
      for (index, value) in values.enumerated().dropLast().reversed() {
        result = .choose(a[0] == number(index), number(value), result)
      }
      return result
    case .leadingOne:
      var result = number(-1)
      for place in 0..<width - 1 {
        let isSet = a[0].bits(place...place) == SMTBits(1, width: 1)
        result = .choose(isSet, number(place), result)
      }
      return .choose(a[0].signedLess(number(1)), number(-1), result)
    case .bitAnd: return a[0] & a[1]
    case .bitOr: return a[0] | a[1]
    case .bitXor: return a[0] ^ a[1]
    case .wrapSigned(let bits): return a[0].bits(0...bits - 1).signExtended(to: width)
    case .wrapUnsigned(let bits): return a[0].bits(0...bits - 1).zeroExtended(to: width)
    case .field(let low, let bits): return a[0].bits(low...low + bits - 1).zeroExtended(to: width)
    }
  }
}
