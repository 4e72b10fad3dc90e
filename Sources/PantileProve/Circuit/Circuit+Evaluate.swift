/// The functional model: what the datapath computes of given numbers. It knows nothing of normal forms.
extension Circuit {
  /// One operation on numbers.
  func evaluate(_ operation: Operation, _ a: [Int]) throws(CircuitError) -> Int {
    func checked(_ result: (partialValue: Int, overflow: Bool)) throws(CircuitError) -> Int {
      if result.overflow { throw .overflow }
      return result.partialValue
    }
    switch operation {
    case .constant(let value): return value
    case .input: preconditionFailure("an input has no rule")
    case .add: return try checked(a[0].addingReportingOverflow(a[1]))
    case .subtract: return try checked(a[0].subtractingReportingOverflow(a[1]))
    case .multiply: return try checked(a[0].multipliedReportingOverflow(by: a[1]))
    case .floorDivide(let divisor):
      let remainder = ((a[0] % divisor) + divisor) % divisor
      return try checked(a[0].subtractingReportingOverflow(remainder)) / divisor
    case .shiftLeft:
      guard (0...62).contains(a[1]) else { throw .shift(a[1]...a[1]) }
      return try checked(a[0].multipliedReportingOverflow(by: 1 << a[1]))
    case .shiftRight:
      guard (0...62).contains(a[1]) else { throw .shift(a[1]...a[1]) }
      return a[0] >> a[1]
    case .less: return a[0] < a[1] ? 1 : 0
    case .equal: return a[0] == a[1] ? 1 : 0
    case .select: return a[0] != 0 ? a[1] : a[2]
    case .minimum: return min(a[0], a[1])
    case .maximum: return max(a[0], a[1])
    case .table(let index):
      guard tables[index].indices.contains(a[0]) else { throw .index(a[0]...a[0], tables[index].count) }
      return tables[index][a[0]]
    case .leadingOne:
      return LeadingOne.of(a[0])
    case .bitAnd: return a[0] & a[1]
    case .bitOr: return a[0] | a[1]
    case .bitXor: return a[0] ^ a[1]
    case .wrapSigned(let width):
      let shift = Int.bitWidth - width
      return (a[0] << shift) >> shift
    case .wrapUnsigned(let width): return a[0] & ((1 << width) - 1)
    case .field(let low, let width): return (a[0] >> low) & ((1 << width) - 1)
    }
  }

  /// All nodes' values for these inputs.
  func evaluate(inputs values: [Int]) throws(CircuitError) -> [Int] {
    var results: [Int] = []
    results.reserveCapacity(nodes.count)
    for node in nodes {
      if case .input(let index) = node.operation {
        results.append(values[index])
      } else {
        results.append(try evaluate(node.operation, node.arguments.map { results[$0] }))
      }
    }
    return results
  }
}
