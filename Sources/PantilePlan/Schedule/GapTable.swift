import PantileProblem

/// One order of ops, and between which uses of each tensor it could leave its memory.
///
/// The *events* of a tensor are the steps at which it must be there: its op and its readers. A *gap* lies between two of them in a row; a
/// plan for the order says for each gap whether the tensor stays. Lazy departure and late return lose nothing, so this is all there is to
/// replacement in a fixed order.
struct GapTable {
  struct Gap {
    var tensor: Int
    /// Steps of the events around it.
    var first: Int
    var last: Int
    /// The result that takes the tensor's place at `first` if it does not stay; nil when there is none.
    var inPlaceResult: Int?
    /// Whether leaving can help: something runs in between, or a result could take its place, or operands may be streamed.
    var matters: Bool
  }

  let index: ScheduleIndex
  /// Op of each step.
  let order: [Int]
  let stepOf: [Int]
  private(set) var gaps: [Gap] = []
  /// Gaps of each tensor are `firstGap[t] ..< firstGap[t + 1]`, ascending.
  private(set) var firstGap: [Int] = []
  /// Last event of each tensor.
  let lastEvent: [Int]

  /// - Precondition: `order` is a topological order of the index's ops.
  init(_ index: ScheduleIndex, order: [Int]) {
    self.index = index
    self.order = order
    var stepOf = Array(repeating: 0, count: index.ops.count)
    for (step, op) in order.enumerated() { stepOf[op] = step }
    self.stepOf = stepOf
    var lastEvent = Array(repeating: -1, count: index.tensors.count)
    for (number, tensor) in index.tensors.enumerated() {
      firstGap.append(gaps.count)
      var events = tensor.consumers.map { stepOf[$0] }
      if tensor.producer >= 0 { events.append(stepOf[tensor.producer]) }
      events.sort()
      lastEvent[number] = events.last ?? -1
      for (first, last) in zip(events, events.dropFirst()) {
        let result = index.ops[order[first]].inPlace.first { $0.input == number }?.output
        gaps.append(
          Gap(
            tensor: number, first: first, last: last, inPlaceResult: result,
            matters: !tensor.isPinned
              && (last > first + 1 || result != nil || index.problem.tileBytes != nil)))
      }
    }
    firstGap.append(gaps.count)
    self.lastEvent = lastEvent
  }

  func gaps(of tensor: Int) -> Range<Int> { firstGap[tensor]..<firstGap[tensor + 1] }

  /// Bytes that move beyond the compulsory ones.
  func cost(_ kept: [Bool]) -> Int {
    var total = 0
    for tensor in index.tensors.indices {
      let returns = gaps(of: tensor).count { !kept[$0] }
      if returns == 0 { continue }
      total += index.tensors[tensor].bytes * (returns + (index.tensors[tensor].isBornCopied ? 0 : 1))
    }
    return total
  }

  /// Bytes in use in each step of whole tensors, in one memory.
  func usage(_ kept: [Bool], memory: Int) -> [Int] {
    var used = order.map { index.ops[$0].footprint[memory] }
    for (step, op) in order.enumerated() {
      for pair in index.ops[op].inPlace where index.tensors[pair.input].memory == memory {
        let stays = gaps(of: pair.input).contains { gaps[$0].first == step && kept[$0] }
        if !stays { used[step] -= min(index.tensors[pair.input].bytes, index.tensors[pair.output].bytes) }
      }
    }
    var change = Array(repeating: 0, count: order.count + 1)
    for (number, gap) in gaps.enumerated() where kept[number] && index.tensors[gap.tensor].memory == memory {
      change[gap.first + 1] += index.tensors[gap.tensor].bytes
      change[gap.last] -= index.tensors[gap.tensor].bytes
    }
    for (number, tensor) in index.tensors.enumerated()
    where tensor.isPinned && tensor.memory == memory && lastEvent[number] >= 0 {
      change[lastEvent[number] + 1] += tensor.bytes
    }
    var through = 0
    for step in used.indices {
      through += change[step]
      used[step] += through
    }
    return used
  }

  /// True when whole tensors fit in every step.
  func fits(_ kept: [Bool]) -> Bool {
    index.capacities.indices.allSatisfy { memory in
      usage(kept, memory: memory).allSatisfy { $0 <= index.capacities[memory] }
    }
  }

  /// Keeps every gap that costs nothing to keep: those in which nothing runs, with no result to take the place.
  func freeStart() -> [Bool] { gaps.map { !$0.matters } }
}
