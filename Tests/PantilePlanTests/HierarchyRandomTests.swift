import PantilePlan
import PantileProblem
import PantileSupport
import Testing

/// Plans over several memories against exhaustive search, on random tiny problems.
struct HierarchyRandomTests {
  /// Two or three memories, the last perhaps flash; up to four ops with a weight that is updated, a frozen one, values in a chain.
  private func problem(seed: UInt64) -> HierarchyProblem {
    var random = SplitMix64(seed: seed)
    func cost(_ most: Int) -> HierarchyProblem.Cost {
      .init(energy: random.next(below: most), cycles: random.next(below: most))
    }
    var memories: [HierarchyProblem.Memory] = [
      .init("fast", capacity: 4 + random.next(below: 8), read: cost(3), write: cost(3)),
      .init(
        "slow", capacity: 8 + random.next(below: 20), isDirect: random.next(below: 3) > 0, read: cost(9), write: cost(9)
      ),
    ]
    if random.next(below: 2) == 0 {
      memories.append(.init("flash", capacity: 6, isReadOnly: true, read: cost(12)))
    }
    var links: [HierarchyProblem.Link] = []
    for from in memories.indices {
      for to in memories.indices where to != from && !memories[to].isReadOnly {
        if random.next(below: 8) > 0 { links.append(.init(from: from, to: to, byte: cost(3), move: cost(4))) }
      }
    }
    var buffers: [HierarchyProblem.Buffer] = [.init("x", bytes: 1 + random.next(below: 4), kind: .input)]
    var ops: [HierarchyProblem.Op] = []
    var frozen: Int?
    var weight: Int?
    if random.next(below: 3) > 0 {
      frozen = buffers.count
      buffers.append(.init("f", bytes: 1 + random.next(below: 5), kind: .frozen))
    }
    if random.next(below: 3) > 0 {
      weight = buffers.count
      buffers.append(.init("w", bytes: 1 + random.next(below: 5), kind: .weight))
    }
    var values = [0]
    let count = 2 + random.next(below: 2)
    for step in 0..<count {
      var reads = [values[values.count - 1]]
      if let old = values.dropLast().last, random.next(below: 2) == 0 { reads.append(old) }
      if let frozen, random.next(below: 2) == 0 { reads.append(frozen) }
      if let weight, step == 0 { reads.append(weight) }
      let isUpdate = weight != nil && step == count - 1
      let result = buffers.count
      if !isUpdate {
        buffers.append(
          .init("v\(step)", bytes: 1 + random.next(below: 5), kind: step == count - 1 ? .output : .activation))
        values.append(result)
      }
      ops.append(
        .init("op\(step)", reads: reads, writes: isUpdate ? [] : [result], updates: isUpdate ? [weight ?? 0] : []))
    }
    return HierarchyProblem(
      name: "random \(seed)", memories: memories, links: links, buffers: buffers, ops: ops,
      inputMemory: random.next(below: 2), outputMemory: random.next(below: 2),
      objective: random.next(below: 2) == 0 ? .energy : .cycles, rounds: 1 + random.next(below: 2))
  }

  /// The integer program finds the optimum of exhaustive search: the same cost, and no plan where there is none.
  ///
  /// A plan that keeps all capacities may have no addresses; then the bound is the optimum and the plan costs more.
  @Test func integerProgramIsExhaustiveSearch() throws {
    var (optimal, infeasible) = (0, 0)
    for seed in 1...70 {
      let problem = problem(seed: UInt64(seed))
      try problem.check()
      let least = HierarchyOracle(problem: problem).leastCost()
      switch try problem.plan(.exact, .init(nodeBudget: 20_000, exactSize: 100_000)) {
      case .solved(let plan):
        let least = try #require(least, "seed \(seed): a plan where there is none")
        let value = problem.objective.of(plan.cost)
        #expect(plan.lowerBound <= least && value >= least, "seed \(seed): \(plan.lowerBound), \(least), \(value)")
        #expect(plan.lowerBoundOfAnyOrder <= least, "seed \(seed)")
        if plan.status == .optimal {
          #expect(value == least, "seed \(seed)")
          optimal += 1
        }
      case .infeasible:
        #expect(least == nil, "seed \(seed): there is a plan of \(least ?? 0)")
        infeasible += 1
      case .inconclusive(let reason): Issue.record("seed \(seed): \(reason)")
      }
    }
    #expect(optimal >= 35 && infeasible >= 3 && optimal + infeasible >= 69, "\(optimal), \(infeasible)")
  }

  /// The decomposition's bound is below, its plan not below the optimum of the order; both meet mostly.
  @Test func decompositionBracketsTheOptimumOfTheOrder() throws {
    var (solved, met) = (0, 0)
    for seed in 201...260 {
      let problem = problem(seed: UInt64(seed))
      let least = HierarchyOracle(problem: problem).leastCost(isOrderFree: false)
      switch try problem.plan(.columns, .init(order: .default)) {
      case .solved(let plan):
        let least = try #require(least, "seed \(seed): a plan where there is none")
        let value = problem.objective.of(plan.cost)
        #expect(plan.lowerBound <= least && value >= least, "seed \(seed): \(plan.lowerBound), \(least), \(value)")
        solved += 1
        if value == least { met += 1 }
      case .infeasible: #expect(least == nil, "seed \(seed): there is a plan of \(least ?? 0)")
      case .inconclusive: break
      }
    }
    #expect(solved >= 30 && met * 10 >= solved * 9, "\(met) of \(solved)")
  }

  /// The bound of a plan is what its prices prove, found again by code that planners do not use; other prices prove no more than the optimum.
  @Test func pricesNeverProveMoreThanTheOptimum() throws {
    var tested = 0
    for seed in 401...420 {
      let problem = problem(seed: UInt64(seed))
      guard let least = HierarchyOracle(problem: problem).leastCost(isOrderFree: false) else { continue }
      var random = SplitMix64(seed: UInt64(seed))
      for _ in 0..<10 {
        let prices = (0..<6).map { _ in
          HierarchyPlan.Price(
            memory: random.next(below: problem.memories.count), slot: random.next(below: problem.slotCount),
            value: random.next(below: 6000))
        }
        #expect(problem.bound(order: Array(problem.ops.indices), prices: prices) <= least, "seed \(seed)")
        tested += 1
      }
    }
    #expect(tested >= 100)
  }

  /// Rules of thumb are plans too, and never better than the optimum.
  @Test func greedyPlansAreNoBetter() throws {
    var solved = 0
    for seed in 501...525 {
      let problem = problem(seed: UInt64(seed))
      guard case .solved(let plan) = try problem.plan(.greedy) else { continue }
      let least = try #require(HierarchyOracle(problem: problem).leastCost(isOrderFree: false))
      #expect(problem.objective.of(plan.cost) >= least, "seed \(seed)")
      solved += 1
    }
    #expect(solved >= 10, "\(solved)")
  }

  @Test func samePlanEachTime() throws {
    for seed in 601...605 {
      let problem = problem(seed: UInt64(seed))
      let (first, second) = (try problem.plan().plan, try problem.plan().plan)
      #expect(first == second)
    }
  }
}
