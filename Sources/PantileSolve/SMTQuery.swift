import PantileSupport

/// A question to an SMT solver: can all assertions hold at once? A plain value; solving makes and drops its own solver.
public struct SMTQuery: Sendable {
  /// A statement with a name, by which an unsatisfiable core refers to it.
  struct Assertion: Sendable {
    var name: String
    var statement: SMTBool
  }
  var assertions: [Assertion] = []

  public init() {}

  /// Adds a statement; the default name is its number.
  public mutating func require(_ statement: SMTBool, named name: String? = nil) {
    assertions.append(Assertion(name: name ?? "assertion\(assertions.count)", statement: statement))
  }

  /// The answer.
  public enum Answer: Sendable {
    /// All can hold; here is how.
    case satisfiable(SMTModel)
    /// They cannot; the named assertions alone already contradict each other.
    case unsatisfiable(core: [String])
    /// The limit ended or the theory is too hard.
    case unknown(reason: String)

    public var isUnsatisfiable: Bool {
      if case .unsatisfiable = self { return true }
      return false
    }

    public var model: SMTModel? {
      if case .satisfiable(let model) = self { return model }
      return nil
    }
  }
}

/// Values of the variables of a satisfiable query. Variables that do not matter may be missing.
public struct SMTModel: Hashable, Sendable {
  var integers: [String: Int] = [:]
  var words: [String: UInt64] = [:]
  var truths: [String: Bool] = [:]

  /// The value of an integer variable; nil when it does not matter or does not fit 64 bits.
  public func integer(_ name: String) -> Int? { integers[name] }

  /// The value of a word of up to 64 bits, as unsigned.
  public func bits(_ name: String) -> UInt64? { words[name] }

  public func truth(_ name: String) -> Bool? { truths[name] }
}
