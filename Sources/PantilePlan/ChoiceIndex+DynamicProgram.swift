import PantileProblem

extension ChoiceIndex {
  /// Where a live tensor is between two steps.
  private enum Place {
    static let streamed: UInt8 = 0
    /// On chip only: it must stay for all its consumers.
    static let onChip: UInt8 = 1
    /// On chip, and in backing memory too: it may be dropped after each consumer.
    static let both: UInt8 = 2
  }

  /// A state after a step: the place of each live tensor, the best cost to get there and how.
  private struct State {
    var places: [UInt8]
    var cycles: Int
    var bytes: Int
    /// Number of the state before, in its step's list.
    var parent: Int
    var choice: Int
  }

  /// Step by step over all combinations of places; exact when no state had to be dropped.
  func dynamicProgram(stateLimit: Int) -> (outcome: ChoiceOutcome, isExact: Bool) {
    let tensors = problem.tensors
    let isWanted = Set(wanted)
    var live: [Int] = []
    var history: [[State]] = []
    var liveHistory: [[Int]] = []
    var states = [State(places: [], cycles: 0, bytes: 0, parent: -1, choice: -1)]
    var isExact = true

    for step in problem.steps.indices {
      let nextLive =
        (live + produced[step] + consumed[step].filter { !live.contains($0) && tensors[$0].producer == nil })
        .filter { isWanted.contains($0) && (tensors[$0].consumers.last ?? -1) > step }
      var next: [State] = []
      var position: [[UInt8]: Int] = [:]
      func offer(_ places: [UInt8], _ cycles: Int, _ bytes: Int, _ parent: Int, _ choice: Int) {
        if let known = position[places] {
          if (cycles, bytes) < (next[known].cycles, next[known].bytes) {
            next[known] = State(places: places, cycles: cycles, bytes: bytes, parent: parent, choice: choice)
          }
        } else {
          position[places] = next.count
          next.append(State(places: places, cycles: cycles, bytes: bytes, parent: parent, choice: choice))
        }
      }
      for (number, state) in states.enumerated() {
        let all = follow(step, state, live: live, nextLive: nextLive) { places, choice, cycles, bytes in
          offer(places, saturatingAdd(state.cycles, cycles), saturatingAdd(state.bytes, bytes), number, choice)
        }
        isExact = isExact && all
      }
      if next.isEmpty {
        let status =
          isExact
          ? SolutionStatus.infeasible(binding: "no alternative of step '\(problem.steps[step].name)' fits")
          : .budgetExhausted
        return (.unsolved(status), isExact)
      }
      if next.count > stateLimit {
        isExact = false
        next.sort {
          ($0.cycles, $0.bytes) != ($1.cycles, $1.bytes)
            ? ($0.cycles, $0.bytes) < ($1.cycles, $1.bytes) : $0.places.lexicographicallyPrecedes($1.places)
        }
        next.removeLast(next.count - stateLimit)
      }
      history.append(next)
      liveHistory.append(nextLive)
      states = next
      live = nextLive
    }

    // After the last step nothing is live, so one state is left.
    guard
      let last = states.indices.min(by: {
        (states[$0].cycles, states[$0].bytes) < (states[$1].cycles, states[$1].bytes)
      })
    else { return (.unsolved(.budgetExhausted), isExact) }
    return (.solved(trace(last, history, liveHistory, isExact: isExact)), isExact)
  }

  /// Sets of at most this many tensors are tried in full; of larger ones none, all, and each alone.
  private static let subsetLimit = 4

  /// The subsets of `0 ..< count` that are tried, as bits, and whether those are all.
  private func subsets(_ count: Int) -> (masks: [UInt64], areAll: Bool) {
    if count <= Self.subsetLimit { return ((0..<(1 << UInt64(count))).map { $0 }, true) }
    let usable = min(count, 63)
    return ([0] + (0..<usable).map { 1 << UInt64($0) } + [(1 << UInt64(usable)) - 1], false)
  }

  /// All ways from one state through a step; false when some were left out.
  private func follow(
    _ step: Int, _ state: State, live: [Int], nextLive: [Int], emit: ([UInt8], Int, Int, Int) -> Void
  ) -> Bool {
    var areAll = true
    let tensors = problem.tensors
    var place: [Int: UInt8] = [:]
    var room = problem.memories.map(\.capacity)
    for (tensor, value) in zip(live, state.places) {
      place[tensor] = value
      if value != Place.streamed { room[memory[tensor]] -= tensors[tensor].bytes }
    }
    if room.contains(where: { $0 < 0 }) { return true }
    for group in groups[step] {
      // What is on chip and consumed here is read there; a tensor without producer may come on chip at its first consumer.
      var matches = true
      var fetched: [Int] = []
      for tensor in consumed[step] {
        let isOnChip = (place[tensor] ?? Place.streamed) != Place.streamed
        let reads = group.reads.contains(tensor)
        if isOnChip != reads {
          if reads, tensors[tensor].producer == nil, tensors[tensor].consumers.first == step {
            fetched.append(tensor)
          } else {
            matches = false
            break
          }
        }
      }
      if !matches { continue }
      var left = room
      for tensor in fetched + group.writes {
        left[memory[tensor]] = saturatingAdd(left[memory[tensor]], -tensors[tensor].bytes)
      }
      if left.contains(where: { $0 < 0 }) { continue }

      // Whether each written tensor is stored too: always for outputs, never with one consumer, else both ways.
      let optional = group.writes.filter { tensors[$0].kind != .output && tensors[$0].consumers.count > 1 }
      let stores = subsets(optional.count)
      areAll = areAll && stores.areAll
      for mask in stores.masks {
        var added = Array(repeating: 0, count: problem.links.count)
        var stored = group.writes.filter { tensors[$0].kind == .output }
        for (bit, tensor) in optional.enumerated() where mask >> UInt64(bit) & 1 != 0 { stored.append(tensor) }
        for tensor in stored {
          if let link = storeLink[tensor] { added[link] = saturatingAdd(added[link], tensors[tensor].bytes) }
        }
        for tensor in fetched {
          if let link = loadLink[tensor] { added[link] = saturatingAdd(added[link], tensors[tensor].bytes) }
        }
        guard let best = best(step: step, group: group, added: added, room: left) else { continue }
        // The places after the step, before dropping.
        var after: [UInt8] = []
        var droppable: [Int] = []
        for (slot, tensor) in nextLive.enumerated() {
          var value = place[tensor] ?? Place.streamed
          if group.writes.contains(tensor) { value = stored.contains(tensor) ? Place.both : Place.onChip }
          if fetched.contains(tensor) { value = Place.both }
          // With a copy outside, each consumer may be the last that reads it here.
          if value == Place.both, consumed[step].contains(tensor) { droppable.append(slot) }
          after.append(value)
        }
        let drops = subsets(droppable.count)
        areAll = areAll && drops.areAll
        for drop in drops.masks {
          var places = after
          for (bit, slot) in droppable.enumerated() where drop >> UInt64(bit) & 1 != 0 { places[slot] = Place.streamed }
          emit(places, best.choice, best.cycles, best.bytes)
        }
      }
    }
    return areAll
  }

  /// The solution that ends in a state: choices by the parents, kept counts by the signatures of the choices.
  private func trace(_ last: Int, _ history: [[State]], _ live: [[Int]], isExact: Bool) -> ChoiceSolution {
    var choice = Array(repeating: 0, count: problem.steps.count)
    var index = last
    for step in problem.steps.indices.reversed() {
      choice[step] = history[step][index].choice
      index = history[step][index].parent
    }
    let kept = problem.tensors.indices.map { tensor in
      problem.tensors[tensor].consumers.count {
        problem.steps[$0].alternatives[choice[$0]].residentReads.contains(tensor)
      }
    }
    let added = problem.addedBytes(kept: kept)
    let stepCycles = problem.steps.indices.map {
      problem.cycles(of: problem.steps[$0].alternatives[choice[$0]], adding: added[$0])
    }
    let cycles = stepCycles.reduce(0, saturatingAdd)
    let bytes = problem.steps.indices.reduce(0) { sum, step in
      (problem.steps[step].alternatives[choice[step]].bytes + added[step]).reduce(sum, saturatingAdd)
    }
    let bound = isExact ? cycles : min(cycles, independentBound)
    return ChoiceSolution(
      choice: choice, kept: kept, stepCycles: stepCycles, cycles: cycles, bytes: bytes,
      status: bound == cycles ? .optimal : .feasible(gap: cycles - bound), lowerBound: bound,
      boundName: isExact ? "dynamic programming" : "fastest alternatives", method: "dynamic-programming")
  }
}
