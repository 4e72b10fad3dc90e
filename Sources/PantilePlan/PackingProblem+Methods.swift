import PantileProblem
import PantileSupport

/// A way to solve a `PackingProblem`.
public final class PackingMethod: Sendable {
  public let name: String
  public let summary: String
  public let solve: @Sendable (PackingProblem) throws(DiagnosticError) -> PackingOutcome

  init(
    _ name: String, _ summary: String,
    solve: @escaping @Sendable (PackingProblem) throws(DiagnosticError) -> PackingOutcome
  ) {
    self.name = name
    self.summary = summary
    self.solve = solve
  }
}

/// Addresses, or why there are none.
public enum PackingOutcome: Hashable, Sendable {
  case solved(PackingSolution)
  /// `infeasible`, or `budgetExhausted` when nothing fitted but nothing proves that nothing can; `height` is the lowest found.
  case unsolved(SolutionStatus, height: Int)

  public var solution: PackingSolution? {
    if case .solved(let solution) = self { return solution }
    return nil
  }
}

extension PackingProblem {
  /// Every way to solve this kind of problem.
  public static let methods: [PackingMethod] = [.portfolio, .smt]

  /// Addresses by the default method: the greedy portfolio, and for small problems that it cannot fit a decision by SMT.
  ///
  /// - Throws: what `check()` throws; `solver-fault`.
  public func pack() throws(DiagnosticError) -> PackingOutcome {
    let outcome = try PackingMethod.portfolio.solve(self)
    if case .unsolved(.budgetExhausted, let height) = outcome, buffers.count <= PackingMethod.smtBufferLimit {
      let decided = try PackingMethod.smt.solve(self)
      if case .unsolved(.budgetExhausted, _) = decided { return .unsolved(.budgetExhausted, height: height) }
      return decided
    }
    return outcome
  }

  /// Bytes below which no packing fits: the most alive in one step, and the top of each fixed buffer.
  public var heightBound: Int {
    buffers.reduce(maximumLive) { most, buffer in
      buffer.fixedOffset.map { max(most, saturatingAdd($0, buffer.size)) } ?? most
    }
  }

  /// Says which step needs more than the capacity, with its buffers; nil when none does.
  func overfullStep() -> String? {
    for step in Set(buffers.map(\.start)).sorted() {
      let live = buffers.filter { $0.start <= step && step < $0.end }
      let bytes = live.reduce(0) { saturatingAdd($0, $1.size) }
      if bytes > capacity {
        let names = live.sorted { $0.size > $1.size }.prefix(4).map { "'\($0.name)' (\($0.size))" }
        let rest = live.count > 4 ? " and \(live.count - 4) more" : ""
        return "at step \(step) \(names.joined(separator: ", "))\(rest) need \(bytes) bytes of \(capacity)"
      }
    }
    for buffer in buffers {
      if let offset = buffer.fixedOffset, saturatingAdd(offset, buffer.size) > capacity {
        return "'\(buffer.name)' is fixed at \(offset) and ends beyond \(capacity)"
      }
    }
    for (a, buffer) in buffers.enumerated() {
      guard let offset = buffer.fixedOffset else { continue }
      if offset % buffer.alignment != 0 {
        return "'\(buffer.name)' is fixed at \(offset), not aligned to \(buffer.alignment)"
      }
      for other in buffers[(a + 1)...] {
        guard let second = other.fixedOffset, buffer.overlapsInTime(other) else { continue }
        if offset < saturatingAdd(second, other.size) && second < saturatingAdd(offset, buffer.size) {
          return "'\(buffer.name)' and '\(other.name)' are fixed at overlapping addresses"
        }
      }
    }
    return nil
  }
}
