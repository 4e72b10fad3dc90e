import PantileSupport

/// A proof that no point of a linear model with whole data is better than a bound, or that it has no point at all.
///
/// The proof is a branch-and-bound tree. Each leaf names a proof: whole multipliers of the rows over a common denominator `D`.
/// With `y` the multipliers and `d = D * c - y * A` the reduced costs,
///
///     D * c * x  >=  sum over rows (y > 0 ? y * lower : y * upper)  +  sum over columns min(d * lower, d * upper)
///
/// for every `x` in the leaf's box, whatever `y` is: a wrong multiplier gives a weaker bound, never a wrong one. A denominator of
/// zero leaves the objective out; a positive right-hand side then shows that the box is empty. Rows are those of the model in
/// its normal form (see `WholeModel`), then the cuts. All numbers are whole; nothing of the check is floating point.
public struct BoundCertificate: Hashable, Sendable {
  /// An inequality that every point of the model satisfies, by a rule that is checked alone.
  public enum Cut: Hashable, Sendable {
    case cover(Cover)
    case rounding(Rounding)
  }

  /// From one side of one row: of these binary variables' literals at most `limit` are true.
  ///
  /// The literal of a variable is `x` where raising `x` uses up the row, else `1 - x`. The rule: even the `limit + 1` smallest
  /// coefficients, with every other variable where it uses least, exceed the row's bound. Covers and extended covers are of this kind.
  public struct Cover: Hashable, Sendable {
    public var row: Int
    /// From `sum <= upper`; otherwise from `sum >= lower`.
    public var isUpperSide: Bool
    public var columns: [Int]
    public var limit: Int

    public init(row: Int, isUpperSide: Bool, columns: [Int], limit: Int) {
      self.row = row
      self.isUpperSide = isUpperSide
      self.columns = columns
      self.limit = limit
    }
  }

  /// Mixed-integer rounding of a combination of rows of the model and of cuts before this one.
  ///
  /// Each row gets its slack, `sum + s = upper` or `sum - s = lower`, each variable its distance from a bound, `x - lower` or, in
  /// `complemented`, `upper - x`. The combination is then `sum a t <= b` over `t >= 0`. With `q = floor(b / divisor)`, `r = b - divisor * q`
  /// and the same for each `a`, the cut is `sum g t <= (divisor - r) * q` where `g = (divisor - r) * q(a) + max(0, r(a) - r)` for whole
  /// `t` and `g = min(0, a)` for others. Gomory's mixed-integer cuts are of this kind.
  ///
  /// **Source** Marchand, Wolsey, "Aggregation and mixed integer rounding to solve MIPs", Operations Research 49, 2001.
  public struct Rounding: Hashable, Sendable {
    public var rows: [Int]
    public var multipliers: [Int]
    /// Which bound of each row.
    public var isUpperSide: [Bool]
    public var divisor: Int
    public var complemented: [Int]

    public init(rows: [Int], multipliers: [Int], isUpperSide: [Bool], divisor: Int, complemented: [Int]) {
      self.rows = rows
      self.multipliers = multipliers
      self.isUpperSide = isUpperSide
      self.divisor = divisor
      self.complemented = complemented
    }
  }

  /// Multipliers of some rows, over a common denominator.
  public struct Proof: Hashable, Sendable {
    public var denominator: Int
    public var rows: [Int]
    public var multipliers: [Int]

    public init(denominator: Int, rows: [Int], multipliers: [Int]) {
      self.denominator = denominator
      self.rows = rows
      self.multipliers = multipliers
    }
  }

  /// Nodes of the tree in preorder.
  public enum Node: Hashable, Sendable {
    /// First the subtree of `x <= value`, then that of `x >= value + 1`.
    case branch(column: Int, value: Int)
    /// Closed by a proof, by its number.
    case leaf(Int)
  }

  /// The objective of the model as stated is not below this (when maximised: not above); nil: no point exists.
  public var bound: Ratio?
  public var cuts: [Cut]
  public var proofs: [Proof]
  public var tree: [Node]

  /// A quotient of whole numbers with a positive denominator.
  public struct Ratio: Hashable, Sendable {
    public var numerator: Int
    public var denominator: Int

    public init(_ numerator: Int, over denominator: Int = 1) {
      self.numerator = numerator
      self.denominator = denominator
    }

    /// The nearest `Double`.
    public var value: Double { Double(numerator) / Double(denominator) }
  }

  public init(bound: Ratio?, cuts: [Cut] = [], proofs: [Proof], tree: [Node]) {
    self.bound = bound
    self.cuts = cuts
    self.proofs = proofs
    self.tree = tree
  }

  /// Nodes at which the tree ends.
  public var leafCount: Int { tree.count { if case .leaf = $0 { true } else { false } } }
}
