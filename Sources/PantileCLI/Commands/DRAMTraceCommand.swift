import ArgumentParser
import Pantile

/// `pantile dram`: a trace of requests on a DRAM.
struct DRAMTraceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dram", abstract: "Runs a trace of requests on a DRAM, burst by burst.",
    discussion: """
      A line of the trace is 'R ADDRESS' or 'W ADDRESS', in bytes, decimal or 0x hexadecimal; '#' and '//' start comments. At most
      one request is offered in a memory cycle, in order, and taken when the controller's queue has room. The window ends
      after --cycles; a shorter trace leaves the memory idle. Memories: 'pantile list memories'; Docs/dram.md describes the
      model and the file format. --check judges the commands by the rules of the device; exit code 1 says that they break one.
      """)

  @Option(help: ArgumentHelp("A shipped memory's name or a YAML file.", valueName: "name|file")) var memory: String
  @Option(help: ArgumentHelp("The requests, a line each.", valueName: "file")) var trace: String
  @Option(help: ArgumentHelp("The window, in memory cycles.", valueName: "n")) var cycles: Int
  @Option(help: ArgumentHelp("Write the result as JSON.", valueName: "file|-")) var json: String?
  @Option(
    help: ArgumentHelp(
      "Write the commands: cycle, command, channel, rank, group, bank, row, column.", valueName: "file|-"))
  var commands: String?
  @Flag(help: "Judge the commands by the rules of the device.") var check = false
  @OptionGroup var root: RootOptions

  /// Keeps sums of cycles and energies exact.
  private static let maximumCycles = 1_000_000_000_000

  func run() throws {
    try OutputFiles.check(json)
    try OutputFiles.check(commands)
    guard cycles >= 1, cycles <= DRAMTraceCommand.maximumCycles else {
      throw DiagnosticError(
        "out-of-range", "--cycles is \(cycles) but must be 1 ... \(DRAMTraceCommand.maximumCycles)")
    }
    if json == "-", commands == "-" {
      throw DiagnosticError(
        "option-conflict", "--json and --commands cannot both go to stdout", hint: "write one of them to a file")
    }
    let device = try DRAMDevice.load(memory, root: root.folder)
    let requests = try DRAMTrace.parse(AtomicFile.readText(trace), path: trace)
    let run = DRAMTraceRun(requests, on: device, cycles: cycles, recordsCommands: commands != nil || check)
    let report = DRAMReport(run, offered: requests.count)
    let broken = check ? DRAMChecker.violations(in: run.commands, on: device, until: cycles) : []
    var files = OutputFiles()
    if let json { files.add(report.json.text, to: json) }
    if let commands { files.add(DRAMTraceCommand.text(run.commands), to: commands) }
    if json != "-", commands != "-" { files.add(report.text, to: "-") }
    try files.write()
    guard broken.isEmpty else {
      for violation in broken { Terminal.writeError("\(violation)\n") }
      throw ExitCode.answerIsNo
    }
  }

  private static func text(_ commands: [DRAMCommand]) -> String {
    var text = "# cycle command channel rank group bank row column\n"
    text.reserveCapacity(commands.count * 24)
    for command in commands { text += "\(command)\n" }
    return text
  }
}
