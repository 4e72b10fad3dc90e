import PantilePlan
import PantileProblem
import PantileSupport
import Testing

/// A random small schedule: a chain with side branches, outputs, shared inputs, and alternatives for most signatures.
func randomSchedule(_ random: inout SplitMix64, steps count: Int, streamedAlways: Bool) -> ChoiceProblem {
  var tensors: [ChoiceProblem.Tensor] = [
    .init(
      "input", bytes: 1 + random.next(below: 20), kind: .input, producer: nil,
      consumers: (0..<count).filter { $0 == 0 || random.next(below: 4) == 0 }, memory: "spad", loadLink: "load")
  ]
  for step in 0..<count {
    let consumers = ((step + 1)..<max(step + 1, count)).filter { $0 == step + 1 || random.next(below: 4) == 0 }
    tensors.append(
      .init(
        "t\(step)", bytes: 1 + random.next(below: 30),
        kind: consumers.isEmpty || random.next(below: 6) == 0 ? .output : .intermediate, producer: step,
        consumers: consumers, memory: "spad", storeLink: "store"))
  }
  var list: [ChoiceProblem.Step] = []
  for step in 0..<count {
    let reads = tensors.indices.filter { tensors[$0].consumers.contains(step) }
    let writes = tensors.indices.filter { tensors[$0].producer == step && !tensors[$0].consumers.isEmpty }
    let options = reads + writes
    var alternatives: [ChoiceProblem.StepAlternative] = []
    for mask in 0..<(1 << options.count) {
      if mask == 0 ? (!streamedAlways && random.next(below: 4) == 0) : random.next(below: 4) == 0 { continue }
      for _ in 0..<(1 + random.next(below: 2)) {
        let chosen = options.indices.filter { mask >> $0 & 1 != 0 }.map { options[$0] }
        let streamed = options.filter { !chosen.contains($0) }
        let load = streamed.filter { reads.contains($0) }.reduce(0) {
          $0 + tensors[$1].bytes * (1 + random.next(below: 2))
        }
        let store = tensors.indices.filter { tensors[$0].producer == step && !chosen.contains($0) }
          .reduce(0) { $0 + tensors[$1].bytes }
        alternatives.append(
          .init(
            residentReads: chosen.filter { reads.contains($0) }, residentWrites: chosen.filter { writes.contains($0) },
            workingSet: [1 + random.next(below: 20)], busy: [1 + random.next(below: 30)], bytes: [load, store],
            extraCycles: random.next(below: 4), origin: alternatives.count))
      }
    }
    if alternatives.isEmpty {
      alternatives.append(.init(workingSet: [1], busy: [5], bytes: [reads.reduce(0) { $0 + tensors[$1].bytes }, 1]))
    }
    list.append(.init("s\(step)", alternatives: alternatives))
  }
  return ChoiceProblem(
    name: "random", memories: [.init("spad", capacity: 20 + random.next(below: 70))], resources: ["array"],
    links: [.init("load", rate: .init(bytes: 2, cycles: 3)), .init("store", rate: .init(bytes: 1))], tensors: tensors,
    steps: list)
}

/// The best cycles and bytes over all kept counts and choices, by `verify` alone.
private func bruteForce(_ problem: ChoiceProblem) -> (cycles: Int, bytes: Int)? {
  var best: (cycles: Int, bytes: Int)?
  var kept = Array(repeating: 0, count: problem.tensors.count)
  func signatures() {
    // For given kept counts the steps are independent, so each takes its best alternative.
    let added = problem.addedBytes(kept: kept)
    var cycles = 0
    var bytes = 0
    for (index, step) in problem.steps.enumerated() {
      var used = 0
      var reads: [Int] = []
      var writes: [Int] = []
      for (number, tensor) in problem.tensors.enumerated() {
        if let span = problem.residency(of: number, kept: kept[number]), span.contains(index) { used += tensor.bytes }
        if tensor.consumers.prefix(kept[number]).contains(index) { reads.append(number) }
        if tensor.producer == index, kept[number] > 0 { writes.append(number) }
      }
      let costs = step.alternatives.filter {
        $0.residentReads == reads && $0.residentWrites == writes
          && $0.workingSet[0] + used <= problem.memories[0].capacity
      }.map { (problem.cycles(of: $0, adding: added[index]), ($0.bytes + added[index]).reduce(0, +)) }
      guard let least = costs.min(by: <) else { return }
      cycles += least.0
      bytes += least.1
    }
    if let have = best, (have.cycles, have.bytes) <= (cycles, bytes) { return }
    best = (cycles, bytes)
  }
  func choose(_ tensor: Int) {
    if tensor == kept.count { return signatures() }
    for count in 0...problem.tensors[tensor].consumers.count {
      kept[tensor] = count
      choose(tensor + 1)
    }
    kept[tensor] = 0
  }
  choose(0)
  return best
}

struct ChoiceTests {
  @Test(arguments: 0..<6) func everyExactMethodEqualsBruteForce(batch: Int) throws {
    for seed in (batch * 12)..<(batch * 12 + 12) {
      var random = SplitMix64(seed: UInt64(seed) &* 77)
      let problem = randomSchedule(&random, steps: 2 + random.next(below: 4), streamedAlways: seed % 3 > 0)
      try problem.check()
      let truth = bruteForce(problem)
      for method in [ChoiceMethod.portfolio, .dynamicProgramming, .gapILP] {
        let outcome = try method.solve(problem, .init())
        guard let solution = outcome.solution else {
          #expect(truth == nil, "seed \(seed), \(method.name): \(outcome)")
          continue
        }
        try problem.verify(solution)
        #expect(solution.status == .optimal, "seed \(seed), \(method.name)")
        #expect(solution.cycles == truth?.cycles && solution.bytes == truth?.bytes, "seed \(seed), \(method.name)")
      }
      if let greedy = try ChoiceMethod.greedy.solve(problem, .init()).solution, let truth {
        try problem.verify(greedy)
        #expect(greedy.cycles >= truth.cycles)
      }
      if let truth {
        for bound in try problem.bounds() { #expect(bound.cycles <= truth.cycles, "seed \(seed): \(bound)") }
      }
    }
  }

  @Test func droppedStatesEndInAValidPlanWithABound() throws {
    for seed in 0..<8 {
      var random = SplitMix64(seed: UInt64(seed) &* 991)
      let problem = randomSchedule(&random, steps: 7, streamedAlways: true)
      let exact = try #require(try problem.solve().solution)
      let narrow = try #require(try problem.solve(.init(stateLimit: 1, nodeBudget: 50)).solution)
      try problem.verify(narrow)
      #expect(narrow.lowerBound <= exact.cycles && exact.cycles <= narrow.cycles, "seed \(seed)")
    }
  }

  @Test func sameInputSamePlan() throws {
    var random = SplitMix64(seed: 4)
    let problem = randomSchedule(&random, steps: 8, streamedAlways: true)
    for method in ChoiceProblem.methods {
      #expect(try method.solve(problem, .init()) == method.solve(problem, .init()))
    }
  }

  @Test func emptyScheduleIsSolved() throws {
    let empty = ChoiceProblem(name: "empty", memories: [], resources: [], links: [], tensors: [], steps: [])
    for method in ChoiceProblem.methods { #expect(try method.solve(empty, .init()).solution?.cycles == 0) }
    #expect(try empty.bounds().allSatisfy { $0.cycles == 0 })
  }

  /// Each step reads the six before it, as in a densely connected network; every prefix of what is oldest may stay.
  private static func dense(steps count: Int, capacity: Int) -> ChoiceProblem {
    let window = 6
    let tensors = (0..<count).map { step in
      ChoiceProblem.Tensor(
        "t\(step)", bytes: 900 + (step * 37) % 200, kind: step + 1 == count ? .output : .intermediate, producer: step,
        consumers: Array((step + 1)..<max(step + 1, min(count, step + 1 + window))), memory: "spad", storeLink: "store")
    }
    let steps = (0..<count).map { step in
      let reads = Array(max(0, step - window)..<step)
      var alternatives: [ChoiceProblem.StepAlternative] = []
      for mask in 0..<(1 << reads.count) {
        for keeps in [false, true] where !keeps || step + 1 < count {
          let resident = reads.indices.filter { mask >> $0 & 1 != 0 }.map { reads[$0] }
          let streamed = reads.filter { !resident.contains($0) }.reduce(0) { $0 + tensors[$1].bytes }
          for size in 0..<2 {
            alternatives.append(
              .init(
                residentReads: resident, residentWrites: keeps ? [step] : [], workingSet: [200 + 400 * size],
                busy: [700 - 200 * size], bytes: [streamed, keeps ? 0 : tensors[step].bytes]))
          }
        }
      }
      return ChoiceProblem.Step("s\(step)", alternatives: alternatives)
    }
    return ChoiceProblem(
      name: "dense", memories: [.init("spad", capacity: capacity)], resources: ["array"],
      links: [.init("load", rate: .init(bytes: 4)), .init("store", rate: .init(bytes: 4))], tensors: tensors,
      steps: steps)
  }

  @Test(arguments: [3_000, 5_000]) func wideGraphsEndInBudget(capacity: Int) throws {
    let problem = Self.dense(steps: 30, capacity: capacity)
    let clock = ContinuousClock()
    var plan: ChoiceSolution?
    let time = try clock.measure { plan = try problem.solve().solution }
    let solution = try #require(plan)
    try problem.verify(solution)
    let greedy = try #require(try ChoiceMethod.greedy.solve(problem, .init()).solution)
    #expect(solution.cycles <= greedy.cycles)
    print(
      "dense \(capacity): \(solution.method) \(solution.cycles) \(solution.status), greedy \(greedy.cycles), \(time)")
    // With hardly any states the dynamic program is a beam, and the ILP goes on from its plan.
    var narrow: ChoiceSolution?
    let narrowTime = try clock.measure { narrow = try problem.solve(.init(stateLimit: 8, nodeBudget: 5)).solution }
    let improved = try #require(narrow)
    try problem.verify(improved)
    #expect(improved.lowerBound <= solution.cycles && solution.cycles <= improved.cycles)
    print("dense \(capacity): \(improved.method) \(improved.cycles) \(improved.status), \(narrowTime)")
  }
}
