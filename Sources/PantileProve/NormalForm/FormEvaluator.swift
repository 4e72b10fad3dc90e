/// Numbers of a form at points: flat, for many points.
struct FormEvaluator {
  private struct Sum {
    /// Coefficient, first factor's slot, further factors; slot -1 is none.
    var coefficients: [Int] = []
    var factors: [[Int32]] = []
    var constant = 0
  }
  private struct Step {
    var operation: Forms.Operation
    var arguments: [Sum]
  }
  private var steps: [Step] = []
  private var root = Sum()
  private var values: [Int]
  private let tables: [[Int]]
  /// Terms of all sums: the work of a point.
  private(set) var size = 1

  init(_ forms: Forms, _ polynomial: Polynomial) {
    tables = forms.tables
    var needed: Set<Int32> = []
    var pending = [polynomial]
    while let next = pending.popLast() {
      for term in next.terms {
        for atom in forms.monomials[Int(term.monomial)] where needed.insert(atom).inserted {
          pending += forms.atoms[Int(atom)].arguments
        }
      }
    }
    // Arguments have smaller numbers than the atoms they are of.
    let order = needed.sorted()
    let slots = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, Int32($0)) })
    var size = 1
    func sum(_ polynomial: Polynomial) -> Sum {
      var result = Sum()
      size += polynomial.terms.count + 1
      result.constant = polynomial.constant
      for term in polynomial.variableTerms {
        result.coefficients.append(term.coefficient)
        result.factors.append(forms.monomials[Int(term.monomial)].map { slots[$0] ?? 0 })
      }
      return result
    }
    steps = order.map {
      Step(operation: forms.atoms[Int($0)].operation, arguments: forms.atoms[Int($0)].arguments.map(sum))
    }
    root = sum(polynomial)
    self.size = size
    values = [Int](repeating: 0, count: order.count)
  }

  /// The value at a point, which gives all inputs.
  mutating func value(at point: [Int]) throws(ProofLimit) -> Int {
    for index in steps.indices {
      if case .input(let input) = steps[index].operation {
        values[index] = point[input]
        continue
      }
      let first = try total(steps[index].arguments[0])
      let second = steps[index].arguments.count > 1 ? try total(steps[index].arguments[1]) : 0
      values[index] = try apply(steps[index].operation, first, second)
    }
    return try total(root)
  }

  private func apply(_ operation: Forms.Operation, _ a: Int, _ b: Int) throws(ProofLimit) -> Int {
    switch operation {
    case .input: return a
    case .floorDivide(let divisor): return Interval.floorDivide(a, divisor)
    case .positivePart: return max(a, 0)
    case .isNonNegative: return a >= 0 ? 1 : 0
    case .isZero: return a == 0 ? 1 : 0
    // Out of its range only where a condition makes the result not count.
    case .table(let table): return tables[table][min(max(a, 0), tables[table].count - 1)]
    case .leadingOne: return LeadingOne.of(a)
    case .power: return 1 << min(max(a, 0), 62)
    case .shiftRight: return a >> min(max(b, 0), 62)
    case .product: return try exact(a.multipliedReportingOverflow(by: b))
    case .bitAnd: return a & b
    case .bitOr: return a | b
    case .bitXor: return a ^ b
    }
  }

  private func total(_ sum: Sum) throws(ProofLimit) -> Int {
    var result = sum.constant
    for index in sum.coefficients.indices {
      var product = sum.coefficients[index]
      for slot in sum.factors[index] {
        product = try exact(product.multipliedReportingOverflow(by: values[Int(slot)]))
      }
      result = try exact(result.addingReportingOverflow(product))
    }
    return result
  }
}
