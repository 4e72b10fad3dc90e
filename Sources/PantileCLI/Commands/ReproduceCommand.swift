import ArgumentParser
import Pantile

/// `pantile reproduce`: a paper's evaluation made again.
struct ReproduceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reproduce", abstract: "Makes a paper's evaluation again, and shows what its assumptions do.",
    discussion: """
      bitmod: cycles and energies of six language models on BitMoD's, ANT's and OliVe's arrays (HPCA 2025), equal to the \
      published ones, then the effect of putting each assumption right. --models names a file of other models, contexts, tasks \
      and configurations (Docs/papers/bitmod.md). Exit code 1 says that a published figure is not met.

      bit-serial: what skipping zero terms brings, by format, encoding, who waits for whom and how far ahead \
      (Docs/papers/bit-serial.md); --models names another study, --csv all points, --plot a picture.

      sat: what N:M sparse weights bring to a training step, by network, pattern, array and dataflow, beside the bound of \
      multiply-accumulates alone and a published mean (Docs/papers/sat.md); --models names another study, --csv all machines of \
      its sweep, --layers each phase of each layer with what binds it, --plot and --pareto-plot pictures.
      """)

  enum Paper: String, ExpressibleByArgument, CaseIterable {
    case bitmod
    case bitSerial = "bit-serial"
    case sat
  }

  @Argument(help: "Which paper.") var paper: Paper
  @Option(help: ArgumentHelp("Models and configurations in place of the paper's.", valueName: "file.yaml"))
  var models: String?
  @Option(help: ArgumentHelp("Write the result as JSON.", valueName: "file|-")) var json: String?
  @Option(help: ArgumentHelp("Write the corrected table as CSV.", valueName: "file|-")) var corrected: String?
  @Option(help: ArgumentHelp("bit-serial, sat: write all points as CSV.", valueName: "file|-")) var csv: String?
  @Option(
    help: ArgumentHelp(
      "bit-serial: draw cycles over run-ahead; sat: speed-up over the width of the activation edge.",
      valueName: "file.svg"))
  var plot: String?
  @Option(help: ArgumentHelp("sat: write the phases of all layers as CSV.", valueName: "file|-")) var layers: String?
  @Option(help: ArgumentHelp("sat: draw energy over time of all machines.", valueName: "file.svg"))
  var paretoPlot: String?
  @OptionGroup var root: RootOptions

  func run() throws {
    for file in [json, corrected, csv, plot, layers, paretoPlot] { try OutputFiles.check(file) }
    let given: [(option: String, isGiven: Bool, papers: [Paper])] = [
      ("--corrected", corrected != nil, [.bitmod]), ("--csv", csv != nil, [.bitSerial, .sat]),
      ("--plot", plot != nil, [.bitSerial, .sat]), ("--layers", layers != nil, [.sat]),
      ("--pareto-plot", paretoPlot != nil, [.sat]),
    ]
    if let option = given.first(where: { $0.isGiven && !$0.papers.contains(paper) })?.option {
      throw DiagnosticError(
        "option-conflict", "\(option) is not for \(paper.rawValue)", hint: "see pantile reproduce --help")
    }
    let streams = [("--json", json), ("--csv", csv), ("--corrected", corrected), ("--layers", layers)].filter {
      $0.1 == "-"
    }.map(\.0)
    if streams.count > 1 {
      throw DiagnosticError(
        "option-conflict", "\(streams.joined(separator: " and ")) cannot both go to stdout",
        hint: "write one of them to a file")
    }
    switch paper {
    case .bitmod: try runBitMoD()
    case .bitSerial: try runBitSerial()
    case .sat: try runSAT()
    }
  }

  /// The study that `--models` names, else the documentation's.
  /// - Throws: `no-root`.
  func studyPath(_ file: String) throws(DiagnosticError) -> String {
    if let models { return models }
    guard let folder = root.folder else {
      throw DiagnosticError(
        "no-root", "the study is not found", hint: "run in the repository, or say --root FOLDER")
    }
    return (folder == "." ? "" : folder + "/") + file
  }

  private func runBitMoD() throws {
    let folder = root.folder
    let surroundings = try BitMoDStudy.Surroundings.load(root: folder)
    let result: BitMoDReproduction
    if let models {
      result = try BitMoDReproduction(try BitMoDStudy.load(models, in: surroundings), in: surroundings)
    } else {
      result = try BitMoDReproduction(
        try BitMoDStudy.published(in: surroundings, root: folder), in: surroundings,
        figures: try BitMoDFigure.published(root: folder), published: try BitMoDPublished.load(root: folder))
    }
    var files = OutputFiles()
    if let json { files.add(result.json.text, to: json) }
    if let corrected { files.add(result.correctedCSV, to: corrected) }
    if json != "-", corrected != "-" { files.add(result.text, to: "-") }
    try files.write()
    if !result.agrees { throw ExitCode.answerIsNo }
  }
}
