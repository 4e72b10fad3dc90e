import PantileProblem
import PantileSolve
import PantileSupport

/// The must-live covering bound: valid for every order of the ops.
///
/// A tensor made by an ancestor of an op and read by a descendant is alive while the op runs, in every order. If all such tensors do not fit
/// beside it, some must be away. Two ops with a reader of the tensor between them see different departures, so repeated ones count:
/// for each tensor the ops are split into clusters that readers separate, with one variable each.
///
///     min  sum_a s_a (sum_k z[a,k] + y[a])        y[a] >= z[a,k], only where a has no copy off chip
///     s.t. sum_a s_a z[a,k(a,o)]  >=  footprint(o) + sum_a s_a - M      for each op o that is short of room
struct CoveringBound {
  /// Ops that are short of room, with the tensors that are alive and untouched there.
  struct Shortage {
    var op: Int
    var memory: Int
    var tensors: [Int]
    var bytes: Int
  }

  let index: ScheduleIndex
  private(set) var shortages: [Shortage] = []

  init(_ index: ScheduleIndex) {
    self.index = index
    let words = Bits.words(for: index.ops.count)
    var ancestors = index.ops.map { _ in [UInt64](repeating: 0, count: words) }
    for op in index.ops.indices {
      for other in index.predecessors[op] {
        ancestors[op][other >> 6] |= 1 << UInt64(other & 63)
        for word in 0..<words { ancestors[op][word] |= ancestors[other][word] }
      }
    }
    self.ancestors = ancestors
    for op in index.ops.indices {
      let touched = Set(index.ops[op].inputs + index.ops[op].outputs)
      for memory in index.capacities.indices {
        var list: [Int] = []
        var pinned = 0
        for (number, tensor) in index.tensors.enumerated()
        where tensor.memory == memory && tensor.bytes > 0 && !touched.contains(number) {
          let isThere =
            tensor.producer >= 0
            ? precedes(tensor.producer, op) : tensor.consumers.contains { precedes($0, op) }
          if tensor.isPinned {
            if tensor.producer >= 0, isThere { pinned += tensor.bytes }
          } else if isThere, tensor.consumers.contains(where: { precedes(op, $0) }) {
            list.append(number)
          }
        }
        let room = index.capacities[memory] - index.leastFootprint(of: op, in: memory) - pinned
        let need = list.reduce(0) { $0 + index.tensors[$1].bytes }
        // No room even with all of them away: there is no schedule, and nothing to bound.
        if need > room, room >= 0 {
          shortages.append(Shortage(op: op, memory: memory, tensors: list, bytes: need - room))
        }
      }
    }
  }

  private let ancestors: [[UInt64]]

  private func precedes(_ first: Int, _ second: Int) -> Bool {
    ancestors[second][first >> 6] >> UInt64(first & 63) & 1 != 0
  }

  /// For each shortage the cluster of each of its tensors.
  private func clusters() -> [[Int]] {
    var memberships = shortages.map { $0.tensors.map { _ in 0 } }
    var places: [Int: [(shortage: Int, position: Int)]] = [:]
    for (number, shortage) in shortages.enumerated() {
      for (position, tensor) in shortage.tensors.enumerated() { places[tensor, default: []].append((number, position)) }
    }
    for tensor in places.keys.sorted() {
      guard let list = places[tensor], list.count > 1 else { continue }
      let readers = index.tensors[tensor].consumers
      func isSeparated(_ first: Int, _ second: Int) -> Bool {
        readers.contains {
          (precedes(first, $0) && precedes($0, second)) || (precedes(second, $0) && precedes($0, first))
        }
      }
      // Connected components of ops that no reader separates.
      var component = Array(repeating: -1, count: list.count)
      var next = 0
      for start in list.indices where component[start] < 0 {
        component[start] = next
        var queue = [start]
        while let member = queue.popLast() {
          for other in list.indices where component[other] < 0 {
            if !isSeparated(shortages[list[member].shortage].op, shortages[list[other].shortage].op) {
              component[other] = next
              queue.append(other)
            }
          }
        }
        next += 1
      }
      for (entry, cluster) in zip(list, component) { memberships[entry.shortage][entry.position] = cluster }
    }
    return memberships
  }

  /// The covering program; nil when no op is short of room, and the bound is zero.
  func model() -> LinearModel? {
    if shortages.isEmpty { return nil }
    var model = LinearModel(.minimise)
    var variables: [Int: [Int: LinearModel.Variable]] = [:]
    let clusters = clusters()
    var counts: [Int: Int] = [:]
    for (shortage, own) in zip(shortages, clusters) {
      for (tensor, cluster) in zip(shortage.tensors, own) { counts[tensor] = max(counts[tensor] ?? 0, cluster + 1) }
    }
    for tensor in counts.keys.sorted() {
      let own = index.tensors[tensor]
      let count = counts[tensor] ?? 1
      let isSingle = count == 1 && !own.isBornCopied
      for cluster in 0..<count {
        variables[tensor, default: [:]][cluster] = model.addBinary(
          "away_\(tensor)_\(cluster)", objective: Double(isSingle ? 2 * own.bytes : own.bytes))
      }
      if !isSingle, !own.isBornCopied {
        let write = model.addBinary("write_\(tensor)", objective: Double(own.bytes))
        for cluster in 0..<count {
          guard let away = variables[tensor]?[cluster] else { continue }
          model.addRow("write_\(tensor)_\(cluster)", lower: 0, [.init(1, write), .init(-1, away)])
        }
      }
    }
    for (shortage, own) in zip(shortages, clusters) {
      model.addRow(
        "room_\(shortage.op)", lower: Double(shortage.bytes),
        zip(shortage.tensors, own).compactMap { tensor, cluster in
          variables[tensor]?[cluster].map { .init(Double(index.tensors[tensor].bytes), $0) }
        })
    }
    return model
  }
}
