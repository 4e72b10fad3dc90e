import PantileSupport

/// Which block dominates which, for regions of several blocks.
///
/// **Source** Cooper, Harvey, Kennedy, "A simple, fast dominance algorithm", Rice University 2001.
struct Dominance: Sendable {
  /// The immediate dominator of each block; the entry's is itself; -1 when unreachable.
  private var immediate: [Int32]
  private var order: [Int32]

  init(_ module: Module) {
    immediate = Array(repeating: -1, count: module.blocks.count)
    order = Array(repeating: -1, count: module.blocks.count)
    for region in module.regions.indices {
      let blocks = module.blocks(in: RegionID(region))
      guard let entry = blocks.first else { continue }
      guard blocks.count > 1 else {
        immediate[entry.offset] = entry.index
        order[entry.offset] = 0
        continue
      }
      analyse(module, entry)
    }
  }

  private mutating func analyse(_ module: Module, _ entry: BlockID) {
    // Depth-first post-order without recursion.
    var postOrder: [BlockID] = []
    var stack: [(block: BlockID, successors: [BlockID])] = [(entry, Self.successors(module, entry))]
    var seen: Set<BlockID> = [entry]
    while let top = stack.indices.last {
      if let next = stack[top].successors.popLast() {
        if seen.insert(next).inserted { stack.append((next, Self.successors(module, next))) }
      } else {
        postOrder.append(stack.removeLast().block)
      }
    }
    for (index, block) in postOrder.enumerated() { order[block.offset] = Int32(index) }
    var predecessors: [BlockID: [BlockID]] = [:]
    for block in postOrder {
      for next in Self.successors(module, block) { predecessors[next, default: []].append(block) }
    }
    immediate[entry.offset] = entry.index
    var isChanging = true
    while isChanging {
      isChanging = false
      for block in postOrder.reversed() where block != entry {
        var candidate: Int32 = -1
        for predecessor in predecessors[block] ?? [] where immediate[predecessor.offset] >= 0 {
          candidate = candidate < 0 ? predecessor.index : meet(candidate, predecessor.index)
        }
        if immediate[block.offset] != candidate {
          immediate[block.offset] = candidate
          isChanging = true
        }
      }
    }
  }

  private static func successors(_ module: Module, _ block: BlockID) -> [BlockID] {
    guard let last = module.lastOp(in: block) else { return [] }
    // A successor in another region is reported elsewhere; it is no edge.
    return module.successors(of: last).filter { module.region(of: $0) == module.region(of: block) }
  }

  private func meet(_ a: Int32, _ b: Int32) -> Int32 {
    var a = a
    var b = b
    while a != b {
      while order[Int(a)] < order[Int(b)] { a = immediate[Int(a)] }
      while order[Int(b)] < order[Int(a)] { b = immediate[Int(b)] }
    }
    return a
  }

  /// Whether every way to `b` leads through `a`; true for a `b` that no way leads to.
  func dominates(_ a: BlockID, _ b: BlockID) -> Bool {
    var block = b.index
    guard immediate[Int(block)] >= 0 else { return true }
    while true {
      if block == a.index { return true }
      let next = immediate[Int(block)]
      if next == block { return false }
      block = next
    }
  }
}
