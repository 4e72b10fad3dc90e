import PantilePlan
import PantileProblem
import PantileReport
import PantileSupport

/// What planning a schedule led to, as `pantile plan` hands it out: JSON, text for a terminal, a picture.
public struct ScheduleReport: Sendable {
  public static let schema = "pantile.plan/1"

  /// The file or model, as the user called it.
  public var input: String
  public var method: String
  public var question: ScheduleInput
  public var outcome: ScheduleOutcome

  public init(input: String, method: String, question: ScheduleInput, outcome: ScheduleOutcome) {
    self.input = input
    self.method = method
    self.question = question
    self.outcome = outcome
  }

  var problem: ScheduleProblem { question.problem }

  /// `optimal`, `feasible`, `infeasible` or `inconclusive`.
  public var status: String {
    switch outcome {
    case .solved(let solution, _): return solution.status == .optimal ? "optimal" : "feasible"
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

  /// The least memory capacity stands first: what plans are measured against. **Units** Bytes.
  var capacity: Int { problem.memories.first?.capacity ?? 0 }

  /// The report in the schema `pantile.plan/1`; see `Docs/plan.md`.
  ///
  /// - Parameter cpuSeconds: User and system time of the process, in seconds; the one field that differs from run to run.
  public func json(version: String, cpuSeconds: Double) -> String {
    let solution = outcome.solution
    var entries: [OrderedJSON.Entry] = [
      .init("schema", .string(Self.schema)), .init("version", .string(version)), .init("input", .string(input)),
      .init("method", .string(method)), .init("status", .string(status)),
      .init("cost_bytes", .optional(solution?.cost)), .init("lower_bound_bytes", .optional(solution?.lowerBound)),
      .init("gap", solution.map { .number($0.gap) } ?? .null),
      .init("bound", solution.map { .string($0.boundName) } ?? .null),
      .init("bound_order", solution.map { .string($0.isFixedOrder ? "this" : "any") } ?? .null),
      .init("order", solution.map { .integers($0.order.map { question.opIDs[$0] }) } ?? .null),
      .init("spills", solution.map { transfers($0.spills) } ?? .null),
      .init("fetches", solution.map { transfers($0.fetches) } ?? .null),
      .init("addresses", solution.map { addresses($0) } ?? .null),
    ]
    if let solution, !solution.workspaces.isEmpty { entries.append(.init("workspaces", workspaces(solution))) }
    entries += [
      .init("peak_bytes", .optional(solution?.peakBytes(of: problem))), .init("capacity_bytes", .integer(capacity)),
      .init("states", .optional(solution?.states)), .init("cpu_seconds", .number(cpuSeconds)),
    ]
    if let reason { entries.append(.init("reason", .string(reason))) }
    return OrderedJSON.object(entries).text
  }

  private func transfers(_ list: [ScheduleSolution.Transfer]) -> OrderedJSON {
    .list(
      list.map { transfer in
        var entries: [OrderedJSON.Entry] = [
          .init("tensor", .integer(question.tensorIDs[transfer.tensor])), .init("step", .integer(transfer.step)),
        ]
        if transfer.isStreamed { entries.append(.init("streamed", .bool(true))) }
        return .object(entries)
      })
  }

  private func addresses(_ solution: ScheduleSolution) -> OrderedJSON {
    .list(
      solution.placements.map { placement in
        var entries: [OrderedJSON.Entry] = [
          .init("tensor", .integer(question.tensorIDs[placement.tensor])), .init("from", .integer(placement.from)),
          .init("to", .integer(placement.to)), .init("offset", .integer(placement.offset)),
        ]
        if problem.memories.count > 1 { entries.append(memory(problem.tensors[placement.tensor].memory)) }
        return .object(entries)
      })
  }

  private func workspaces(_ solution: ScheduleSolution) -> OrderedJSON {
    .list(
      solution.workspaces.map { workspace in
        var entries: [OrderedJSON.Entry] = [
          .init("op", .integer(question.opIDs[workspace.op])), .init("offset", .integer(workspace.offset)),
          .init("bytes", .integer(problem.ops[workspace.op].workspace(in: workspace.memory))),
        ]
        if problem.memories.count > 1 { entries.append(memory(workspace.memory)) }
        return .object(entries)
      })
  }

  private func memory(_ number: Int) -> OrderedJSON.Entry { .init("memory", .string(problem.memories[number].name)) }
}
