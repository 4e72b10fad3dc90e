import ArgumentParser
import Pantile

/// `pantile rtl`: the core of a chip in SystemVerilog, with a testbench that runs a compiled network.
struct RTLCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rtl", abstract: "Writes the register-transfer twin of a chip's core.",
    discussion: """
      The folder gets the sources, the chip's numbers as a package, a Makefile for Verilator and a README. With a program it
      also gets the program's image, memories and expected events: 'make' there runs the twin and compares.
      """)

  @Argument(help: ArgumentHelp("A shipped chip's name or a YAML file.", valueName: "chip")) var chip: String
  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Where the files go.", valueName: "folder"))
  var outputDir: String
  @Option(help: ArgumentHelp("A program written by 'pantile compile' for this chip.", valueName: "file.pantile"))
  var program: String?
  @Option(help: "Of the program's inputs.") var seed: UInt64 = 1
  @Option(help: "Gives each burst of the memory a latency of its own, up to twice the chip's.") var latencySeed: UInt64?
  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Changes a field of the chip: engines.array0.rows=32. May be repeated.", valueName: "key=value"))
  var settings: [String] = []
  @OptionGroup var root: RootOptions

  func run() throws {
    let folder = root.folder
    let target = try Chip.load(chip, overrides: settings, schemas: Machine.schemas(), root: folder)
    let network = try program.map { path throws(DiagnosticError) in try CompiledModel(contentsOf: path) }
    let rtl = try CoreRTL(
      chip: target, sources: "\(folder ?? ".")/Targets/rtl/core", network: network, seed: seed, latencySeed: latencySeed
    )
    try OutputFiles.makeFolder(outputDir)
    if network != nil { try OutputFiles.makeFolder("\(outputDir)/case") }
    var files = OutputFiles()
    for file in rtl.files { files.add(file.data, to: "\(outputDir)/\(file.path)") }
    var summary = "\(rtl.files.count) files in \(outputDir)\n"
    if let expected = rtl.expected {
      summary += "expected: \(expected.cycles) cycles, \(expected.events) events; 'make -C \(outputDir)' compares\n"
    }
    files.add(summary, to: "-")
    try files.write()
  }
}
