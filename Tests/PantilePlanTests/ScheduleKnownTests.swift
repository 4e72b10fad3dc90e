import Foundation
import PantilePlan
import PantileProblem
import PantileSupport
import PantileTestSupport
import Testing

/// A graph whose optimum is known by hand at some capacities.
struct KnownSchedule: CustomTestStringConvertible, Sendable {
  var testDescription: String
  var tensors: [ScheduleProblem.Tensor]
  var ops: [ScheduleProblem.Op]
  /// Capacity and optimum over all orders, nil where no schedule exists.
  var optima: [(capacity: Int, cost: Int?)]

  func problem(_ capacity: Int) -> ScheduleProblem {
    ScheduleProblem(name: testDescription, memories: [.init("spad", capacity: capacity)], tensors: tensors, ops: ops)
  }

  static let all: [KnownSchedule] = [
    // Each op needs its operand and its result, and nothing else is alive.
    KnownSchedule(
      testDescription: "chain",
      tensors: [
        .init("in", bytes: 30, kind: .input), .init("a", bytes: 50), .init("b", bytes: 20),
        .init("out", bytes: 70, kind: .output),
      ],
      ops: [
        .init("1", inputs: [0], outputs: [1]), .init("2", inputs: [1], outputs: [2]),
        .init("3", inputs: [2], outputs: [3]),
      ], optima: [(89, nil), (90, 0)]),
    // wide and its operand take 100. With side first its 10 bytes wait beside them; with wide first its operand waits for side.
    KnownSchedule(
      testDescription: "diamond",
      tensors: [
        .init("in", bytes: 40, kind: .input), .init("x", bytes: 40), .init("side", bytes: 10), .init("wide", bytes: 60),
        .init("end", bytes: 20), .init("out", bytes: 10, kind: .output),
      ],
      ops: [
        .init("x", inputs: [0], outputs: [1]), .init("side", inputs: [1], outputs: [2]),
        .init("wide", inputs: [1], outputs: [3]), .init("end", inputs: [3], outputs: [4]),
        .init("join", inputs: [2, 4], outputs: [5]),
      ], optima: [(99, nil), (100, 20), (109, 20), (110, 0)]),
    // x waits while the first head ends (50 + 10 + 20), and r1 while the second begins (20 + 50 + 10); below 80 both leave and come back.
    KnownSchedule(
      testDescription: "two heads",
      tensors: [
        .init("in", bytes: 10, kind: .input), .init("x", bytes: 20), .init("q1", bytes: 50), .init("r1", bytes: 10),
        .init("q2", bytes: 50), .init("r2", bytes: 10), .init("out", bytes: 10, kind: .output),
      ],
      ops: [
        .init("x", inputs: [0], outputs: [1]), .init("q1", inputs: [1], outputs: [2]),
        .init("q2", inputs: [1], outputs: [4]), .init("r1", inputs: [2], outputs: [3]),
        .init("r2", inputs: [4], outputs: [5]), .init("join", inputs: [3, 5], outputs: [6]),
      ], optima: [(69, nil), (70, 60), (79, 60), (80, 0)]),
    // Both skips wait at the bottom, which every order passes: 40 + 16 beside 8 + 16, as much as the first op needs.
    KnownSchedule(
      testDescription: "u-net",
      tensors: [
        .init("in", bytes: 40, kind: .input), .init("s1", bytes: 40), .init("d1", bytes: 8), .init("s2", bytes: 16),
        .init("d2", bytes: 8), .init("bottom", bytes: 16), .init("u2", bytes: 8),
        .init("out", bytes: 20, kind: .output),
      ],
      ops: [
        .init("s1", inputs: [0], outputs: [1]), .init("d1", inputs: [1], outputs: [2]),
        .init("s2", inputs: [2], outputs: [3]), .init("d2", inputs: [3], outputs: [4]),
        .init("bottom", inputs: [4], outputs: [5]), .init("u2", inputs: [5, 3], outputs: [6]),
        .init("out", inputs: [6, 1], outputs: [7]),
      ], optima: [(79, nil), (80, 0)]),
    // With a bottom of 40 there are 104 bytes at the bottom and at the op that joins the inner skip; only the outer one can leave for both.
    KnownSchedule(
      testDescription: "u-net with a wide bottom",
      tensors: [
        .init("in", bytes: 40, kind: .input), .init("s1", bytes: 40), .init("d1", bytes: 8), .init("s2", bytes: 16),
        .init("d2", bytes: 8), .init("bottom", bytes: 40), .init("u2", bytes: 8),
        .init("out", bytes: 20, kind: .output),
      ],
      ops: [
        .init("s1", inputs: [0], outputs: [1]), .init("d1", inputs: [1], outputs: [2]),
        .init("s2", inputs: [2], outputs: [3]), .init("d2", inputs: [3], outputs: [4]),
        .init("bottom", inputs: [4], outputs: [5]), .init("u2", inputs: [5, 3], outputs: [6]),
        .init("out", inputs: [6, 1], outputs: [7]),
      ], optima: [(79, nil), (80, 80), (103, 80), (104, 0)]),
  ]
}

/// An entry of the shared list of optima.
struct ExpectedOptimum: Decodable, CustomTestStringConvertible, Sendable {
  var graph: String
  var budget: String
  var capacityBytes: Int
  var optimumBytes: Int

  enum CodingKeys: String, CodingKey {
    case graph, budget
    case capacityBytes = "capacity_bytes"
    case optimumBytes = "optimum_bytes"
  }

  var testDescription: String { "\(graph) \(budget)" }

  static let all: [ExpectedOptimum] = {
    struct List: Decodable { var results: [ExpectedOptimum] }
    guard let path = SharedFolder.path("reference/memory/expected_optima.json"),
      let data = FileManager.default.contents(atPath: path),
      let list = try? JSONDecoder().decode(List.self, from: data)
    else {
      SharedFolder.reportSkipped("expected optima of schedules")
      return []
    }
    return list.results
  }()

  func problem() throws -> ScheduleProblem {
    let path = try #require(SharedFolder.path("reference/memory/graphs/\(graph).json"))
    let data = try #require(FileManager.default.contents(atPath: path))
    return try ScheduleProblem.read(graphJSON: data, path: path, capacity: capacityBytes).problem
  }
}

struct ScheduleKnownTests {
  @Test(arguments: KnownSchedule.all) func reachesTheKnownOptimum(_ known: KnownSchedule) throws {
    for (capacity, cost) in known.optima {
      let problem = known.problem(capacity)
      #expect(ScheduleOracle(problem).optimum() == cost, "oracle at \(capacity)")
      switch try problem.plan() {
      case .solved(let solution, let proof):
        #expect(solution.cost == cost && solution.status == .optimal, "at \(capacity): \(solution.cost)")
        try proof.check(problem, solution)
      case .infeasible: #expect(cost == nil, "at \(capacity)")
      case .inconclusive(let why): Issue.record("at \(capacity): \(why)")
      }
    }
  }

  @Test(arguments: KnownSchedule.all) func noMethodBeatsTheKnownOptimum(_ known: KnownSchedule) throws {
    for (capacity, cost) in known.optima {
      let problem = known.problem(capacity)
      for method in ScheduleProblem.methods where method.streams != true {
        for order in ScheduleOptions.Order.allCases {
          let solution = try problem.plan(method, .init(order: order, nodeBudget: 50)).solution
          #expect((solution?.cost ?? .max) >= cost ?? .max, "\(method.name) at \(capacity)")
          if cost == nil { #expect(solution == nil, "\(method.name) at \(capacity)") }
        }
      }
    }
  }

  @Test(arguments: ExpectedOptimum.all) func reachesTheExpectedOptimum(_ expected: ExpectedOptimum) throws {
    let problem = try expected.problem()
    guard case .solved(let solution, _) = try problem.plan() else {
      Issue.record("no schedule")
      return
    }
    #expect(solution.cost == expected.optimumBytes)
    #expect(solution.status == .optimal)
    try problem.verify(solution)
  }

  @Test(arguments: ScheduleFamily.allCases) func costNeverRisesWithCapacity(_ family: ScheduleFamily) throws {
    for seed in 2000..<2010 {
      var problem = ScheduleRandomTests.problem(family, seed)
      let start = problem.memories[0].capacity
      let step = max(1, start / 12)
      var before = Int.max
      for capacity in stride(from: start - step, through: start + 6 * step, by: step) {
        problem.memories[0].capacity = max(0, capacity)
        let cost = try ScheduleRandomTests.byteCost(problem, .auto) ?? .max
        #expect(cost <= before, "\(problem.source)")
        before = cost
      }
    }
  }

  @Test(arguments: ScheduleFamily.allCases.filter { $0.memoryCount == 1 }) func nothingMovesFromTheLeastPeakOn(
    _ family: ScheduleFamily
  ) throws {
    for seed in 2100..<2130 {
      var problem = ScheduleRandomTests.problem(family, seed)
      let peak = ScheduleOracle(problem).leastPeak()
      problem.memories[0].capacity = peak
      #expect(try ScheduleRandomTests.byteCost(problem, .auto) == 0, "\(problem.source)")
      problem.memories[0].capacity = peak - 1
      if peak > 0 { #expect(try ScheduleRandomTests.byteCost(problem, .auto) != 0, "\(problem.source)") }
    }
  }

  @Test func leastPeakEqualsTheOracle() {
    for seed in 2200..<2260 {
      for family in [ScheduleFamily.plain, .inPlace, .views] {
        let problem = ScheduleRandomTests.problem(family, seed)
        let found = MinimumPeak(ScheduleIndex(problem))
        #expect(found.isProved && found.peak == ScheduleOracle(problem).leastPeak(), "\(found.peak): \(problem.source)")
      }
    }
  }

  @Test(arguments: ScheduleFamily.allCases) func scalingAllBytesScalesTheCost(_ family: ScheduleFamily) throws {
    for seed in 2300..<2310 {
      for isStreamed in [false, true] {
        let problem = ScheduleRandomTests.problem(family, seed, isStreamed: isStreamed)
        var scaled = problem
        let factor = 1009
        for index in scaled.memories.indices { scaled.memories[index].capacity *= factor }
        for index in scaled.tensors.indices { scaled.tensors[index].bytes *= factor }
        for index in scaled.ops.indices {
          scaled.ops[index].workspace = scaled.ops[index].workspace.map { $0 * factor }
        }
        scaled.tileBytes = scaled.tileBytes.map { $0 * factor }
        for order in ScheduleOptions.Order.allCases {
          let (small, large) = (
            try ScheduleRandomTests.byteCost(problem, .auto, .init(order: order)),
            try ScheduleRandomTests.byteCost(scaled, .auto, .init(order: order))
          )
          if isStreamed, order == .free { continue }
          #expect(large == small.map { $0 * factor }, "\(order): \(problem.source)")
        }
      }
    }
  }

  @Test(arguments: ScheduleFamily.allCases) func theOrderInWhichOpsAreListedDoesNotMatter(
    _ family: ScheduleFamily
  ) throws {
    for seed in 2400..<2420 {
      let problem = ScheduleRandomTests.problem(family, seed)
      var random = SplitMix64(seed: UInt64(seed))
      var shuffled = problem
      shuffled.ops = []
      var waiting = Array(problem.ops.indices)
      let producers = problem.producers
      var isDone = problem.ops.map { _ in false }
      while !waiting.isEmpty {
        let free = waiting.indices.filter { place in
          problem.ops[waiting[place]].inputs.allSatisfy { producers[$0].map { isDone[$0] } ?? true }
        }
        let op = waiting.remove(at: free[random.next(below: free.count)])
        isDone[op] = true
        shuffled.ops.append(problem.ops[op])
      }
      try shuffled.check()
      #expect(
        try ScheduleRandomTests.byteCost(shuffled, .auto) == ScheduleRandomTests.byteCost(problem, .auto),
        "\(problem.source)")
    }
  }

  @Test(arguments: ScheduleFamily.allCases) func sameProblemSamePlan(_ family: ScheduleFamily) throws {
    for seed in 2500..<2505 {
      for isStreamed in [false, true] {
        let problem = ScheduleRandomTests.problem(family, seed, isStreamed: isStreamed)
        // The published program takes too long for a random graph, and not all of them.
        for method in ScheduleProblem.methods
        where [isStreamed, nil].contains(method.streams) && method !== ScheduleMethod.cosma {
          for order in ScheduleOptions.Order.allCases {
            let first = try problem.plan(method, .init(order: order)).solution
            #expect(
              try problem.plan(method, .init(order: order)).solution == first, "\(method.name): \(problem.source)")
          }
        }
      }
    }
  }

  /// Sixteen layers of a densely connected block, its maps of one size. When the same maps stay for long there are no addresses for the
  /// joined ones between them; when they take turns there are, at the same cost.
  @Test(arguments: [(76, 741_376), (92, 471_040)]) func mapsOfADenseBlockTakeTurns(capacity: Int, cost: Int) throws {
    let unit = 1024
    var problem = ScheduleProblem(name: "dense", memories: [.init("spad", capacity: 0)], tensors: [], ops: [])
    func add(_ kind: ScheduleProblem.Tensor.Kind, units: Int) -> Int {
      problem.tensors.append(.init("t\(problem.tensors.count)", bytes: units * unit, kind: kind))
      return problem.tensors.count - 1
    }
    var maps = [add(.input, units: 16)]
    for layer in 0..<16 {
      let joined = add(.activation, units: 16 + 4 * layer)
      let narrow = add(.activation, units: 16)
      let map = add(.activation, units: 4)
      problem.ops.append(.init("join \(layer)", inputs: maps, outputs: [joined]))
      problem.ops.append(.init("narrow \(layer)", inputs: [joined], outputs: [narrow]))
      problem.ops.append(.init("grow \(layer)", inputs: [narrow], outputs: [map]))
      maps.append(map)
    }
    problem.ops.append(.init("end", inputs: maps, outputs: [add(.output, units: 16 + 4 * 16)]))
    problem.tileBytes = 32 * unit
    problem.memories[0].capacity = (capacity + 32) * unit
    let solution = try #require(try problem.plan(.streaming, .init(order: .default)).solution)
    #expect(solution.status == .optimal && solution.cost == cost)
  }

  @Test func methodsSayWhetherTheyStream() {
    var problem = KnownSchedule.all[0].problem(100)
    func refuses(_ method: ScheduleMethod) -> Bool {
      do {
        _ = try problem.plan(method)
        return false
      } catch { return error.codes == ["wrong-method"] }
    }
    #expect(ScheduleProblem.methods.filter(refuses).map(\.name) == ["streaming"])
    problem.tileBytes = 10
    #expect(ScheduleProblem.methods.filter { !refuses($0) }.map(\.name) == ["auto", "streaming"])
  }
}
