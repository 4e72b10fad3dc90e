import PantileProblem

/// The sizes of a macro tile as expressions, so that a planner can put tile sizes, last tiles or whole extents in.
public struct TileExpr: Hashable, Sendable {
  public var m: CostExpr
  public var k: CostExpr
  public var n: CostExpr

  public init(m: CostExpr, k: CostExpr, n: CostExpr) {
    self.m = m
    self.k = k
    self.n = n
  }

  /// `tile(m)`, `tile(k)`, `tile(n)`.
  public static let tile = TileExpr(m: .tile("m"), k: .tile("k"), n: .tile("n"))
}

/// What one macro tile command costs on an array, for planning.
public struct ArrayMapping: Hashable, Sendable {
  /// **Units** cycles from issue until the last accumulator write is visible.
  public var cycles: CostExpr
  /// **Units** cycles from issue until the next command may issue: what a long row of commands pays for each.
  public var interval: CostExpr

  public init(cycles: CostExpr, interval: CostExpr) {
    self.cycles = cycles
    self.interval = interval
  }
}
