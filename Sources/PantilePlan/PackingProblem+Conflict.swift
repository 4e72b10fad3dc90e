import PantileProblem
import PantileSupport

/// Buffers that cannot be packed together.
public struct PackingConflict: Hashable, Sendable {
  /// Indices, ascending.
  public var buffers: [Int]
  /// True when without any one of them the others fit; false when the budget ended before that was known.
  public var isMinimal: Bool

  public init(buffers: [Int], isMinimal: Bool) {
    self.buffers = buffers
    self.isMinimal = isMinimal
  }
}

extension PackingProblem {
  /// A set of buffers that cannot be within the capacity together, made small by leaving out what it does not need: a cut for a
  /// schedule that asked for all of them. Nil when the buffers fit, or when no proof was found that they do not.
  ///
  /// - Parameter nodeBudget: of all searches together.
  /// - Throws: what `check()` throws.
  public func smallestInfeasibleSet(
    nodeBudget: Int = PackingMethod.exactNodeBudget
  ) throws(DiagnosticError) -> PackingConflict? {
    try check()
    if let contradiction = contradiction() {
      var budget = nodeBudget
      return reducedConflict(contradiction.buffers, nodeBudget: &budget)
    }
    var budget = nodeBudget
    guard case .refuted = settledOffsets(nodeBudget: &budget) else { return nil }
    return reducedConflict(Array(buffers.indices), nodeBudget: &budget)
  }

  /// Leaves out halves, quarters and at last single buffers as long as the rest cannot be packed.
  ///
  /// **Precondition** The given buffers cannot be packed together.
  func reducedConflict(_ start: [Int], nodeBudget: inout Int) -> PackingConflict {
    var kept = start.sorted { (buffers[$0].start, $0) < (buffers[$1].start, $1) }
    var isMinimal = true
    var length = max(1, kept.count / 2)
    while true {
      var position = 0
      while position < kept.count {
        let fewer = Array(kept[..<position]) + Array(kept[min(kept.count, position + length)...])
        // One search may use a part of what is left, so that a hard one does not end the filter.
        var share = nodeBudget / 8
        let before = share
        let answer = fewer.isEmpty ? .packed([]) : restricted(to: fewer).decision(nodeBudget: &share)
        nodeBudget -= before - share
        switch answer {
        case .refuted: kept = fewer
        case .packed: position += length
        case .budgetExhausted:
          if length == 1 { isMinimal = false }
          position += length
        }
      }
      if length == 1 { break }
      length = length / 2
    }
    return PackingConflict(buffers: kept.sorted(), isMinimal: isMinimal)
  }

  private func decision(nodeBudget: inout Int) -> ExactAnswer {
    contradiction() != nil ? .refuted : settledOffsets(nodeBudget: &nodeBudget)
  }

  /// The problem of some of the buffers; members of a tied group keep their distances when those between them are left out.
  ///
  /// **Precondition** `check()` accepts the problem.
  public func restricted(to list: [Int]) -> PackingProblem {
    let (root, delta) = roots()
    var place = Array(repeating: -1, count: buffers.count)
    for (position, index) in list.enumerated() { place[index] = position }
    // When the end of a chain is left out, its first member that remains takes its place.
    var leader = Array(repeating: -1, count: buffers.count)
    var result = self
    result.buffers = list.map { buffers[$0] }
    for (position, index) in list.enumerated() {
      var mayOverlap = true
      var at = index
      while let tie = buffers[at].tie {
        mayOverlap = mayOverlap && tie.mayOverlap
        at = tie.anchor
        if place[at] >= 0 { break }
      }
      result.buffers[position].tie = nil
      if at != index, place[at] >= 0 {
        result.buffers[position].tie = Tie(to: place[at], delta: delta[index] - delta[at], mayOverlap: mayOverlap)
      } else if leader[root[index]] >= 0 {
        let first = leader[root[index]]
        result.buffers[position].tie = Tie(to: place[first], delta: delta[index] - delta[first])
      } else {
        leader[root[index]] = index
      }
    }
    return result
  }
}
