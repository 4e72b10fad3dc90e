/// A closed interval of integers.
public struct CostInterval: Hashable, Sendable, BitwiseCopyable {
  public var lower: Int
  public var upper: Int

  /// - Precondition: `lower <= upper`.
  public init(_ lower: Int, _ upper: Int) {
    precondition(lower <= upper, "empty interval \(lower)...\(upper)")
    self.lower = lower
    self.upper = upper
  }

  public init(_ value: Int) {
    lower = value
    upper = value
  }

  @inlinable public func contains(_ value: Int) -> Bool { lower <= value && value <= upper }

  /// The smallest interval around four corner values.
  private init(corners a: Int, _ b: Int, _ c: Int, _ d: Int) {
    lower = Swift.min(Swift.min(a, b), Swift.min(c, d))
    upper = Swift.max(Swift.max(a, b), Swift.max(c, d))
  }

  public static func + (a: CostInterval, b: CostInterval) -> CostInterval {
    CostInterval(saturatingAdd(a.lower, b.lower), saturatingAdd(a.upper, b.upper))
  }

  public static func * (a: CostInterval, b: CostInterval) -> CostInterval {
    CostInterval(
      corners: saturatingMultiply(a.lower, b.lower), saturatingMultiply(a.lower, b.upper),
      saturatingMultiply(a.upper, b.lower), saturatingMultiply(a.upper, b.upper))
  }

  public static func max(_ a: CostInterval, _ b: CostInterval) -> CostInterval {
    CostInterval(Swift.max(a.lower, b.lower), Swift.max(a.upper, b.upper))
  }

  public static func min(_ a: CostInterval, _ b: CostInterval) -> CostInterval {
    CostInterval(Swift.min(a.lower, b.lower), Swift.min(a.upper, b.upper))
  }

  /// The quotient is monotone in each argument for a fixed other one, so the corners bound it.
  public static func ceilDiv(_ a: CostInterval, _ b: CostInterval) -> CostInterval {
    CostInterval(
      corners: saturatingCeilDivide(a.lower, b.lower), saturatingCeilDivide(a.lower, b.upper),
      saturatingCeilDivide(a.upper, b.lower), saturatingCeilDivide(a.upper, b.upper))
  }

  /// The branch that is certain, or the hull of both.
  public static func select(
    _ a: CostInterval, _ b: CostInterval, _ then: CostInterval, _ otherwise: CostInterval
  ) -> CostInterval {
    if a.upper <= b.lower { return then }
    if a.lower > b.upper { return otherwise }
    return CostInterval(Swift.min(then.lower, otherwise.lower), Swift.max(then.upper, otherwise.upper))
  }
}

/// An extent cut into tiles whose size is only known to lie between two values.
public struct TileRange: Hashable, Sendable, BitwiseCopyable {
  public var extent: Int
  public var tile: CostInterval

  /// - Precondition: `extent >= 1`, `tile.lower >= 1`.
  public init(extent: Int, tile: CostInterval) {
    precondition(extent >= 1 && tile.lower >= 1, "extent \(extent) and tiles \(tile) must be at least one")
    self.extent = extent
    self.tile = tile
  }

  /// The numbers of tiles that occur.
  public var trips: CostInterval {
    CostInterval(
      TileExtent(extent: extent, tile: tile.upper).trips, TileExtent(extent: extent, tile: tile.lower).trips)
  }

  /// The sizes of the last tile that may occur.
  public var last: CostInterval {
    if tile.lower == tile.upper { return CostInterval(TileExtent(extent: extent, tile: tile.lower).last) }
    return CostInterval(1, Swift.min(extent, tile.upper))
  }
}

extension CostExpr {
  /// An interval that holds the value at every point of the box.
  ///
  /// **Accuracy** Sound, not tight: a dimension that occurs twice is taken as independent.
  /// **Precondition** Every dimension that occurs is in `box`.
  public func bounds(over box: [String: TileRange]) -> CostInterval {
    func range(_ d: String) -> TileRange {
      guard let value = box[d] else { preconditionFailure("no dimension '\(d)' in \(box.keys.sorted())") }
      return value
    }
    switch self {
    case .constant(let value): return CostInterval(value)
    case .extent(let d): return CostInterval(range(d).extent)
    case .tile(let d): return range(d).tile
    case .trips(let d): return range(d).trips
    case .last(let d): return range(d).last
    case .add(let a, let b): return a.bounds(over: box) + b.bounds(over: box)
    case .multiply(let a, let b): return a.bounds(over: box) * b.bounds(over: box)
    case .maximum(let a, let b): return .max(a.bounds(over: box), b.bounds(over: box))
    case .minimum(let a, let b): return .min(a.bounds(over: box), b.bounds(over: box))
    case .ceilDivide(let a, let b): return .ceilDiv(a.bounds(over: box), b.bounds(over: box))
    case .select(let a, let b, let x, let y):
      return .select(a.bounds(over: box), b.bounds(over: box), x.bounds(over: box), y.bounds(over: box))
    }
  }
}
