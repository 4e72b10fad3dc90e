import PantileProblem
import PantileSupport

extension PackingMethod {
  /// Search nodes of `exact` when the caller does not say: seconds for some hundred buffers.
  public static let exactNodeBudget = 400_000

  /// Beyond this many pairs of a buffer and a step that it lives in, the exact search gives up at once.
  static let exactPairLimit = 1 << 24

  /// Decides by search whether the buffers fit, whatever their number. Bank conflicts do not matter to it.
  public static let exact = PackingMethod("exact", "depth-first search over settled packings; decides and proves") {
    (problem) throws(DiagnosticError) in
    try problem.packExactly()
  }
}

extension PackingProblem {
  /// Offsets within the capacity, a proof that there are none, or neither when the budget ends.
  ///
  /// - Parameter nodeBudget: decisions tried, over all restarts; the same in every run.
  /// - Throws: what `check()` throws.
  public func packExactly(nodeBudget: Int = PackingMethod.exactNodeBudget) throws(DiagnosticError) -> PackingOutcome {
    try packExactly(nodeBudget: nodeBudget, explains: true)
  }

  /// - Parameter explains: Look for the buffers in conflict; otherwise none are named.
  func packExactly(nodeBudget: Int, explains: Bool) throws(DiagnosticError) -> PackingOutcome {
    try check()
    if let contradiction = contradiction() {
      return .unsolved(
        .infeasible(binding: contradiction.binding), height: heightBound, conflict: contradiction.buffers)
    }
    var budget = nodeBudget
    switch settledOffsets(nodeBudget: &budget) {
    case .packed(let offsets): return .solved(solution(offsets, method: "exact"))
    case .refuted:
      guard explains else {
        return .unsolved(
          .infeasible(binding: "the buffers cannot be together within \(capacity) bytes"), height: heightBound,
          conflict: [])
      }
      let conflict = reducedConflict(Array(buffers.indices), nodeBudget: &budget)
      return .unsolved(
        .infeasible(binding: "\(named(conflict.buffers)) cannot be together within \(capacity) bytes"),
        height: heightBound, conflict: conflict.buffers)
    case .budgetExhausted: return .unsolved(.budgetExhausted, height: Int.max, conflict: [])
    }
  }

  /// A solution with these offsets and what follows from them.
  func solution(_ offsets: [Int], method: String) -> PackingSolution {
    let bound = heightBound
    let height = zip(offsets, buffers).reduce(0) { max($0, saturatingAdd($1.0, $1.1.size)) }
    return PackingSolution(
      offsets: offsets, height: height, bankConflicts: bankConflicts(offsets: offsets),
      status: height == bound ? .optimal : .feasible(gap: height - bound), lowerBound: bound, method: method)
  }

  /// What `settledOffsets` found.
  enum ExactAnswer {
    case packed([Int])
    case refuted
    case budgetExhausted
  }

  /// Runs the search with restarts: short runs often and long runs rarely, each with another order and preference.
  ///
  /// **Precondition** `check()` accepts the problem, and there is no `contradiction()`.
  ///
  /// - Parameter nodeBudget: reduced by the nodes used.
  func settledOffsets(nodeBudget: inout Int) -> ExactAnswer {
    let model = PackingModel(self)
    if model.contradiction != nil { return .refuted }
    if model.pairCount > PackingMethod.exactPairLimit { return .budgetExhausted }
    var search = PackingSearch(model)
    search.enqueueAll()
    if !search.propagate() { return .refuted }
    var branching = PackingBranching(search)
    defer { nodeBudget -= branching.nodes }
    var attempt = 0
    while branching.nodes < nodeBudget {
      let share = min(nodeBudget - branching.nodes, 300 * lubyTerm(attempt + 1))
      let preferences = PackingRun.Preference.allCases
      let run = PackingRun(
        preference: preferences[attempt % preferences.count], rank: model.rank(attempt: attempt), nodeBudget: share)
      switch branching.run(&search, run) {
      case .packed: return .packed(model.offsets(model.items.indices.map { search.low($0) }))
      case .refuted: return .refuted
      case .budgetExhausted: attempt += 1
      }
    }
    return .budgetExhausted
  }
}

extension PackingModel {
  /// The place of each item in the order of one attempt: by sections, by area or by size, largest first, later with noise.
  func rank(attempt: Int) -> [Int] {
    var random = SplitMix64(seed: UInt64(attempt))
    let keys = items.map { item in
      let noise = random.next(below: 1000)
      // Up to 30 % off, except in the first attempt.
      let scale = attempt == 0 ? 1000 : 1000 + noise * 3 / 10
      let width = (item.last - item.first + 1) * scale
      switch attempt % 3 {
      case 0: return (-width, -item.size, noise)
      case 1: return (saturatingMultiply(-width, item.size), -width, noise)
      default: return (saturatingMultiply(-item.size, scale), -width, noise)
      }
    }
    var rank = Array(repeating: 0, count: items.count)
    for (place, item) in items.indices.sorted(by: { keys[$0] != keys[$1] ? keys[$0] < keys[$1] : $0 < $1 }).enumerated()
    {
      rank[item] = place
    }
    return rank
  }
}

/// Term `number` (from 1) of 1, 1, 2, 1, 1, 2, 4, 1, 1, 2, 1, 1, 2, 4, 8, ...
///
/// **Source** Luby, Sinclair, Zuckerman, "Optimal speedup of Las Vegas algorithms", Information Processing Letters 47, 1993.
func lubyTerm(_ number: Int) -> Int {
  var number = number
  while true {
    var power = 1
    while 2 * power - 1 < number { power *= 2 }
    if 2 * power - 1 == number { return power }
    number -= power - 1
  }
}
