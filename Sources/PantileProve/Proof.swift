/// The answer about a datapath: each claim proved, refuted with numbers, or left open.
public struct Proof: Sendable {
  public enum Status: String, Hashable, Sendable {
    case proved, refuted
    /// No answer within the limits.
    case inconclusive
  }

  /// Inputs for which a claim is false, and what the functional model makes of them.
  public struct Counterexample: Hashable, Sendable {
    public struct Value: Hashable, Sendable {
      public var name: String
      public var value: Int
    }
    public var values: [Value]
    /// Both sides of the statement, computed by the functional model from `values`.
    public var got: Int
    public var expected: Int
    /// What should hold between them: `==`, `<=` or `!=`.
    public var relation: String
  }

  public struct Claim: Sendable {
    public var name: String
    public var status: Status
    /// How the answer was found: `normal form`, `cases`, `search`, `z3`.
    public var method: String
    /// Cases and points that were looked at.
    public var cases: Int
    /// Work of Z3 in its own unit; nil where it was not asked.
    public var solverLimit: Int?
    public var counterexample: Counterexample?
    /// Why there is no answer.
    public var reason: String?
  }

  public var datapath: String
  public var kind: Datapath.Kind
  public var parameters: [Datapath.Parameter]
  public var claims: [Claim]

  /// Refuted when a claim is; else inconclusive when a claim is; else proved.
  public var status: Status {
    for status in [Status.refuted, .inconclusive] where claims.contains(where: { $0.status == status }) {
      return status
    }
    return .proved
  }

  /// The first counterexample.
  public var counterexample: Counterexample? { claims.lazy.compactMap(\.counterexample).first }

  /// Cases and points of all claims.
  public var cases: Int { claims.reduce(0) { $0 + $1.cases } }
}

/// Limits and means of a proof. All are counts, so that the answer is the same everywhere.
public struct ProofOptions: Hashable, Sendable {
  public enum Engine: String, CaseIterable, Hashable, Sendable {
    /// Normal forms and cases; Z3 where they end without an answer.
    case auto
    /// Normal forms and cases alone.
    case cases
    /// Z3 alone.
    case z3
    /// Both; answers that contradict each other are an answer of neither.
    case both
  }

  public var engine = Engine.auto
  /// Cases and points a claim.
  public var budget = 1 << 21
  /// Z3's `rlimit` a claim.
  public var resourceLimit = 4_000_000
  /// Points tried before the proof: what is false is often false there.
  public var probes = 24
  /// Points over which a region is gone through one by one; larger ones are split.
  public var enumerated = 4096

  public init() {}
}
