import ArgumentParser
import Pantile

/// `pantile explain`: where the cycles of a run went, and what would change them.
struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Says where the cycles of a run went, and what would change them.",
    discussion: """
      RUN is a model, a program written by 'pantile compile', or a report written by 'pantile run --json'. The parts add up to the \
      run's cycles. With a chip, the same program is timed again on changed machines: twice the bandwidth, no bank conflicts. A report \
      alone is explained without that.
      """)

  @Argument(help: ArgumentHelp("A model, net.pantile, or report.json.", valueName: "run")) var operands: [String]
  @Option(help: ArgumentHelp("One layer instead of the whole run.", valueName: "name")) var layer: String?
  @Option(help: ArgumentHelp("Write the explanation as JSON.", valueName: "file|-")) var json: String?
  @OptionGroup var chip: ChipOptions
  @OptionGroup var options: ModelOptions
  @OptionGroup var integer: IntegerOptions
  @OptionGroup var root: RootOptions

  func run() throws {
    try OutputFiles.check(json)
    let operands = try Operands(operands)
    let explanation: Explanation
    if operands.model.hasSuffix(".json"), chip.chip == nil {
      let report = try RunReport(json: AtomicFile.readText(operands.model), path: operands.model)
      explanation = try .of(report, layer: layer)
    } else {
      explanation = try simulated(operands)
    }
    var files = OutputFiles()
    if let json { files.add(JSON.text(explanation), to: json) }
    if json != "-" { files.add(explanation.text, to: "-") }
    try files.write()
  }

  private func simulated(_ operands: Operands) throws(DiagnosticError) -> Explanation {
    let folder = root.folder
    let target = try chip.load(root: folder, extraSettings: operands.settings)
    let compiled: CompiledModel
    if operands.model.hasSuffix(".pantile") {
      compiled = try CompiledModel(contentsOf: operands.model)
    } else {
      let model = try options.load(operands.model, root: folder, inputs: nil, weightSeed: nil)
      let compilation = try Compilations.compile(
        model, for: target, calibration: try integer.sets(for: model, inputs: []), options: try integer.pipeline())
      compiled = CompiledModel(compilation, model: model.name)
    }
    return try Session(chip: target).explanation(of: compiled, layer: layer)
  }
}
