import PantileEngines
import PantilePlan
import PantileProblem
import PantileProgram
import PantileSupport

/// Chooses tilings, residency and addresses for a whole network.
///
/// **Source** the order of decisions follows lowering.md §1: alternatives per step and signature, then one choice over
/// all steps with residency (gap formulation, GLPK), then addresses by packing. Nothing is fixed before residency is.
public struct NetworkPlanner {
  public struct Options: Hashable, Sendable {
    /// Alternatives that each step and signature hands to the choice.
    public var alternatives: Int
    /// Tensors with more bytes than this part of the scratchpad (in percent) are never kept.
    public var keepLimitPercent: Int

    public init(alternatives: Int = 3, keepLimitPercent: Int = 90) {
      self.alternatives = alternatives
      self.keepLimitPercent = keepLimitPercent
    }
  }

  let graph: StepGraph
  let machine: PlanningMachine
  private let options: Options
  /// Producer and consumers of each storage.
  private var producers: [[Int]]
  private var consumers: [[Int]]

  public init(_ graph: StepGraph, on machine: PlanningMachine, options: Options = Options()) {
    self.graph = graph
    self.machine = machine
    self.options = options
    producers = graph.storages.map { _ in [] }
    consumers = graph.storages.map { _ in [] }
    for (index, step) in graph.steps.enumerated() {
      producers[graph.tensors[step.write].storage].append(index)
      for storage in Set(step.reads.map { graph.tensors[$0].storage }).sorted() { consumers[storage].append(index) }
    }
  }

  /// One entry of a step's alternatives: the choice and the tiling behind it.
  private struct Candidate {
    var choice: StepChoice
    var alternative: Alternative
  }

  /// Plans the network in each of several ways, best estimate first; a judge may then simulate them.
  ///
  /// - Throws: `unsupported` for every step that no engine can run, `does-not-fit` for every step whose smallest tiles
  ///   exceed a memory.
  public func plans() throws(DiagnosticError) -> [ExecutionPlan] {
    var tilings = TilingAnswers()
    return try plans(tilings: &tilings)
  }

  /// As `plans()`.
  ///
  /// - Parameter tilings: answers that are known; those that are found join them. An order of the same steps asks for the same ones.
  public func plans(tilings: inout TilingAnswers) throws(DiagnosticError) -> [ExecutionPlan] {
    try checkSupport()
    var keepable = graph.storages.indices.map { isKeepable($0) }
    var plans: [ExecutionPlan] = []
    // Addresses may not exist for a choice that fits by bytes alone; then the largest kept tensor is given up.
    for _ in 0...graph.storages.count {
      let (problem, candidates, tilingGap) = try scheduleProblem(keepable: keepable, tilings: &tilings)
      let solution = try solved(problem)
      let packed = try packings(problem, candidates, solution, tilingGap: tilingGap)
      if !packed.isEmpty {
        plans += packed
        break
      }
      let kept = graph.storages.indices.filter { keepable[$0] && keptCount(solution, problem, $0) > 0 }
      guard let largest = kept.max(by: { graph.storages[$0].bytes < graph.storages[$1].bytes }) else {
        throw DiagnosticError("does-not-fit", "no addresses were found for the buffers of network '\(graph.name)'")
      }
      keepable[largest] = false
    }
    if keepable.contains(true) {
      // The same network with every tensor streamed: sometimes the fewer bank conflicts win.
      let (problem, candidates, tilingGap) = try scheduleProblem(
        keepable: keepable.map { _ in false }, tilings: &tilings)
      let solution = try solved(problem)
      plans += try packings(problem, candidates, solution, tilingGap: tilingGap)
    }
    return plans
  }

  /// The schedule, checked by code that does not know the solver.
  private func solved(_ problem: ChoiceProblem) throws(DiagnosticError) -> ChoiceSolution {
    switch try problem.solve() {
    case .solved(let solution):
      try problem.verify(solution)
      return solution
    case .unsolved(.infeasible(let binding)):
      throw DiagnosticError("does-not-fit", "network '\(graph.name)' does not fit: \(binding)")
    case .unsolved:
      throw DiagnosticError("no-plan", "no plan was found for network '\(graph.name)' within the budget")
    }
  }

  // MARK: Alternatives

  private func checkSupport() throws(DiagnosticError) {
    var problems: [Diagnostic] = []
    for step in graph.steps {
      guard case .contract(let contract) = step.body else { continue }
      for reason in contract.obstacles(on: machine) {
        problems.append(
          Diagnostic(
            "unsupported", "'\(machine.machine.chipName)' cannot run \(step.kind) '\(step.name)': \(reason)",
            at: step.location))
      }
    }
    if !problems.isEmpty { throw DiagnosticError(problems) }
  }

  /// A storage may stay on chip when one step makes it, someone reads it, and it is not most of the scratchpad.
  private func isKeepable(_ storage: Int) -> Bool {
    producers[storage].count == 1 && !consumers[storage].isEmpty && graph.storages[storage].kind != .input
      && graph.storages[storage].bytes * 100 <= machine.scratchpadBytes * options.keepLimitPercent
  }

  private func scheduleProblem(
    keepable: [Bool], tilings: inout TilingAnswers
  ) throws(DiagnosticError) -> (ChoiceProblem, [[Candidate]], Gap) {
    let scheduled = graph.storages.indices.filter { keepable[$0] }
    var number = [Int?](repeating: nil, count: graph.storages.count)
    for (position, storage) in scheduled.enumerated() { number[storage] = position }
    let tensors = scheduled.map { storage in
      ChoiceProblem.Tensor(
        graph.storages[storage].name, bytes: aligned(graph.storages[storage].bytes),
        kind: graph.storages[storage].kind == .output ? .output : .intermediate, producer: producers[storage][0],
        consumers: consumers[storage], memory: "spad", storeLink: machine.link.name)
    }
    var steps: [ChoiceProblem.Step] = []
    var candidates: [[Candidate]] = []
    var failures: [Diagnostic] = []
    var best = 0
    var bound = 0
    for step in graph.steps {
      let reads = step.reads.map { graph.tensors[$0].storage }.filter { number[$0] != nil }
      let distinct = reads.enumerated().filter { reads.firstIndex(of: $0.element) == $0.offset }.map(\.element)
      let write = graph.tensors[step.write].storage
      var own: [Candidate] = []
      var alternatives: [ChoiceProblem.StepAlternative] = []
      var binding = ""
      var bestOfStep: Int?
      var boundOfStep: Int?
      // With nothing kept, one tile that fills the engine may still be too large.
      let streamed = step.tiling(on: machine, in: graph, residentReads: [], keepsOutput: false)
      var isFine = false
      if case .infeasible = try tilings.solution(of: streamed.problem).status { isFine = true }
      for mask in 0..<(1 << distinct.count) {
        let resident = Set(distinct.indices.filter { mask & (1 << $0) != 0 }.map { distinct[$0] })
        for keeps in number[write] == nil ? [false] : [false, true] {
          let tiling = step.tiling(
            on: machine, in: graph, residentReads: resident, keepsOutput: keeps, isFine: isFine)
          let solution = try tilings.solution(of: tiling.problem)
          if case .infeasible(let reason) = solution.status { binding = reason }
          if let first = solution.alternatives.first {
            bestOfStep = min(bestOfStep ?? first.cycles, first.cycles)
            boundOfStep = min(boundOfStep ?? solution.lowerBound, solution.lowerBound)
          }
          for alternative in selected(solution.alternatives) {
            let choice = tiling.choice(
              alternative, residentReads: resident, keepsOutput: keeps, storesOutput: !keeps)
            alternatives.append(
              ChoiceProblem.StepAlternative(
                alternative, origin: own.count, residentReads: resident.compactMap { number[$0] },
                residentWrites: keeps ? [number[write]].compactMap { $0 } : [], links: [machine.link]))
            own.append(Candidate(choice: choice, alternative: alternative))
          }
        }
      }
      if own.isEmpty {
        failures.append(
          Diagnostic(
            "does-not-fit", "\(step.kind) '\(step.name)' does not fit '\(machine.machine.chipName)': \(binding)",
            at: step.location, hint: "enlarge the memory with --set, or cut the layer"))
      }
      best += bestOfStep ?? 0
      bound += boundOfStep ?? 0
      candidates.append(own)
      steps.append(.init(step.name, alternatives: alternatives))
    }
    if !failures.isEmpty { throw DiagnosticError(failures) }
    let problem = ChoiceProblem(
      name: graph.name,
      memories: [.init("spad", capacity: machine.scratchpadBytes), .init("acc", capacity: machine.accumulatorBytes)],
      resources: ["array", "drain", "vector"], links: [machine.link], tensors: tensors, steps: steps)
    return (problem, candidates, Gap("tiling", bound: "search per step", value: best, lowerBound: bound))
  }

  /// The best alternatives and the one that needs least room, so that residency always has a partner.
  private func selected(_ alternatives: [Alternative]) -> [Alternative] {
    var chosen = Array(alternatives.prefix(options.alternatives))
    if let least = alternatives.min(by: { ($0.footprint[0], $0.cycles) < ($1.footprint[0], $1.cycles) }),
      !chosen.contains(least)
    {
      chosen.append(least)
    }
    return chosen
  }

  // MARK: Addresses

  private func keptCount(_ solution: ChoiceSolution, _ problem: ChoiceProblem, _ storage: Int) -> Int {
    guard let index = problem.tensors.firstIndex(where: { $0.name == graph.storages[storage].name }) else { return 0 }
    return solution.kept[index]
  }

  /// The plan with addresses, prefetching where there is room and without prefetch; empty when the packing has none.
  private func packings(
    _ problem: ChoiceProblem, _ candidates: [[Candidate]], _ solution: ChoiceSolution, tilingGap: Gap
  ) throws(DiagnosticError) -> [ExecutionPlan] {
    guard let plain = try pack(problem, candidates, solution, tilingGap: tilingGap, prefetching: false) else {
      return []
    }
    guard let early = try pack(problem, candidates, solution, tilingGap: tilingGap, prefetching: true) else {
      return [plain]
    }
    return [early, plain]
  }

  /// The plan with addresses, or nil when the packing has none, or when nothing can be prefetched though it should be.
  private func pack(
    _ problem: ChoiceProblem, _ candidates: [[Candidate]], _ solution: ChoiceSolution, tilingGap: Gap, prefetching: Bool
  ) throws(DiagnosticError) -> ExecutionPlan? {
    var choices: [StepChoice] = []
    for (index, choice) in solution.choice.enumerated() {
      choices.append(candidates[index][problem.steps[index].alternatives[choice].origin].choice)
    }
    var residentBase = [Int?](repeating: nil, count: graph.storages.count)
    var buffers: [PackingProblem.Buffer] = []
    var residentOf: [(storage: Int, buffer: Int)] = []
    let scheduled = graph.storages.indices.filter { storage in
      problem.tensors.contains { $0.name == graph.storages[storage].name && $0.producer == producers[storage].first }
    }
    for (position, storage) in scheduled.enumerated() {
      let kept = solution.kept[position]
      let producer = producers[storage][0]
      let isLeft = choices[producer].keepsOutput
      // A tensor is stored when someone reads it off chip or it leaves the chip.
      choices[producer].storesOutput =
        !isLeft || kept < consumers[storage].count || graph.storages[storage].kind == .output
      guard isLeft else { continue }
      let last = kept > 0 ? consumers[storage][kept - 1] : producer
      residentOf.append((storage, buffers.count))
      buffers.append(
        .init(
          "tensor \(graph.storages[storage].name)", start: producer, end: last + 1,
          size: aligned(graph.storages[storage].bytes), alignment: slotAlignment,
          bankGroup: StepBuffer.Group.resident.rawValue))
    }
    var stepBuffers: [[(name: String, buffer: Int)]] = []
    var constants: [[(name: String, buffer: Int)]] = []
    for (index, step) in graph.steps.enumerated() {
      var own: [(name: String, buffer: Int)] = []
      var loadedOnce: [(name: String, buffer: Int)] = []
      for buffer in step.buffers(choices[index], in: graph) {
        let slots = choices[index].slots[buffer.name] ?? 1
        choices[index].slots[buffer.name] = slots
        own.append((buffer.name, buffers.count))
        if buffer.content == .constant { loadedOnce.append((buffer.name, buffers.count)) }
        buffers.append(
          .init(
            "\(step.name) \(buffer.name)", start: index, end: index + 1, size: slots * buffer.slotBytes,
            alignment: slotAlignment, bankGroup: buffer.group.rawValue))
      }
      stepBuffers.append(own)
      constants.append(loadedOnce)
    }
    if prefetching, !prefetch(constants, &buffers, &choices) { return nil }
    let packing = PackingProblem(
      name: graph.name, buffers: buffers, capacity: machine.scratchpadBytes, bankBytes: machine.bankBytes)
    guard let packed = try packing.pack().solution else { return nil }
    try packing.verify(packed)
    for entry in residentOf { residentBase[entry.storage] = packed.offsets[entry.buffer] }
    let bases = stepBuffers.map { own in
      Dictionary(uniqueKeysWithValues: own.map { ($0.name, packed.offsets[$0.buffer]) })
    }
    let status: String =
      switch solution.status {
      case .optimal: "optimal"
      default: "feasible"
      }
    return ExecutionPlan(
      choices: choices, residentBase: residentBase, bufferBase: bases, peakScratchpadBytes: packed.height,
      status: status,
      gaps: [
        tilingGap,
        Gap("residency", bound: solution.boundName, value: solution.cycles, lowerBound: solution.lowerBound),
        Gap("packing", bound: "bytes alive", value: packed.height, lowerBound: packed.lowerBound),
      ], method: prefetching ? "\(solution.method), prefetching" : solution.method)
  }
}
