/// A sum of integer multiples of monomials, sorted, without zeros: equal values of equal form are equal.
struct Polynomial: Hashable, Sendable {
  struct Term: Hashable, Sendable {
    /// Number of a monomial; 0 is the empty one, whose coefficient is the constant.
    var monomial: Int32
    var coefficient: Int
  }
  var terms: [Term]

  init(terms: [Term]) { self.terms = terms }
  init(_ constant: Int) { terms = constant == 0 ? [] : [Term(monomial: 0, coefficient: constant)] }

  static let zero = Polynomial(0)
  static let one = Polynomial(1)

  var isZero: Bool { terms.isEmpty }

  /// The value when there is nothing but a constant.
  var constantValue: Int? {
    if terms.isEmpty { return 0 }
    return terms.count == 1 && terms[0].monomial == 0 ? terms[0].coefficient : nil
  }

  /// The constant term.
  var constant: Int { terms.first.map { $0.monomial == 0 ? $0.coefficient : 0 } ?? 0 }

  /// All terms but the constant.
  var variableTerms: ArraySlice<Term> { terms.first?.monomial == 0 ? terms.dropFirst() : terms[...] }

  func adding(_ other: Polynomial, times factor: Int = 1) throws(ProofLimit) -> Polynomial {
    if other.isZero || factor == 0 { return self }
    var result: [Term] = []
    result.reserveCapacity(terms.count + other.terms.count)
    var (i, j) = (0, 0)
    while i < terms.count || j < other.terms.count {
      if j == other.terms.count || (i < terms.count && terms[i].monomial < other.terms[j].monomial) {
        result.append(terms[i])
        i += 1
        continue
      }
      var coefficient = try exact(other.terms[j].coefficient.multipliedReportingOverflow(by: factor))
      if i < terms.count, terms[i].monomial == other.terms[j].monomial {
        coefficient = try exact(coefficient.addingReportingOverflow(terms[i].coefficient))
        i += 1
      }
      if coefficient != 0 { result.append(Term(monomial: other.terms[j].monomial, coefficient: coefficient)) }
      j += 1
    }
    return Polynomial(terms: result)
  }

  func adding(_ constant: Int) throws(ProofLimit) -> Polynomial { try adding(Polynomial(constant)) }

  func scaled(by factor: Int) throws(ProofLimit) -> Polynomial {
    if factor == 1 { return self }
    if factor == 0 { return .zero }
    var result = self
    for index in result.terms.indices {
      result.terms[index].coefficient = try exact(
        result.terms[index].coefficient.multipliedReportingOverflow(by: factor))
    }
    return result
  }

  /// The greatest common divisor of all coefficients but the constant.
  var divisor: Int {
    var (x, y): (UInt, UInt) = (0, 0)
    for term in variableTerms {
      (x, y) = (term.coefficient.magnitude, x)
      while y != 0 { (x, y) = (y, x % y) }
      if x == 1 { break }
    }
    return Int(clamping: x)
  }
}

/// Why the search for a proof ended without an answer.
enum ProofLimit: Error {
  /// Numbers beyond 64 bits.
  case overflow
  /// More cases than the budget.
  case cases
}

func exact(_ result: (partialValue: Int, overflow: Bool)) throws(ProofLimit) -> Int {
  if result.overflow { throw .overflow }
  return result.partialValue
}
