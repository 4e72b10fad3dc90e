import ArgumentParser
import Pantile

/// `pantile import`: a model as MLIR text.
struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Reads a model and writes it as MLIR text of the dnn dialect.")

  @Argument(help: "An .onnx or .mlir file, or a shipped workload.") var model: String?
  @Option(help: ArgumentHelp("Build a generated network instead of reading a file.", valueName: "name"))
  var workload: String?
  @Option(name: .shortAndLong, help: ArgumentHelp("Where to write.", valueName: "file|-")) var output: String = "-"
  @Flag(help: "Write the generic form that every MLIR tool reads.") var generic = false
  @Flag(help: "Leave the values of weights out.") var noWeights = false
  @OptionGroup var options: ModelOptions
  @OptionGroup var root: RootOptions

  func run() throws {
    try OutputFiles.check(output)
    if let workload {
      guard model == nil else { throw DiagnosticError("two-models", "both a model and --workload are given") }
      var files = OutputFiles()
      files.add(try Workload.named(workload).text(), to: output)
      return try files.write()
    }
    guard let model else {
      throw DiagnosticError("missing-model", "no model is named", hint: "give an .onnx or .mlir file, or a workload")
    }
    let loaded = try options.load(model, root: root.folder)
    for warning in loaded.warnings { Terminal.writeError(warning.rendered + "\n") }
    var files = OutputFiles()
    files.add(
      try loaded.module.print(
        .init(form: generic ? .generic : .short), registry: Dialects.registry, withWeights: !noWeights),
      to: output)
    try files.write()
  }
}
