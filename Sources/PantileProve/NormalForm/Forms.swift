/// What polynomials are made of: atoms and monomials, each kept once, so that comparing is comparing numbers.
final class Forms {
  /// What a polynomial cannot express.
  enum Operation: Hashable {
    case input(Int)
    /// Rounded to minus infinity.
    case floorDivide(Int)
    /// The larger of the argument and 0.
    case positivePart
    /// 1 where the argument is at least 0.
    case isNonNegative
    /// 1 where the argument is 0.
    case isZero
    case table(Int)
    case leadingOne
    /// 2 to the argument.
    case power
    case shiftRight
    /// A product that would have too many terms.
    case product
    case bitAnd, bitOr, bitXor
  }

  struct Atom: Hashable {
    var operation: Operation
    var arguments: [Polynomial]
  }

  private(set) var atoms: [Atom] = []
  /// Inputs that an atom depends on, ascending.
  private(set) var supports: [[Int32]] = []
  private var atomNumbers: [Atom: Int32] = [:]
  /// Atoms of a monomial, ascending.
  private(set) var monomials: [[Int32]] = [[]]
  private var monomialNumbers: [[Int32]: Int32] = [[]: 0]
  let tables: [[Int]]
  /// Terms looked at so far; what bounds the time of everything that is not a case.
  private var work = 0

  /// About two seconds.
  static let mostWork = 1 << 28

  /// - Throws: `cases` when the work is used up.
  func spend(_ terms: Int) throws(ProofLimit) {
    work += terms
    if work > Self.mostWork { throw .cases }
  }

  init(tables: [[Int]]) { self.tables = tables }

  /// Its values are 0 and 1, so that its square is itself.
  func isBoolean(_ atom: Int32) -> Bool {
    switch atoms[Int(atom)].operation {
    case .isNonNegative, .isZero: true
    default: false
    }
  }

  func atom(_ operation: Operation, _ arguments: [Polynomial]) -> Int32 {
    let atom = Atom(operation: operation, arguments: arguments)
    if let number = atomNumbers[atom] { return number }
    let number = Int32(atoms.count)
    atoms.append(atom)
    atomNumbers[atom] = number
    if case .input(let index) = operation {
      supports.append([Int32(index)])
    } else {
      supports.append(support(arguments))
    }
    return number
  }

  func polynomial(_ atom: Int32) -> Polynomial {
    Polynomial(terms: [.init(monomial: monomial([atom]), coefficient: 1)])
  }

  func monomial(_ atoms: [Int32]) -> Int32 {
    if let number = monomialNumbers[atoms] { return number }
    monomials.append(atoms)
    monomialNumbers[atoms] = Int32(monomials.count - 1)
    return Int32(monomials.count - 1)
  }

  /// The monomial of all atoms of both.
  func product(_ a: Int32, _ b: Int32) -> Int32 {
    if a == 0 { return b }
    if b == 0 { return a }
    var result: [Int32] = []
    for atom in (monomials[Int(a)] + monomials[Int(b)]).sorted() where atom != result.last || !isBoolean(atom) {
      result.append(atom)
    }
    return monomial(result)
  }

  func support(_ polynomials: [Polynomial]) -> [Int32] {
    var set: Set<Int32> = []
    for polynomial in polynomials {
      for term in polynomial.terms {
        for atom in monomials[Int(term.monomial)] { set.formUnion(supports[Int(atom)]) }
      }
    }
    return set.sorted()
  }

  /// The atoms below an atom that are not `known`, arguments before what they are of.
  func inside(_ atom: Int32, unless known: (Int32) -> Bool) -> [Int32] {
    var found: Set<Int32> = []
    var pending = [atom]
    while let next = pending.popLast() {
      for argument in atoms[Int(next)].arguments {
        for term in argument.terms {
          for inner in monomials[Int(term.monomial)] where !known(inner) && found.insert(inner).inserted {
            pending.append(inner)
          }
        }
      }
    }
    // An atom is made after its arguments.
    return found.sorted()
  }

  /// The only atom of a polynomial that is an atom and a constant: `coefficient * atom + constant`.
  func singleAtom(_ polynomial: Polynomial) -> (atom: Int32, coefficient: Int)? {
    let terms = polynomial.variableTerms
    guard terms.count == 1, let term = terms.first else { return nil }
    let atoms = monomials[Int(term.monomial)]
    return atoms.count == 1 ? (atoms[0], term.coefficient) : nil
  }
}
