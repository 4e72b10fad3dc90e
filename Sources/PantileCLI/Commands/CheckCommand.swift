import ArgumentParser
import Foundation
import Pantile

/// `pantile check`: a suite against its golden file.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Compiles and runs the cases of a suite and compares with what is on record.",
    discussion: """
      The record stands beside the suite: SUITE.golden. Exit code 1 when any figure or schedule moved; --bless makes
      what was found the record.
      """)

  @Argument(help: ArgumentHelp("The suite.", valueName: "suite.yaml")) var suite: String
  @Flag(help: "Make what is found the record.") var bless = false
  @Option(help: ArgumentHelp("The record, when it stands elsewhere.", valueName: "file")) var golden: String?
  @Option(help: "Cases at once; as many as cores when left out.") var jobs: Int?
  @OptionGroup var root: RootOptions

  func validate() throws {
    if let jobs, jobs < 1 { throw ValidationError("--jobs must be at least 1") }
  }

  func run() throws {
    let folder = root.folder
    let loaded = try CheckSuite.load(suite, allowedOptions: EvaluationOptions.names)
    let goldenPath = golden ?? (suite as NSString).deletingPathExtension + ".golden"
    if bless { try OutputFiles.check(goldenPath) }
    guard bless || FileManager.default.fileExists(atPath: goldenPath) else {
      throw DiagnosticError(
        "no-golden", "there is no record '\(goldenPath)' of suite '\(loaded.name)'", hint: "make it with --bless")
    }
    var check = Check(suite: loaded)
    if let jobs { check.workers = jobs }
    let suiteFolder = EvaluationOptions.folder(of: suite)
    let result = try check.run(goldenPath: goldenPath, bless: bless) { item throws(DiagnosticError) in
      let chip = try Chip.load(item.chip, overrides: item.settings, schemas: Machine.schemas(), root: folder)
      let prepared = try EvaluationOptions(item.options, folder: suiteFolder).prepare(item.model, root: folder)
      let compilation = try prepared.compile(for: chip)
      let compiled = CompiledModel(compilation, model: prepared.name)
      return Check.Measurement(
        report: try Session(chip: chip).report(of: compiled, timing: compilation.timing),
        schedules: compilation.schedules)
    }
    if bless {
      Terminal.write("suite \(loaded.name): \(result.measured.entries.count) cases are on record in \(goldenPath)\n")
      return
    }
    Terminal.write(result.text())
    if result.hasRegressed { throw ExitCode.answerIsNo }
  }
}
