import PantileProblem

/// The alternatives of which none is beaten, while a search runs.
///
/// One beats another when it is no worse in cycles, bytes and the footprint class of each shared memory, and better in one
/// of them or, all being equal, preferred by `Alternative.isPreferred`. That order is strict and transitive, so the final set
/// depends on the space alone, not on the way of the search.
struct TilingFront {
  private let shared: [(index: Int, memory: TilingProblem.Memory)]
  private(set) var members: [Alternative] = []
  /// Cycles, bytes, then classes of each member, flat.
  private var keys: [Int] = []
  private let stride: Int

  init(_ problem: TilingProblem) {
    shared = problem.memories.indices.filter { problem.memories[$0].isShared }.map { ($0, problem.memories[$0]) }
    stride = 2 + shared.count
  }

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
    let bytes = alternative.totalBytes
    let classes = shared.map { $0.memory.footprintClass(alternative.footprint[$0.index]) }
    for index in members.indices {
      let base = index * stride
      var noWorse = keys[base] <= alternative.cycles && keys[base + 1] <= bytes
      var equal = keys[base] == alternative.cycles && keys[base + 1] == bytes
      for i in classes.indices {
        noWorse = noWorse && keys[base + 2 + i] <= classes[i]
        equal = equal && keys[base + 2 + i] == classes[i]
      }
      if noWorse && (!equal || !alternative.isPreferred(to: members[index])) { return }
    }
    for index in members.indices.reversed() {
      let base = index * stride
      var noBetter = keys[base] >= alternative.cycles && keys[base + 1] >= bytes
      for i in classes.indices { noBetter = noBetter && keys[base + 2 + i] >= classes[i] }
      guard noBetter else { continue }
      // The last one takes its place: the order of members says nothing, and each copy of one counts references of all its lists.
      let last = members.count - 1
      if index < last {
        members.swapAt(index, last)
        for field in 0..<stride { keys[base + field] = keys[last * stride + field] }
      }
      members.removeLast()
      keys.removeLast(stride)
    }
    members.append(alternative)
    keys.append(alternative.cycles)
    keys.append(bytes)
    keys.append(contentsOf: classes)
  }

  /// At most `limit` members, most preferred first: of each combination of footprint classes the best one, then the others by
  /// preference.
  func selected(limit: Int) -> [Alternative] {
    let sorted = members.sorted { $0.isPreferred(to: $1) }
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
