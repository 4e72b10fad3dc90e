import PantileEngines

/// Why an engine did nothing in a cycle; every idle cycle has exactly one cause.
public struct StallCause: Hashable, Comparable, Sendable {
  public enum Kind: Int, Hashable, Sendable, CaseIterable {
    /// Operands are not there yet; `source` is the engine that makes them.
    case data
    /// All buffer slots are taken; `source` is the engine that frees them.
    case space
    /// The layer before has not ended.
    case order
    /// A scratchpad bank's port is owned by another engine.
    case bank
    /// All bursts that an engine may have in flight are, and their answers are late.
    case credit
    /// The DRAM controller's queue has no room.
    case queueFull
    /// The DRAM precharges and activates rows.
    case rowMiss
    /// The DRAM refreshes.
    case refresh
    /// The DRAM's bus changes its direction or its rank.
    case turnaround
    /// Column commands of one bank group stand further apart than their data.
    case bankGroup
    /// Bursts of other engines hold the DRAM's bus.
    case bus
    /// The layer has nothing (more) for this engine.
    case noWork

    /// Whether bursts of a copy wait for the DRAM.
    public var isMemory: Bool {
      switch self {
      case .credit, .queueFull, .rowMiss, .refresh, .turnaround, .bankGroup, .bus: return true
      case .data, .space, .order, .bank, .noWork: return false
      }
    }
  }

  public var kind: Kind
  /// Index of the queue that is waited for; nil where no single one is.
  public var source: Int?

  public init(_ kind: Kind, source: Int? = nil) {
    self.kind = kind
    self.source = source
  }

  public static func < (a: StallCause, b: StallCause) -> Bool {
    (a.kind.rawValue, a.source ?? -1) < (b.kind.rawValue, b.source ?? -1)
  }

  /// The name in reports: `data`, `queue-full`, `no-work`.
  public var name: String {
    switch kind {
    case .data: return "data"
    case .space: return "space"
    case .order: return "order"
    case .bank: return "bank"
    case .credit: return "credit"
    case .queueFull: return "queue-full"
    case .rowMiss: return "row-miss"
    case .refresh: return "refresh"
    case .turnaround: return "turnaround"
    case .bankGroup: return "bank-group"
    case .bus: return "bus"
    case .noWork: return "no-work"
    }
  }
}

/// What a timing run found.
public struct TimingResult: Sendable {
  /// Busy and idle cycles of one engine; `busy + Σ stalls` is the length of the interval that it covers.
  public struct Activity: Hashable, Sendable {
    public var busy = 0
    /// Cycles by cause, in the order of causes.
    public var stalls: [(cause: StallCause, cycles: Int)] = []
    /// What an array did in its busy cycles; the parts add up to `busy` times its multipliers.
    public var occupancy = TileOccupancy()

    public var total: Int { stalls.reduce(busy) { $0 + $1.cycles } }

    mutating func add(_ cause: StallCause, _ cycles: Int) {
      guard cycles > 0 else { return }
      if let index = stalls.firstIndex(where: { $0.cause == cause }) {
        stalls[index].cycles += cycles
      } else {
        stalls.append((cause, cycles))
        stalls.sort { $0.cause < $1.cause }
      }
    }

    public static func == (a: Activity, b: Activity) -> Bool {
      a.busy == b.busy && a.occupancy == b.occupancy
        && a.stalls.elementsEqual(b.stalls) { $0.cause == $1.cause && $0.cycles == $1.cycles }
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(busy) }
  }

  public struct Layer: Sendable {
    /// The layer owns the cycles `start ..< end`; layers follow one another without gaps.
    public var start: Int
    public var end: Int
    /// One entry per queue.
    public var activities: [Activity]
    /// Sorted by name.
    public var actions: [ActionCount]
    public var offchipReadBytes = 0
    public var offchipWriteBytes = 0
    /// Commands executed.
    public var commands = 0

    public var cycles: Int { end - start }
  }

  /// One interval of one engine in the life of the run.
  public struct Slice: Hashable, Sendable {
    public var queue: Int
    public var start: Int
    public var end: Int
    public var layer: Int
    /// nil while busy.
    public var cause: StallCause?
  }

  public var cycles: Int
  public var queueNames: [String]
  public var layers: [Layer]
  /// Whole-run activity of each queue.
  public var activities: [Activity]
  /// Whole-run action counts, sorted by name.
  public var actions: [ActionCount]
  public var commands: Int
  /// Multipliers of each queue's array; 0 where there is none.
  public var multipliers: [Int]
  /// Busy and stalled intervals, by queue then time; empty unless a trace was asked for.
  public var slices: [Slice]
  /// What happened, in canonical order; empty unless events were asked for.
  public var events: [TimingEvent] = []
}
