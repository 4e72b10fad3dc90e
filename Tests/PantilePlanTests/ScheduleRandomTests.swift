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
