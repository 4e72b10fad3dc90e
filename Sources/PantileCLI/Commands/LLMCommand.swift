import ArgumentParser
import Foundation
import Pantile

/// `pantile llm`: the products of language models, compiled and run.
struct LLMCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "llm", abstract: "Compiles and runs the matrix products of language models on several machines.",
    discussion: """
      Every linear layer and both products of attention, in prefill and for one generated token, are compiled for each machine of a study \
      and timed by its simulator; sums count each as often as the model has it. --write writes the products as models that every other \
      command takes. Format of both files: Docs/llm.md.
      """)

  @Option(help: ArgumentHelp("Machines, and where the models are described.", valueName: "study.yaml"))
  var study: String?
  @Option(help: ArgumentHelp("One of the models. May be repeated; else all.", valueName: "name")) var model: [String] =
    []
  @Option(help: ArgumentHelp("One of the tasks. May be repeated; else all.", valueName: "prefill|generate"))
  var task: [String] = []
  @Option(help: ArgumentHelp("One of the machines. May be repeated; else all.", valueName: "name"))
  var machine: [String] = []
  @Flag(help: "Print each product.") var products = false
  @Option(help: ArgumentHelp("Write the products as models into this folder, and run nothing.", valueName: "folder"))
  var write: String?
  @Option(help: ArgumentHelp("Bits of weights of the models that --write writes, 2 to 8.", valueName: "bits"))
  var weightBits = 8
  @Option(help: ArgumentHelp("Write all products as CSV.", valueName: "file|-")) var csv: String?
  @Option(help: ArgumentHelp("Write the result as JSON.", valueName: "file|-")) var json: String?
  @OptionGroup var root: RootOptions

  func run() throws {
    try OutputFiles.check(csv)
    try OutputFiles.check(json)
    if csv == "-", json == "-" {
      throw DiagnosticError(
        "option-conflict", "--csv and --json cannot both go to stdout", hint: "write one of them to a file")
    }
    let tasks = try task.map { text throws(DiagnosticError) -> BitMoDTask in
      guard let task = BitMoDTask(rawValue: text) else {
        throw DiagnosticError("unknown-value", "--task is '\(text)'", hint: "valid values: prefill, generate")
      }
      return task
    }
    guard (2...8).contains(weightBits) else {
      throw DiagnosticError("out-of-range", "weights of \(weightBits) bits are not supported, 2 to 8 are")
    }
    let folder = root.folder
    let path = try studyPath(folder)
    var study = try ProductStudy.load(path)
    let beside = EvaluationOptions.folder(of: path)
    let models = study.modelsFile.hasPrefix("/") ? study.modelsFile : "\(beside)/\(study.modelsFile)"
    let shapes = try BitMoDStudy.load(models, in: try .load(root: folder))
    try ProductStudy.check(model, among: shapes)
    for name in machine where !study.machines.contains(where: { $0.name == name }) {
      let known = study.machines.map(\.name)
      throw DiagnosticError(
        "unknown-machine", "the study has no machine '\(name)'",
        hint: nearestName(to: name, among: known).map { "did you mean '\($0)'?" }
          ?? "it has \(known.joined(separator: ", "))")
    }
    if !machine.isEmpty { study.machines.removeAll { !machine.contains($0.name) } }
    if let write { return try writeModels(shapes, tasks, into: write) }
    let chips = try study.machines.map { entry throws(DiagnosticError) in
      let schemas = Machine.schemas()
      return (
        plain: try Chip.load(entry.chip, overrides: entry.settings, schemas: schemas, root: folder),
        computed: try Chip.load(
          entry.chip, overrides: entry.settings + entry.computedSettings, schemas: schemas, root: folder)
      )
    }
    let rows = try study.rows(
      shapes, names: model, tasks: tasks, chips: chips, workers: ProcessInfo.processInfo.activeProcessorCount
    ) { Terminal.progress($0) }
    Terminal.endProgress()
    var files = OutputFiles()
    if let csv { files.add(ProductStudy.csv(rows), to: csv) }
    if let json { files.add(study.json(rows, version: pantileVersion).text, to: json) }
    if csv != "-", json != "-" { files.add(study.text(rows, products: products), to: "-") }
    try files.write()
  }

  private func studyPath(_ folder: String?) throws(DiagnosticError) -> String {
    if let study { return study }
    guard let folder else {
      throw DiagnosticError(
        "no-root", "the study is not found", hint: "run in the repository, or say --root FOLDER or --study FILE")
    }
    return (folder == "." ? "" : folder + "/") + ProductStudy.file
  }

  /// `FOLDER/llama-2-7b-prefill-256/q.mlir`, one a product.
  private func writeModels(_ shapes: BitMoDStudy, _ tasks: [BitMoDTask], into folder: String) throws {
    var files = OutputFiles()
    var lines = ""
    for shape in shapes.models where model.isEmpty || model.contains(shape.name) {
      for context in shapes.contexts {
        for task in tasks.isEmpty ? shapes.tasks : tasks {
          let path = "\(folder)/\(shape.name.lowercased())-\(task.rawValue)-\(context)"
          try OutputFiles.makeFolder(path)
          for product in shape.products(task, context: context) {
            files.add(
              "// \(product.count) a task\n" + product.text(weightBits: weightBits), to: "\(path)/\(product.name).mlir")
          }
          lines += "\(path)\n"
        }
      }
    }
    files.add(lines, to: "-")
    try files.write()
  }
}
