import PantileProgram
import PantileSupport
import PantileTarget
import PantileTensor

/// A chip as the simulator sees it: typed engines and memories, in chip-file order.
public struct Machine: Sendable {
  public struct Memory: Hashable, Sendable {
    public var name: String
    public var kind: Program.Memory.Kind
    public var bytes: Int
    /// Blocks of equal size, each with one read and one write port; at most 64.
    public var banks: Int
    /// Bytes a cycle as a fraction; only for DRAM.
    public var bandwidthNumerator: Int
    public var bandwidthDenominator: Int
    /// Cycles from a burst on the bus to its data (or its acknowledgement).
    public var latency: Int
    public var burst: Int
    /// The device that every burst runs on; nil for plain bandwidth and latency.
    public var device: DRAMDevice?

    public init(
      name: String, kind: Program.Memory.Kind, bytes: Int, banks: Int = 1, bandwidthNumerator: Int = 1,
      bandwidthDenominator: Int = 1, latency: Int = 0, burst: Int = 64,
      device: DRAMDevice? = nil
    ) {
      self.name = name
      self.kind = kind
      self.bytes = bytes
      self.banks = banks
      self.bandwidthNumerator = bandwidthNumerator
      self.bandwidthDenominator = bandwidthDenominator
      self.latency = latency
      self.burst = burst
      self.device = device
    }

    /// Bytes of neighbouring addresses, from a multiple of their number on, that lie in one row of each channel of a DRAM device; nil
    /// without a device.
    public var rowStripe: Int? {
      device.map { $0.addressMap.stripe(in: $0.organization) * $0.organization.burstBytes }
    }
  }

  public enum Unit: Sendable {
    case array(ArrayEngine)
    case drain(DrainOptions)
    case vector(VectorOptions)
    case dma(DMAOptions)
  }

  public struct Engine: Sendable {
    public var name: String
    public var unit: Unit

    public init(name: String, unit: Unit) {
      self.name = name
      self.unit = unit
    }
  }

  public var chipName: String
  public var chipHash: String
  public var clock: Hertz
  public var memories: [Memory]
  public var engines: [Engine]

  public init(chipName: String, chipHash: String, clock: Hertz, memories: [Memory], engines: [Engine]) {
    self.chipName = chipName
    self.chipHash = chipHash
    self.clock = clock
    self.memories = memories
    self.engines = engines
  }

  /// Whether a memory is a DRAM device.
  public var hasDevices: Bool { memories.contains { $0.device != nil } }

  /// The same machine with bandwidth and latency in the place of DRAM devices.
  public var withPlainMemories: Machine {
    var plain = self
    for index in plain.memories.indices { plain.memories[index].device = nil }
    return plain
  }

  /// Checks that a Program fits this machine: same chip hash, its memories and engines exist and are as large.
  ///
  /// - Throws: `chip-mismatch` with the two things that disagree.
  public func check(_ program: Program) throws(DiagnosticError) {
    guard program.chipHash.isEmpty || program.chipHash == chipHash else {
      throw DiagnosticError(
        "chip-mismatch",
        "program '\(program.name)' was compiled for chip \(program.chipHash), but '\(chipName)' is \(chipHash)",
        hint: "compile it again with --chip \(chipName) and the same --set options")
    }
    for memory in program.memories {
      guard let mine = memories.first(where: { $0.name == memory.name }) else {
        throw DiagnosticError("chip-mismatch", "program uses memory '\(memory.name)', which '\(chipName)' has not")
      }
      guard mine.kind == memory.kind, mine.bytes >= memory.bytes, mine.banks == memory.banks else {
        throw DiagnosticError(
          "chip-mismatch",
          "program needs memory '\(memory.name)' with \(memory.bytes) bytes in \(memory.banks) banks, '\(chipName)' has \(mine.bytes) in \(mine.banks)"
        )
      }
    }
    for queue in program.queues {
      guard let engine = engines.first(where: { $0.name == queue.engine }) else {
        throw DiagnosticError("chip-mismatch", "program uses engine '\(queue.engine)', which '\(chipName)' has not")
      }
      try check(queue.body, on: engine)
    }
  }

  private func check(_ nodes: [Program.Node], on engine: Engine) throws(DiagnosticError) {
    for node in nodes {
      switch node {
      case .loop(_, let body): try check(body, on: engine)
      case .command(let command):
        switch (command.operation, engine.unit) {
        case (.copy, .dma), (.contract, .array), (.drain, .drain), (.vector, .vector), (.sync, _): break
        default:
          throw DiagnosticError(
            "chip-mismatch", "'\(command.operation.name)' stands in the queue of '\(engine.name)', which cannot run it")
        }
        if case .contract(let tile) = command.operation, case .array(let array) = engine.unit {
          let reasons = array.capability(tile.format).reasons
          if !reasons.isEmpty {
            throw DiagnosticError(
              "unsupported-format",
              "'\(engine.name)' cannot run a tile of format \(tile.format): \(reasons.joined(separator: "; "))")
          }
        }
      }
    }
  }
}

extension Contract {
  /// The number formats, as array engines want them.
  ///
  /// - Precondition: the sparsity is one that `NMPattern` knows (the structure verifier proves it).
  public var format: ContractionFormat {
    if numbers != .integer { return ContractionFormat(numbers: numbers) }
    guard let sparsity else { return ContractionFormat(activationBits: activationBits, weightBits: weightBits) }
    guard let pattern = try? NMPattern(kept: sparsity.kept, group: sparsity.group) else {
      preconditionFailure("no pattern \(sparsity.kept):\(sparsity.group)")
    }
    return ContractionFormat(activationBits: activationBits, weightBits: weightBits, pattern: pattern)
  }
}
