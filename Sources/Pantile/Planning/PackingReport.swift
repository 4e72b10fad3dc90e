import PantilePlan
import PantileProblem
import PantileReport
import PantileSupport

/// What packing buffers led to, as `pantile plan` hands it out.
public struct PackingReport: Sendable {
  public var input: String
  public var method: String
  public var problem: PackingProblem
  public var outcome: PackingOutcome
  /// The smallest capacity was asked for, not any packing within one.
  public var isMinimised: Bool

  public init(
    input: String, method: String, problem: PackingProblem, outcome: PackingOutcome, isMinimised: Bool
  ) {
    self.input = input
    self.method = method
    self.problem = problem
    self.outcome = outcome
    self.isMinimised = isMinimised
  }

  /// `optimal`, `feasible`, `infeasible` or `inconclusive`.
  public var status: String {
    switch outcome {
    case .solved(let solution): return solution.status == .optimal ? "optimal" : "feasible"
    case .unsolved(.infeasible, _, _): return "infeasible"
    case .unsolved: return "inconclusive"
    }
  }

  /// Why there is no packing; nil when there is one.
  public var reason: String? {
    switch outcome {
    case .solved: return nil
    case .unsolved(.infeasible(let binding), _, _): return binding
    case .unsolved: return "the budget ended before a packing within \(problem.capacity) bytes was found"
    }
  }

  /// The report in the schema `pantile.plan/1`; see `Docs/plan.md`.
  ///
  /// - Parameter cpuSeconds: User and system time of the process, in seconds; the one field that differs from run to run.
  public func json(version: String, cpuSeconds: Double) -> String {
    let solution = outcome.solution
    var entries: [OrderedJSON.Entry] = [
      .init("schema", .string(ScheduleReport.schema)), .init("version", .string(version)),
      .init("input", .string(input)), .init("method", .string(method)), .init("status", .string(status)),
      .init("peak_bytes", .optional(solution?.height)), .init("lower_bound_bytes", .optional(solution?.lowerBound)),
      .init("gap", gap.map { .number($0) } ?? .null),
      .init(
        "addresses",
        solution.map { solution in
          .list(
            zip(problem.buffers, solution.offsets).map { buffer, offset in
              .object([
                .init("tensor", .string(buffer.name)), .init("from", .integer(buffer.start)),
                .init("to", .integer(buffer.end)), .init("offset", .integer(offset)),
              ])
            })
        } ?? .null),
    ]
    if let solution, problem.bankBytes != nil {
      entries.append(.init("bank_conflicts", .integer(solution.bankConflicts)))
    }
    entries += [
      .init("capacity_bytes", isMinimised ? .null : .integer(problem.capacity)),
      .init("cpu_seconds", .number(cpuSeconds)),
    ]
    if let reason { entries.append(.init("reason", .string(reason))) }
    return OrderedJSON.object(entries).text
  }

  /// `(peak - bound) / max(peak, 1)`: a plain ratio, hence a bare `Double`; nil without a packing.
  public var gap: Double? {
    outcome.solution.map { Double($0.height - $0.lowerBound) / Double(max($0.height, 1)) }
  }
}
