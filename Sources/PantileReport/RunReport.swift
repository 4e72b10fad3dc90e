/// What one run of one model on one chip did: the result that every renderer, sweep and check starts from.
///
/// The JSON form is `pantile.run/1`, described in `Docs/run-report.md`. Keys are only ever added; a changed meaning gets
/// a new number.
public struct RunReport: Codable, Sendable, Equatable {
  /// The schema that this code writes.
  public static let currentSchema = "pantile.run/1"

  public var schema = RunReport.currentSchema
  /// Of Pantile.
  public var version: String
  public var model: String
  public var modelHash: String
  public var chip: String
  public var chipHash: String
  public var clockHertz: Double

  /// From the first command's issue to the last byte written.
  public var cycles: Int
  /// `cycles` at the chip's clock.
  public var seconds: Double
  /// Multiply-accumulates of the network; padding and tile edges are not counted.
  public var macs: Int
  /// `macs` over what the array could do in `cycles` with each layer's format, sparse patterns counted as dense; 0 ... 1.
  public var utilization: Double
  /// Idle cycles of the array engine by cause; with its busy cycles they add up to `cycles`.
  public var stalls: NamedAmounts<Int>
  /// The engine whose idle cycles `stalls` are; nil in reports that were written before it was said.
  public var stalledEngine: String?
  /// From the array's peak to what it achieved; empty without an array, nil in reports that were written before there was one.
  public var waterfall: [WaterfallStep]?
  public var energy: Energy
  /// The highest scratchpad address in use, in bytes.
  public var peakScratchpadBytes: Int
  /// Bytes over the pins of the off-chip memory, both directions, whole bursts.
  public var offchipBytes: Int
  /// Bytes by memory and direction: `dram_read`, `spad_write`.
  public var bytes: NamedAmounts<Int>
  /// How often each action was counted.
  public var actions: NamedAmounts<Int>
  /// Commands executed, loops expanded.
  public var commands: Int
  public var engines: [Engine]
  public var layers: [Layer]
  public var plan: Plan
  public var outputs: [Output]
  /// Present when labels were given.
  public var accuracy: Accuracy?
  /// Present when the program was run several times; everything else is about the first time.
  public var repeats: Repeats?
  /// Present when times or actions of the chip's array depend on values.
  public var values: Values?

  public init(
    version: String, model: String, modelHash: String, chip: String, chipHash: String, clockHertz: Double, cycles: Int,
    seconds: Double, macs: Int, utilization: Double, stalls: NamedAmounts<Int>, stalledEngine: String? = nil,
    waterfall: [WaterfallStep]? = nil, energy: Energy,
    peakScratchpadBytes: Int, offchipBytes: Int, bytes: NamedAmounts<Int>, actions: NamedAmounts<Int>, commands: Int,
    engines: [Engine], layers: [Layer], plan: Plan, outputs: [Output], accuracy: Accuracy? = nil
  ) {
    self.version = version
    self.model = model
    self.modelHash = modelHash
    self.chip = chip
    self.chipHash = chipHash
    self.clockHertz = clockHertz
    self.cycles = cycles
    self.seconds = seconds
    self.macs = macs
    self.utilization = utilization
    self.stalls = stalls
    self.stalledEngine = stalledEngine
    self.waterfall = waterfall
    self.energy = energy
    self.peakScratchpadBytes = peakScratchpadBytes
    self.offchipBytes = offchipBytes
    self.bytes = bytes
    self.actions = actions
    self.commands = commands
    self.engines = engines
    self.layers = layers
    self.plan = plan
    self.outputs = outputs
    self.accuracy = accuracy
  }

  /// Energy by component; the parts add up to the total.
  public struct Energy: Codable, Sendable, Equatable {
    public var totalPicojoules: Double
    public var components: NamedAmounts<Double>
    /// What the figure leaves out: categories of the table, and counted actions that it has no cost for.
    public var unmodelled: [String]
    public var table: String
    public var tableHash: String
    /// The lowest confidence of any entry used.
    public var confidence: String

    public init(
      totalPicojoules: Double, components: NamedAmounts<Double>, unmodelled: [String], table: String, tableHash: String,
      confidence: String
    ) {
      self.totalPicojoules = totalPicojoules
      self.components = components
      self.unmodelled = unmodelled
      self.table = table
      self.tableHash = tableHash
      self.confidence = confidence
    }

    enum CodingKeys: String, CodingKey {
      case totalPicojoules = "total_pj"
      case components = "by_component"
      case unmodelled, table
      case tableHash = "table_hash"
      case confidence
    }
  }

  /// One engine over the whole run: `busy` + all stalls = `cycles` of the run.
  public struct Engine: Codable, Sendable, Equatable {
    public var name: String
    public var busy: Int
    public var stalls: NamedAmounts<Int>

    public init(name: String, busy: Int, stalls: NamedAmounts<Int>) {
      self.name = name
      self.busy = busy
      self.stalls = stalls
    }
  }

  /// One layer: a stretch of the run that it owns; layers follow one another and their cycles add up to the run's.
  public struct Layer: Codable, Sendable, Equatable {
    public var name: String
    /// The model's nodes that it stands for.
    public var nodes: [String]
    public var kind: String
    /// The engine that was busy longest.
    public var engine: String
    public var start: Int
    public var cycles: Int
    public var macs: Int
    public var utilization: Double
    /// Busy cycles of `engine`; with `stalls` they add up to `cycles`.
    public var busy: Int
    public var stalls: NamedAmounts<Int>
    /// As of the run, for the layer's stretch of it.
    public var waterfall: [WaterfallStep]?
    /// What took most cycles: the engine's own work (`array0 busy`), or the largest stall with the engine waited for
    /// (`data from dma0`).
    public var limit: String
    public var bytes: NamedAmounts<Int>
    public var energy: LayerEnergy
    public var commands: Int

    public init(
      name: String, nodes: [String], kind: String, engine: String, start: Int, cycles: Int, macs: Int,
      utilization: Double, busy: Int, stalls: NamedAmounts<Int>, waterfall: [WaterfallStep]? = nil, limit: String,
      bytes: NamedAmounts<Int>, energy: LayerEnergy, commands: Int
    ) {
      self.name = name
      self.nodes = nodes
      self.kind = kind
      self.engine = engine
      self.start = start
      self.cycles = cycles
      self.macs = macs
      self.utilization = utilization
      self.busy = busy
      self.stalls = stalls
      self.waterfall = waterfall
      self.limit = limit
      self.bytes = bytes
      self.energy = energy
      self.commands = commands
    }

    public struct LayerEnergy: Codable, Sendable, Equatable {
      public var totalPicojoules: Double
      public var components: NamedAmounts<Double>

      public init(totalPicojoules: Double, components: NamedAmounts<Double>) {
        self.totalPicojoules = totalPicojoules
        self.components = components
      }

      enum CodingKeys: String, CodingKey {
        case totalPicojoules = "total_pj"
        case components = "by_component"
      }
    }
  }

  /// How good the schedule is known to be.
  public struct Plan: Codable, Sendable, Equatable {
    /// `optimal`, `feasible`, `heuristic`: in the stated spaces, see `gaps`.
    public var status: String
    public var gaps: Gaps
    /// Lower bounds by name, in cycles or bytes as the name says.
    public var bounds: NamedAmounts<Int>

    public init(status: String, gaps: Gaps, bounds: NamedAmounts<Int> = .init()) {
      self.status = status
      self.gaps = gaps
      self.bounds = bounds
    }

    /// Relative distance of each decision to its proved bound, 0 = proved optimal; null where no bound is known.
    public struct Gaps: Codable, Sendable, Equatable {
      public var tiling: Double?
      public var residency: Double?
      public var packing: Double?
      /// Of the run's cycles to the largest proved lower bound of the whole network.
      public var network: Double?

      public init(tiling: Double? = nil, residency: Double? = nil, packing: Double? = nil, network: Double? = nil) {
        self.tiling = tiling
        self.residency = residency
        self.packing = packing
        self.network = network
      }

      public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        // Unknown is written as null, so that scripts find the key.
        try container.encode(tiling, forKey: .tiling)
        try container.encode(residency, forKey: .residency)
        try container.encode(packing, forKey: .packing)
        try container.encode(network, forKey: .network)
      }
    }
  }

  /// One output tensor.
  public struct Output: Codable, Sendable, Equatable {
    public var name: String
    public var shape: [Int]
    public var elementType: String
    /// Sixteen hexadecimal digits over the bytes; absent without a functional run.
    public var hash: String?
    /// Where it was written; absent when it was not.
    public var file: String?

    public init(name: String, shape: [Int], elementType: String, hash: String? = nil, file: String? = nil) {
      self.name = name
      self.shape = shape
      self.elementType = elementType
      self.hash = hash
      self.file = file
    }

    enum CodingKeys: String, CodingKey {
      case name, shape
      case elementType = "element_type"
      case hash, file
    }
  }

  /// Share of samples whose largest output is the label.
  public struct Accuracy: Codable, Sendable, Equatable {
    public var samples: Int
    public var correct: Int
    /// `correct / samples`, 0 ... 1.
    public var top1: Double
    /// The same of the float reference, when it ran.
    public var floatTop1: Double?

    /// - Precondition: `samples` is positive.
    public init(samples: Int, correct: Int, floatTop1: Double? = nil) {
      precondition(samples > 0, "accuracy needs a sample")
      self.samples = samples
      self.correct = correct
      top1 = Double(correct) / Double(samples)
      self.floatTop1 = floatTop1
    }

    enum CodingKeys: String, CodingKey {
      case samples, correct, top1
      case floatTop1 = "float_top1"
    }
  }

  /// A Program run again and again, each time when everything of the time before is done, on memories that stay as they are.
  public struct Repeats: Codable, Sendable, Equatable {
    public var count: Int
    /// Of all times together.
    public var cycles: Int
    public var seconds: Double
    /// Of a time: the shortest and the longest.
    public var least: Int
    public var most: Int

    /// - Parameter ends: the cycle in which each time was done.
    /// - Precondition: there is at least one.
    public init(ends: [Int], clockHertz: Double) {
      precondition(!ends.isEmpty, "a program runs at least once")
      let lengths = zip(ends, [0] + ends).map { $0 - $1 }
      count = ends.count
      cycles = ends[ends.count - 1]
      seconds = Double(cycles) / clockHertz
      least = lengths.reduce(Int.max, min)
      most = lengths.reduce(0, max)
    }
  }

  /// What the times and actions of a run have to do with values, on a chip whose array skips terms or gates products.
  public struct Values: Codable, Sendable, Equatable {
    /// Whether times are those of given values; else the longest that any values take.
    public var isMeasured: Bool
    /// Cycles of the longest.
    public var longestCycles: Int

    public init(isMeasured: Bool, longestCycles: Int) {
      self.isMeasured = isMeasured
      self.longestCycles = longestCycles
    }

    enum CodingKeys: String, CodingKey {
      case isMeasured = "measured"
      case longestCycles = "longest_cycles"
    }
  }

  enum CodingKeys: String, CodingKey {
    case schema, version, model
    case modelHash = "model_hash"
    case chip
    case chipHash = "chip_hash"
    case clockHertz = "clock_hz"
    case cycles, seconds, macs, utilization, stalls, energy
    case stalledEngine = "stalled_engine"
    case waterfall
    case peakScratchpadBytes = "peak_scratchpad_bytes"
    case offchipBytes = "offchip_bytes"
    case bytes, actions, commands, engines, layers, plan, outputs, accuracy, repeats, values
  }
}
