import PantileProblem

/// What replacement by rule costs in one order after another, fast: flat arrays, no allocation an order.
///
/// When an op does not fit, the tensor leaves whose next use is farthest, a distance being worth more where the tensor has a copy off chip
/// already. The cost is that of a plan, never below the optimum of the order; the gap program then finds the best plan for the order that a
/// search settles on.
///
/// **Source** the rule without weights: Belady 1966.
package final class ReplacementRun {
  private struct Resident: BitwiseCopyable {
    var tensor: Int32
    var nextUse: Int32
  }

  let opCount: Int
  private let tensorCount: Int
  private let memoryCount: Int
  /// Operands and results of each op, from `firstSlot[op]` on; results from `firstResult[op]` on.
  private let firstSlot: FlatBuffer<Int32>
  private let firstResult: FlatBuffer<Int32>
  private let slotTensor: FlatBuffer<Int32>
  private let slotNextUse: FlatBuffer<Int32>
  private let firstPair: FlatBuffer<Int32>
  /// Operand of each in-place pair, and the room that it shares.
  private let pairTensor: FlatBuffer<Int32>
  private let pairRoom: FlatBuffer<Int>
  private let bytes: FlatBuffer<Int>
  private let memoryOf: FlatBuffer<Int32>
  private let isBornCopied: FlatBuffer<Bool>
  private let isPinned: FlatBuffer<Bool>
  private let capacities: FlatBuffer<Int>
  // While an order runs.
  private let nextUse: FlatBuffer<Int32>
  private let isCopied: FlatBuffer<Bool>
  /// Place among the residents; -1 when away.
  private let place: FlatBuffer<Int32>
  private let residents: FlatBuffer<Int32>
  /// Step at which a tensor was an operand or result last.
  private let touched: FlatBuffer<Int32>
  private let used: FlatBuffer<Int>
  private let evicted: FlatBuffer<Int32>

  private static let never = Int32.max

  package init(_ index: ScheduleIndex) {
    opCount = index.ops.count
    tensorCount = index.tensors.count
    memoryCount = index.capacities.count
    var starts: [Int32] = []
    var results: [Int32] = []
    var slots: [Int32] = []
    var pairStarts: [Int32] = []
    var pairs: [(Int32, Int)] = []
    for op in index.ops {
      starts.append(Int32(slots.count))
      slots += op.inputs.map(Int32.init)
      results.append(Int32(slots.count))
      slots += op.outputs.map(Int32.init)
      pairStarts.append(Int32(pairs.count))
      for pair in op.inPlace {
        pairs.append((Int32(pair.input), min(index.tensors[pair.input].bytes, index.tensors[pair.output].bytes)))
      }
    }
    firstSlot = FlatBuffer(starts + [Int32(slots.count)])
    firstResult = FlatBuffer(results)
    slotTensor = FlatBuffer(slots)
    slotNextUse = FlatBuffer(repeating: 0, count: slots.count)
    firstPair = FlatBuffer(pairStarts + [Int32(pairs.count)])
    pairTensor = FlatBuffer(pairs.map(\.0))
    pairRoom = FlatBuffer(pairs.map(\.1))
    bytes = FlatBuffer(index.tensors.map(\.bytes))
    memoryOf = FlatBuffer(index.tensors.map { Int32($0.memory) })
    isBornCopied = FlatBuffer(index.tensors.map(\.isBornCopied))
    isPinned = FlatBuffer(index.tensors.map(\.isPinned))
    capacities = FlatBuffer(index.capacities)
    nextUse = FlatBuffer(repeating: 0, count: tensorCount)
    isCopied = FlatBuffer(repeating: false, count: tensorCount)
    place = FlatBuffer(repeating: -1, count: tensorCount)
    residents = FlatBuffer(repeating: 0, count: tensorCount)
    touched = FlatBuffer(repeating: -1, count: tensorCount)
    used = FlatBuffer(repeating: 0, count: memoryCount)
    evicted = FlatBuffer(repeating: 0, count: tensorCount)
  }

  deinit {
    for buffer in [
      firstSlot, firstResult, slotTensor, slotNextUse, firstPair, pairTensor, memoryOf, nextUse, place, residents,
      touched,
      evicted,
    ] {
      buffer.deallocate()
    }
    for buffer in [pairRoom, bytes, capacities, used] { buffer.deallocate() }
    for buffer in [isBornCopied, isPinned, isCopied] { buffer.deallocate() }
  }

  /// Bytes that an order moves beyond the compulsory ones.
  ///
  /// - Parameters:
  ///   - order: A topological order of all ops.
  ///   - copyWeight: What a step of distance counts for tensors with a copy, against 1 for those without.
  ///   - limit: Beyond this the run ends early.
  /// - Returns: nil when the cost is above the limit, or some op does not fit.
  package func cost(of order: UnsafePointer<Int32>, copyWeight: Int32, limit: Int) -> Int? {
    prepare(order)
    var residentCount: Int32 = 0
    var cost = 0
    for step in 0..<Int32(opCount) {
      let op = Int(order[Int(step)])
      let slots = Int(firstSlot[op])..<Int(firstSlot[op + 1])
      for slot in slots {
        let tensor = Int(slotTensor[slot])
        nextUse[tensor] = slotNextUse[slot]
        touched[tensor] = step
        if place[tensor] < 0 {
          place[tensor] = residentCount
          residents[Int(residentCount)] = Int32(tensor)
          residentCount += 1
          used[Int(memoryOf[tensor])] += bytes[tensor]
          if isBornCopied[tensor] { isCopied[tensor] = true }
        }
      }
      for pair in Int(firstPair[op])..<Int(firstPair[op + 1]) where nextUse[Int(pairTensor[pair])] == Self.never {
        used[Int(memoryOf[Int(pairTensor[pair])])] -= pairRoom[pair]
      }
      for memory in 0..<memoryCount where used[memory] > capacities[memory] {
        guard let price = makeRoom(memory, step, &residentCount, copyWeight) else { return nil }
        cost += price
        if cost > limit { return nil }
      }
      for pair in Int(firstPair[op])..<Int(firstPair[op + 1]) where nextUse[Int(pairTensor[pair])] == Self.never {
        used[Int(memoryOf[Int(pairTensor[pair])])] += pairRoom[pair]
      }
      for slot in slots {
        let tensor = Int(slotTensor[slot])
        if nextUse[tensor] == Self.never, !isPinned[tensor] { remove(tensor, &residentCount) }
      }
    }
    return cost
  }

  /// Next uses by a pass from the end, and an empty memory.
  private func prepare(_ order: UnsafePointer<Int32>) {
    for tensor in 0..<tensorCount {
      nextUse[tensor] = Self.never
      isCopied[tensor] = false
      place[tensor] = -1
      touched[tensor] = -1
    }
    for memory in 0..<memoryCount { used[memory] = 0 }
    var step = Int32(opCount) - 1
    while step >= 0 {
      let op = Int(order[Int(step)])
      for slot in Int(firstSlot[op])..<Int(firstSlot[op + 1]) {
        let tensor = Int(slotTensor[slot])
        slotNextUse[slot] = nextUse[tensor]
        nextUse[tensor] = step
      }
      step -= 1
    }
  }

  @inline(__always)
  private func remove(_ tensor: Int, _ residentCount: inout Int32) {
    let hole = place[tensor]
    residentCount -= 1
    let last = residents[Int(residentCount)]
    residents[Int(hole)] = last
    place[Int(last)] = hole
    place[tensor] = -1
    used[Int(memoryOf[tensor])] -= bytes[tensor]
  }

  /// Moves tensors away until the op fits; nil when it cannot.
  private func makeRoom(_ memory: Int, _ step: Int32, _ residentCount: inout Int32, _ copyWeight: Int32) -> Int? {
    var evictedCount = 0
    while used[memory] > capacities[memory] {
      var victim = -1
      var best = -1
      for number in 0..<Int(residentCount) {
        let tensor = Int(residents[number])
        if touched[tensor] == step || Int(memoryOf[tensor]) != memory || isPinned[tensor] || bytes[tensor] == 0 {
          continue
        }
        let score = Int(nextUse[tensor] - step) * Int(isCopied[tensor] ? copyWeight : 1)
        if score > best || (score == best && bytes[tensor] > bytes[victim]) {
          victim = tensor
          best = score
        }
      }
      if victim < 0 { return nil }
      remove(victim, &residentCount)
      evicted[evictedCount] = Int32(victim)
      evictedCount += 1
    }
    // Small ones that left before a large one may stay after all.
    var price = 0
    for number in 0..<evictedCount {
      let tensor = Int(evicted[number])
      if used[memory] + bytes[tensor] <= capacities[memory] {
        place[tensor] = residentCount
        residents[Int(residentCount)] = Int32(tensor)
        residentCount += 1
        used[memory] += bytes[tensor]
        continue
      }
      price += isCopied[tensor] ? bytes[tensor] : 2 * bytes[tensor]
      isCopied[tensor] = true
    }
    return price
  }
}
