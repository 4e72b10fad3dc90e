import ArgumentParser
import Foundation
import Pantile
import Synchronization

/// `pantile opt`: passes over a module.
struct OptCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "opt", abstract: "Runs passes over a model and writes the result.",
    discussion: "Without a pipeline the model is read, verified and written. 'pantile list passes' shows the passes.")

  @Argument(help: "An .mlir or .onnx file, a shipped workload, or - for MLIR text on stdin.") var model: String
  @Option(help: ArgumentHelp("The passes: 'fold,fuse' or 'func.func(fold{limit=3})'.", valueName: "passes"))
  var passPipeline: String = ""
  @Option(name: .shortAndLong, help: ArgumentHelp("Where to write.", valueName: "file|-")) var output: String = "-"
  @Option(help: ArgumentHelp("Print the module to stderr after this pass, or all. May be repeated.", valueName: "pass"))
  var printAfter: [String] = []
  @Flag(help: "Say on stderr how long each pass took.") var timing = false
  @Flag(help: "Write the generic form that every MLIR tool reads.") var generic = false
  @Flag(help: "Leave the values of weights out.") var noWeights = false
  @Option(help: ArgumentHelp("Run at most this many optional passes.", valueName: "n")) var bisectLimit: Int?
  @Option(help: ArgumentHelp("Inputs for passes that calibrate. May be repeated.", valueName: "x.npy"))
  var calibrate: [String] = []
  @OptionGroup var options: ModelOptions
  @OptionGroup var root: RootOptions

  func run() throws {
    try OutputFiles.check(output)
    let form = Printer.Options(form: generic ? .generic : .short)
    let loaded = try load()
    for warning in loaded.warnings { Terminal.writeError(warning.rendered + "\n") }
    var module = loaded.module
    if !passPipeline.isEmpty {
      var passOptions = PassManager.Options()
      passOptions.printAfter = printAfter
      passOptions.bisectLimit = bisectLimit
      var manager = PassManager(
        try PassPipeline(parsing: passPipeline), registry: Dialects.registry, options: passOptions)
      manager.didPrint = { name, module in
        let text = (try? module.print(form, registry: Dialects.registry, withWeights: false)) ?? ""
        Terminal.writeError("// after \(name)\n\(text)")
      }
      var artifacts = PassArtifacts()
      if !calibrate.isEmpty {
        artifacts[Calibration.self] = Calibration(samples: try Inputs.files(calibrate).runs(for: loaded.inputs))
      }
      let outcome = try manager.run(module, artifacts: artifacts)
      for diagnostic in outcome.diagnostics { Terminal.writeError(diagnostic.rendered + "\n") }
      if timing {
        for record in outcome.records {
          Terminal.writeError("\(record.pass): \(record.duration), \(record.changeCount) changes\n")
        }
      }
      module = outcome.module
    } else if !printAfter.isEmpty {
      throw DiagnosticError("unknown-pass", "there is no pass to print after: --pass-pipeline is empty")
    }
    var files = OutputFiles()
    files.add(try module.print(form, registry: Dialects.registry, withWeights: !noWeights), to: output)
    try files.write()
  }

  private func load() throws(DiagnosticError) -> Model {
    guard model == "-" else { return try options.load(model, root: root.folder) }
    let data = FileHandle.standardInput.readDataToEndOfFile()
    guard let text = String(validating: data, as: UTF8.self) else {
      throw DiagnosticError("not-utf8", "stdin is not UTF-8 text")
    }
    return Model(name: "stdin", module: try Module(verifying: text, path: "<stdin>"))
  }
}
