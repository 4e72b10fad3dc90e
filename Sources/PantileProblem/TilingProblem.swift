import PantileSupport

/// Cut one operation into tiles: choose a tile size for each dimension, a loop order and the number of buffer slots, for given
/// residency of the operands.
///
/// **Space** Tile sizes are multiples of the granule or the whole extent; orders are those listed. Loops with one trip do not
/// exist. A streamed operand is fetched again whenever a loop at or outside its innermost relevant loop advances, so its
/// loads are the product of the trips of all loops from the outermost down to that loop.
public struct TilingProblem: Hashable, Sendable {
  /// A dimension to be cut.
  public struct Dim: Hashable, Sendable {
    public var name: String
    public var extent: Int
    /// Tiles are multiples of this, or the whole extent.
    public var granule: Int
    /// False when only the whole extent is allowed.
    public var mayTile: Bool

    public init(_ name: String, extent: Int, granule: Int = 1, mayTile: Bool = true) {
      self.name = name
      self.extent = extent
      self.granule = granule
      self.mayTile = mayTile
    }
  }

  /// A memory with the room that this operation may use.
  public struct Memory: Hashable, Sendable {
    public var name: String
    /// **Units** Bytes.
    public var capacity: Int
    /// True when other tensors may stay in it while the operation runs, so that a smaller footprint is worth something; false for
    /// memories that each operation has to itself, such as accumulators.
    public var isShared: Bool

    public init(_ name: String, capacity: Int, isShared: Bool = true) {
      self.name = name
      self.capacity = capacity
      self.isShared = isShared
    }

    /// Steps of capacity, in 64ths, between which footprints count as equal when alternatives are compared.
    static let classSteps = [2, 4, 8, 16, 24, 32, 48, 64]

    /// The number of classes that fit.
    public static var footprintClassCount: Int { classSteps.count }

    /// The most bytes of each footprint class, ascending.
    public var footprintClassLimits: [Int] {
      Self.classSteps.map { saturatingMultiply(capacity / 64, $0) + capacity % 64 * $0 / 64 }
    }

    /// The footprint class of a number of bytes: classes are finer where little is used.
    public func footprintClass(_ bytes: Int) -> Int {
      footprintClassLimits.firstIndex { bytes <= $0 } ?? Self.classSteps.count
    }
  }

  /// A path that moves tiles.
  public struct Link: Hashable, Sendable {
    public var name: String
    public var rate: TransferRate
    /// Cycles from a transfer's issue to its first byte.
    public var latency: Int
    /// Cycles that each transfer command occupies the link beside its bytes.
    public var commandCycles: Int

    public init(_ name: String, rate: TransferRate, latency: Int = 0, commandCycles: Int = 0) {
      self.name = name
      self.rate = rate
      self.latency = latency
      self.commandCycles = commandCycles
    }
  }

  /// Something that is busy: an array, a drain unit, a vector unit.
  public struct Resource: Hashable, Sendable {
    public var name: String
    /// Busy cycles of the whole operation.
    public var busy: CostExpr
    /// Cycles added for each trip of the whole nest (command issue, pipeline fill that does not overlap).
    public var tripOverhead: Int

    public init(_ name: String, busy: CostExpr, tripOverhead: Int = 0) {
      self.name = name
      self.busy = busy
      self.tripOverhead = tripOverhead
    }
  }

  /// Bytes in a memory.
  public struct Footprint: Hashable, Sendable {
    public var memory: String
    /// Bytes of one slot.
    public var bytes: CostExpr

    public init(_ memory: String, bytes: CostExpr) {
      self.memory = memory
      self.bytes = bytes
    }
  }

  /// A buffer that holds a tile of a tensor.
  public struct Operand: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
      /// Fetched for use.
      case read
      /// Stored once its visit ends.
      case write
      /// Stored at the end of each visit and fetched back at each visit but the first.
      case accumulate
    }

    public var name: String
    public var kind: Kind
    /// Dimensions whose loops move this tile.
    public var relevant: [String]
    public var footprints: [Footprint]
    /// Allowed slot counts, in order of preference.
    public var slotChoices: [Int]
    /// Bytes that one full-size load or store moves.
    public var bytesPerLoad: CostExpr
    /// Bytes when each tile moves exactly once, ragged tiles included; nil means loads times `bytesPerLoad`.
    public var sweepBytes: CostExpr?
    /// The link; nil when nothing is moved: the whole tensor is resident, or the buffer is only an on-chip stage.
    public var link: String?
    /// Where `accumulate` fetches from.
    public var reloadLink: String?
    /// Cycles that cannot be hidden when there is one slot, for the whole operation; nil means the transfer time.
    public var exposed: CostExpr?

    public init(
      _ name: String, kind: Kind, relevant: [String], footprints: [Footprint], slotChoices: [Int] = [2, 1],
      bytesPerLoad: CostExpr = .zero, sweepBytes: CostExpr? = nil, link: String? = nil, reloadLink: String? = nil,
      exposed: CostExpr? = nil
    ) {
      self.name = name
      self.kind = kind
      self.relevant = relevant
      self.footprints = footprints
      self.slotChoices = slotChoices
      self.bytesPerLoad = bytesPerLoad
      self.sweepBytes = sweepBytes
      self.link = link
      self.reloadLink = reloadLink
      self.exposed = exposed
    }

    /// True when tiles move over a link.
    public var isStreamed: Bool { link != nil }
  }

  /// The most dimensions of a problem; searches keep sets of them in one word.
  public static let dimensionLimit = 64

  public var name: String
  public var dims: [Dim]
  /// Allowed loop orders, outermost first; each names every dimension once.
  public var orders: [[String]]
  public var memories: [Memory]
  public var links: [Link]
  public var resources: [Resource]
  public var operands: [Operand]
  /// Bytes needed beside the operands' slots.
  public var workspace: [Footprint]

  public init(
    name: String, dims: [Dim], orders: [[String]], memories: [Memory], links: [Link], resources: [Resource],
    operands: [Operand], workspace: [Footprint] = []
  ) {
    self.name = name
    self.dims = dims
    self.orders = orders
    self.memories = memories
    self.links = links
    self.resources = resources
    self.operands = operands
    self.workspace = workspace
  }

  /// The sizes of dimension `dim` that can be best for some trip count: for each count of trips the smallest tile, ascending.
  ///
  /// **Complexity** About two times the square root of `extent / granule` values.
  public func tileSizes(of dim: Int) -> [Int] {
    let d = dims[dim]
    if !d.mayTile || d.granule >= d.extent { return [d.extent] }
    var sizes: [Int] = []
    // Granules per tile; the last granule may be ragged. The next trip count below the current one is reached by a jump.
    let units = (d.extent - 1) / d.granule + 1
    var perTile = 1
    while perTile < units {
      sizes.append(perTile * d.granule)
      let trips = (units - 1) / perTile + 1
      // The smallest tile with fewer trips than now: ceil(units / (trips - 1)).
      perTile = (units - 1) / (trips - 1) + 1
    }
    sizes.append(d.extent)
    return sizes
  }
}
