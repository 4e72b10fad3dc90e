import PantileProblem
import PantileSolve

/// Plans for streamed operands without a proof, to start the gap program from.
extension GapTable {
  /// Keeps gaps one by one as long as they fit, in the given order; in-place pairs are not made use of.
  func keepInTurn(_ sequence: [Int]) -> [Bool] {
    var kept = Array(repeating: false, count: gaps.count)
    var load = index.capacities.indices.map { fixedLoad($0) }
    for (number, gap) in gaps.enumerated() where index.tensors[gap.tensor].isPinned { kept[number] = true }
    for number in sequence where !kept[number] {
      let gap = gaps[number]
      let tensor = index.tensors[gap.tensor]
      let range = gaps(of: gap.tensor)
      // Events that a kept neighbour covers already take no further room.
      let first = number > range.lowerBound && kept[number - 1] ? gap.first + 1 : gap.first
      let last = number + 1 < range.upperBound && kept[number + 1] ? gap.last - 1 : gap.last
      if first > last {
        kept[number] = true
        continue
      }
      let room = index.capacities[tensor.memory] - tensor.bytes
      if (first...last).allSatisfy({ load[tensor.memory][$0] <= room }) {
        kept[number] = true
        for step in first...last { load[tensor.memory][step] += tensor.bytes }
      }
    }
    return kept
  }

  /// The cheaper of keeping short gaps first and keeping what a relaxation keeps most of first.
  func streamingPlan(_ relaxation: [Double]?) -> [Bool] {
    func sorted(_ key: (Int) -> (Double, Int)) -> [Int] {
      let keys = gaps.indices.map(key)
      return gaps.indices.sorted { (keys[$0].0, keys[$0].1, $0) < (keys[$1].0, keys[$1].1, $1) }
    }
    var plans = [
      keepInTurn(sorted { (Double(gaps[$0].last - gaps[$0].first), -index.tensors[gaps[$0].tensor].bytes) }),
      keepInTurn(sorted { (Double(gaps[$0].last - gaps[$0].first), index.tensors[gaps[$0].tensor].bytes) }),
    ]
    if let relaxation {
      plans.append(keepInTurn(sorted { (-relaxation[$0], gaps[$0].last - gaps[$0].first) }))
    }
    return plans.min { cost($0) < cost($1) } ?? gaps.map { !$0.matters }
  }
}
