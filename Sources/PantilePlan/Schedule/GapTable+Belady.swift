import PantileProblem

/// Which tensor leaves when an op does not fit.
enum ReplacementRule: Sendable {
  /// The one whose next use is farthest, larger ones first.
  /// **Source** Belady, A study of replacement algorithms for a virtual-storage computer, 1966.
  case farthestUse
  /// The one that costs least for a byte that it frees, then the farthest.
  case cheapest
}

extension GapTable {
  /// Replacement step by step with knowledge of the order: keeps everything, and when an op does not fit moves tensors away by the rule.
  ///
  /// - Returns: What to keep; nil when an op does not fit by itself.
  func replace(by rule: ReplacementRule) -> [Bool]? {
    var kept = Array(repeating: true, count: gaps.count)
    // Gaps that are open at a step: between two events, or beginning here with a result that wants the place.
    var open: [Int] = []
    var starting = Array(repeating: [Int](), count: order.count + 1)
    for (number, gap) in gaps.enumerated() { starting[gap.first].append(number) }
    var usage = index.capacities.indices.map { self.usage(kept, memory: $0) }
    for step in order.indices {
      open.removeAll { gaps[$0].last <= step }
      var hasCopy: (Int) -> Bool {
        { gap in
          let tensor = gaps[gap].tensor
          return index.tensors[tensor].isBornCopied || self.gaps(of: tensor).contains { $0 < gap && !kept[$0] }
        }
      }
      for memory in index.capacities.indices {
        while usage[memory][step] > index.capacities[memory] {
          let movable = (open + starting[step].filter { gaps[$0].inPlaceResult != nil }).filter { gap in
            kept[gap] && gaps[gap].matters && index.tensors[gaps[gap].tensor].memory == memory
              && index.tensors[gaps[gap].tensor].bytes > 0
          }
          func price(_ gap: Int) -> Int { hasCopy(gap) ? 1 : 2 }
          let victim = movable.min { a, b in
            let (x, y) = (index.tensors[gaps[a].tensor].bytes, index.tensors[gaps[b].tensor].bytes)
            switch rule {
            case .farthestUse: return (-gaps[a].last, -x, a) < (-gaps[b].last, -y, b)
            case .cheapest: return (price(a), -gaps[a].last, -x, a) < (price(b), -gaps[b].last, -y, b)
            }
          }
          guard let victim else { return nil }
          kept[victim] = false
          usage[memory] = self.usage(kept, memory: memory)
        }
      }
      open += starting[step]
    }
    // Gaps given up early may fit after later decisions: take back what does, dearest first.
    for gap in gaps.indices.filter({ !kept[$0] }).sorted(by: {
      (index.tensors[gaps[$0].tensor].bytes, -$0) > (index.tensors[gaps[$1].tensor].bytes, -$1)
    }) {
      kept[gap] = true
      if !fits(kept) { kept[gap] = false }
    }
    return kept
  }
}
