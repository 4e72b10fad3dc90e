/// A box of input values, and the rules by which forms become simpler inside it.
///
/// Every rule is an identity over the whole numbers of the box; forms that stay different may still be equal.
final class Region {
  let forms: Forms
  let low: [Int]
  let high: [Int]
  private var simplified: [Int32: Polynomial] = [:]
  private var intervals: [Int32: ClosedRange<Int>] = [:]

  /// Terms of a product that is multiplied out.
  static let widestProduct = 64
  /// Factors of a monomial.
  static let highestDegree = 4

  init(_ forms: Forms, low: [Int], high: [Int]) {
    self.forms = forms
    self.low = low
    self.high = high
  }

  /// The part of the box where one input is in `range`.
  func restricted(_ input: Int32, to range: ClosedRange<Int>) -> Region {
    var (low, high) = (low, high)
    low[Int(input)] = range.lowerBound
    high[Int(input)] = range.upperBound
    return Region(forms, low: low, high: high)
  }

  // MARK: Simplification

  func simplify(_ polynomial: Polynomial) throws(ProofLimit) -> Polynomial {
    try forms.spend(polynomial.terms.count + 1)
    var result = Polynomial(polynomial.constant)
    for term in polynomial.variableTerms {
      let atoms = forms.monomials[Int(term.monomial)]
      var product = try simplifyAtom(atoms[0])
      for atom in atoms.dropFirst() { product = try multiply(product, simplifyAtom(atom)) }
      try forms.spend(result.terms.count)
      result = try result.adding(product, times: term.coefficient)
    }
    return result
  }

  private func simplifyAtom(_ number: Int32) throws(ProofLimit) -> Polynomial {
    if let known = simplified[number] { return known }
    // Arguments first, by a list of our own: chains may be longer than the call stack bears.
    for inner in forms.inside(number, unless: { simplified[$0] != nil }) { _ = try simplifyOne(inner) }
    return try simplifyOne(number)
  }

  private func simplifyOne(_ number: Int32) throws(ProofLimit) -> Polynomial {
    let atom = forms.atoms[Int(number)]
    let result: Polynomial
    if case .input(let index) = atom.operation {
      result = low[index] == high[index] ? Polynomial(low[index]) : forms.polynomial(number)
    } else {
      var arguments: [Polynomial] = []
      for argument in atom.arguments { arguments.append(try simplify(argument)) }
      result = try make(atom.operation, arguments)
    }
    simplified[number] = result
    return result
  }

  /// The simplest form of an operation on forms of this region.
  func make(_ operation: Forms.Operation, _ a: [Polynomial]) throws(ProofLimit) -> Polynomial {
    switch operation {
    case .input: preconditionFailure("an input is no operation")
    case .floorDivide(let divisor): return try floorDivide(a[0], divisor)
    case .positivePart: return try positivePart(a[0])
    case .isNonNegative: return try isNonNegative(a[0])
    case .isZero: return try isZero(a[0])
    case .product: return try multiply(a[0], a[1])
    case .table(let table):
      if let index = a[0].constantValue { return Polynomial(forms.tables[table][index]) }
      let values = forms.tables[table]
      let range = try interval(a[0]).clamped(to: 0...values.count - 1)
      if values[range].allSatisfy({ $0 == values[range.lowerBound] }) { return Polynomial(values[range.lowerBound]) }
    case .leadingOne:
      let range = try interval(a[0])
      let (p, q) = (LeadingOne.of(range.lowerBound), LeadingOne.of(range.upperBound))
      if p == q { return Polynomial(p) }
    case .power:
      if let exponent = a[0].constantValue { return Polynomial(1 << exponent) }
    case .shiftRight:
      if let amount = a[1].constantValue { return try floorDivide(a[0], 1 << amount) }
    case .bitAnd, .bitOr, .bitXor:
      if let p = a[0].constantValue, let q = a[1].constantValue {
        return Polynomial(operation == .bitAnd ? p & q : operation == .bitOr ? p | q : p ^ q)
      }
      if operation == .bitAnd {
        for (value, other) in [(a[0], a[1]), (a[1], a[0])] {
          if let mask = other.constantValue, mask >= 0, mask < 1 << 61, mask & (mask + 1) == 0 {
            return try value.adding(floorDivide(value, mask + 1), times: -(mask + 1))
          }
        }
      }
    }
    return forms.polynomial(forms.atom(operation, a))
  }

  func multiply(_ a: Polynomial, _ b: Polynomial) throws(ProofLimit) -> Polynomial {
    if let factor = a.constantValue { return try b.scaled(by: factor) }
    if let factor = b.constantValue { return try a.scaled(by: factor) }
    func degree(_ p: Polynomial) -> Int { p.terms.reduce(0) { max($0, forms.monomials[Int($1.monomial)].count) } }
    guard a.terms.count * b.terms.count <= Self.widestProduct, degree(a) + degree(b) <= Self.highestDegree else {
      return forms.polynomial(forms.atom(.product, [a, b]))
    }
    var sums: [Int32: Int] = [:]
    for p in a.terms {
      for q in b.terms {
        let coefficient = try exact(p.coefficient.multipliedReportingOverflow(by: q.coefficient))
        let monomial = forms.product(p.monomial, q.monomial)
        sums[monomial] = try exact((sums[monomial] ?? 0).addingReportingOverflow(coefficient))
      }
    }
    return Polynomial(
      terms: sums.filter { $0.value != 0 }.sorted { $0.key < $1.key }.map {
        .init(monomial: $0.key, coefficient: $0.value)
      })
  }

  /// Whole multiples of the divisor leave the division; nested divisions become one.
  func floorDivide(_ polynomial: Polynomial, _ divisor: Int) throws(ProofLimit) -> Polynomial {
    if divisor == 1 { return polynomial }
    if let value = polynomial.constantValue { return Polynomial(Interval.floorDivide(value, divisor)) }
    if let value = try constantQuotient(polynomial, divisor) { return Polynomial(value) }
    var (quotient, rest): ([Polynomial.Term], [Polynomial.Term]) = ([], [])
    for term in polynomial.terms {
      var remainder = term.coefficient % divisor
      if remainder < 0 { remainder += divisor }
      // Residues around zero keep -x small; the constant's is what the floor leaves.
      if term.monomial != 0, remainder > divisor / 2 { remainder -= divisor }
      let share = (term.coefficient - remainder) / divisor
      if share != 0 { quotient.append(.init(monomial: term.monomial, coefficient: share)) }
      if remainder != 0 { rest.append(.init(monomial: term.monomial, coefficient: remainder)) }
    }
    let whole = Polynomial(terms: quotient)
    var inner = Polynomial(terms: rest)
    if inner.constantValue != nil { return whole }
    if !quotient.isEmpty, let value = try constantQuotient(inner, divisor) { return try whole.adding(value) }
    var outer = divisor
    let common = greatestCommonDivisor(inner.divisor, divisor)
    if common > 1 {
      let constant = inner.constant / common
      inner = Polynomial(
        terms: inner.variableTerms.map { .init(monomial: $0.monomial, coefficient: $0.coefficient / common) })
      inner = try inner.adding(constant)
      outer /= common
      if outer == 1 { return try whole.adding(inner) }
    }
    if let (number, coefficient) = forms.singleAtom(inner), coefficient == 1,
      case .floorDivide(let first) = forms.atoms[Int(number)].operation,
      case (let both, let overflow) = first.multipliedReportingOverflow(by: outer), !overflow, both <= 1 << 62
    {
      let shifted = try forms.atoms[Int(number)].arguments[0].adding(
        exact(first.multipliedReportingOverflow(by: inner.constant)))
      return try whole.adding(floorDivide(shifted, both))
    }
    return try whole.adding(forms.polynomial(forms.atom(.floorDivide(outer), [inner])))
  }

  private func constantQuotient(_ polynomial: Polynomial, _ divisor: Int) throws(ProofLimit) -> Int? {
    let range = Interval.floorDivide(try interval(polynomial), divisor)
    let isExact = range.lowerBound == range.upperBound && range.lowerBound != .min && range.lowerBound != .max
    return isExact ? range.lowerBound : nil
  }

  private func positivePart(_ polynomial: Polynomial) throws(ProofLimit) -> Polynomial {
    let range = try interval(polynomial)
    if range.lowerBound >= 0 { return polynomial }
    if range.upperBound <= 0 { return .zero }
    // One form for both signs: max(-x, 0) = max(x, 0) - x.
    if let lead = polynomial.variableTerms.first, lead.coefficient < 0 {
      let other = try polynomial.scaled(by: -1)
      return try forms.polynomial(forms.atom(.positivePart, [other])).adding(other, times: -1)
    }
    return forms.polynomial(forms.atom(.positivePart, [polynomial]))
  }

  func isNonNegative(_ polynomial: Polynomial) throws(ProofLimit) -> Polynomial {
    let range = try interval(polynomial)
    if range.lowerBound >= 0 { return .one }
    if range.upperBound < 0 { return .zero }
    if let (atom, coefficient) = forms.singleAtom(polynomial), forms.isBoolean(atom) {
      return try choice(
        atom, polynomial.constant >= 0 ? 1 : 0,
        try exact(polynomial.constant.addingReportingOverflow(coefficient)) >= 0 ? 1 : 0)
    }
    let divisor = polynomial.divisor
    var reduced = Polynomial(
      terms: polynomial.variableTerms.map { .init(monomial: $0.monomial, coefficient: $0.coefficient / divisor) })
    reduced = try reduced.adding(Interval.floorDivide(polynomial.constant, divisor))
    if let lead = reduced.variableTerms.first, lead.coefficient < 0 {
      let other = try reduced.scaled(by: -1).adding(-1)
      return try Polynomial.one.adding(forms.polynomial(forms.atom(.isNonNegative, [other])), times: -1)
    }
    return forms.polynomial(forms.atom(.isNonNegative, [reduced]))
  }

  func isZero(_ polynomial: Polynomial) throws(ProofLimit) -> Polynomial {
    if polynomial.isZero { return .one }
    let range = try interval(polynomial)
    if range.lowerBound > 0 || range.upperBound < 0 { return .zero }
    if range == 0...0 { return .one }
    if let (atom, coefficient) = forms.singleAtom(polynomial), forms.isBoolean(atom) {
      return try choice(atom, polynomial.constant == 0 ? 1 : 0, polynomial.constant == -coefficient ? 1 : 0)
    }
    let divisor = polynomial.divisor
    if polynomial.constant % divisor != 0 { return .zero }
    var reduced = Polynomial(
      terms: polynomial.terms.map { .init(monomial: $0.monomial, coefficient: $0.coefficient / divisor) })
    if let lead = reduced.variableTerms.first, lead.coefficient < 0 { reduced = try reduced.scaled(by: -1) }
    return forms.polynomial(forms.atom(.isZero, [reduced]))
  }

  /// `off` where the boolean atom is 0, `on` where it is 1.
  private func choice(_ atom: Int32, _ off: Int, _ on: Int) throws(ProofLimit) -> Polynomial {
    try Polynomial(off).adding(forms.polynomial(atom), times: on - off)
  }

  private func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
    var (x, y) = (a, b)
    while y != 0 { (x, y) = (y, x % y) }
    return x
  }

  // MARK: Bounds

  /// Bounds of a form, not always the closest.
  func interval(_ polynomial: Polynomial) throws(ProofLimit) -> ClosedRange<Int> {
    // Two limits, one from below and one from above, are what clamps are made of.
    try interval(polynomial, limits: 3)
  }

  private func interval(_ polynomial: Polynomial, limits: Int) throws(ProofLimit) -> ClosedRange<Int> {
    var result = try plainInterval(polynomial)
    guard result.lowerBound < result.upperBound, polynomial.variableTerms.count > 1 else { return result }
    let others = [
      try remainderInterval(polynomial), try scaledInterval(polynomial), try largerInterval(polynomial, limits),
    ]
    for other in others {
      guard let other else { continue }
      result = max(result.lowerBound, other.lowerBound)...min(result.upperBound, other.upperBound)
    }
    return result
  }

  /// Bounds from the law `max(d, 0) = d + max(-d, 0)`, where the d cancels; nil where it does not.
  ///
  /// What is limited from above and below is a form in which the value occurs several times.
  private func largerInterval(_ polynomial: Polynomial, _ limits: Int) throws(ProofLimit) -> ClosedRange<Int>? {
    if limits == 0 { return nil }
    var result: ClosedRange<Int>?
    for term in polynomial.variableTerms {
      let atoms = forms.monomials[Int(term.monomial)]
      guard atoms.count == 1, case .positivePart = forms.atoms[Int(atoms[0])].operation else { continue }
      let argument = forms.atoms[Int(atoms[0])].arguments[0]
      try forms.spend(polynomial.terms.count)
      guard
        let rest = withoutOverflow({ () throws(ProofLimit) in
          try polynomial.adding(Polynomial(terms: [term]), times: -1).adding(argument, times: term.coefficient)
        }), rest.variableTerms.count < polynomial.variableTerms.count
      else { continue }
      let range = try interval(argument, limits: limits - 1)
      let negated =
        max(
          0, range.upperBound == .max ? .min : -range.upperBound)...max(
          0, range.lowerBound == .min ? .max : -range.lowerBound)
      let bounds = Interval.sum(
        try interval(rest, limits: limits - 1), Interval.product(negated, term.coefficient...term.coefficient))
      result = result.map { max($0.lowerBound, bounds.lowerBound)...min($0.upperBound, bounds.upperBound) } ?? bounds
    }
    return result
  }

  /// Bounds of a multiple in which the remainder law applies, divided again: of `n*floor((m*x + h) / 2^k) - x`, say.
  private func scaledInterval(_ polynomial: Polynomial) throws(ProofLimit) -> ClosedRange<Int>? {
    for term in polynomial.variableTerms {
      let atoms = forms.monomials[Int(term.monomial)]
      guard atoms.count == 1, case .floorDivide(let divisor) = forms.atoms[Int(atoms[0])].operation,
        term.coefficient % divisor != 0
      else { continue }
      let factor = divisor / greatestCommonDivisor(Int(clamping: term.coefficient.magnitude), divisor)
      guard let scaled = withoutOverflow({ () throws(ProofLimit) in try polynomial.scaled(by: factor) }),
        let range = try remainderInterval(scaled, saving: 0)
      else { continue }
      // The value times the factor is in the range: round inwards.
      let low = range.lowerBound == .min ? .min : -Interval.floorDivide(-range.lowerBound, factor)
      let high = Interval.floorDivide(range.upperBound, factor)
      if low <= high { return low...high }
    }
    return nil
  }

  private func withoutOverflow(_ make: () throws(ProofLimit) -> Polynomial) -> Polynomial? {
    do throws(ProofLimit) { return try make() } catch { return nil }
  }

  private func plainInterval(_ polynomial: Polynomial) throws(ProofLimit) -> ClosedRange<Int> {
    try forms.spend(polynomial.terms.count + 1)
    var result = polynomial.constant...polynomial.constant
    for term in polynomial.variableTerms {
      let atoms = forms.monomials[Int(term.monomial)]
      var range = try atomInterval(atoms[0])
      for atom in atoms.dropFirst() { range = Interval.product(range, try atomInterval(atom)) }
      result = Interval.sum(result, Interval.product(range, term.coefficient...term.coefficient))
    }
    return result
  }

  /// Bounds from the law `x - c*floor(x/c)` in `0 ..< c`, wherever both terms are there; nil when they are not.
  ///
  /// A bit of a word is the difference of two divisions, and its plain bounds are far from 0 and 1.
  ///
  /// - Parameter saving: terms that have to vanish each time.
  private func remainderInterval(_ polynomial: Polynomial, saving: Int = 2) throws(ProofLimit) -> ClosedRange<Int>? {
    var rest = polynomial
    var extra = 0...0
    var hasFound = false
    // A division may bring in others when nothing has to vanish.
    search: for _ in 0..<64 {
      for term in rest.variableTerms {
        let atoms = forms.monomials[Int(term.monomial)]
        guard atoms.count == 1, case .floorDivide(let divisor) = forms.atoms[Int(atoms[0])].operation else { continue }
        let argument = forms.atoms[Int(atoms[0])].arguments[0]
        for (whole, ratio) in try wholes(rest, argument, divisor) where term.coefficient % ratio == 0 {
          let factor = -(term.coefficient / ratio)
          try forms.spend(rest.terms.count)
          guard
            let next = withoutOverflow({ () throws(ProofLimit) in
              try rest.adding(whole, times: -factor).adding(Polynomial(terms: [term]), times: -1)
            }), next.variableTerms.count + saving <= rest.variableTerms.count
          else { continue }
          extra = Interval.sum(extra, Interval.product(0...ratio - 1, factor...factor))
          rest = next
          hasFound = true
          continue search
        }
      }
      break
    }
    guard hasFound else { return nil }
    return Interval.sum(try plainInterval(rest), extra)
  }

  /// Forms whose division by a ratio is `floor(argument / divisor)`: the argument, and its divisions by less.
  private func wholes(
    _ polynomial: Polynomial, _ argument: Polynomial, _ divisor: Int
  ) throws(ProofLimit) -> [(Polynomial, Int)] {
    var result = [(argument, divisor)]
    for term in polynomial.variableTerms {
      let atoms = forms.monomials[Int(term.monomial)]
      guard atoms.count == 1, case .floorDivide(let first) = forms.atoms[Int(atoms[0])].operation, first < divisor,
        divisor % first == 0, forms.atoms[Int(atoms[0])].arguments[0] == argument
      else { continue }
      result.append((forms.polynomial(atoms[0]), divisor / first))
    }
    return result
  }

  private func atomInterval(_ number: Int32) throws(ProofLimit) -> ClosedRange<Int> {
    if let known = intervals[number] { return known }
    for inner in forms.inside(number, unless: { intervals[$0] != nil }) { _ = try atomIntervalOnce(inner) }
    return try atomIntervalOnce(number)
  }

  private func atomIntervalOnce(_ number: Int32) throws(ProofLimit) -> ClosedRange<Int> {
    let atom = forms.atoms[Int(number)]
    var a: [ClosedRange<Int>] = []
    for argument in atom.arguments { a.append(try interval(argument)) }
    let result: ClosedRange<Int>
    switch atom.operation {
    case .input(let index): result = low[index]...high[index]
    case .floorDivide(let divisor): result = Interval.floorDivide(a[0], divisor)
    case .positivePart: result = max(0, a[0].lowerBound)...max(0, a[0].upperBound)
    case .isNonNegative: result = (a[0].lowerBound >= 0 ? 1 : 0)...(a[0].upperBound >= 0 ? 1 : 0)
    case .isZero: result = (a[0] == 0...0 ? 1 : 0)...(a[0].contains(0) ? 1 : 0)
    case .table(let table):
      let values = forms.tables[table]
      result = Interval.hull(Array(values[a[0].clamped(to: 0...values.count - 1)]))
    case .leadingOne: result = LeadingOne.of(a[0].lowerBound)...LeadingOne.of(a[0].upperBound)
    case .power:
      let exponents = a[0].clamped(to: 0...62)
      result = (1 << exponents.lowerBound)...(1 << exponents.upperBound)
    case .shiftRight:
      result = Interval.shiftRight(a[0], a[1].clamped(to: 0...62))
    case .product: result = Interval.product(a[0], a[1])
    case .bitAnd, .bitOr, .bitXor: result = Interval.bitwise(atom.operation == .bitAnd, a[0], a[1])
    }
    intervals[number] = result
    return result
  }
}
