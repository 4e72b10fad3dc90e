/// What the multipliers of an array do while it is busy with a macro tile: the products of the tile, and every way to do nothing.
///
/// **Units** PE-cycles: one multiplier for one cycle. An array has `ArrayEngine.multipliers` of them each cycle, so over the whole
/// duration of a command the parts add up to duration x multipliers.
///
/// Of PEs that take a fold's first product one after another (the skew of the array), the time before is `fill` and the time behind the
/// last product is `drain`.
public struct TileOccupancy: Hashable, Sendable, BitwiseCopyable {
  /// Products of the tile; a bit-serial product takes a PE-cycle for each of its terms.
  public var work = 0
  /// Rows of PEs that an edge fold leaves unused.
  public var edgeRows = 0
  /// Columns of PEs that an edge fold leaves unused, all rows of them.
  public var edgeColumns = 0
  /// Multipliers of a PE beyond the end of the reduction.
  public var edgeDepth = 0
  /// A PE waits for its own adder.
  public var adder = 0
  /// A PE waits for operands that come through a narrow port of the array.
  public var feed = 0
  /// Lanes and PEs of one step wait for those that have more terms.
  public var sync = 0
  /// No products because stationary operands are loaded.
  public var load = 0
  public var fill = 0
  /// Results move out, or a fold waits until they have.
  public var drain = 0

  public init() {}

  public var total: Int { work + edgeRows + edgeColumns + edgeDepth + adder + feed + sync + load + fill + drain }

  public static func += (a: inout TileOccupancy, b: TileOccupancy) {
    a.work += b.work
    a.edgeRows += b.edgeRows
    a.edgeColumns += b.edgeColumns
    a.edgeDepth += b.edgeDepth
    a.adder += b.adder
    a.feed += b.feed
    a.sync += b.sync
    a.load += b.load
    a.fill += b.fill
    a.drain += b.drain
  }

  /// The parts in a fixed order; `init(parts:)` takes them back.
  public var parts: [Int] { [work, edgeRows, edgeColumns, edgeDepth, adder, feed, sync, load, fill, drain] }

  /// - Precondition: as many as `parts` gives.
  public init(parts: [Int]) {
    precondition(parts.count == 10, "\(parts.count) parts")
    (work, edgeRows, edgeColumns, edgeDepth) = (parts[0], parts[1], parts[2], parts[3])
    (adder, feed, sync) = (parts[4], parts[5], parts[6])
    (load, fill, drain) = (parts[7], parts[8], parts[9])
  }

  /// The folds of a command, all of them full: `count` folds that each give `stream` PE-cycles of products to every PE.
  ///
  /// - Parameters:
  ///   - used: rows and columns of all folds together that the tile needs.
  ///   - size: rows and columns of the array; contexts of a column count as columns.
  static func folds(
    count: (rows: Int, columns: Int), stream: Int, used: (rows: Int, columns: Int), size: (rows: Int, columns: Int)
  ) -> TileOccupancy {
    var result = TileOccupancy()
    let rows = count.rows * size.rows
    result.work = stream * used.rows * used.columns
    result.edgeRows = stream * (rows - used.rows) * used.columns
    result.edgeColumns = stream * rows * (count.columns * size.columns - used.columns)
    return result
  }

  /// The skew of `rows` x `columns` PEs: PE (r, c) begins r + c cycles behind the first, and ends as much before the last.
  mutating func addSkew(rows: Int, columns: Int, times: Int = 1, multipliers: Int = 1) {
    // Σ (r + c) over all PEs; the product is even.
    let half = rows * columns * (rows + columns - 2) / 2 * times * multipliers
    fill += half
    drain += half
  }

  /// What is seen of it in `cycles`, when the next command hides the end or the array stands still behind it: what others hide is taken
  /// from `drain`, then `fill`, then `load`, and what comes on top is `drain`.
  public func visible(in cycles: Int, multipliers: Int) -> TileOccupancy {
    var result = self
    var hidden = total - cycles * multipliers
    if hidden < 0 {
      result.drain -= hidden
      return result
    }
    for part in [\TileOccupancy.drain, \.fill, \.load] {
      let taken = min(hidden, result[keyPath: part])
      result[keyPath: part] -= taken
      hidden -= taken
    }
    precondition(hidden == 0, "\(cycles) cycles are too few for \(self)")
    return result
  }
}
