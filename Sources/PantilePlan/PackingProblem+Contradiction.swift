import PantileProblem

/// Why no offsets can exist, seen without search.
struct PackingContradiction {
  var binding: String
  /// Buffers that cannot be together, whatever the others do.
  var buffers: [Int]
}

extension PackingProblem {
  /// Names up to four of the buffers, largest first.
  func named(_ list: [Int]) -> String {
    let names = list.sorted { (-buffers[$0].size, $0) < (-buffers[$1].size, $1) }.prefix(4).map {
      "'\(buffers[$0].name)' (\(buffers[$0].size))"
    }
    return names.joined(separator: ", ") + (list.count > 4 ? " and \(list.count - 4) more" : "")
  }

  /// A step that needs more than the capacity, fixed buffers that clash, ties that cannot hold; nil when there is none of these.
  ///
  /// **Precondition** `check()` accepts the problem.
  func contradiction() -> PackingContradiction? {
    let (root, delta) = roots()
    return overfullStep(root, delta) ?? fixedFault() ?? tornGroup(root, delta) ?? PackingModel(self).contradiction
  }

  private func overfullStep(_ root: [Int], _ delta: [Int]) -> PackingContradiction? {
    if maximumLive <= capacity { return nil }
    for step in Set(buffers.filter(\.takesRoom).map(\.start)).sorted() {
      let live = buffers.indices.filter { buffers[$0].takesRoom && buffers[$0].start <= step && step < buffers[$0].end }
      let bytes = bytesTogether(live, root, delta)
      if bytes <= capacity { continue }
      // Small ones go first, so that few remain.
      var kept = live
      for buffer in live.sorted(by: { (buffers[$0].size, $0) < (buffers[$1].size, $1) }) {
        let fewer = kept.filter { $0 != buffer }
        if bytesTogether(fewer, root, delta) > capacity { kept = fewer }
      }
      return PackingContradiction(
        binding: "at step \(step) \(named(live)) need \(bytes) bytes of \(capacity)", buffers: kept)
    }
    return nil
  }

  /// Bytes of buffers alive at one step; those that tied buffers share count once.
  private func bytesTogether(_ list: [Int], _ root: [Int], _ delta: [Int]) -> Int {
    var bytes = 0
    var top = Int.min
    var group = -1
    for buffer in list.sorted(by: { (root[$0], delta[$0], $0) < (root[$1], delta[$1], $1) }) {
      if root[buffer] != group { top = Int.min }
      group = root[buffer]
      let end = delta[buffer] + buffers[buffer].size
      bytes = saturatingAdd(bytes, max(0, end - max(top, delta[buffer])))
      top = max(top, end)
    }
    return bytes
  }

  private func fixedFault() -> PackingContradiction? {
    for (index, buffer) in buffers.enumerated() {
      if let offset = buffer.fixedOffset, saturatingAdd(offset, buffer.size) > capacity {
        return PackingContradiction(
          binding: "'\(buffer.name)' is fixed at \(offset) and ends beyond \(capacity)", buffers: [index])
      }
    }
    for (a, buffer) in buffers.enumerated() {
      guard let offset = buffer.fixedOffset else { continue }
      if offset % buffer.alignment != 0 {
        return PackingContradiction(
          binding: "'\(buffer.name)' is fixed at \(offset), not aligned to \(buffer.alignment)", buffers: [a])
      }
      for b in buffers.indices.dropFirst(a + 1) where buffer.overlapsInTime(buffers[b]) {
        guard let second = buffers[b].fixedOffset, !mayOverlap(a, b) else { continue }
        if offset < saturatingAdd(second, buffers[b].size) && second < saturatingAdd(offset, buffer.size) {
          return PackingContradiction(
            binding: "'\(buffer.name)' and '\(buffers[b].name)' are fixed at overlapping addresses", buffers: [a, b])
        }
      }
    }
    return nil
  }

  /// Two buffers whose ties put them on common bytes in a common step, without leave.
  private func tornGroup(_ root: [Int], _ delta: [Int]) -> PackingContradiction? {
    if buffers.allSatisfy({ $0.tie == nil }) { return nil }
    var members: [[Int]] = buffers.map { _ in [] }
    for index in buffers.indices where buffers[index].takesRoom { members[root[index]].append(index) }
    for group in members where group.count > 1 {
      for (position, a) in group.enumerated() {
        for b in group.dropFirst(position + 1) where buffers[a].overlapsInTime(buffers[b]) && !mayOverlap(a, b) {
          if delta[a] < delta[b] + buffers[b].size && delta[b] < delta[a] + buffers[a].size {
            return PackingContradiction(
              binding: "'\(buffers[a].name)' and '\(buffers[b].name)' are tied at overlapping addresses",
              buffers: [a, b])
          }
        }
      }
    }
    return nil
  }
}
