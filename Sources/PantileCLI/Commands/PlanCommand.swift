import ArgumentParser
import Foundation
import Pantile

/// `pantile plan`: a schedule or a packing, with its distance to a proved bound.
struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Plans order, residency and addresses of a graph in one memory or several, with a proved bound.",
    discussion: """
      INPUT is graph JSON (.json), buffers in the format of MiniMalloc (.csv), a model (.onnx, .mlir or a shipped workload), or
      MLIR text of a problem. Graphs get an order of their ops, the tensors that leave and come back, and addresses; what is
      minimised is bytes over the memory's edge beyond those that must cross. Buffers get addresses. Docs/plan.md describes
      the formats, 'pantile list methods' the methods.

      With --memories the graph is a step that runs again and again over the memories of a file: scratchpad, SRAM, DRAM, flash. Minimised is
      the cost of accesses and moves. --grad makes a training step of a model first. Exit code 1 says that there is no plan, or that none was found; an
      interrupt writes the best plan so far.
      """)

  enum Order: String, ExpressibleByArgument, CaseIterable { case free, `default` }
  enum Objective: String, ExpressibleByArgument, CaseIterable { case energy, cycles }

  @Argument(help: ArgumentHelp("What to plan for.", valueName: "input")) var input: String
  @Option(help: ArgumentHelp("Bytes of the memory.", valueName: "512KiB")) var capacity: String?
  @Option(help: ArgumentHelp("How; see 'pantile list methods'.", valueName: "name")) var method: String = "auto"
  @Option(help: ArgumentHelp("Any order of ops, or the one of the input.", valueName: "free|default"))
  var order: Order = .free
  @Option(help: ArgumentHelp("Let operands stream through a buffer of so many bytes.", valueName: "32KiB"))
  var tileBuffer: String?
  @Option(help: ArgumentHelp("Search states (for packings: nodes) that may be used.", valueName: "states"))
  var budget: Int?
  @Flag(help: "Find the smallest capacity: for graphs, the smallest at which nothing moves.") var minimise = false
  @Flag(help: "Weights are tensors that are fetched, instead of being left out.") var withWeights = false
  @Option(help: ArgumentHelp("Models: bytes of an element that is a float; chips run int8.", valueName: "n"))
  var dtypeBytes: Int?
  @Option(help: ArgumentHelp("Write the result as JSON.", valueName: "file|-")) var json: String?
  @Option(help: ArgumentHelp("Write the plan as MLIR text; packings also as CSV.", valueName: "file.mlir|file.csv"))
  var solution: String?
  @Option(help: ArgumentHelp("Draw what is where and when.", valueName: "file.html|file.svg")) var picture: String?
  @Option(help: ArgumentHelp("Write what the bound rests on.", valueName: "file.json")) var certificate: String?
  @Option(help: ArgumentHelp("Plan for the memories of this file.", valueName: "file.yaml")) var memories: String?
  @Option(help: ArgumentHelp("--memories: what to make small.", valueName: "energy|cycles"))
  var objective: Objective?
  @Option(
    help: ArgumentHelp(
      "--memories: plan for the model's training step, by these options of the pass 'grad'. May be repeated.",
      valueName: "name=value"))
  var grad: [String] = []
  @OptionGroup var models: ModelOptions
  @OptionGroup var root: RootOptions

  func run() throws {
    for path in [json, solution, picture, certificate] { try OutputFiles.check(path) }
    if let picture, !["html", "svg"].contains((picture as NSString).pathExtension) {
      throw DiagnosticError("unknown-format", "'\(picture)' is neither .html nor .svg")
    }
    if let dtypeBytes, !(1...16).contains(dtypeBytes) {
      throw DiagnosticError("out-of-range", "elements of \(dtypeBytes) bytes are not supported, 1 to 16 are")
    }
    if let budget, budget < 1 { throw DiagnosticError("out-of-range", "a budget of \(budget) states is none") }
    Interruption.endsSolves()
    if let memories { return try planMemories(memories) }
    if objective != nil || !grad.isEmpty {
      throw DiagnosticError(
        "option-conflict", "\(grad.isEmpty ? "--objective" : "--grad") is for several memories",
        hint: "name their file with --memories")
    }
    switch try load() {
    case .schedule(let question): try plan(question)
    case .packing(let problem): try pack(problem)
    }
  }

  // MARK: Input

  private func load() throws -> PlanInput {
    let options = PlanInput.Options(
      capacity: try size(capacity, "--capacity") ?? (minimise ? ProblemLimit.amount : nil),
      tileBytes: try size(tileBuffer, "--tile-buffer"),
      withWeights: withWeights)
    if let tile = options.tileBytes, let capacity = options.capacity, tile > capacity {
      throw DiagnosticError(
        "tile-buffer", "the tile buffer has \(tile) bytes but the memory has \(capacity)",
        hint: "it is a part of the memory")
    }
    let input = graphPath ?? input
    let kind = (input as NSString).pathExtension
    let text = kind == "mlir" ? try AtomicFile.readText(input) : ""
    let isProblem = PlanInput.isProblem(text)
    let isModel = kind != "json" && kind != "csv" && !isProblem
    try refuse(dtypeBytes != nil && !isModel, "--dtype-bytes", "models")
    try refuse(withWeights && !isModel && kind != "json", "--with-weights", "graph JSON and models")
    switch kind {
    case "json": return try PlanInput.graph(input, options)
    case "csv": return try PlanInput.buffers(input, capacity: options.capacity, isMinimised: minimise)
    case "mlir" where isProblem: return try PlanInput.problem(text: text, path: input, options)
    default:
      let model = try models.load(input, root: root.folder)
      return try PlanInput.model(model, options, floatBytes: dtypeBytes ?? 1)
    }
  }

  /// The file of a shipped graph that is called by its name.
  var graphPath: String? {
    if FileManager.default.fileExists(atPath: input) { return nil }
    return WorkloadFolder.graphs(root: root.folder).first { $0.name == input }?.path
  }

  private func refuse(_ isWrong: Bool, _ option: String, _ kinds: String) throws(DiagnosticError) {
    if isWrong {
      throw DiagnosticError("option-conflict", "\(option) is for \(kinds), and '\(input)' is another input")
    }
  }

  private func size(_ text: String?, _ option: String) throws(DiagnosticError) -> Int? {
    guard let text else { return nil }
    guard let bytes = byteCount(of: text), bytes <= ProblemLimit.amount else {
      throw DiagnosticError("wrong-size", "'\(text)' is no size in bytes", hint: "write \(option) 512KiB or 524288")
    }
    return bytes
  }

  private func unknownMethod(_ names: [String]) -> DiagnosticError {
    DiagnosticError(
      "unknown-method", "there is no method '\(method)' for this input",
      hint: (nearestName(to: method, among: names).map { "did you mean '\($0)'? " } ?? "")
        + "known: \(names.joined(separator: ", "))")
  }

  // MARK: Schedules

  private func plan(_ question: ScheduleInput) throws {
    let methods = ScheduleProblem.methods
    guard let method = methods.first(where: { $0.name == method }) else { throw unknownMethod(methods.map(\.name)) }
    try checkSolutionFormat(["mlir"])
    var question = question
    if minimise { try setLeastCapacity(&question.problem) }
    var options = ScheduleOptions(order: order == .free ? .free : .default)
    if let budget { options.stateBudget = budget }
    let progress = PlanProgress()
    options.progress = { progress.show($0) }
    let outcome = try question.problem.plan(method, options)
    Terminal.endProgress()
    let report = ScheduleReport(input: input, method: method.name, question: question, outcome: outcome)
    var files = OutputFiles()
    if let solution, let found = outcome.solution { files.add(found.text, to: solution) }
    if let certificate, let text = try report.certificate(version: pantileVersion) { files.add(text, to: certificate) }
    try write(
      &files, picture: report.picture(), json: { report.json(version: pantileVersion, cpuSeconds: $0) },
      text: report.text())
    try end(report.status, report.reason)
  }

  /// The capacity at which nothing has to move.
  private func setLeastCapacity(_ problem: inout ScheduleProblem) throws(DiagnosticError) {
    if capacity != nil || tileBuffer != nil || problem.memories.count != 1 {
      throw DiagnosticError(
        "option-conflict", "--minimise finds the capacity of one memory in which whole tensors stay",
        hint: "leave --capacity and --tile-buffer out")
    }
    let least = try problem.leastCapacity(isOrderFree: order == .free)
    problem.memories[0].capacity = least.bytes
    if !least.isProved {
      Terminal.writeError("note: \(least.bytes) bytes is the least that a beam search found; less may do\n")
    }
  }

  // MARK: Packings

  private func pack(_ problem: PackingProblem) throws {
    try refuse(tileBuffer != nil, "--tile-buffer", "schedules")
    try refuse(order != .free, "--order", "schedules")
    try refuse(certificate != nil, "--certificate", "schedules")
    try checkSolutionFormat(["csv", "mlir"])
    let outcome = try packed(problem)
    if let solution = outcome.solution { try checked(problem).verify(solution) }
    let report = PackingReport(
      input: input, method: minimise ? "minimise" : method, problem: problem, outcome: outcome, isMinimised: minimise)
    var files = OutputFiles()
    if let solution, let found = outcome.solution {
      files.add(solution.hasSuffix(".csv") ? problem.csv(found) : found.text, to: solution)
    }
    try write(
      &files, picture: report.picture(), json: { report.json(version: pantileVersion, cpuSeconds: $0) },
      text: report.text())
    try end(report.status, report.reason)
  }

  private func packed(_ problem: PackingProblem) throws(DiagnosticError) -> PackingOutcome {
    if minimise {
      guard method == "auto" else {
        throw DiagnosticError("option-conflict", "--minimise has a method of its own; leave --method out")
      }
      return try problem.minimise(nodeBudget: budget ?? PackingMethod.exactNodeBudget)
    }
    if method == "auto" { return try problem.pack(nodeBudget: budget) }
    if method == "exact", let budget { return try problem.packExactly(nodeBudget: budget) }
    guard let method = PackingProblem.methods.first(where: { $0.name == method }) else {
      throw unknownMethod(["auto"] + PackingProblem.methods.map(\.name))
    }
    return try method.solve(problem)
  }

  /// The problem that a packing is verified against: without capacity and banks when the smallest capacity was asked for.
  private func checked(_ problem: PackingProblem) -> PackingProblem {
    guard minimise else { return problem }
    var free = problem
    free.capacity = ProblemLimit.amount
    free.bankBytes = nil
    return free
  }

  // MARK: The end

  private func checkSolutionFormat(_ suffixes: [String]) throws(DiagnosticError) {
    guard let solution, solution != "-", !suffixes.contains((solution as NSString).pathExtension) else { return }
    throw DiagnosticError(
      "unknown-format", "'\(solution)' is no \(suffixes.map { ".\($0)" }.joined(separator: " or "))")
  }

  /// Adds what all results have, and writes everything.
  ///
  /// - Parameter json: the report, given the processor seconds used.
  private func write(
    _ files: inout OutputFiles, picture drawing: PlanPicture?, json makeJSON: (Double) -> String, text: String
  ) throws(DiagnosticError) {
    if let picture, let drawing { files.add(picture.hasSuffix(".svg") ? drawing.svg() : drawing.html(), to: picture) }
    // User and system time of the process, in thousandths of a second.
    if let json { files.add(makeJSON((PhaseClock.now() * 1000).rounded() / 1000), to: json) }
    if json != "-", solution != "-" { files.add(text, to: "-") }
    try files.write()
  }

  /// The exit code of a question that was answered.
  private func end(_ status: String, _ reason: String?) throws {
    guard let reason else { return }
    Terminal.writeError("\(status): \(reason)\n")
    throw ExitCode.answerIsNo
  }
}
