import PantileSupport

/// What a chip runs: memories, regions, channels, and one queue with its own loop nest for each engine.
///
/// The size is proportional to the number of layers, never to the number of tiles: queues are expanded lazily by
/// `QueueCursor`. Values, and freedom from deadlock, do not depend on how long anything takes (channels are counters
/// with one producer and one consumer, and every emitted Program is checked free of races), so the functional run may
/// take any legal order and the timing run may ignore values.
public struct Program: Hashable, Sendable {
  public var name: String
  /// Hash of the chip it was compiled for; running on another chip is refused.
  public var chipHash: String
  public var modelHash: String
  public var memories: [Memory] = []
  public var regions: [Region] = []
  public var channels: [Channel] = []
  public var queues: [Queue] = []
  public var kernels: [Kernel] = []
  public var layers: [Layer] = []
  /// Bytes that regions hold before the run (weights, parameters), by region.
  public var images: [Image] = []

  public init(name: String, chipHash: String = "", modelHash: String = "") {
    self.name = name
    self.chipHash = chipHash
    self.modelHash = modelHash
  }

  /// A memory of the chip as far as a Program must know it.
  public struct Memory: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable { case dram, scratchpad, accumulator }

    public var name: String
    public var kind: Kind
    public var bytes: Int
    /// Blocks of equal size, each with a read port and a write port.
    public var banks: Int

    public init(name: String, kind: Kind, bytes: Int, banks: Int = 1) {
      self.name = name
      self.kind = kind
      self.bytes = bytes
      self.banks = banks
    }
  }

  /// A named range of a backing memory.
  public struct Region: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable { case input, output, weight, spill }

    public var name: String
    public var memory: MemoryID
    public var base: Int
    public var bytes: Int
    public var kind: Kind
    /// Shape and element type of inputs and outputs as the model states them (row-major); empty for others.
    public var shape: [Int]
    public var element: String

    public init(
      name: String, memory: MemoryID, base: Int, bytes: Int, kind: Kind, shape: [Int] = [], element: String = "i8"
    ) {
      self.name = name
      self.memory = memory
      self.base = base
      self.bytes = bytes
      self.kind = kind
      self.shape = shape
      self.element = element
    }
  }

  public struct Image: Hashable, Sendable {
    public var region: RegionID
    public var bytes: [UInt8]

    public init(region: RegionID, bytes: [UInt8]) {
      self.region = region
      self.bytes = bytes
    }
  }

  /// A layer as reports show it.
  public struct Layer: Hashable, Sendable {
    public var name: String
    /// The model's nodes that it stands for.
    public var nodes: [String]
    /// What kind of step it is: `conv2d`, `add`, ….
    public var kind: String
    /// Multiply-accumulates of the network (dense; padding and edges of tiles not counted).
    public var macs: Int

    public init(name: String, nodes: [String], kind: String, macs: Int) {
      self.name = name
      self.nodes = nodes
      self.kind = kind
      self.macs = macs
    }
  }

  /// The commands of one engine.
  public struct Queue: Hashable, Sendable {
    public var core: String
    public var engine: String
    public var body: [Node]

    public init(core: String, engine: String, body: [Node] = []) {
      self.core = core
      self.engine = engine
      self.body = body
    }

    /// `core0.array0`.
    public var name: String { "\(core).\(engine)" }
  }

  public indirect enum Node: Hashable, Sendable {
    case command(Command)
    case loop(count: Int, [Node])
  }

  // MARK: Building

  public mutating func add(memory: Memory) -> MemoryID {
    memories.append(memory)
    return MemoryID(memories.count - 1)
  }

  public mutating func add(region: Region) -> RegionID {
    regions.append(region)
    return RegionID(regions.count - 1)
  }

  public mutating func add(channel: Channel) -> ChannelID {
    channels.append(channel)
    return ChannelID(channels.count - 1)
  }

  public mutating func add(queue: Queue) -> QueueID {
    queues.append(queue)
    return QueueID(queues.count - 1)
  }

  /// The kernel's id; an equal kernel (by value) is shared.
  public mutating func add(kernel: Kernel) -> KernelID {
    if let known = kernels.firstIndex(of: kernel) { return KernelID(known) }
    kernels.append(kernel)
    return KernelID(kernels.count - 1)
  }

  public mutating func add(layer: Layer) -> LayerID {
    layers.append(layer)
    return LayerID(layers.count - 1)
  }

  /// The region of that name and kind.
  public func region(named name: String, kind: Region.Kind) -> RegionID? {
    regions.firstIndex { $0.name == name && $0.kind == kind }.map { RegionID($0) }
  }

  /// The commands as written, loops not expanded.
  public var commandCount: Int {
    func count(_ nodes: [Node]) -> Int {
      nodes.reduce(0) { total, node in
        switch node {
        case .command: return total + 1
        case .loop(_, let body): return total + count(body)
        }
      }
    }
    return queues.reduce(0) { $0 + count($1.body) }
  }
}
