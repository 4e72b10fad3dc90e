import PantileProgram
import PantileSupport
import PantileTarget

extension Machine {
  /// The schemas of all engine families: the given array families and the others.
  public static func schemas(_ families: [ArrayFamily] = .all) -> [String: EngineSchema] {
    var schemas: [String: EngineSchema] = [:]
    for schema in families.map(\.schema) + [DrainOptions.schema, VectorOptions.schema, DMAOptions.schema] {
      schemas[schema.family] = schema
    }
    return schemas
  }

  /// The machine that a chip file describes.
  ///
  /// - Throws: `unknown-family`; what a family's `make` throws; `too-many-banks` above 64.
  public init(_ chip: Chip, families: [ArrayFamily] = .all) throws(DiagnosticError) {
    var memories: [Memory] = []
    for spec in chip.memories {
      guard spec.banks <= 64 else {
        throw DiagnosticError(
          "too-many-banks", "memory '\(spec.name)' has \(spec.banks) banks, the simulator keeps track of 64")
      }
      let kind: Program.Memory.Kind =
        switch spec.kind {
        case .dram: .dram
        case .scratchpad: .scratchpad
        case .accumulator: .accumulator
        }
      memories.append(
        Memory(
          name: spec.name, kind: kind, bytes: spec.size.count, banks: spec.banks,
          bandwidthNumerator: spec.bandwidth.numerator, bandwidthDenominator: spec.bandwidth.denominator,
          latency: spec.latency.count, burst: spec.burst.count, device: spec.device))
    }
    var engines: [Engine] = []
    for section in chip.engines {
      let unit: Unit
      switch section.family {
      case DrainOptions.schema.family:
        unit = .drain(DrainOptions(lanes: section.count("lanes"), latency: section.cycles("latency").count))
      case VectorOptions.schema.family:
        unit = .vector(VectorOptions(lanes: section.count("lanes"), latency: section.cycles("latency").count))
      case DMAOptions.schema.family:
        unit = .dma(
          DMAOptions(linkBytes: section.bytes("link_width").count, outstanding: section.count("outstanding")))
      default: unit = .array(try ArrayFamily.engine(of: section, among: families))
      }
      engines.append(Engine(name: section.name, unit: unit))
    }
    // Loads go first in the queue order that planning uses, whatever the file's order is.
    let stores = Set(chip.engines.filter { $0.family == "dma" && $0.choice("direction") == "store" }.map(\.name))
    engines = engines.filter { !stores.contains($0.name) } + engines.filter { stores.contains($0.name) }
    self.init(chipName: chip.name, chipHash: chip.hash, clock: chip.clock, memories: memories, engines: engines)
  }

  /// The first array of the machine.
  public var array: ArrayEngine? {
    for engine in engines { if case .array(let array) = engine.unit { return array } }
    return nil
  }
}

extension DrainOptions {
  /// The fields of a `drain` section.
  public static let schema = EngineSchema(
    family: "drain", summary: "reads accumulators through the epilogue: bias, requantise, clamp, quantised addition",
    fields: [
      FieldSchema("lanes", .count(1...4096), summary: "accumulators read a cycle"),
      FieldSchema("latency", .cycles(0...10_000), summary: "pipeline depth of the epilogue"),
    ])
}

extension VectorOptions {
  /// The fields of a `vector` section.
  public static let schema = EngineSchema(
    family: "vector", summary: "runs kernels over tensors: elementwise, windows, reductions, softmax",
    fields: [
      FieldSchema("lanes", .count(1...4096), summary: "elements of one instruction a cycle"),
      FieldSchema("latency", .cycles(0...10_000), summary: "cycles from the last instruction to its write"),
    ])
}

extension DMAOptions {
  /// The fields of a `dma` section.
  public static let schema = EngineSchema(
    family: "dma", summary: "moves tiles between memories in bursts",
    fields: [
      FieldSchema("direction", .choice(["load", "store", "both"]), summary: "what the engine is used for"),
      FieldSchema("link_width", .bytes(1...65_536), summary: "bytes a cycle to the on-chip memories"),
      FieldSchema("outstanding", .count(1...65_536), summary: "bursts in flight"),
    ])
}
