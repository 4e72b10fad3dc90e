/// The order whose largest need of room is smallest, everything kept.
///
/// **Source** Ahn et al., Ordering chaos: memory-aware scheduling of irregularly wired neural networks (SERENITY), MLSys 2020: the search over
/// down-sets; here best first, and with ops run at once that neither raise the peak nor what stays.
package struct MinimumPeak {
  var order: [Int]
  /// Bytes of memory 0 at the worst step.
  package var peak: Int
  /// False when the budget ended and the order is the best of a beam.
  package var isProved: Bool

  /// - Parameter budget: Down-sets to visit.
  package init(_ index: ScheduleIndex, budget: Int = 200_000, beam width: Int = 500) {
    let exact = Self.search(index, budget: budget, width: nil)
    if let exact {
      self = exact
      return
    }
    guard let found = Self.search(index, budget: .max, width: width) else { preconditionFailure("a beam ends") }
    self = found
  }

  private init(order: [Int], peak: Int, isProved: Bool) {
    self.order = order
    self.peak = peak
    self.isProved = isProved
  }

  private static func search(_ index: ScheduleIndex, budget: Int, width: Int?) -> MinimumPeak? {
    let sets = DownSets(index)
    var peaks: [Int] = []
    var parents: [(set: Int, op: Int)] = []
    func liveBytes(_ set: Int) -> Int {
      var bytes = 0
      Bits.forEach(sets.live(set), words: sets.tensorWords) {
        bytes += index.tensors[$0].memory == 0 ? index.tensors[$0].bytes : 0
      }
      return bytes
    }
    /// Room in use while an op runs from a set.
    func need(_ set: Int, _ op: Int) -> Int {
      var bytes = index.ops[op].footprint[0]
      let inputs = sets.inputs(op)
      Bits.forEach(sets.live(set), words: sets.tensorWords) {
        if index.tensors[$0].memory == 0, !Bits.has(inputs, $0) { bytes += index.tensors[$0].bytes }
      }
      for pair in index.ops[op].inPlace
      where index.tensors[pair.input].memory == 0 && sets.dies(pair.input, at: set, after: op) {
        bytes -= min(index.tensors[pair.input].bytes, index.tensors[pair.output].bytes)
      }
      return bytes
    }
    func note(_ set: Int, _ peak: Int, _ parent: (set: Int, op: Int)) -> Bool {
      while peaks.count <= set {
        peaks.append(Int.max)
        parents.append((-1, -1))
      }
      if peaks[set] <= peak { return false }
      peaks[set] = peak
      parents[set] = parent
      return true
    }
    func ready(_ set: Int) -> [Int] {
      var ops: [Int] = []
      Bits.forEach(sets.ready(set), words: sets.opWords) { ops.append($0) }
      return ops
    }
    func order(to set: Int) -> [Int] {
      var order: [Int] = []
      var current = set
      while parents[current].set >= 0 {
        order.append(parents[current].op)
        current = parents[current].set
      }
      return order.reversed()
    }
    _ = note(sets.root, 0, (-1, -1))
    if let width {
      var layer = [sets.root]
      for _ in index.ops.indices {
        var next: [Int] = []
        for set in layer {
          for op in ready(set) {
            let child = sets.child(set, op)
            let isNew = child >= peaks.count || peaks[child] == Int.max
            if note(child, max(peaks[set], need(set, op)), (set, op)), isNew { next.append(child) }
          }
        }
        next.sort { (peaks[$0], liveBytes($0), $0) < (peaks[$1], liveBytes($1), $1) }
        layer = Array(next.prefix(width))
      }
      guard let goal = layer.first else { return nil }
      return MinimumPeak(order: order(to: goal), peak: peaks[goal], isProved: false)
    }
    var queue = StateQueue()
    queue.push(sets.root, estimate: 0, depth: 0)
    var visited = 0
    while let set = queue.pop() {
      let depth = Bits.count(sets.done(set), words: sets.opWords)
      if depth == index.ops.count { return MinimumPeak(order: order(to: set), peak: peaks[set], isProved: true) }
      visited += 1
      if visited > budget { return nil }
      let ops = ready(set)
      // One that neither raises the peak nor what stays may as well run now.
      let free = ops.first { op in
        need(set, op) <= peaks[set] && liveBytes(sets.child(set, op)) <= liveBytes(set)
      }
      for op in free.map({ [$0] }) ?? ops {
        let child = sets.child(set, op)
        if note(child, max(peaks[set], need(set, op)), (set, op)) {
          queue.push(child, estimate: peaks[child], depth: depth + 1)
        }
      }
    }
    return nil
  }
}
