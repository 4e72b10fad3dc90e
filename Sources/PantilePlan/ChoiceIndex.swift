import PantileProblem

/// A `ChoiceProblem` with everything that its methods look up again and again.
struct ChoiceIndex {
  /// The alternatives of a step with one signature, of which none is beaten in working sets, cycles and bytes.
  struct Group {
    var reads: [Int]
    var writes: [Int]
    /// Numbers in the step, fastest first.
    var alternatives: [Int]
  }

  let problem: ChoiceProblem
  let groups: [[Group]]
  /// Tensors that a step consumes, and makes; ascending.
  let consumed: [[Int]]
  let produced: [[Int]]
  /// Tensors that some alternative wants on chip; ascending.
  let wanted: [Int]
  /// Of these, those that may be on chip in a step; ascending.
  let around: [[Int]]
  /// Memory and link numbers of each tensor.
  let memory: [Int]
  let loadLink: [Int?]
  let storeLink: [Int?]

  init(_ problem: ChoiceProblem) {
    self.problem = problem
    var consumed: [[Int]] = problem.steps.map { _ in [] }
    var produced: [[Int]] = problem.steps.map { _ in [] }
    for (index, tensor) in problem.tensors.enumerated() {
      for step in tensor.consumers { consumed[step].append(index) }
      if let producer = tensor.producer { produced[producer].append(index) }
    }
    self.consumed = consumed
    self.produced = produced
    var isWanted = Array(repeating: false, count: problem.tensors.count)
    for step in problem.steps {
      for alternative in step.alternatives {
        for tensor in alternative.residentReads + alternative.residentWrites { isWanted[tensor] = true }
      }
    }
    let wanted = problem.tensors.indices.filter { isWanted[$0] && !problem.tensors[$0].consumers.isEmpty }
    var around: [[Int]] = problem.steps.map { _ in [] }
    for tensor in wanted {
      if let span = problem.residency(of: tensor, kept: problem.tensors[tensor].consumers.count) {
        for step in span { around[step].append(tensor) }
      }
    }
    self.wanted = wanted
    self.around = around
    memory = problem.tensors.map { t in problem.memories.firstIndex { $0.name == t.memory } ?? 0 }
    loadLink = problem.tensors.map { t in problem.links.firstIndex { $0.name == t.loadLink } }
    storeLink = problem.tensors.map { t in problem.links.firstIndex { $0.name == t.storeLink } }
    groups = problem.steps.map { Self.group($0, problem) }
  }

  private static func group(_ step: ChoiceProblem.Step, _ problem: ChoiceProblem) -> [Group] {
    struct Signature: Hashable {
      var reads: [Int]
      var writes: [Int]
    }
    var position: [Signature: Int] = [:]
    var groups: [Group] = []
    for (index, alternative) in step.alternatives.enumerated() {
      // Nobody reads a tensor without consumers, so it is never kept.
      if alternative.residentWrites.contains(where: { problem.tensors[$0].consumers.isEmpty }) { continue }
      let signature = Signature(reads: alternative.residentReads, writes: alternative.residentWrites)
      if let known = position[signature] {
        groups[known].alternatives.append(index)
      } else {
        position[signature] = groups.count
        groups.append(Group(reads: signature.reads, writes: signature.writes, alternatives: [index]))
      }
    }
    let none = Array(repeating: 0, count: problem.links.count)
    for index in groups.indices {
      let costs = groups[index].alternatives.map { number in
        let alternative = step.alternatives[number]
        return (
          number: number, cycles: problem.cycles(of: alternative, adding: none),
          bytes: alternative.bytes.reduce(0, saturatingAdd), alternative: alternative
        )
      }.sorted { ($0.cycles, $0.bytes, $0.number) < ($1.cycles, $1.bytes, $1.number) }
      var kept: [(number: Int, cycles: Int, bytes: Int, alternative: ChoiceProblem.StepAlternative)] = []
      for candidate in costs {
        // Beaten means: an earlier one is no worse in anything that a plan can feel, extra bytes on any link included.
        let beaten = kept.contains { better in
          better.bytes <= candidate.bytes
            && zip(better.alternative.workingSet, candidate.alternative.workingSet).allSatisfy { $0 <= $1 }
            && zip(better.alternative.bytes, candidate.alternative.bytes).allSatisfy { $0 <= $1 }
            && better.alternative.extraCycles <= candidate.alternative.extraCycles
            && (better.alternative.busy.max() ?? 0) <= (candidate.alternative.busy.max() ?? 0)
        }
        if !beaten { kept.append(candidate) }
      }
      groups[index].alternatives = kept.map(\.number)
    }
    return groups
  }

  /// The best alternative of a step for a signature, with bytes added on each link and room left in each memory; nil when none fits.
  func best(step: Int, reads: [Int], writes: [Int], added: [Int], room: [Int]) -> (
    choice: Int, cycles: Int, bytes: Int
  )? {
    guard let group = groups[step].first(where: { $0.reads == reads && $0.writes == writes }) else { return nil }
    return best(step: step, group: group, added: added, room: room)
  }

  /// The best alternative of a group; see above.
  func best(step: Int, group: Group, added: [Int], room: [Int]) -> (choice: Int, cycles: Int, bytes: Int)? {
    var found: (choice: Int, cycles: Int, bytes: Int)?
    let extra = added.reduce(0, saturatingAdd)
    for number in group.alternatives {
      let alternative = problem.steps[step].alternatives[number]
      guard zip(alternative.workingSet, room).allSatisfy({ $0 <= $1 }) else { continue }
      let cycles = problem.cycles(of: alternative, adding: added)
      let bytes = alternative.bytes.reduce(extra, saturatingAdd)
      if let have = found, (have.cycles, have.bytes) <= (cycles, bytes) { continue }
      found = (number, cycles, bytes)
    }
    return found
  }

  /// The whole solution for given kept counts, each step at its best; nil when a step has no fitting alternative.
  func complete(kept: [Int], method: String) -> ChoiceSolution? {
    var choice: [Int] = []
    var stepCycles: [Int] = []
    var bytes = 0
    for step in problem.steps.indices {
      guard let best = bestStep(step, kept: kept) else { return nil }
      choice.append(best.choice)
      stepCycles.append(best.cycles)
      bytes = saturatingAdd(bytes, best.bytes)
    }
    let cycles = stepCycles.reduce(0, saturatingAdd)
    let bound = independentBound
    return ChoiceSolution(
      choice: choice, kept: kept, stepCycles: stepCycles, cycles: cycles, bytes: bytes,
      status: cycles == bound ? .optimal : .feasible(gap: cycles - bound), lowerBound: bound,
      boundName: "fastest alternatives", method: method)
  }

  /// Bytes that kept counts add on each link in one step; `ChoiceProblem.addedBytes` for one step.
  func added(_ step: Int, kept: [Int]) -> [Int] {
    var added = Array(repeating: 0, count: problem.links.count)
    for tensor in produced[step] where kept[tensor] > 0 {
      let t = problem.tensors[tensor]
      if kept[tensor] < t.consumers.count || t.kind == .output, let link = storeLink[tensor] {
        added[link] = saturatingAdd(added[link], t.bytes)
      }
    }
    for tensor in consumed[step] where kept[tensor] > 0 {
      let t = problem.tensors[tensor]
      if t.producer == nil, t.consumers[0] == step, let link = loadLink[tensor] {
        added[link] = saturatingAdd(added[link], t.bytes)
      }
    }
    return added
  }

  /// One step at its best for given kept counts.
  func bestStep(_ step: Int, kept: [Int]) -> (choice: Int, cycles: Int, bytes: Int)? {
    var room = problem.memories.map(\.capacity)
    for tensor in around[step] where kept[tensor] > 0 {
      if let span = problem.residency(of: tensor, kept: kept[tensor]), span.contains(step) {
        room[memory[tensor]] = saturatingAdd(room[memory[tensor]], -problem.tensors[tensor].bytes)
      }
    }
    let reads = consumed[step].filter { tensor in
      problem.tensors[tensor].consumers.prefix(kept[tensor]).contains(step)
    }
    let writes = produced[step].filter { kept[$0] > 0 }
    return best(step: step, reads: reads, writes: writes, added: added(step, kept: kept), room: room)
  }

  /// Sum over the steps of the fastest alternative, whatever it needs.
  var independentBound: Int {
    let none = Array(repeating: 0, count: problem.links.count)
    return problem.steps.reduce(0) { sum, step in
      saturatingAdd(sum, step.alternatives.map { problem.cycles(of: $0, adding: none) }.min() ?? 0)
    }
  }
}
