import ArgumentParser
import Foundation
import Pantile

/// `pantile prove`: datapaths against what they claim, for all numbers.
struct ProveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prove",
    abstract: "Proves for all numbers that a datapath computes what it claims, or shows numbers where not.",
    discussion: """
      A datapath is a YAML file or the name of a shipped one ('pantile list datapaths'): encodings, dot products, zero points, \
      dequantisation, decoders, accumulators, alignment, requantisation and the compiler's integer rewrites (Docs/prove.md). \
      --set makes a mutant of one's own. Exit code 1: a claim is refuted or inconclusive, or a mutant survives.
      """)

  @Argument(help: ArgumentHelp("The datapaths.", valueName: "name|file")) var datapaths: [String] = []
  @Flag(help: "All shipped datapaths, over the sweeps of their parameters.") var all = false
  @Flag(help: "Every combination of the values that the file sweeps.") var sweep = false
  @Flag(help: "The file's mutants as well; each must be refuted.") var mutants = false
  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "Changes a field: weight_bits=6, digits.011=1, terms=3. May be repeated.", valueName: "key=value"))
  var settings: [String] = []
  @Option(help: ArgumentHelp("Own cases, Z3, both, or Z3 where the cases end.", valueName: "auto|cases|z3|both"))
  var engine = ProofOptions.Engine.auto.rawValue
  @Option(help: ArgumentHelp("Cases and points a claim.", valueName: "n")) var budget = ProofOptions().budget
  @Option(help: ArgumentHelp("Z3's own unit of work, a claim.", valueName: "n")) var rlimit = ProofOptions()
    .resourceLimit
  @Option(help: ArgumentHelp("Write the result as JSON.", valueName: "file|-")) var json: String?
  @OptionGroup var root: RootOptions

  func validate() throws {
    if all != datapaths.isEmpty { throw ValidationError("name a datapath, or give --all and no name") }
    if all, !settings.isEmpty { throw ValidationError("--set is for named datapaths, not for --all") }
    if budget < 1 { throw ValidationError("--budget must be at least 1") }
    if rlimit < 1 { throw ValidationError("--rlimit must be at least 1") }
  }

  func run() throws {
    try OutputFiles.check(json)
    var options = ProofOptions()
    guard let chosen = ProofOptions.Engine(rawValue: engine) else {
      let names = ProofOptions.Engine.allCases.map(\.rawValue)
      throw DiagnosticError(
        "unknown-value", "--engine is '\(engine)'", hint: "valid values: \(names.joined(separator: ", "))")
    }
    options.engine = chosen
    options.budget = budget
    options.resourceLimit = rlimit
    var scope = DatapathReport.Scope()
    scope.sweeps = sweep || all
    scope.mutants = mutants
    let start = clock()
    var reports: [DatapathReport] = []
    for name in all ? Datapath.shippedNames(root: root.folder) : datapaths {
      reports.append(
        try DatapathReport(
          DatapathFile(name, root: root.folder), settings: settings, scope: scope, options: options))
    }
    let seconds = Double(clock() - start) / Double(CLOCKS_PER_SEC)
    var files = OutputFiles()
    if let json {
      files.add(ProveCommand.json(reports, isList: all || datapaths.count > 1, seconds: seconds).text, to: json)
    }
    if json != "-" {
      files.add(
        all || datapaths.count > 1 ? ProveCommand.table(reports, mutants: mutants) : ProveCommand.text(reports[0]),
        to: "-")
    }
    try files.write()
    if !reports.allSatisfy(\.holds) { throw ExitCode.answerIsNo }
  }
}
