import PantileProblem
import PantileSupport

/// Exhaustive search: every order of ops, every place of every buffer in every slot. It shares no code with planners, and keeps joint
/// states of all buffers, so it is for tiny problems.
struct HierarchyOracle {
  let problem: HierarchyProblem

  /// The least cost over all orders (or the problem's own), capacities only; nil when nothing fits.
  func leastCost(isOrderFree: Bool = true) -> Int? {
    starts().compactMap { leastCost(from: $0, isOrderFree: isOrderFree) }.min()
  }

  /// The memories of each buffer.
  private typealias Places = [Set<Int>]

  private struct State: Hashable {
    var done: Set<Int>
    var places: [Set<Int>]
  }

  private func fits(_ places: Places) -> Bool {
    for (memory, it) in problem.memories.enumerated() {
      var room = 0
      for (buffer, own) in places.enumerated() where own.contains(memory) { room += problem.buffers[buffer].bytes }
      if room > it.capacity { return false }
    }
    return true
  }

  private func subsets(_ set: [Int]) -> [Set<Int>] {
    set.reduce([Set<Int>()]) { found, element in found + found.map { $0.union([element]) } }
  }

  private func homes(_ buffer: Int) -> [Int] {
    problem.memories.indices.filter {
      problem.buffers[buffer].bytes <= problem.memories[$0].capacity
        && (!problem.memories[$0].isReadOnly || problem.buffers[buffer].kind == .frozen)
    }
  }

  private func starts() -> [Places] {
    var result: [Places] = [[]]
    for (buffer, it) in problem.buffers.enumerated() {
      var options: [Set<Int>] = [[]]
      if it.kind.persists { options = subsets(homes(buffer)).filter { !$0.isEmpty } }
      if it.kind == .input { options = [[problem.inputMemory]] }
      result = result.flatMap { places in options.map { places + [$0] } }
    }
    return result.filter { fits($0) }
  }

  private func readOnly(_ places: Set<Int>) -> Set<Int> { places.filter { problem.memories[$0].isReadOnly } }

  private func leastCost(from start: Places, isOrderFree: Bool) -> Int? {
    var live: [State: Int] = [State(done: [], places: start): 0]
    for slot in 1..<problem.slotCount {
      var next: [State: Int] = [:]
      let isOp = slot % (problem.rounds + 1) == 0 && slot / (problem.rounds + 1) <= problem.ops.count
      for (state, cost) in live {
        let steps = isOp ? runs(state, isOrderFree) : moves(state)
        for (after, extra) in steps where cost + extra < next[after] ?? Int.max { next[after] = cost + extra }
      }
      live = next
    }
    return live.filter { state, _ in
      problem.buffers.indices.allSatisfy { buffer in
        let kind = problem.buffers[buffer].kind
        if kind.persists { return state.places[buffer].isSuperset(of: start[buffer]) }
        return kind != .output || state.places[buffer].contains(problem.outputMemory)
      }
    }.map(\.value).min()
  }

  private func objective(_ cost: HierarchyProblem.Cost) -> Int {
    problem.objective == .energy ? cost.energy : cost.cycles
  }

  /// All that a slot of moves can lead to.
  private func moves(_ state: State) -> [(State, Int)] {
    var result: [(places: Places, cost: Int)] = [([], 0)]
    for (buffer, held) in state.places.enumerated() {
      var options: [(Set<Int>, Int)] = []
      for target in held.isEmpty ? [[]] : subsets(homes(buffer)) where readOnly(target) == readOnly(held) {
        var sum = 0
        var isPossible = true
        for memory in target.subtracting(held) {
          var best: Int?
          for link in problem.links where link.to == memory && held.contains(link.from) && target.contains(link.from) {
            let (from, to, bytes) = (
              problem.memories[link.from], problem.memories[link.to], problem.buffers[buffer].bytes
            )
            let cost = objective(from.read) * bytes + objective(to.write) * bytes + objective(link.byte) * bytes
            best = min(best ?? Int.max, cost + objective(link.move))
          }
          if let best { sum += best } else { isPossible = false }
        }
        if isPossible { options.append((target, sum)) }
      }
      result = result.flatMap { so in options.map { (so.places + [$0.0], so.cost + $0.1) } }
        .filter { fits($0.places + Array(repeating: [], count: state.places.count - $0.places.count)) }
    }
    return result.map { (State(done: state.done, places: $0.places), $0.cost) }
  }

  private func touches(_ op: Int, _ buffer: Int) -> Bool {
    problem.ops[op].reads.contains(buffer) || problem.ops[op].writes.contains(buffer)
      || problem.ops[op].updates.contains(buffer)
  }

  private func mayRun(_ op: Int, _ state: State, _ isOrderFree: Bool) -> Bool {
    if state.done.contains(op) { return false }
    if !isOrderFree { return state.done.count == op }
    // Two ops of which one writes what the other touches keep their order.
    for other in 0..<op where !state.done.contains(other) {
      let changed = problem.ops[other].writes + problem.ops[other].updates
      let own = problem.ops[op].writes + problem.ops[op].updates
      if changed.contains(where: { touches(op, $0) }) || own.contains(where: { touches(other, $0) }) { return false }
    }
    return true
  }

  /// All that the slot of an op can lead to; copies vanish in slots of moves or here.
  private func runs(_ state: State, _ isOrderFree: Bool) -> [(State, Int)] {
    var result: [(State, Int)] = []
    for op in problem.ops.indices where mayRun(op, state, isOrderFree) {
      let it = problem.ops[op]
      var ways: [(places: Places, cost: Int)] = [([], 0)]
      for (buffer, held) in state.places.enumerated() {
        let bytes = problem.buffers[buffer].kind == .workspace ? 0 : problem.buffers[buffer].bytes
        var options: [(Set<Int>, Int)] = []
        let writable = homes(buffer).filter { problem.memories[$0].isDirect && !problem.memories[$0].isReadOnly }
        if it.writes.contains(buffer) {
          for memory in writable { options.append(([memory], objective(problem.memories[memory].write) * bytes)) }
        } else if it.updates.contains(buffer) {
          for memory in writable where held.contains(memory) {
            let both = objective(problem.memories[memory].read) + objective(problem.memories[memory].write)
            options.append(([memory], both * bytes))
          }
        } else {
          for kept in subsets(held.sorted()) where readOnly(kept) == readOnly(held) {
            if !it.reads.contains(buffer) {
              options.append((kept, 0))
              continue
            }
            let costs = kept.filter { problem.memories[$0].isDirect }.map {
              objective(problem.memories[$0].read) * bytes
            }
            if let least = costs.min() { options.append((kept, least)) }
          }
        }
        ways = ways.flatMap { so in options.map { (so.places + [$0.0], so.cost + $0.1) } }
          .filter { fits($0.places + Array(repeating: [], count: state.places.count - $0.places.count)) }
      }
      for way in ways { result.append((State(done: state.done.union([op]), places: way.places), way.cost)) }
    }
    return result
  }
}
