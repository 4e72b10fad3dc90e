import PantileEngines
import PantileProblem
import PantileProgram
import PantileSupport

/// What planning knows of a machine: the engines by their part, memory sizes and the off-chip link.
public struct PlanningMachine: Sendable {
  public var machine: Machine
  public var array: (name: String, engine: ArrayEngine)?
  public var drain: (name: String, options: DrainOptions)?
  public var vector: (name: String, options: VectorOptions)
  public var load: (name: String, options: DMAOptions)
  public var store: (name: String, options: DMAOptions)
  public var scratchpadBytes: Int
  public var accumulatorBytes: Int
  public var bankBytes: Int
  public var link: TilingProblem.Link
  /// Bytes of one burst of the off-chip memory.
  public var burst: Int

  /// - Throws: `no-engine` when the chip lacks a vector engine or DMA engines.
  public init(_ machine: Machine) throws(DiagnosticError) {
    self.machine = machine
    var vectors: [(String, VectorOptions)] = []
    var dmas: [(String, DMAOptions)] = []
    for engine in machine.engines {
      switch engine.unit {
      case .array(let array): if self.array == nil { self.array = (engine.name, array) }
      case .drain(let options): if drain == nil { drain = (engine.name, options) }
      case .vector(let options): vectors.append((engine.name, options))
      case .dma(let options): dmas.append((engine.name, options))
      }
    }
    guard let vector = vectors.first else {
      throw DiagnosticError("no-engine", "chip '\(machine.chipName)' has no vector engine")
    }
    guard let first = dmas.first, let second = dmas.dropFirst().first else {
      throw DiagnosticError(
        "no-engine",
        "chip '\(machine.chipName)' has \(dmas.count) dma engine(s), one to load and one to store are needed")
    }
    self.vector = vector
    load = first
    store = second
    func memory(_ kind: Program.Memory.Kind) throws(DiagnosticError) -> Machine.Memory {
      guard let memory = machine.memories.first(where: { $0.kind == kind }) else {
        throw DiagnosticError("no-memory", "chip '\(machine.chipName)' has no \(kind.rawValue) memory")
      }
      return memory
    }
    let dram = try memory(.dram)
    let scratchpad = try memory(.scratchpad)
    scratchpadBytes = scratchpad.bytes
    bankBytes = max(1, scratchpad.bytes / scratchpad.banks)
    accumulatorBytes = machine.memories.first { $0.kind == .accumulator }?.bytes ?? 0
    // A buffer of two slots is filled anew at most twice in the time of a load and its answer, so a small load costs about half of
    // the latency beside its bytes; the simulator knows the truth, planning only needs the order of magnitude.
    burst = dram.burst
    link = TilingProblem.Link(
      "dram", rate: TransferRate(bytes: dram.bandwidthNumerator, cycles: dram.bandwidthDenominator),
      latency: dram.latency, commandCycles: max(1, dram.latency / 2))
  }

  /// Where large regions of the off-chip memory begin: at the start of a row of a DRAM device, so that tiles of a layer touch as few rows
  /// as they can, and those of equal layers lie alike. **Units** bytes.
  var regionAlignment: Int {
    max(slotAlignment, machine.memories.first { $0.kind == .dram }?.rowStripe ?? slotAlignment)
  }

  /// The Program's memories.
  func makeProgram(name: String, modelHash: String) -> Program {
    var program = Program(name: name, chipHash: machine.chipHash, modelHash: modelHash)
    for memory in machine.memories {
      _ = program.add(
        memory: .init(name: memory.name, kind: memory.kind, bytes: memory.bytes, banks: memory.banks))
    }
    return program
  }
}
