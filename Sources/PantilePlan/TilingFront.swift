import PantileProblem

/// The alternatives of which none is beaten, while a search runs.
///
/// One beats another when it is no worse in cycles, bytes and the footprint class of each shared memory, and better in one
/// of them or, all being equal, preferred by `Alternative.isPreferred`. That order is strict and transitive, so the final set
/// depends on the space alone, not on the way of the search.
struct TilingFront {
  private let shared: [(index: Int, memory: TilingProblem.Memory)]
  /// Cycles, bytes, then classes of each member, flat.
  private var keys: [Int] = []
  /// What else is compared: commands, footprint, order, tiles and slots of each member, flat, in the order of preference.
  private var rest: [Int] = []
  private let stride: Int
  private let restStride: Int
  private let memoryCount: Int
  private let dimCount: Int

  init(_ problem: TilingProblem) {
    shared = problem.memories.indices.filter { problem.memories[$0].isShared }.map { ($0, problem.memories[$0]) }
    stride = 2 + shared.count
    memoryCount = problem.memories.count
    dimCount = problem.dims.count
    restStride = 2 + memoryCount + dimCount + problem.operands.count
  }

  /// The number of alternatives.
  var count: Int { keys.count / stride }

  var sharedMemories: [Int] { shared.map(\.index) }

  /// The footprint class in the `i`-th shared memory.
  func footprintClass(_ i: Int, _ bytes: Int) -> Int { shared[i].memory.footprintClass(bytes) }

  /// How a point stands to the members.
  enum Standing {
    case open
    case equalToMember(Int)
    case beaten
  }

  /// - Parameter classes: one class a shared memory.
  func standing(cycles: Int, bytes: Int, classes: UnsafeMutableBufferPointer<Int>) -> Standing {
    var equal = -1
    var base = 0
    return keys.withUnsafeBufferPointer { keys in
      while base < keys.count {
        if keys[base] <= cycles, keys[base + 1] <= bytes {
          var worse = false
          var strict = keys[base] < cycles || keys[base + 1] < bytes
          for i in 0..<(stride - 2) {
            let own = keys[base + 2 + i]
            if own > classes[i] {
              worse = true
              break
            }
            if own < classes[i] { strict = true }
          }
          if !worse {
            if strict { return .beaten }
            equal = base / stride
          }
        }
        base += stride
      }
      return equal >= 0 ? .equalToMember(equal) : .open
    }
  }

  /// Takes an alternative in unless it is beaten, and drops the members that it beats.
  mutating func insert(_ alternative: Alternative) {
    var classes = shared.map { $0.memory.footprintClass(alternative.footprint[$0.index]) }
    var footprint = alternative.footprint
    var tiles = alternative.tiles
    var slots = alternative.slots
    classes.withUnsafeMutableBufferPointer { classes in
      footprint.withUnsafeMutableBufferPointer { footprint in
        tiles.withUnsafeMutableBufferPointer { tiles in
          slots.withUnsafeMutableBufferPointer { slots in
            insert(
              cycles: alternative.cycles, bytes: alternative.totalBytes, classes: classes,
              commands: alternative.commands, footprint: footprint, order: alternative.order, tiles: tiles,
              slots: slots)
          }
        }
      }
    }
  }

  /// The same by its parts, of which nothing is made before it is known to stay: a search offers far more than it keeps.
  ///
  /// - Parameters:
  ///   - bytes: over all links.
  ///   - classes: of the footprint, one a shared memory; what follows is passed over.
  mutating func insert(
    cycles: Int, bytes: Int, classes: UnsafeMutableBufferPointer<Int>, commands: Int,
    footprint: UnsafeMutableBufferPointer<Int>, order: Int, tiles: UnsafeMutableBufferPointer<Int>,
    slots: UnsafeMutableBufferPointer<Int>
  ) {
    // Stands after the members while it is compared.
    let members = 0..<count
    var new = count
    keys.append(cycles)
    keys.append(bytes)
    for index in shared.indices { keys.append(classes[index]) }
    rest.append(commands)
    rest.append(contentsOf: footprint)
    rest.append(order)
    rest.append(contentsOf: tiles)
    rest.append(contentsOf: slots)
    for member in members {
      let relation = compare(member, new)
      if relation.noWorse && (!relation.noBetter || !isPreferred(new, to: member)) {
        remove(new)
        return
      }
    }
    for member in members.reversed() where compare(member, new).noBetter {
      // The last one takes its place: the order of members says nothing.
      if new == count - 1 { new = member }
      remove(member)
    }
  }

  /// Whether a member is no worse, and no better, than another in cycles, bytes and every class.
  private func compare(_ a: Int, _ b: Int) -> (noWorse: Bool, noBetter: Bool) {
    keys.withUnsafeBufferPointer { keys in
      var noWorse = true
      var noBetter = true
      for field in 0..<stride {
        let own = keys[a * stride + field]
        let other = keys[b * stride + field]
        if own > other { noWorse = false }
        if own < other { noBetter = false }
      }
      return (noWorse, noBetter)
    }
  }

  private mutating func remove(_ member: Int) {
    let last = count - 1
    if member < last {
      for field in 0..<stride { keys[member * stride + field] = keys[last * stride + field] }
      for field in 0..<restStride { rest[member * restStride + field] = rest[last * restStride + field] }
    }
    keys.removeLast(stride)
    rest.removeLast(restStride)
  }

  /// As `Alternative.isPreferred`.
  private func isPreferred(_ a: Int, to b: Int) -> Bool {
    for field in 0..<2 where keys[a * stride + field] != keys[b * stride + field] {
      return keys[a * stride + field] < keys[b * stride + field]
    }
    // Of tiles the larger one is preferred.
    let tiles = (2 + memoryCount)..<(2 + memoryCount + dimCount)
    for field in 0..<restStride {
      let own = rest[a * restStride + field]
      let other = rest[b * restStride + field]
      if own != other { return tiles.contains(field) ? own > other : own < other }
    }
    return false
  }

  /// What was inserted, as far as alternatives are compared by it; bytes as one sum.
  private func member(_ index: Int) -> Alternative {
    let all = Array(rest[(index * restStride)..<((index + 1) * restStride)])
    let tiles = 2 + memoryCount
    return Alternative(
      tiles: Array(all[tiles..<(tiles + dimCount)]), order: all[tiles - 1], slots: Array(all[(tiles + dimCount)...]),
      loads: [], footprint: Array(all[1..<(1 + memoryCount)]), busy: [], bytes: [keys[index * stride + 1]],
      cycles: keys[index * stride], commands: all[0], lowerBound: 0)
  }

  /// At most `limit` members, most preferred first: of each combination of footprint classes the best one, then the others by
  /// preference.
  func selected(limit: Int) -> [Alternative] {
    let sorted = (0..<count).map { member($0) }.sorted { $0.isPreferred(to: $1) }
    if sorted.count <= limit { return sorted }
    var seen: Set<[Int]> = []
    var first: [Alternative] = []
    var rest: [Alternative] = []
    for member in sorted {
      let classes = shared.map { $0.memory.footprintClass(member.footprint[$0.index]) }
      if seen.insert(classes).inserted { first.append(member) } else { rest.append(member) }
    }
    return (first + rest).prefix(limit).sorted { $0.isPreferred(to: $1) }
  }
}
