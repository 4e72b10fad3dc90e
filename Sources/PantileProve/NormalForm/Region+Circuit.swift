extension Region {
  /// The forms of all nodes of a circuit.
  func forms(of circuit: Circuit) throws(ProofLimit) -> [Polynomial] {
    var results: [Polynomial] = []
    results.reserveCapacity(circuit.nodes.count)
    for node in circuit.nodes {
      for argument in node.arguments { try forms.spend(results[argument].terms.count) }
      results.append(try form(node, node.arguments.map { results[$0] }))
    }
    return results
  }

  private func form(_ node: Circuit.Node, _ a: [Polynomial]) throws(ProofLimit) -> Polynomial {
    switch node.operation {
    case .constant(let value): return Polynomial(value)
    case .input(let index):
      return low[index] == high[index] ? Polynomial(low[index]) : forms.polynomial(forms.atom(.input(index), []))
    case .add: return try a[0].adding(a[1])
    case .subtract: return try a[0].adding(a[1], times: -1)
    case .multiply: return try multiply(a[0], a[1])
    case .floorDivide(let divisor): return try floorDivide(a[0], divisor)
    case .shiftLeft: return try multiply(a[0], make(.power, [a[1]]))
    case .shiftRight: return try make(.shiftRight, a)
    case .less: return try isNonNegative(a[1].adding(a[0], times: -1).adding(-1))
    case .equal: return try isZero(a[0].adding(a[1], times: -1))
    case .select:
      // a[0] need not be 0 or 1 here.
      let condition = try Polynomial.one.adding(isZero(a[0]), times: -1)
      return try a[2].adding(multiply(condition, a[1].adding(a[2], times: -1)))
    case .minimum: return try a[0].adding(make(.positivePart, [a[0].adding(a[1], times: -1)]), times: -1)
    case .maximum: return try a[1].adding(make(.positivePart, [a[0].adding(a[1], times: -1)]))
    case .table(let table): return try make(.table(table), a)
    case .leadingOne: return try make(.leadingOne, a)
    case .bitAnd: return try make(.bitAnd, a)
    case .bitOr: return try make(.bitOr, a)
    case .bitXor: return try make(.bitXor, a)
    case .wrapSigned(let width):
      let carry = try floorDivide(a[0].adding(1 << (width - 1)), 1 << width)
      return try a[0].adding(carry, times: -(1 << width))
    case .wrapUnsigned(let width):
      return try a[0].adding(floorDivide(a[0], 1 << width), times: -(1 << width))
    case .field(let low, let width):
      // Bits above the lowest, less the bits above the highest.
      let shifted = try floorDivide(a[0], 1 << low)
      return try shifted.adding(floorDivide(a[0], 1 << (low + width)), times: -(1 << width))
    }
  }
}
