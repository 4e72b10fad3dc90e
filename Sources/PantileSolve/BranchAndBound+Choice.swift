extension BranchAndBound {
  /// A variable that could be branched on.
  private struct Candidate {
    var column: Int
    var floor: Int
    var fraction: Double
    var score: Double
  }

  /// The variable to branch on and where: the fractional one whose two sides lose most, else any that is not fixed.
  mutating func choice(
    _ number: Int, _ box: WholeModel.Box, _ values: [Double], _ objective: Double
  ) -> (column: Int, value: Int)? {
    var candidates: [Candidate] = []
    var spare: (column: Int, value: Int)?
    for column in box.lower.indices where model.isInteger[column] {
      let (low, high) = (box.lower[column], box.upper[column])
      if let low, low == high { continue }
      let value = values.isEmpty ? Double(low ?? high ?? 0) : values[column]
      guard value.magnitude < 0x1p52 else { continue }
      let fraction = value - value.rounded(.down)
      let isWhole = fraction < 1e-6 || fraction > 1 - 1e-6
      if isWhole && spare != nil { continue }
      var floor = Int(value.rounded(isWhole ? .toNearestOrEven : .down))
      if let high { floor = min(floor, high - 1) }
      if let low { floor = max(floor, low) }
      if isWhole {
        spare = (column, floor)
      } else {
        candidates.append(Candidate(column: column, floor: floor, fraction: fraction, score: 0))
      }
    }
    if candidates.isEmpty { return spare }
    for index in candidates.indices { candidates[index].score = score(candidates[index]) }
    candidates.sort { $0.score != $1.score ? $0.score > $1.score : $0.column < $1.column }
    // Those whose loss is not known yet are tried, the most promising first.
    var failures = 0
    var bestTried = -1.0
    for index in candidates.indices.prefix(10) where failures < 5 && canGoOn {
      let candidate = candidates[index]
      let entry = loss[candidate.column]
      if entry.downCount < 2 || entry.upCount < 2 {
        tryOut(candidate, box, objective)
        candidates[index].score = score(candidate)
      }
      failures = candidates[index].score > bestTried ? 0 : failures + 1
      bestTried = max(bestTried, candidates[index].score)
    }
    var best = candidates[0]
    for candidate in candidates where candidate.score > best.score { best = candidate }
    return (best.column, best.floor)
  }

  private func score(_ candidate: Candidate) -> Double {
    let entry = loss[candidate.column]
    let estimate = 0.5 * Double(model.objective[candidate.column].magnitude) + 1e-3
    let down = entry.downCount > 0 ? entry.down / Double(entry.downCount) : estimate
    let up = entry.upCount > 0 ? entry.up / Double(entry.upCount) : estimate
    return max(down * candidate.fraction, 1e-6) * max(up * (1 - candidate.fraction), 1e-6)
  }

  /// Solves both children for a few iterations, to learn what they lose.
  private mutating func tryOut(_ candidate: Candidate, _ box: WholeModel.Box, _ objective: Double) {
    for isUpper in [true, false] {
      var child = box
      if isUpper {
        child.upper[candidate.column] = candidate.floor
      } else {
        child.lower[candidate.column] = candidate.floor + 1
      }
      let left = options.iterationBudget - session.iterations
      let outcome = session.solve(child, iterationBudget: min(left, 100), cancellation: options.cancellation)
      let distance = isUpper ? candidate.fraction : 1 - candidate.fraction
      var lost = max(0, session.objective - objective)
      if outcome == .infeasible {
        // As if the whole way to the best point were lost.
        lost = max(1, incumbent.map { Double($0.grains) / Double(grains) - objective } ?? objective.magnitude)
      }
      if outcome == .optimal || outcome == .budget || outcome == .infeasible {
        note(candidate.column, isUpper, lost / max(1e-3, distance))
      }
    }
  }

  private mutating func note(_ column: Int, _ isUpper: Bool, _ lost: Double) {
    guard lost.isFinite else { return }
    if isUpper {
      loss[column].down += lost
      loss[column].downCount += 1
    } else {
      loss[column].up += lost
      loss[column].upCount += 1
    }
  }

  /// Learns from a node's relaxation what its branch lost.
  mutating func learn(_ number: Int, _ objective: Double) {
    let node = nodes[number]
    if node.column < 0 || node.parentObjective.isNaN { return }
    note(node.column, node.isUpper, max(0, objective - node.parentObjective) / node.distance)
  }
}
