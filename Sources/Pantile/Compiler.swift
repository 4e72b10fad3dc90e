import PantileDialects
import PantileEngines
import PantileIR
import PantilePasses
import PantileProblem
import PantileProgram
import PantileSim
import PantileSupport
import PantileTarget
import PantileTensor

/// Compiles networks for one chip: quantise, lower to steps, choose tilings and residency, pack, emit, prove, and keep
/// the plan that the simulator finds fastest.
///
/// **Example**
/// ```swift
/// let chip = try Chip.load("systolic-16x16", schemas: Machine.schemas())
/// let compilation = try Compiler(chip: chip).compile(module: module, name: "net", modelHash: "")
/// print(compilation.timing.cycles)
/// ```
public struct Compiler: Sendable {
  public struct Options: Sendable {
    public var graph: GraphPipeline.Options
    public var planner: NetworkPlanner.Options
    /// Skip the proof of the emitted Program; for measurements of the rest only.
    public var skipsProof: Bool
    /// Leave the bytes of weights out of the Program: it can be timed and proved, not run.
    public var skipsImages: Bool

    public init(
      graph: GraphPipeline.Options = .init(), planner: NetworkPlanner.Options = .init(), skipsProof: Bool = false,
      skipsImages: Bool = false
    ) {
      self.graph = graph
      self.planner = planner
      self.skipsProof = skipsProof
      self.skipsImages = skipsImages
    }
  }

  public let chip: Chip
  public let machine: Machine
  public let options: Options
  private let planning: PlanningMachine

  /// - Parameter families: the array families that chip files may name.
  /// - Throws: what `Machine` and `PlanningMachine` throw for a chip that lacks engines.
  public init(
    chip: Chip, families: [ArrayFamily] = .all, options: Options = Options()
  ) throws(DiagnosticError) {
    self.chip = chip
    self.options = options
    machine = try Machine(chip, families: families)
    planning = try PlanningMachine(machine)
  }

  /// What a compile leaves behind.
  public struct Compilation: Sendable {
    public var program: Program
    /// Timing of `program`, from judging it.
    public var timing: TimingResult
    public var plan: ExecutionPlan
    public var graph: StepGraph
    /// The integer graph that the steps were lowered from; its interpretation is the reference for the chip's bits.
    public var module: Module
    public var bounds: NetworkBounds
    /// Remarks of the graph passes: what was pruned, quantised on synthetic data, left in float.
    public var remarks: [Diagnostic]
    /// Candidate plans that were simulated, with their cycles; nil where it is clear that they are no fewer than those of one before.
    public var judged: [(method: String, cycles: Int?)]
    /// Commands of the expanded Program, counted by its proof.
    public var commands: Int
    /// False when the model came without weights, or they were left out: the Program can be timed, not run.
    public var hasWeights: Bool

    /// One line per layer that says how it is scheduled.
    public var schedules: [String] { graph.steps.indices.map { plan.scheduleText(step: $0, in: graph) } }
  }

  /// Compiles a network in any form.
  ///
  /// - Parameter calibration: input sets to quantise a float model on; empty uses seeded inputs and says so.
  /// - Throws: all problems of the first phase that has any.
  public func compile(
    module: Module, name: String, modelHash: String, calibration: [[HostTensor]] = []
  ) throws(DiagnosticError) -> Compilation {
    let prepared = try GraphPipeline.integer(
      module, calibration: calibration.isEmpty ? nil : Calibration(samples: calibration), options: options.graph)
    return try compile(
      integer: prepared.module, name: name, modelHash: modelHash, remarks: prepared.diagnostics)
  }

  /// A plan that may be the fastest.
  private struct Contender {
    var program: Program
    var cycles: Int
    var bursts: Int
    var plan: ExecutionPlan
    var graph: StepGraph
  }

  /// Compiles a module that is in integer form already.
  public func compile(
    integer module: Module, name: String, modelHash: String, remarks: [Diagnostic] = []
  ) throws(DiagnosticError) -> Compilation {
    let function = try module.mainFunction()
    var lowering = StepLowering(module, function: function, on: planning, name: name)
    let given = try lowering.run(
      inputNames: module.inputNames(of: function), outputNames: module.outputNames(of: function))
    // The order of the model, and one that moves fewer bytes when there is one: the judge takes the faster.
    var graphs = [given]
    if let reordered = given.reordered(on: planning) { graphs.append(reordered) }
    var contenders: [Contender] = []
    var judged: [(method: String, cycles: Int?)] = []
    // Plans differ in what they move and overlap, hardly in how their bursts meet rows: a plain memory of the device's bandwidth and
    // latency tells them apart in a fraction of the time. Of those that it hardly does, the one with the fewest bursts meets the fewest
    // rows and refreshes.
    let judge = machine.withPlainMemories
    let isDevice = machine.hasDevices
    var least = Int.max
    /// Up to here a plan is as fast as the fastest: 2 % tell nothing on a device.
    func longest() -> Int { isDevice && least < Int.max ? least + least / 50 : least }
    var tilings = TilingAnswers()
    for (number, graph) in graphs.enumerated() {
      for plan in try NetworkPlanner(graph, on: planning, options: options.planner).plans(tilings: &tilings) {
        let program = try emitProgram(graph, plan, on: planning, modelHash: modelHash, withImages: false)
        let found = try CycleRun(program, on: judge).run(below: longest())
        judged.append((number == 0 ? plan.method : "\(plan.method), reordered", found?.cycles))
        guard let found else { continue }
        least = min(least, found.cycles)
        contenders.append(
          Contender(program: program, cycles: found.cycles, bursts: found.bursts, plan: plan, graph: graph))
      }
    }
    contenders.removeAll { $0.cycles > longest() }
    guard let best = contenders.min(by: { ($0.bursts, $0.cycles) < ($1.bursts, $1.cycles) }) else {
      throw DiagnosticError("no-plan", "no plan was found for network '\(name)'")
    }
    var program = best.program
    var plan = best.plan
    let (cycles, graph) = (best.cycles, best.graph)
    // Candidates were timed without their images; only the chosen plan is written out whole.
    if !options.skipsImages { program = try emitProgram(graph, plan, on: planning, modelHash: modelHash) }
    let timing = try TimingRun(program, on: machine).run()
    precondition(machine.hasDevices || timing.cycles == cycles, "judged at \(cycles) cycles, timed at \(timing.cycles)")
    let commands = options.skipsProof ? timing.commands : try program.verify()
    let bounds = NetworkBounds(graph, on: planning)
    plan.gaps.append(
      Gap("network", bound: bounds.largest.name, value: timing.cycles, lowerBound: bounds.largest.cycles))
    let expected = program.regions.count { $0.kind == .weight }
    program.modelHash = modelHash
    return Compilation(
      program: program, timing: timing, plan: plan, graph: graph, module: module, bounds: bounds, remarks: remarks,
      judged: judged, commands: commands, hasWeights: program.images.count == expected)
  }
}
