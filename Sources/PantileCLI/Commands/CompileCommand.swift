import ArgumentParser
import Pantile

/// `pantile compile`: a model for a chip, as a file that `run` takes.
struct CompileCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compile", abstract: "Compiles a model for a chip and writes the program.")

  @Argument(help: ArgumentHelp("The model.", valueName: "model")) var operands: [String]
  @Option(name: .shortAndLong, help: ArgumentHelp("The program file.", valueName: "net.pantile")) var output: String
  @Option(help: "Makes absent weights from their names and this seed.") var seed: UInt64?
  @Option(
    help: ArgumentHelp("Print after this stage: integer, choose or program. May be repeated.", valueName: "stage"))
  var printAfter: [Stage] = []
  @Flag(help: "Say on stderr how long each phase took.") var timing = false
  @OptionGroup var chip: ChipOptions
  @OptionGroup var options: ModelOptions
  @OptionGroup var integer: IntegerOptions
  @OptionGroup var root: RootOptions

  /// Stages whose result can be printed.
  enum Stage: String, ExpressibleByArgument, CaseIterable { case integer, choose, program }

  func run() throws {
    try OutputFiles.check(output)
    let folder = root.folder
    let operands = try Operands(operands)
    var clock = PhaseClock(isOn: timing)
    let target = try chip.load(root: folder, extraSettings: operands.settings)
    let model = try options.load(operands.model, root: folder, weightSeed: seed)
    clock.end("import")
    let compilation = try Compilations.compile(
      model, for: target, calibration: try integer.sets(for: model, inputs: []), options: try integer.pipeline())
    clock.end("compile")
    try Compilations.print(compilation, after: printAfter)
    let compiled = CompiledModel(compilation, model: model.name)
    var files = OutputFiles()
    files.add(compiled.data, to: output)
    files.add(
      "\(model.name) for \(target.name): \(Table.grouped(compilation.timing.cycles)) cycles, "
        + "\(compilation.program.commandCount) commands (\(Table.grouped(compilation.commands)) expanded), "
        + "plan \(compilation.plan.status)\n", to: output == "-" ? "/dev/stderr" : "-")
    try files.write()
  }
}
