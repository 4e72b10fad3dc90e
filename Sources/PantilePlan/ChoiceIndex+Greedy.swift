import PantileProblem

extension ChoiceIndex {
  /// Starts with everything streamed and changes one tensor's kept count at a time while that lowers cycles, or bytes at equal cycles:
  /// first the tensors that gain most alone, then in passes until a pass changes nothing. Nil when streaming everything is not possible.
  func greedy() -> ChoiceSolution? {
    var kept = Array(repeating: 0, count: problem.tensors.count)
    guard complete(kept: kept, method: "greedy") != nil else { return nil }
    var gains: [(tensor: Int, cycles: Int, bytes: Int)] = []
    for tensor in wanted {
      let best = bestChange(tensor, kept: kept)
      gains.append((tensor, best?.cycles ?? 0, best?.bytes ?? 0))
    }
    gains.sort { ($0.cycles, $0.bytes, $0.tensor) < ($1.cycles, $1.bytes, $1.tensor) }
    for _ in 0..<8 {
      var changed = false
      for (tensor, _, _) in gains {
        if let best = bestChange(tensor, kept: kept) {
          kept[tensor] = best.count
          changed = true
        }
      }
      if !changed { break }
    }
    return complete(kept: kept, method: "greedy")
  }

  /// The kept count of one tensor that gains most, and its gain as negative numbers; nil when none gains.
  private func bestChange(_ tensor: Int, kept: [Int]) -> (count: Int, cycles: Int, bytes: Int)? {
    var found: (count: Int, cycles: Int, bytes: Int)?
    for count in 0...problem.tensors[tensor].consumers.count where count != kept[tensor] {
      guard let change = change(tensor, to: count, kept: kept) else { continue }
      if change.cycles > 0 || (change.cycles == 0 && change.bytes >= 0) { continue }
      if let have = found, (have.cycles, have.bytes) <= (change.cycles, change.bytes) { continue }
      found = (count, change.cycles, change.bytes)
    }
    return found
  }

  /// What changing one tensor does to cycles and bytes; nil when a step no longer fits.
  private func change(_ tensor: Int, to count: Int, kept: [Int]) -> (cycles: Int, bytes: Int)? {
    guard let span = problem.residency(of: tensor, kept: max(kept[tensor], count)) else { return nil }
    var changed = kept
    changed[tensor] = count
    var cycles = 0
    var bytes = 0
    for step in span {
      guard let old = bestStep(step, kept: kept), let new = bestStep(step, kept: changed) else { return nil }
      cycles += new.cycles - old.cycles
      bytes += new.bytes - old.bytes
    }
    return (cycles, bytes)
  }
}
