import PantilePlan
import PantileProblem
import PantileSupport

/// Tiling problems that have been searched, and what was found: equal layers ask for the same, and so does every way to plan a network.
public struct TilingAnswers: Sendable {
  /// A problem with its hash: a walk over all of its cost expressions, made once.
  private struct Key: Hashable, Sendable {
    let problem: TilingProblem
    private let hash: Int

    init(_ problem: TilingProblem) {
      self.problem = problem
      hash = problem.hashValue
    }

    static func == (a: Key, b: Key) -> Bool { a.hash == b.hash && a.problem == b.problem }
    func hash(into hasher: inout Hasher) { hasher.combine(hash) }
  }

  private var solutions: [Key: TilingSolution] = [:]

  public init() {}

  /// The answer to a problem, searched for when nobody has asked for it yet.
  /// - Throws: what `TilingProblem.search` throws.
  public mutating func solution(of problem: TilingProblem) throws(DiagnosticError) -> TilingSolution {
    let key = Key(problem)
    if let known = solutions[key] { return known }
    let solution = try problem.search()
    solutions[key] = solution
    return solution
  }
}
