import Foundation
import PantilePlan
import PantileProblem
import PantileSupport
import PantileTestSupport
import Testing

struct ExactPackingTests {
  static let features: [PackingOracle.Features] = [[], .alignment, .fixed, .ties, .all]

  @Test(arguments: 0..<5) func decidesAsExhaustiveSearchDoes(kind: Int) throws {
    var feasible = 0
    for seed in 0..<600 {
      var random = SplitMix64(seed: UInt64(seed * 5 + kind))
      let problem = PackingOracle.problem(&random, count: 2 + random.next(below: 5), Self.features[kind])
      let expected = PackingOracle.offsets(problem) != nil
      if expected { feasible += 1 }
      let outcome = try problem.packExactly()
      if let solution = outcome.solution { try problem.verify(solution) }
      #expect((outcome.solution != nil) == expected, "kind \(kind) seed \(seed): \(outcome)\n\(problem.text)")
      if case .unsolved(.budgetExhausted, _, _) = outcome { Issue.record("kind \(kind) seed \(seed): no decision") }
      let packed = try problem.pack()
      if let solution = packed.solution { try problem.verify(solution) }
      #expect((packed.solution != nil) == expected, "kind \(kind) seed \(seed): \(packed)")
    }
    #expect(feasible > 100 && feasible < 600)
  }

  @Test(arguments: 0..<5) func conflictsAreInfeasibleAndMinimal(kind: Int) throws {
    for seed in 0..<300 {
      var random = SplitMix64(seed: UInt64(seed * 5 + kind + 7000))
      let problem = PackingOracle.problem(&random, count: 3 + random.next(below: 4), Self.features[kind])
      guard let conflict = try problem.smallestInfeasibleSet() else {
        #expect(PackingOracle.offsets(problem) != nil, "kind \(kind) seed \(seed)")
        continue
      }
      #expect(conflict.isMinimal, "kind \(kind) seed \(seed)")
      #expect(PackingOracle.offsets(problem.restricted(to: conflict.buffers)) == nil, "kind \(kind) seed \(seed)")
      for left in conflict.buffers {
        let fewer = problem.restricted(to: conflict.buffers.filter { $0 != left })
        #expect(PackingOracle.offsets(fewer) != nil, "kind \(kind) seed \(seed): \(left) is not needed")
      }
    }
  }

  @Test(arguments: 0..<5) func minimisesAsExhaustiveSearchDoes(kind: Int) throws {
    for seed in 0..<150 {
      var random = SplitMix64(seed: UInt64(seed * 5 + kind + 20_000))
      let problem = PackingOracle.problem(&random, count: 2 + random.next(below: 4), Self.features[kind])
      let least = PackingOracle.leastCapacity(problem, limit: 30)
      let outcome = try problem.minimise()
      guard let solution = outcome.solution else {
        #expect(least == nil, "kind \(kind) seed \(seed): \(outcome)")
        continue
      }
      #expect(solution.status == .optimal)
      #expect(solution.height == least, "kind \(kind) seed \(seed)\n\(problem.text)")
      var tight = problem
      tight.capacity = solution.height
      try tight.verify(solution)
    }
  }

  @Test func agreesWithSMT() throws {
    for seed in 0..<60 {
      var random = SplitMix64(seed: UInt64(seed + 30_000))
      let problem = PackingOracle.problem(
        &random, count: 6 + random.next(below: 6), Self.features[seed % 5], unit: 8)
      let decided = try PackingMethod.smt.solve(problem)
      let exact = try problem.packExactly()
      #expect((decided.solution != nil) == (exact.solution != nil), "seed \(seed)")
      guard case .unsolved(.infeasible, _, let core) = decided else { continue }
      // The core of the other solver is a proof too.
      #expect(try problem.restricted(to: core).packExactly().solution == nil, "seed \(seed)")
      guard case .unsolved(.infeasible, _, let conflict) = exact else { continue }
      #expect(try PackingMethod.smt.solve(problem.restricted(to: conflict)).solution == nil, "seed \(seed)")
    }
  }

  @Test func packsCutRectanglesWithoutRoomToSpare() throws {
    for (count, capacity) in [(40, 64), (100, 2048), (150, 1 << 20)] {
      for seed in 0..<6 {
        var random = SplitMix64(seed: UInt64(seed))
        let problem = PackingOracle.guillotine(&random, count: count, steps: 1000, capacity: capacity)
        let solution = try #require(try problem.packExactly().solution, "\(count) buffers, seed \(seed)")
        try problem.verify(solution)
        #expect(solution.status == .optimal)
      }
    }
  }

  @Test(arguments: ["A", "B", "C", "D", "E", "F"]) func packsPublicInstances(name: String) throws {
    guard let folder = SharedFolder.path("reference/memory/packings") else {
      SharedFolder.reportSkipped("packing \(name)")
      return
    }
    let path = "\(folder)/\(name).1048576.csv"
    let problem = try PackingProblem(
      miniMallocCSV: String(contentsOfFile: path, encoding: .utf8), path: path, capacity: 1 << 20)
    let solution = try #require(try problem.packExactly(nodeBudget: 100_000).solution)
    try problem.verify(solution)
    #expect(try problem.packExactly(nodeBudget: 100_000).solution == solution)
    let packed = try #require(try problem.pack().solution)
    try problem.verify(packed)
  }

  @Test func onlyTheBudgetLimitsTheSearch() throws {
    var random = SplitMix64(seed: 3)
    let problem = PackingOracle.guillotine(&random, count: 200, steps: 1000, capacity: 2048)
    guard case .unsolved(.budgetExhausted, _, _) = try problem.packExactly(nodeBudget: 10) else {
      Issue.record("10 nodes cannot do")
      return
    }
    #expect(try problem.packExactly().solution != nil)
  }

  @Test func namesTheConflict() throws {
    // No step is overfull, but the bridge finds its lower place taken at one end and its upper place at the other.
    let problem = PackingProblem(
      name: "ring",
      buffers: [
        .init("low", start: 0, end: 4, size: 4, fixedOffset: 0),
        .init("high", start: 6, end: 9, size: 4, fixedOffset: 4),
        .init("bridge", start: 3, end: 7, size: 4), .init("aside", start: 20, end: 30, size: 8),
      ], capacity: 8)
    guard case .unsolved(.infeasible(let binding), _, let conflict) = try problem.pack() else {
      Issue.record("must be infeasible")
      return
    }
    #expect(conflict == [0, 1, 2])
    #expect(binding == "'low' (4), 'high' (4), 'bridge' (4) cannot be together within 8 bytes")
    let set = try problem.smallestInfeasibleSet()
    #expect(set == PackingConflict(buffers: [0, 1, 2], isMinimal: true))
    guard case .unsolved(.infeasible, _, let core) = try PackingMethod.smt.solve(problem) else {
      Issue.record("must be infeasible")
      return
    }
    #expect(core == [0, 1, 2])
  }

  @Test func inPlaceResultsAndJoinedPartsShareBytes() throws {
    // x and y are the halves of z; r is z in place. 16 bytes hold all of it beside a buffer of 8.
    var problem = PackingProblem(
      name: "joined",
      buffers: [
        .init("z", start: 2, end: 5, size: 16),
        .init("x", start: 0, end: 3, size: 8, tie: .init(to: 0, mayOverlap: true)),
        .init("y", start: 1, end: 3, size: 8, tie: .init(to: 0, delta: 8, mayOverlap: true)),
        .init("r", start: 4, end: 6, size: 16, tie: .init(to: 0, mayOverlap: true)),
        .init("other", start: 0, end: 6, size: 8, alignment: 8),
      ], capacity: 24)
    #expect(problem.maximumLive == 24)
    let solution = try #require(try problem.pack().solution)
    try problem.verify(solution)
    #expect(solution.status == .optimal)
    problem.buffers[3].tie?.mayOverlap = false
    guard case .unsolved(.infeasible(let binding), _, let conflict) = try problem.pack() else {
      Issue.record("must be infeasible")
      return
    }
    #expect(binding == "'z' and 'r' are tied at overlapping addresses")
    #expect(conflict == [0, 3])
  }
}
