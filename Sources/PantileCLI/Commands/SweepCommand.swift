import ArgumentParser
import Foundation
import Pantile

/// `pantile sweep`: a model over many chips.
struct SweepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep", abstract: "Runs a model over all points of a design space of chip fields.",
    discussion: """
      Finished points stand in a journal beside the table: a sweep that was stopped goes on where it was. The table is the
      same however often it was stopped and however many points ran at once.

      Options of a spec: weight_bits, weight_format, sparsity, calibrate, seed; timing: chip
      compiles and runs each point (the default), timing: array counts the
      contractions on the array alone, in closed form.
      """)

  @Argument(help: ArgumentHelp("The design space.", valueName: "spec.yaml")) var spec: String
  @Option(name: .shortAndLong, help: ArgumentHelp("The table; the journal stands beside it.", valueName: "file.csv"))
  var output: String?
  @Option(help: "Points at once; as many as cores when left out.") var jobs: Int?
  @Flag(help: "Forget the journal and start anew.") var restart = false
  @OptionGroup var root: RootOptions

  func validate() throws {
    if let jobs, jobs < 1 { throw ValidationError("--jobs must be at least 1") }
  }

  func run() throws {
    let folder = root.folder
    let spec = try SweepSpec.load(spec, allowedOptions: EvaluationOptions.sweepNames)
    let table = output ?? (self.spec as NSString).deletingPathExtension + ".csv"
    try OutputFiles.check(table)
    let options = try EvaluationOptions(spec.options, folder: EvaluationOptions.folder(of: self.spec))
    let prepared = try options.prepare(spec.model, root: folder)
    let journal = table + ".journal"
    if restart { unlink(journal) }
    var sweepOptions = Sweep.Options(
      schemas: Machine.schemas(), root: folder, inputsHash: "\(pantileVersion) \(prepared.identity)")
    if let jobs { sweepOptions.workers = jobs }
    let start = Date()
    let result = try Sweep(spec: spec, options: sweepOptions).run(
      journalPath: journal,
      progress: { progress in Terminal.progress(SweepCommand.line(progress, since: start)) },
      evaluate: try prepared.evaluation(base: spec.chip, settings: spec.settings, root: folder))
    Terminal.endProgress()
    var files = OutputFiles()
    files.add(result.csv(), to: table)
    files.add(SweepCommand.summary(result, table: table), to: "-")
    try files.write()
  }

  /// `12 of 128 points (3 resumed), 9 s left`.
  private static func line(_ progress: Sweep.Progress, since start: Date) -> String {
    var text = "\(progress.done) of \(progress.total) points"
    if progress.resumed > 0 { text += " (\(progress.resumed) from the journal)" }
    let done = progress.done - progress.resumed
    if done > 0 {
      let seconds = Date().timeIntervalSince(start) / Double(done) * Double(progress.total - progress.done)
      text += ", \(Int(seconds.rounded(.up))) s left"
    }
    return text
  }

  /// The Pareto set, and how many points there were.
  private static func summary(_ result: SweepResult, table: String) -> String {
    var rows: [[String]] = []
    var infeasible = 0
    for row in result.rows {
      guard case .done(let metrics) = row.outcome else {
        infeasible += 1
        continue
      }
      guard row.isPareto else { continue }
      rows.append(
        row.point.settings.map { String($0.drop { $0 != "=" }.dropFirst()) } + [
          Table.grouped(metrics.cycles), Table.microjoules(picojoules: metrics.energyPicojoules),
          Table.percent(metrics.utilization), Bytes(metrics.offchipBytes).description,
        ])
    }
    let keys = result.spec.keys.map { $0.split(separator: ".").suffix(2).joined(separator: ".") }
    var text = "sweep \(result.spec.name): \(result.rows.count) points, \(infeasible) infeasible, "
    text += "\(rows.count) in the Pareto set of \(result.spec.objectives.map(\.rawValue).joined(separator: ", "))\n"
    text += Table.text(keys + ["cycles", "energy uJ", "util", "off-chip"], rows)
    return text + "all points: \(table)\n"
  }
}
