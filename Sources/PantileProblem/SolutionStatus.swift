/// What is known about a solution of a problem. Read the solution only after this.
public enum SolutionStatus: Hashable, Sendable {
  /// No better solution exists in the stated space.
  case optimal
  /// A valid solution; the best one is at most `gap` (in units of the objective) better.
  case feasible(gap: Int)
  /// There is no solution; `binding` names what cannot be met.
  case infeasible(binding: String)
  /// The budget ended before any solution was found.
  case budgetExhausted
}

extension SolutionStatus: CustomStringConvertible {
  public var description: String {
    switch self {
    case .optimal: return "optimal"
    case .feasible(let gap): return "feasible(gap \(gap))"
    case .infeasible(let binding): return "infeasible(\(binding))"
    case .budgetExhausted: return "budget exhausted"
    }
  }
}

/// A solution's value beside a bound that no solution can beat.
public struct Gap: Hashable, Sendable {
  /// What is measured: `tiling`, `residency`, `packing` or `network`.
  public var name: String
  /// What the bound rests on, for example `compute` or `linear relaxation`.
  public var bound: String
  public var value: Int
  public var lowerBound: Int

  public init(_ name: String, bound: String, value: Int, lowerBound: Int) {
    self.name = name
    self.bound = bound
    self.value = value
    self.lowerBound = lowerBound
  }

  /// `value - lowerBound`, never negative.
  public var absolute: Int { Swift.max(0, value - lowerBound) }

  /// The excess over the bound as a fraction of the bound: a plain ratio, hence a bare `Double`.
  public var relative: Double {
    lowerBound > 0 ? Double(absolute) / Double(lowerBound) : (absolute == 0 ? 0 : .infinity)
  }
}
