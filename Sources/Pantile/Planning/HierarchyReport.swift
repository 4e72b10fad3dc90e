import PantilePlan
import PantileProblem
import PantileReport
import PantileSupport

/// What planning a step over several memories led to, as `pantile plan --memories` hands it out: JSON and text.
public struct HierarchyReport: Sendable {
  public static let schema = "pantile.memory-plan/1"

  /// The file or model, as the user called it.
  public var input: String
  /// The file of memories.
  public var memories: String
  public var method: String
  public var problem: HierarchyProblem
  public var outcome: HierarchyOutcome

  public init(input: String, memories: String, method: String, problem: HierarchyProblem, outcome: HierarchyOutcome) {
    self.input = input
    self.memories = memories
    self.method = method
    self.problem = problem
    self.outcome = outcome
  }

  /// `optimal`, `feasible`, `infeasible` or `inconclusive`.
  public var status: String {
    switch outcome {
    case .solved(let plan): return plan.status == .optimal ? "optimal" : "feasible"
    case .infeasible: return "infeasible"
    case .inconclusive: return "inconclusive"
    }
  }

  /// Why there is no plan; nil when there is one.
  public var reason: String? {
    switch outcome {
    case .solved: return nil
    case .infeasible(let reason), .inconclusive(let reason): return reason
    }
  }

  /// Bytes that ops read and write in a memory, and that moves bring and take.
  struct Traffic: Hashable, Sendable {
    var read = 0
    var written = 0
    var movedIn = 0
    var movedOut = 0
  }

  /// For each memory.
  func traffic(_ plan: HierarchyPlan) -> [Traffic] {
    var traffic = problem.memories.map { _ in Traffic() }
    for access in plan.accesses where problem.buffers[access.buffer].kind != .workspace {
      let bytes = problem.buffers[access.buffer].bytes
      if access.use != .write { traffic[access.memory].read += bytes }
      if access.use != .read { traffic[access.memory].written += bytes }
    }
    for move in plan.moves {
      traffic[move.from].movedOut += problem.buffers[move.buffer].bytes
      traffic[move.to].movedIn += problem.buffers[move.buffer].bytes
    }
    return traffic
  }

  /// The report in the schema `pantile.memory-plan/1`; see `Docs/plan.md`.
  ///
  /// - Parameter cpuSeconds: User and system time of the process, in seconds; the one field that differs from run to run.
  public func json(version: String, cpuSeconds: Double) -> String {
    let plan = outcome.plan
    /// Thousandths as a number.
    func number(_ value: Int?) -> OrderedJSON { value.map { .number(Double($0) / 1000) } ?? .null }
    var entries: [OrderedJSON.Entry] = [
      .init("schema", .string(Self.schema)), .init("version", .string(version)), .init("input", .string(input)),
      .init("memories_file", .string(memories)), .init("method", .string(method)),
      .init("objective", .string(problem.objective.rawValue)), .init("status", .string(status)),
    ]
    entries += [
      .init("cost", number(plan.map { problem.objective.of($0.cost) })),
      .init("lower_bound", number(plan?.lowerBound)),
      .init("gap", plan.map { .number($0.gap(problem.objective)) } ?? .null),
      .init("bound", plan.map { .string($0.boundName) } ?? .null),
      .init("bound_order", plan.map { .string($0.boundOrder.rawValue) } ?? .null),
      .init("lower_bound_any_order", number(plan?.lowerBoundOfAnyOrder)),
      .init("energy_pj", number(plan?.cost.energy)), .init("cycles", number(plan?.cost.cycles)),
    ]
    entries += [
      .init("slots", .integer(problem.slotCount)),
      .init("op_slots", .integers(problem.ops.indices.map { problem.slot(ofStep: $0) })),
      .init("memories", .list(memoryEntries(plan))), .init("buffers", .list(bufferEntries())),
      .init("ops", .list(opEntries())), .init("order", plan.map { .integers($0.order) } ?? .null),
      .init("moves", plan.map { .list(moveEntries($0)) } ?? .null),
      .init("accesses", plan.map { .list(accessEntries($0)) } ?? .null),
      .init("addresses", plan.map { .list(stayEntries($0)) } ?? .null),
      .init("prices", plan.map { .list(priceEntries($0)) } ?? .null),
      .init("states", .optional(plan?.states)), .init("cpu_seconds", .number(cpuSeconds)),
    ]
    if let reason { entries.append(.init("reason", .string(reason))) }
    return OrderedJSON.object(entries).text
  }

  private func memory(_ index: Int) -> OrderedJSON { .string(problem.memories[index].name) }

  private func memoryEntries(_ plan: HierarchyPlan?) -> [OrderedJSON] {
    let peaks = plan?.peaks(of: problem)
    let traffic = plan.map { self.traffic($0) }
    return problem.memories.enumerated().map { index, it in
      .object([
        .init("name", .string(it.name)), .init("capacity_bytes", .integer(it.capacity)),
        .init("read_only", .bool(it.isReadOnly)), .init("peak_bytes", .optional(peaks?[index])),
        .init("read_bytes", .optional(traffic?[index].read)),
        .init("written_bytes", .optional(traffic?[index].written)),
        .init("moved_in_bytes", .optional(traffic?[index].movedIn)),
        .init("moved_out_bytes", .optional(traffic?[index].movedOut)),
      ])
    }
  }

  private func bufferEntries() -> [OrderedJSON] {
    problem.buffers.enumerated().map { index, it in
      .object([
        .init("buffer", .integer(index)), .init("name", .string(it.name)), .init("kind", .string(it.kind.rawValue)),
        .init("bytes", .integer(it.bytes)),
      ])
    }
  }

  private func opEntries() -> [OrderedJSON] {
    problem.ops.enumerated().map { index, it in
      .object([
        .init("op", .integer(index)), .init("name", .string(it.name)), .init("reads", .integers(it.reads)),
        .init("writes", .integers(it.writes)), .init("updates", .integers(it.updates)),
      ])
    }
  }

  private func moveEntries(_ plan: HierarchyPlan) -> [OrderedJSON] {
    plan.moves.map {
      .object([
        .init("buffer", .integer($0.buffer)), .init("slot", .integer($0.slot)), .init("from", memory($0.from)),
        .init("to", memory($0.to)),
      ])
    }
  }

  private func accessEntries(_ plan: HierarchyPlan) -> [OrderedJSON] {
    plan.accesses.map {
      .object([
        .init("op", .integer($0.op)), .init("buffer", .integer($0.buffer)), .init("use", .string($0.use.rawValue)),
        .init("memory", memory($0.memory)),
      ])
    }
  }

  private func stayEntries(_ plan: HierarchyPlan) -> [OrderedJSON] {
    plan.stays.map {
      .object([
        .init("buffer", .integer($0.buffer)), .init("memory", memory($0.memory)), .init("from", .integer($0.from)),
        .init("to", .integer($0.to)), .init("offset", .integer($0.offset)),
      ])
    }
  }

  private func priceEntries(_ plan: HierarchyPlan) -> [OrderedJSON] {
    plan.prices.map {
      .object([
        .init("memory", memory($0.memory)), .init("slot", .integer($0.slot)), .init("price", .integer($0.value)),
      ])
    }
  }
}
