import PantileProblem

/// A stay of a tensor in its memory, from the step in which it comes to be there to the one in which it is used last before it leaves.
struct Segment {
  var tensor: Int
  var from: Int
  var to: Int
  /// Gaps that are kept in it.
  var gaps: [Int]
}

extension GapTable {
  /// The stays of all tensors under a plan, workspaces among them; with a tile buffer, events beside no kept gap are streamed and none.
  func segments(_ kept: [Bool]) -> [Segment] {
    let streams = index.problem.tileBytes != nil
    var segments: [Segment] = []
    for (tensor, own) in index.tensors.enumerated() where lastEvent[tensor] >= 0 {
      let range = gaps(of: tensor)
      let events = range.map { gaps[$0].first } + [lastEvent[tensor]]
      var begin = 0
      for position in events.indices {
        let isEnd = position == events.count - 1 || !kept[range.lowerBound + position]
        if !isEnd { continue }
        var to = events[position] + 1
        if own.isPinned && position == events.count - 1 { to = order.count }
        if !streams || begin < position || own.isPinned || own.origin == nil {
          segments.append(
            Segment(
              tensor: tensor, from: events[begin], to: to,
              gaps: (begin..<position).map { range.lowerBound + $0 }))
        }
        begin = position + 1
      }
    }
    return segments
  }

  /// Writes and reads beyond the compulsory ones, in steps of this order.
  func transfers(_ kept: [Bool]) -> (
    spills: [(tensor: Int, step: Int, streamed: Bool)], fetches: [(tensor: Int, step: Int, streamed: Bool)]
  ) {
    let streams = index.problem.tileBytes != nil
    var spills: [(tensor: Int, step: Int, streamed: Bool)] = []
    var fetches: [(tensor: Int, step: Int, streamed: Bool)] = []
    for (tensor, own) in index.tensors.enumerated() where lastEvent[tensor] >= 0 {
      let range = gaps(of: tensor)
      var isWritten = own.isBornCopied
      for gap in range where !kept[gap] {
        let isThereBefore = !streams || (gap > range.lowerBound && kept[gap - 1])
        if !isWritten {
          // A result that is streamed out leaves in the step that makes it; one that was there leaves before the next step.
          let step = isThereBefore ? gaps[gap].first + 1 : gaps[gap].first
          spills.append((tensor, step, !isThereBefore))
          isWritten = true
        }
        let staysAfter = !streams || (gap + 1 < range.upperBound && kept[gap + 1])
        fetches.append((tensor, gaps[gap].last, !staysAfter))
      }
    }
    return (spills, fetches)
  }
}
