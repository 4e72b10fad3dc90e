import PantilePlan
import PantileProblem
import PantileSupport
import Testing

/// Comparisons of every method with `ScheduleOracle` on random graphs.
///
/// The name of a problem holds its family and seed; a failure prints the problem as Swift source.
struct ScheduleRandomTests {
  static let batches = 4
  static let batchSize = 100

  static func problem(_ family: ScheduleFamily, _ seed: Int, isStreamed: Bool = false) -> ScheduleProblem {
    var random = SplitMix64(seed: UInt64(seed) &* 7919 &+ UInt64(ScheduleFamily.allCases.firstIndex(of: family) ?? 0))
    let opCount = isStreamed ? 2 + random.next(below: 4) : [3, 4, 4, 5, 5, 5, 6, 6, 7, 8][random.next(below: 10)]
    return randomScheduleProblem(
      &random, family, opCount: opCount, isStreamed: isStreamed,
      name: "\(family.rawValue) \(seed)\(isStreamed ? " streamed" : "")")
  }

  /// Problems of a batch.
  static func problems(_ family: ScheduleFamily, _ batch: Int, of size: Int, isStreamed: Bool = false)
    -> [ScheduleProblem]
  {
    (batch * size..<(batch + 1) * size).map { problem(family, $0, isStreamed: isStreamed) }
  }

  /// The cost that a method finds when only bytes count, before addresses; nil when it finds no schedule.
  static func byteCost(
    _ problem: ScheduleProblem, _ method: ScheduleMethod, _ options: ScheduleOptions = .init()
  ) throws -> Int? {
    let planner = SchedulePlanner(problem, options)
    if ScheduleIndex(problem).capacities.contains(where: { $0 < 0 }) { return nil }
    return try method.find(planner)?.cost
  }

  /// What a method answers, replayed, the proof of its bound checked, and compared with the truth for bytes.
  ///
  /// A plan may cost more than the oracle says only where addresses are what is short: the planner's own count by bytes must then be right.
  static func compare(
    _ problem: ScheduleProblem, _ method: ScheduleMethod, _ options: ScheduleOptions = .init(), truth: Int?,
    isExact: Bool = true
  ) throws {
    let place = "\(method.name), truth \(truth.map(String.init) ?? "none"): \(problem.source)"
    let outcome: ScheduleOutcome
    do {
      outcome = try problem.plan(method, options)
    } catch {
      Issue.record("\(error) in \(place)")
      return
    }
    guard let truth else {
      #expect(outcome.solution == nil, "\(place)")
      return
    }
    if isExact { #expect(try byteCost(problem, method, options) == truth, "\(place)") }
    guard case .solved(let solution, let proof) = outcome else {
      // Addresses, or a rule that paints itself into a corner.
      #expect(!isExact || problem.hasAddressTrouble, "\(outcome), \(place)")
      return
    }
    let limit = solution.isFixedOrder ? ScheduleOracle(problem).optimum(order: solution.order) : truth
    guard let limit else {
      Issue.record("the order \(solution.order) has no schedule, \(place)")
      return
    }
    #expect(solution.cost >= limit, "\(place)")
    #expect(isExact ? solution.lowerBound == truth : solution.lowerBound <= limit, "\(solution.lowerBound), \(place)")
    do {
      try problem.verify(solution)
      try proof.check(problem, solution)
    } catch {
      Issue.record("\(error) in \(place)")
    }
    if solution.cost > truth, isExact {
      #expect(solution.status == .feasible(gap: solution.cost - solution.lowerBound), "\(place)")
    }
    // A proof must not carry more than the truth.
    var overstated = solution
    overstated.lowerBound = limit + 1
    #expect(throws: DiagnosticError.self, "\(proof.name), \(place)") { try proof.check(problem, overstated) }
  }

  @Test(arguments: ScheduleFamily.allCases, 0..<batches) func freeOrderEqualsTheOracle(
    family: ScheduleFamily, batch: Int
  ) throws {
    for problem in Self.problems(family, batch, of: Self.batchSize) {
      try problem.check()
      let truth = ScheduleOracle(problem).optimum()
      for method in [ScheduleMethod.auto, .exact] { try Self.compare(problem, method, truth: truth) }
      for method in [ScheduleMethod.beam, .gap, .belady, .greedy, .tflite] {
        try Self.compare(problem, method, truth: truth, isExact: false)
      }
    }
  }

  @Test(arguments: ScheduleFamily.allCases, 0..<batches) func searchEqualsTheOracleWithAndWithoutItsShortCuts(
    family: ScheduleFamily, batch: Int
  ) throws {
    for problem in Self.problems(family, batch, of: Self.batchSize) {
      let truth = ScheduleOracle(problem).optimum()
      let index = ScheduleIndex(problem)
      if index.capacities.contains(where: { $0 < 0 }) { continue }
      for (boundBudget, forced) in [(0, false), (0, true), (1_000_000, false), (1_000_000, true)] {
        let search = ScheduleSearch(index, boundBudget: boundBudget, usesForcedMoves: forced)
        let result = search.bestFirst(below: .max, budget: 1_000_000)
        #expect(
          (result.goal == nil ? nil : result.lowerBound) == truth,
          "bound budget \(boundBudget), forced moves \(forced), truth \(truth ?? -1): \(problem.source)")
      }
    }
  }

  @Test(arguments: ScheduleFamily.allCases, 0..<batches) func coveringBoundStaysBelowTheOracle(
    family: ScheduleFamily, batch: Int
  ) throws {
    for problem in Self.problems(family, batch, of: Self.batchSize) {
      guard let truth = ScheduleOracle(problem).optimum() else { continue }
      let covering = try SchedulePlanner(problem, .init()).covering().bound
      #expect(covering <= truth, "covering \(covering), truth \(truth): \(problem.source)")
    }
  }

  @Test(arguments: ScheduleFamily.allCases, 0..<batches) func givenOrderEqualsTheOracle(
    family: ScheduleFamily, batch: Int
  ) throws {
    for problem in Self.problems(family, batch, of: Self.batchSize) {
      let truth = ScheduleOracle(problem).optimum(order: Array(problem.ops.indices))
      for method in [ScheduleMethod.auto, .exact, .gap] {
        try Self.compare(problem, method, .init(order: .default), truth: truth)
      }
      for method in [ScheduleMethod.belady, .greedy, .tflite] {
        try Self.compare(problem, method, .init(order: .default), truth: truth, isExact: false)
      }
    }
  }

  @Test(arguments: ScheduleFamily.allCases, 0..<batches) func streamingEqualsTheOracle(
    family: ScheduleFamily, batch: Int
  ) throws {
    for problem in Self.problems(family, batch, of: Self.batchSize / 2, isStreamed: true) {
      try problem.check()
      let oracle = ScheduleOracle(problem)
      let given = oracle.optimum(order: Array(problem.ops.indices))
      for method in [ScheduleMethod.auto, .streaming] {
        try Self.compare(problem, method, .init(order: .default), truth: given)
        try Self.compare(problem, method, truth: oracle.optimum(), isExact: false)
      }
    }
  }

  /// The cost by rule is that of some plan for the order.
  @Test(arguments: ScheduleFamily.allCases) func replacementByRuleIsNeverBelowTheOracle(family: ScheduleFamily) throws {
    var optimalCount = 0
    for problem in Self.problems(family, 0, of: Self.batchSize) {
      let index = ScheduleIndex(problem)
      if index.capacities.contains(where: { $0 < 0 }) { continue }
      let run = ReplacementRun(index)
      let truth = ScheduleOracle(problem).optimum(order: Array(problem.ops.indices))
      for weight in [1, 2, 3] as [Int32] {
        let order = (0..<Int32(problem.ops.count(where: { $0.role == .compute }))).map { $0 }
        guard let cost = run.cost(of: order, copyWeight: weight, limit: .max) else { continue }
        #expect(truth.map { $0 <= cost } ?? false, "cost \(cost), truth \(truth ?? -1): \(problem.source)")
        if cost == truth { optimalCount += 1 }
        #expect(run.cost(of: order, copyWeight: weight, limit: cost) == cost)
        #expect(cost == 0 || run.cost(of: order, copyWeight: weight, limit: cost - 1) == nil)
      }
    }
    #expect(optimalCount > 150)
  }

  /// A proof states how many states a search expanded: with these alone it must come to the same bound, whatever ended it first.
  @Test func searchesRepeatByTheirStates() throws {
    var endedByMoves = 0
    for problem in ScheduleFamily.allCases.flatMap({ Self.problems($0, 0, of: Self.batchSize) }) {
      let index = ScheduleIndex(problem)
      if index.capacities.contains(where: { $0 < 0 }) { continue }
      func search(budget: Int, moveBudget: Int = .max) -> ScheduleSearch.Result {
        ScheduleSearch(index, boundBudget: 0, usesForcedMoves: false)
          .bestFirst(below: .max, budget: budget, moveBudget: moveBudget)
      }
      let first = search(budget: 1_000_000, moveBudget: 25)
      let second = search(budget: first.expanded)
      #expect(second.lowerBound == first.lowerBound && second.expanded == first.expanded, "\(problem.source)")
      if first.goal == nil, search(budget: first.expanded, moveBudget: first.expanded).expanded < first.expanded {
        endedByMoves += 1
      }
    }
    #expect(endedByMoves > 10)
  }

  @Test(arguments: 0..<batches) func denseBlocksEqualTheOracle(batch: Int) throws {
    var movingCount = 0
    for seed in batch * 75..<(batch + 1) * 75 {
      var random = SplitMix64(seed: UInt64(seed))
      let problem = randomDenseBlock(&random, name: "dense \(seed)")
      try problem.check()
      let order = Array(problem.ops.indices)
      let truth = ScheduleOracle(problem).optimum(order: order)
      if truth ?? 0 > 0 { movingCount += 1 }
      let outcome = try problem.plan(.streaming, .init(order: .default))
      guard let truth else {
        #expect(outcome.solution == nil, "\(problem.source)")
        continue
      }
      #expect(
        try Self.byteCost(problem, .streaming, .init(order: .default)) == truth, "truth \(truth): \(problem.source)")
      guard case .solved(let solution, let proof) = outcome else {
        Issue.record("\(outcome), truth \(truth): \(problem.source)")
        continue
      }
      #expect(solution.lowerBound == truth, "truth \(truth): \(problem.source)")
      try problem.verify(solution)
      try proof.check(problem, solution)
      // Addresses may be what is short.
      #expect(solution.cost >= truth && solution.cost <= truth + problem.tensors.reduce(0) { $0 + $1.bytes })
    }
    #expect(movingCount > 30)
  }
}

extension ScheduleProblem {
  /// Whether addresses may be what is short: views, fixed offsets, alignment, in-place pairs and several pinned tensors can all make them so.
  var hasAddressTrouble: Bool {
    ops.contains { $0.role != .compute || !$0.inPlace.isEmpty } || tensors.contains { $0.alignment > 1 || $0.isPinned }
  }
}
