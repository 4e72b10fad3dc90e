/// Integer arithmetic over the tile sizes of a loop nest: what an operation costs, as data and not as a closure.
///
/// A dimension `d` of extent `E` cut into tiles of `t` gives the leaves `extent(d) = E`, `tile(d) = t`,
/// `trips(d) = ceil(E / t)` and `last(d) = E - (trips(d) - 1) * t`, the size of the last, perhaps ragged, tile.
///
/// **Units** Whatever the owner says: cycles, bytes, counts. Arithmetic saturates at the limits of `Int`, so that a huge
/// extent gives a huge cost and never a trap. Saturated addition is not associative, so expressions are evaluated in
/// the order in which they are written.
public indirect enum CostExpr: Hashable, Sendable {
  case constant(Int)
  case extent(String)
  case tile(String)
  case trips(String)
  case last(String)
  case add(CostExpr, CostExpr)
  case multiply(CostExpr, CostExpr)
  case maximum(CostExpr, CostExpr)
  case minimum(CostExpr, CostExpr)
  /// The quotient rounded towards plus infinity; a divisor below one counts as one.
  case ceilDivide(CostExpr, CostExpr)
  /// `select(a, b, then, else)`: the third when the first is at most the second, else the fourth.
  case select(CostExpr, CostExpr, CostExpr, CostExpr)

  public static let zero = CostExpr.constant(0)
  public static let one = CostExpr.constant(1)

  /// Sum; a neutral zero vanishes and constants fold.
  public static func + (a: CostExpr, b: CostExpr) -> CostExpr {
    switch (a, b) {
    case (.constant(0), _): return b
    case (_, .constant(0)): return a
    case (.constant(let x), .constant(let y)): return .constant(saturatingAdd(x, y))
    default: return .add(a, b)
    }
  }

  /// Product; a neutral one and an absorbing zero vanish, constants fold.
  public static func * (a: CostExpr, b: CostExpr) -> CostExpr {
    switch (a, b) {
    case (.constant(0), _), (_, .constant(0)): return .zero
    case (.constant(1), _): return b
    case (_, .constant(1)): return a
    case (.constant(let x), .constant(let y)): return .constant(saturatingMultiply(x, y))
    default: return .multiply(a, b)
    }
  }

  public static func + (a: CostExpr, b: Int) -> CostExpr { a + .constant(b) }
  public static func + (a: Int, b: CostExpr) -> CostExpr { .constant(a) + b }
  public static func * (a: CostExpr, b: Int) -> CostExpr { a * .constant(b) }
  public static func * (a: Int, b: CostExpr) -> CostExpr { .constant(a) * b }
  public static func - (a: CostExpr, b: CostExpr) -> CostExpr { a + (-1) * b }
  public static func += (a: inout CostExpr, b: CostExpr) { a = a + b }
  public static func *= (a: inout CostExpr, b: CostExpr) { a = a * b }

  /// The larger of two.
  public static func max(_ a: CostExpr, _ b: CostExpr) -> CostExpr {
    if case .constant(let x) = a, case .constant(let y) = b { return .constant(Swift.max(x, y)) }
    return a == b ? a : .maximum(a, b)
  }

  /// The smaller of two.
  public static func min(_ a: CostExpr, _ b: CostExpr) -> CostExpr {
    if case .constant(let x) = a, case .constant(let y) = b { return .constant(Swift.min(x, y)) }
    return a == b ? a : .minimum(a, b)
  }

  /// The quotient rounded up.
  public static func ceilDiv(_ a: CostExpr, _ b: CostExpr) -> CostExpr {
    if case .constant(1) = b { return a }
    if case .constant(let x) = a, case .constant(let y) = b { return .constant(saturatingCeilDivide(x, y)) }
    return .ceilDivide(a, b)
  }

  public static func ceilDiv(_ a: CostExpr, _ b: Int) -> CostExpr { ceilDiv(a, .constant(b)) }

  /// The sum over all tiles of `d` of a term that depends on the tile's own size: `(trips - 1) * full + last`.
  public static func overTiles(of d: String, _ term: (CostExpr) -> CostExpr) -> CostExpr {
    (trips(d) + -1) * term(.tile(d)) + term(.last(d))
  }

  /// The product of a list; one when it is empty.
  public static func product(_ factors: [CostExpr]) -> CostExpr { factors.reduce(.one, *) }

  /// The sum of a list; zero when it is empty.
  public static func sum(_ terms: [CostExpr]) -> CostExpr { terms.reduce(.zero, +) }

  /// Names of the dimensions that occur, in order of first occurrence.
  public var dimensions: [String] {
    var names: [String] = []
    collectDimensions(&names)
    return names
  }

  private func collectDimensions(_ names: inout [String]) {
    switch self {
    case .constant: break
    case .extent(let d), .tile(let d), .trips(let d), .last(let d):
      if !names.contains(d) { names.append(d) }
    case .add(let a, let b), .multiply(let a, let b), .maximum(let a, let b), .minimum(let a, let b),
      .ceilDivide(let a, let b):
      a.collectDimensions(&names)
      b.collectDimensions(&names)
    case .select(let a, let b, let c, let d):
      for part in [a, b, c, d] { part.collectDimensions(&names) }
    }
  }

  /// The value at one point. Plain recursion: the meaning against which the compiled form is tested.
  ///
  /// **Precondition** Every dimension that occurs is in `point`.
  public func evaluate(at point: [String: TileExtent]) -> Int {
    func extent(_ d: String) -> TileExtent {
      guard let value = point[d] else { preconditionFailure("no dimension '\(d)' in \(point.keys.sorted())") }
      return value
    }
    switch self {
    case .constant(let value): return value
    case .extent(let d): return extent(d).extent
    case .tile(let d): return extent(d).tile
    case .trips(let d): return extent(d).trips
    case .last(let d): return extent(d).last
    case .add(let a, let b): return saturatingAdd(a.evaluate(at: point), b.evaluate(at: point))
    case .multiply(let a, let b): return saturatingMultiply(a.evaluate(at: point), b.evaluate(at: point))
    case .maximum(let a, let b): return Swift.max(a.evaluate(at: point), b.evaluate(at: point))
    case .minimum(let a, let b): return Swift.min(a.evaluate(at: point), b.evaluate(at: point))
    case .ceilDivide(let a, let b): return saturatingCeilDivide(a.evaluate(at: point), b.evaluate(at: point))
    case .select(let a, let b, let x, let y):
      return a.evaluate(at: point) <= b.evaluate(at: point) ? x.evaluate(at: point) : y.evaluate(at: point)
    }
  }
}

/// An extent cut into tiles.
public struct TileExtent: Hashable, Sendable, BitwiseCopyable {
  public var extent: Int
  public var tile: Int

  /// - Precondition: both at least one.
  public init(extent: Int, tile: Int) {
    precondition(extent >= 1 && tile >= 1, "extent \(extent) and tile \(tile) must be at least one")
    self.extent = extent
    self.tile = tile
  }

  /// The number of tiles.
  public var trips: Int { (extent - 1) / tile + 1 }
  /// The size of the last tile.
  public var last: Int { extent - (trips - 1) * tile }
}

/// `a + b`, held at the limits of `Int`.
@inlinable public func saturatingAdd(_ a: Int, _ b: Int) -> Int {
  let (sum, overflow) = a.addingReportingOverflow(b)
  return overflow ? (b < 0 ? Int.min : Int.max) : sum
}

/// `a * b`, held at the limits of `Int`.
@inlinable public func saturatingMultiply(_ a: Int, _ b: Int) -> Int {
  let (product, overflow) = a.multipliedReportingOverflow(by: b)
  return overflow ? ((a < 0) != (b < 0) ? Int.min : Int.max) : product
}

/// `a / b` rounded towards plus infinity; a divisor below one counts as one.
@inlinable public func saturatingCeilDivide(_ a: Int, _ b: Int) -> Int {
  if b <= 1 { return a }
  return a > 0 ? (a &- 1) / b &+ 1 : a / b
}
