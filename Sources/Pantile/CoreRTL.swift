import Foundation
import PantileEngines
import PantileProgram
import PantileSim
import PantileSupport
import PantileTarget
import PantileTensor

/// The register-transfer twin of a chip's core as a folder of files: sources, the chip's numbers, and a compiled network with what
/// the simulator says of it.
///
/// **Example**
/// ```swift
/// let rtl = try CoreRTL(chip: chip, sources: "Targets/rtl/core", network: compiled, seed: 1)
/// for file in rtl.files { try AtomicFile.write(file.data, to: "out/\(file.path)") }
/// ```
public struct CoreRTL: Sendable {
  public struct File: Sendable {
    /// Relative to the folder.
    public var path: String
    public var data: Data
  }

  public private(set) var files: [File] = []
  /// Cycles and events of the network; nil without one.
  public private(set) var expected: (cycles: Int, events: Int)?

  /// - Parameters:
  ///   - sources: the folder of the twin's sources.
  ///   - network: what the testbench runs.
  ///   - seed: of the network's inputs.
  ///   - latencySeed: gives each burst a latency of its own, up to twice the chip's; nil: the chip's.
  /// - Throws: `twin-unsupported`, `no-rtl-sources`, and what the simulator throws for the network.
  public init(
    chip: Chip, sources: String, network: CompiledModel? = nil, seed: UInt64 = 1, latencySeed: UInt64? = nil
  ) throws(DiagnosticError) {
    let machine = try Machine(chip)
    // Refuses a chip before minutes of simulation, whatever the network is.
    _ = try CoreTwinPackage(machine, programWords: 0, dramBytes: 0)
    var twinCase: CoreTwinCase?
    if let network {
      twinCase = try Self.twinCase(network, on: machine, seed: seed, latencySeed: latencySeed)
    }
    let package = try CoreTwinPackage(
      machine, programWords: twinCase?.programWords ?? 0, dramBytes: twinCase?.dramBytes ?? 0)
    let names = try Self.sourceNames(in: sources)
    for name in names { files.append(File(path: name, data: try AtomicFile.read("\(sources)/\(name)"))) }
    for (name, path) in [("pantile_chip_core.sv", "chip/pantile_chip_core.sv"), ("main.cpp", "harness/main.cpp")] {
      files.append(File(path: name, data: try AtomicFile.read("\(sources)/\(path)")))
    }
    add("pantile_chip.sv", package.text)
    // Packages come before their users.
    let rest = names.filter { $0 != Self.types } + ["pantile_chip_core.sv"]
    add("Makefile", Self.makefile(sources: [Self.types, "pantile_chip.sv"] + rest, hasCase: twinCase != nil))
    add("README.md", Self.readme(chip: chip.name, network: network?.model, twinCase: twinCase))
    guard let twinCase else { return }
    expected = (twinCase.cycles, twinCase.events)
    for file in twinCase.inputs { files.append(File(path: "case/\(file.name)", data: Data(file.bytes))) }
    for file in twinCase.expectations {
      files.append(File(path: "case/\(file.name).expected", data: Data(file.bytes)))
    }
  }

  private static let types = "pantile_core_types.sv"

  private mutating func add(_ path: String, _ text: String) { files.append(File(path: path, data: Data(text.utf8))) }

  private static func sourceNames(in folder: String) throws(DiagnosticError) -> [String] {
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasSuffix(".sv") }
    guard names.contains(types) else {
      throw DiagnosticError(
        "no-rtl-sources", "there are no sources of the core's twin in '\(folder)'",
        hint: "run pantile from the repository, or say where it is with --root")
    }
    return names.sorted()
  }

  private static func twinCase(
    _ network: CompiledModel, on machine: Machine, seed: UInt64, latencySeed: UInt64?
  ) throws(DiagnosticError) -> CoreTwinCase {
    let ports = try network.inputs
    let runs = try Inputs.seeded(ports, seed: seed).runs(for: ports)
    guard let run = runs.first else { throw DiagnosticError("missing-input", "the network has no input to run") }
    var latencies: [Int] = []
    if let latencySeed {
      let usual = machine.memories.first { $0.kind == .dram }?.latency ?? 0
      var random = SplitMix64(seed: latencySeed)
      // Bursts beyond the list take the chip's latency; a list for each burst would be as long as the run.
      latencies = (0..<Self.seededLatencies).map { _ in random.next(below: 2 * usual + 1) }
    }
    return try CoreTwinCase(network.program, on: machine, latencies: latencies) { function throws(DiagnosticError) in
      for (port, tensor) in zip(ports, run) { try function.setInput(port.name, tensor) }
    }
  }

  private static let seededLatencies = 65_536

  // MARK: Texts

  private static func makefile(sources: [String], hasCase: Bool) -> String {
    let compare = """
      # The twin must see the simulator's events and leave the simulator's bytes.
      compare: obj/core-twin
      \tobj/core-twin case
      \tfor name in events dram scratchpad accumulators; do cmp case/$$name.expected case/$$name.actual || exit 1; done
      \t@tail -n 1 case/events.actual


      """
    return """
      # Lints, builds and runs the twin with Verilator; written by `pantile rtl`.
      SOURCES := \(sources.joined(separator: " "))
      VERILATOR ?= verilator
      TOP := pantile_chip_core

      .PHONY: all lint build compare clean
      all: \(hasCase ? "compare" : "build")

      lint:
      \t$(VERILATOR) --lint-only -Wall --top-module $(TOP) $(SOURCES)

      build: obj/core-twin

      obj/core-twin: $(SOURCES) main.cpp
      \t$(VERILATOR) --cc --exe --build -O3 --x-assign fast --x-initial fast -Wall --top-module $(TOP) \\
      \t  --prefix Vpantile_core --Mdir obj -MAKEFLAGS "OPT_FAST=-O1 OPT_SLOW=-O0 OPT_GLOBAL=-O1" \\
      \t  -CFLAGS "-ffp-contract=off" $(SOURCES) $(CURDIR)/main.cpp -o core-twin

      \(hasCase ? compare : "")clean:
      \trm -rf obj case/*.actual

      """
  }

  private static func readme(chip: String, network: String?, twinCase: CoreTwinCase?) -> String {
    var text = """
      # The core of chip '\(chip)' in registers

      `pantile_chip.sv` holds the numbers of the chip file, the other `.sv` files are the core: one sequencer a queue, channels, bank
      ports, array, drain, vector engine, two DMA engines, bus and memories. `pantile_chip_core` is the top. What happens in which
      cycle is written in `Docs/engines/core.md` of Pantile. `make lint` checks the sources, `make build` builds the simulator with
      Verilator. Float micro-operations of kernels are C functions of `main.cpp`; everything else is SystemVerilog.

      """
    if let network, let twinCase {
      text += """

        ## The network

        `case` holds '\(network)' as the chip runs it: the program image, the memory before the run, the latency of each burst, and
        what the simulator expects: \(twinCase.events) events in \(twinCase.cycles) cycles, and the bytes of all memories.
        `make` builds the twin, runs it and compares; it ends with 0 when nothing differs.

        """
    }
    return text
  }
}
