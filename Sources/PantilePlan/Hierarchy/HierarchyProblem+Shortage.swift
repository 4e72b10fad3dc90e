import PantileProblem
import PantileSupport

extension HierarchyProblem {
  /// What cannot fit whatever the plan is: a buffer, the buffers of an op, or what persists; nil when nothing is found.
  func shortage() -> String? {
    let writable = memories.filter { !$0.isReadOnly }
    for buffer in buffers {
      let homes = buffer.kind == .frozen ? memories : writable
      if !homes.contains(where: { $0.capacity >= buffer.bytes }) {
        return
          "'\(buffer.name)' has \(buffer.bytes) bytes, the largest memory for it \(homes.map(\.capacity).max() ?? 0)"
      }
    }
    let reached = memories.filter(\.isDirect)
    let room = reached.reduce(0) { saturatingAdd($0, $1.capacity) }
    for op in ops.indices where footprint(of: op) > room {
      return
        "op \(op) '\(ops[op].name)' uses \(footprint(of: op)) bytes at once, the memories that ops reach have \(room)"
    }
    // What an op writes beside must lie in memories that can be written.
    let space = reached.filter { !$0.isReadOnly }.reduce(0) { saturatingAdd($0, $1.capacity) }
    for (index, op) in ops.enumerated() {
      let own = (op.reads + op.writes + op.updates).filter { buffers[$0].kind != .frozen }
      let bytes = own.reduce(0) { saturatingAdd($0, buffers[$1].bytes) }
      if bytes > space {
        return
          "op \(index) '\(op.name)' uses \(bytes) bytes at once that change, the memories that ops reach and write have \(space)"
      }
    }
    for op in ops.indices { if let reason = scatter(of: op) { return reason } }
    let persistent = buffers.filter { $0.kind.persists && $0.kind != .frozen }.reduce(0) { saturatingAdd($0, $1.bytes) }
    let homes = writable.reduce(0) { saturatingAdd($0, $1.capacity) }
    if persistent > homes {
      return
        "weights and the optimizer's state take \(persistent) bytes, the memories that can be written have \(homes)"
    }
    return nil
  }

  /// Why the buffers of an op go into no memories that it reaches, each whole in one; nil when they do, or when the search for a way ends by
  /// its count.
  private func scatter(of op: Int) -> String? {
    let it = ops[op]
    let own = (it.reads + it.writes + it.updates).sorted { (-buffers[$0].bytes, $0) < (-buffers[$1].bytes, $1) }
    var free = memories.map(\.capacity)
    var left = 100_000
    func place(_ position: Int) -> Bool {
      left -= 1
      guard position < own.count, left > 0 else { return true }
      let buffer = buffers[own[position]]
      for memory in memories.indices where memories[memory].isDirect && free[memory] >= buffer.bytes {
        if memories[memory].isReadOnly && buffer.kind != .frozen { continue }
        free[memory] -= buffer.bytes
        defer { free[memory] += buffer.bytes }
        if place(position + 1) { return true }
      }
      return false
    }
    if place(0) { return nil }
    let sizes = own.map { "'\(buffers[$0].name)' (\(buffers[$0].bytes))" }.joined(separator: ", ")
    let rooms = memories.filter(\.isDirect).map { "\($0.capacity) of '\($0.name)'" }.joined(separator: ", ")
    return "op \(op) '\(it.name)' uses \(sizes) at once, which go in no way into \(rooms)"
  }
}
