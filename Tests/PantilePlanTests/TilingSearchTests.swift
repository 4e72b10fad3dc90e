import PantilePlan
import PantileProblem
import PantileSupport
import Testing

/// A random small problem with every feature: accumulating outputs, on-chip stages, several links, private memories.
func randomTiling(_ random: inout SplitMix64) -> TilingProblem {
  let names = Array(["m", "n", "k"].prefix(2 + random.next(below: 2)))
  let dims = names.map {
    TilingProblem.Dim(
      $0, extent: 1 + random.next(below: 14), granule: 1 + random.next(below: 3), mayTile: random.next(below: 5) > 0)
  }
  func permutation() -> [String] {
    var list = names
    for i in list.indices.reversed() { list.swapAt(i, random.next(below: i + 1)) }
    return list
  }
  func subset() -> [String] { names.filter { _ in random.next(below: 3) > 0 } }
  func box(_ list: [String]) -> CostExpr { .product(list.map { .tile($0) }) }
  var operands: [TilingProblem.Operand] = []
  for index in 0..<(1 + random.next(below: 3)) {
    let relevant = subset()
    let kind = TilingProblem.Operand.Kind.allCases[random.next(below: 3)]
    let streamed = random.next(below: 4) > 0
    operands.append(
      .init(
        "t\(index)", kind: kind, relevant: relevant,
        footprints: [.init("spad", bytes: box(relevant) + random.next(below: 3))]
          + (random.next(below: 3) == 0 ? [.init("acc", bytes: 4 * box(relevant))] : []),
        slotChoices: [[2, 1], [1], [1, 2, 3]][random.next(below: 3)], bytesPerLoad: box(relevant),
        sweepBytes: random.next(below: 2) == 0 ? .product(relevant.map { .extent($0) }) : nil,
        link: streamed ? (random.next(below: 2) == 0 ? "load" : "store") : nil, reloadLink: "load",
        exposed: random.next(below: 3) == 0 ? .product(relevant.map { .trips($0) }) * 5 : nil))
  }
  return TilingProblem(
    name: "random", dims: dims, orders: (0..<(1 + random.next(below: 5))).map { _ in permutation() },
    memories: [
      .init("spad", capacity: 4 + random.next(below: 150)),
      .init("acc", capacity: 40 + random.next(below: 400), isShared: random.next(below: 2) == 0),
    ],
    links: [
      .init(
        "load", rate: .init(bytes: 1 + random.next(below: 4), cycles: 1 + random.next(below: 3)),
        latency: random.next(below: 9)),
      .init("store", rate: .init(bytes: 2), latency: 3, commandCycles: random.next(below: 4)),
    ],
    resources: [
      .init(
        "array", busy: .product(names.map { d in .overTiles(of: d) { .ceilDiv($0, 3) } }),
        tripOverhead: random.next(below: 3)),
      .init("drain", busy: box(names) + .trips(names[0])),
    ], operands: operands,
    workspace: random.next(below: 2) == 0 ? [] : [.init("spad", bytes: .tile(names[0]))])
}

/// Every tile size, order and slot count that fits the memories.
private func everyChoice(of problem: TilingProblem) -> [Alternative] {
  func combinations(_ lists: [[Int]]) -> [[Int]] {
    lists.reduce([[]]) { heads, list in heads.flatMap { head in list.map { head + [$0] } } }
  }
  var found: [Alternative] = []
  for tiles in combinations(problem.dims.indices.map { problem.tileSizes(of: $0) }) {
    for order in problem.orders.indices {
      for slots in combinations(problem.operands.map(\.slotChoices)) {
        let alternative = problem.evaluate(tiles: tiles, order: order, slots: slots)
        if zip(alternative.footprint, problem.memories).allSatisfy({ $0 <= $1.capacity }) { found.append(alternative) }
      }
    }
  }
  return found
}

struct TilingSearchTests {
  @Test(arguments: 0..<8) func branchAndBoundEqualsExhaustiveSearch(batch: Int) throws {
    var infeasible = 0
    for seed in (batch * 25)..<(batch * 25 + 25) {
      var random = SplitMix64(seed: UInt64(seed))
      let problem = randomTiling(&random)
      let fast = try TilingMethod.branchAndBound.solve(problem, .init())
      let slow = try TilingMethod.exhaustive.solve(problem, .init())
      #expect(fast.alternatives == slow.alternatives, "seed \(seed)")
      #expect(fast.status == slow.status, "seed \(seed)")
      try problem.verify(fast)
      if fast.alternatives.isEmpty { infeasible += 1 }
      for bound in problem.bounds() {
        #expect(bound.cycles <= slow.alternatives.first?.cycles ?? Int.max, "seed \(seed): \(bound)")
      }
    }
    #expect(infeasible < 25)
  }

  /// What is kept, by definition: every choice that fits and that no other beats.
  @Test(arguments: 0..<4) func keepsExactlyWhatNothingBeats(batch: Int) throws {
    for seed in (batch * 25)..<(batch * 25 + 25) {
      var random = SplitMix64(seed: UInt64(1_000 + seed))
      let problem = randomTiling(&random)
      let shared = problem.memories.indices.filter { problem.memories[$0].isShared }
      let all = everyChoice(of: problem).map { alternative in
        (
          alternative,
          [alternative.cycles, alternative.totalBytes]
            + shared.map { problem.memories[$0].footprintClass(alternative.footprint[$0]) }
        )
      }
      let kept = all.filter { own, keys in
        !all.contains { other, otherKeys in
          zip(otherKeys, keys).allSatisfy { $0 <= $1 } && (otherKeys != keys || other.isPreferred(to: own))
        }
      }
      let expected = kept.map(\.0).sorted { $0.isPreferred(to: $1) }
      for method in TilingProblem.methods {
        let found = try method.solve(problem, .init(frontLimit: .max)).alternatives
        #expect(found == expected, "seed \(seed), \(method.name)")
      }
    }
  }

  @Test func infeasibleNamesTheMemoryAndTheBytes() throws {
    var random = SplitMix64(seed: 1)
    var problem = randomTiling(&random)
    problem.memories[0].capacity = 0
    problem.operands[0].footprints = [.init("spad", bytes: .constant(1234))]
    let solution = try problem.search()
    guard case .infeasible(let binding) = solution.status else {
      Issue.record("must be infeasible")
      return
    }
    #expect(binding.contains("'spad' needs") && binding.contains("has 0"))
  }

  @Test func endedBudgetStillGivesAValidFront() throws {
    var random = SplitMix64(seed: 8)
    var problem = randomTiling(&random)
    problem.memories[0].capacity = 1 << 20
    problem.memories[1].capacity = 1 << 20
    for index in problem.dims.indices {
      problem.dims[index].extent = 40_000
      problem.dims[index].granule = 1
      problem.dims[index].mayTile = true
    }
    let solution = try problem.search(.init(nodeBudget: 3_000))
    guard case .feasible(let gap) = solution.status else {
      Issue.record("status is \(solution.status)")
      return
    }
    #expect(gap == solution.alternatives[0].cycles - solution.lowerBound)
    #expect(solution.alternatives.count <= 24)
    try problem.verify(solution)
  }

  @Test func hugeNumbersAreRefusedOrSurvived() throws {
    var random = SplitMix64(seed: 8)
    var problem = randomTiling(&random)
    problem.dims[0].extent = Int.max
    #expect { try problem.search() } throws: { ($0 as? DiagnosticError)?.codes.contains("bad-tiling-problem") == true }
    for index in problem.dims.indices {
      problem.dims[index] = .init(problem.dims[index].name, extent: ProblemLimit.extent)
    }
    let solution = try problem.search(.init(nodeBudget: 20_000))
    try problem.verify(solution)
  }

  @Test func wrongProblemsAreRefusedByEveryMethod() {
    var random = SplitMix64(seed: 2)
    var problem = randomTiling(&random)
    problem.dims[0].extent = 0
    for method in TilingProblem.methods {
      #expect { try method.solve(problem, .init()) } throws: {
        ($0 as? DiagnosticError)?.codes.contains("bad-tiling-problem") == true
      }
    }
  }
}
