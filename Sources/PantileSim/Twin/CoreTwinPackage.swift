import PantileEngines
import PantileProgram
import PantileSupport

/// The numbers of a chip as a SystemVerilog package: the parameters of `pantile_core`.
public struct CoreTwinPackage: Sendable {
  public let parameters: [(name: String, value: String)]
  private let chip: String

  /// - Parameters:
  ///   - programWords: of the image that must fit; the package takes the next power of two.
  ///   - dramBytes: as well.
  /// - Throws: `twin-unsupported` with everything that the twin has not.
  public init(_ machine: Machine, programWords: Int, dramBytes: Int) throws(DiagnosticError) {
    var problems: [Diagnostic] = []
    func refuse(_ message: String) { problems.append(Diagnostic("twin-unsupported", message)) }
    var arrays: [ArrayEngine] = []
    var drains: [DrainOptions] = []
    var vectors: [VectorOptions] = []
    var dmas: [DMAOptions] = []
    for engine in machine.engines {
      switch engine.unit {
      case .array(let array): arrays.append(array)
      case .drain(let options): drains.append(options)
      case .vector(let options): vectors.append(options)
      case .dma(let options):
        dmas.append(options)
        if let problem = options.twinProblem(of: engine.name) { refuse(problem) }
      }
    }
    for (count, most, what) in [
      (arrays.count, 1, "arrays"), (drains.count, 1, "drain units"), (vectors.count, 1, "vector engines"),
      (dmas.count, 2, "DMA engines"),
    ] where count > most {
      refuse("chip '\(machine.chipName)' has \(count) \(what), the core's twin \(most)")
    }
    func memory(_ kind: Program.Memory.Kind) -> Machine.Memory? {
      let known = machine.memories.filter { $0.kind == kind }
      if known.count != 1 {
        refuse("chip '\(machine.chipName)' has \(known.count) memories of kind '\(kind.rawValue)', the core's twin 1")
      }
      return known.first
    }
    let (dram, scratchpad, accumulator) = (memory(.dram), memory(.scratchpad), memory(.accumulator))
    if let problem = dram?.twinProblem { refuse(problem) }
    if arrays.isEmpty { refuse("chip '\(machine.chipName)' has no array") }
    var structure: CoreTwinStructure?
    if let array = arrays.first {
      do throws(DiagnosticError) {
        structure = try CoreTwinStructure(
          array, programWords: Self.power(of: programWords, least: 1 << 12),
          dramBytes: Self.power(of: dramBytes, least: 1 << 16), scratchpadBytes: scratchpad?.bytes ?? 1,
          accumulatorWords: max(1, (accumulator?.bytes ?? 4) / 4))
      } catch {
        problems += error.diagnostics
      }
    }
    guard problems.isEmpty, let structure, let dram, let scratchpad else { throw DiagnosticError(problems) }
    let none = DMAOptions(linkBytes: 1, outstanding: 1)
    let (first, second) = (dmas.first ?? none, dmas.count > 1 ? dmas[1] : none)
    chip = machine.chipName
    parameters =
      structure.parameters + [
        ("DRAIN_LANES", "\(drains.first?.lanes ?? 1)"), ("DRAIN_LATENCY", "\(drains.first?.latency ?? 0)"),
        ("VECTOR_LANES", "\(vectors.first?.lanes ?? 1)"), ("VECTOR_LATENCY", "\(vectors.first?.latency ?? 0)"),
        ("LINK_BYTES_0", "\(first.linkBytes)"), ("OUTSTANDING_0", "\(first.outstanding)"),
        ("LINK_BYTES_1", "\(second.linkBytes)"), ("OUTSTANDING_1", "\(second.outstanding)"),
        ("BUS_TICKS", "\(dram.bandwidthNumerator)"), ("BUS_SERVICE", "\(dram.burst * dram.bandwidthDenominator)"),
        ("BURST_BYTES", "\(dram.burst)"), ("BANK_BYTES", "\(max(1, scratchpad.bytes / scratchpad.banks))"),
      ]
  }

  private static func power(of number: Int, least: Int) -> Int {
    var power = least
    while power < number { power *= 2 }
    return power
  }

  /// The package's text.
  public var text: String {
    let lines = parameters.map { name, value in
      "  localparam \(value.contains("'b") ? "bit" : "int") \(name) = \(value);\n"
    }
    return "// The numbers of chip '\(chip)', written by `pantile rtl`.\npackage pantile_chip;\n"
      + lines.joined() + "endpackage\n"
  }
}
