import PantileProblem
import PantileSupport
import Testing

/// A problem with an honest solution, to plant faults in.
struct ScheduleCase: Sendable {
  var problem: ScheduleProblem
  var solution: ScheduleSolution

  /// `a` leaves for one step and comes back.
  static let detour = ScheduleCase(
    problem: ScheduleProblem(
      name: "detour", memories: [.init("spad", capacity: 110)],
      tensors: [
        .init("in", bytes: 20, kind: .input), .init("a", bytes: 40), .init("b", bytes: 30), .init("c", bytes: 50),
        .init("out", bytes: 20, kind: .output),
      ],
      ops: [
        .init("make a", inputs: [0], outputs: [1]), .init("make b", inputs: [0], outputs: [2]),
        .init("make c", inputs: [2], outputs: [3]), .init("make out", inputs: [1, 3], outputs: [4]),
      ]),
    solution: solution(
      [0, 1, 2, 3], spills: [.init(tensor: 1, step: 2)], fetches: [.init(tensor: 1, step: 3)],
      [
        .init(tensor: 0, from: 0, to: 2, offset: 0), .init(tensor: 1, from: 0, to: 2, offset: 20),
        .init(tensor: 2, from: 1, to: 3, offset: 60), .init(tensor: 3, from: 2, to: 4, offset: 0),
        .init(tensor: 1, from: 3, to: 4, offset: 50), .init(tensor: 4, from: 3, to: 4, offset: 90),
      ], cost: 80))

  /// Workspace, alignment, a pinned and fixed weight, and a result in the place of its operand.
  static let place = ScheduleCase(
    problem: ScheduleProblem(
      name: "place", memories: [.init("spad", capacity: 100)],
      tensors: [
        .init("in", bytes: 20, kind: .input), .init("w", bytes: 10, kind: .weight, isPinned: true, fixedOffset: 90),
        .init("a", bytes: 24, alignment: 8), .init("b", bytes: 24), .init("out", bytes: 20, kind: .output),
      ],
      ops: [
        .init("make a", inputs: [0], outputs: [2], workspace: [16]),
        .init("make b", inputs: [2], outputs: [3], inPlace: [.init(input: 2, output: 3)]),
        .init("make out", inputs: [3, 1], outputs: [4]),
      ]),
    solution: solution(
      [0, 1, 2],
      [
        .init(tensor: 0, from: 0, to: 1, offset: 0), .init(tensor: 1, from: 0, to: 3, offset: 90),
        .init(tensor: 2, from: 0, to: 2, offset: 24), .init(tensor: 3, from: 1, to: 3, offset: 24),
        .init(tensor: 4, from: 2, to: 3, offset: 0),
      ], workspaces: [.init(op: 0, memory: 0, offset: 48)], cost: 0))

  /// The input passes through the tile buffer twice, the output once.
  static let stream = ScheduleCase(
    problem: ScheduleProblem(
      name: "stream", memories: [.init("spad", capacity: 60)],
      tensors: [.init("in", bytes: 40, kind: .input), .init("a", bytes: 30), .init("out", bytes: 20, kind: .output)],
      ops: [.init("make a", inputs: [0], outputs: [1]), .init("make out", inputs: [0, 1], outputs: [2])],
      tileBytes: 10),
    solution: solution(
      [0, 1], fetches: [.init(tensor: 0, step: 1, isStreamed: true)], [.init(tensor: 1, from: 0, to: 2, offset: 0)],
      cost: 40))

  /// Two results side by side are read as one.
  static let join = ScheduleCase(
    problem: ScheduleProblem(
      name: "join", memories: [.init("spad", capacity: 100)],
      tensors: [
        .init("in", bytes: 10, kind: .input), .init("p", bytes: 20), .init("q", bytes: 30), .init("whole", bytes: 50),
        .init("out", bytes: 10, kind: .output),
      ],
      ops: [
        .init("make p", inputs: [0], outputs: [1]), .init("make q", inputs: [0], outputs: [2]),
        .init("join", role: .concatView, inputs: [1, 2], outputs: [3]), .init("make out", inputs: [3], outputs: [4]),
      ]),
    solution: solution(
      [0, 1, 2, 3],
      [
        .init(tensor: 0, from: 0, to: 2, offset: 0), .init(tensor: 1, from: 0, to: 4, offset: 20),
        .init(tensor: 2, from: 1, to: 4, offset: 40), .init(tensor: 4, from: 3, to: 4, offset: 70),
      ], cost: 0))

  private static func solution(
    _ order: [Int], spills: [ScheduleSolution.Transfer] = [], fetches: [ScheduleSolution.Transfer] = [],
    _ placements: [ScheduleSolution.Placement], workspaces: [ScheduleSolution.WorkspacePlacement] = [], cost: Int
  ) -> ScheduleSolution {
    ScheduleSolution(
      order: order, spills: spills, fetches: fetches, placements: placements, workspaces: workspaces, cost: cost,
      lowerBound: cost, boundName: "hand", isFixedOrder: true, status: .optimal, method: "hand", states: 0)
  }

  /// States what the transfers cost, so that only the planted fault is wrong.
  mutating func settle() {
    let cost = (solution.spills + solution.fetches).reduce(0) { $0 + problem.tensors[$1.tensor].bytes }
    (solution.cost, solution.lowerBound, solution.status) = (cost, cost, .optimal)
  }
}

/// One planted fault.
struct ScheduleFault: CustomTestStringConvertible, Sendable {
  var testDescription: String
  var base: ScheduleCase
  /// Part of the message: all faults share a code, and must not be found for another's reason.
  var says: String
  /// Whether costs are stated anew after the change.
  var settles: Bool
  var change: @Sendable (inout ScheduleCase) -> Void

  init(
    _ name: String, _ base: ScheduleCase, says: String, settles: Bool = true,
    _ change: @escaping @Sendable (inout ScheduleCase) -> Void
  ) {
    testDescription = name
    self.base = base
    self.says = says
    self.settles = settles
    self.change = change
  }

  static let all: [ScheduleFault] = orders + placements + transfers + sums + places + streams + joins

  static let orders: [ScheduleFault] = [
    .init("op missing", .place, says: "never runs") {
      $0.solution.order.removeLast()
      $0.solution.placements.removeLast()
      for index in $0.solution.placements.indices {
        $0.solution.placements[index].to = min(2, $0.solution.placements[index].to)
      }
    },
    .init("op twice", .detour, says: "runs twice") { $0.solution.order.append(3) },
    .init("op twice in place of another", .detour, says: "runs twice") { $0.solution.order[1] = 0 },
    .init("op out of range", .detour, says: "there is no op 4") { $0.solution.order[3] = 4 },
    .init("negative op", .detour, says: "there is no op -1") { $0.solution.order[3] = -1 },
    .init("order not topological", .detour, says: "before tensor 2 'b' is made") {
      $0.solution.order = [0, 2, 1, 3]
    },
  ]

  static let placements: [ScheduleFault] = [
    .init("operand not on chip", .detour, says: "reads tensor 2 'b', which is not on chip") {
      $0.solution.placements[2].to = 2
    },
    .init("operand never placed", .detour, says: "reads tensor 0 'in', which is not on chip") {
      $0.solution.placements.remove(at: 0)
    },
    .init("result without a place", .detour, says: "makes tensor 4 'out', which has no place") {
      $0.solution.placements.remove(at: 5)
    },
    .init("placement too late", .detour, says: "makes tensor 3 'c', which has no place") {
      $0.solution.placements[3].from = 3
    },
    .init("placement too early without fetch", .detour, says: "is not made there, and is not fetched") {
      $0.solution.placements[3].from = 1
    },
    .init("placement past capacity", .detour, says: "there are 110 bytes") { $0.solution.placements[5].offset = 91 },
    .init("negative offset", .detour, says: "is at -1") { $0.solution.placements[0].offset = -1 },
    .init("huge offset", .detour, says: "there are 110 bytes") { $0.solution.placements[0].offset = .max },
    .init("overlapping placements", .detour, says: "is placed over") { $0.solution.placements[5].offset = 80 },
    .init("overlap by one byte", .detour, says: "is placed over") { $0.solution.placements[2].offset = 59 },
    .init("fetched tensor over one that stays", .detour, says: "is placed over tensor 3 'c'") {
      $0.solution.placements[4].offset = 49
    },
    .init("moved while on chip", .detour, says: "is not made there, and is not fetched") {
      $0.solution.placements[0].to = 1
      $0.solution.placements.append(.init(tensor: 0, from: 1, to: 2, offset: 90))
    },
    .init("placed twice at once", .detour, says: "is placed twice") {
      $0.solution.placements.append(.init(tensor: 0, from: 1, to: 2, offset: 90))
    },
    .init("tensor out of range", .detour, says: "there is no tensor 5") { $0.solution.placements[0].tensor = 5 },
    .init("steps out of range", .detour, says: "is placed in steps 3 ..< 5") { $0.solution.placements[5].to = 5 },
    .init("step before the first", .detour, says: "is placed in steps -1 ..< 2") {
      $0.solution.placements[0].from = -1
    },
    .init("empty stay", .detour, says: "is placed in steps 2 ..< 2") { $0.solution.placements[0].from = 2 },
    .init("two results at one offset", .detour, says: "is placed over") {
      // The second result is read by nothing, so no read can tell.
      $0.problem.tensors.append(.init("dead", bytes: 30))
      $0.problem.ops[1].outputs.append(5)
      $0.solution.placements.append(.init(tensor: 5, from: 1, to: 2, offset: 60))
    },
    .init("result over an operand that comes in the same step", .detour, says: "is placed over") {
      $0.problem.tensors[4].bytes = 40
      $0.solution.placements[5].offset = 50
    },
    .init("result over a graph input that comes in the same step", .stream, says: "is placed over") {
      $0.problem.tileBytes = nil
      $0.problem.ops[1].inputs = [1]
      $0.solution.fetches = []
      $0.solution.placements = [
        .init(tensor: 0, from: 0, to: 1, offset: 0), .init(tensor: 1, from: 0, to: 2, offset: 0),
        .init(tensor: 2, from: 1, to: 2, offset: 40),
      ]
    },
  ]

  static let transfers: [ScheduleFault] = [
    .init("missing spill", .detour, says: "has no copy off chip") { $0.solution.spills = [] },
    .init("missing fetch", .detour, says: "is not made there, and is not fetched") { $0.solution.fetches = [] },
    .init("missing second fetch of a graph input", .detour, says: "is not made there, and is not fetched") {
      $0.problem.ops[3].inputs.append(0)
      $0.problem.memories[0].capacity = 130
      $0.solution.placements.append(.init(tensor: 0, from: 3, to: 4, offset: 110))
    },
    .init("fetch before the spill", .detour, says: "has no copy off chip") {
      $0.solution.spills = [.init(tensor: 1, step: 4 - 1)]
    },
    .init("spill of a tensor off chip", .detour, says: "which is not on chip before it") {
      $0.solution.spills[0].step = 3
    },
    .init("spill in the step that makes it", .detour, says: "which is not on chip before it") {
      $0.solution.spills[0].step = 0
    },
    .init("spill twice", .detour, says: "which has a copy off chip") {
      $0.solution.spills.append(.init(tensor: 1, step: 1))
    },
    .init("spill of a graph input", .detour, says: "which has a copy off chip") {
      $0.solution.spills.append(.init(tensor: 0, step: 1))
    },
    .init("spill of an output", .detour, says: "which has a copy off chip") {
      $0.problem.tensors[2].kind = .output
      $0.solution.spills.append(.init(tensor: 2, step: 2))
    },
    .init("fetch that nothing places", .detour, says: "which does not come to be there at that step") {
      $0.solution.fetches.append(.init(tensor: 3, step: 3))
    },
    .init("fetch of a result", .detour, says: "fetches its own result") {
      $0.solution.fetches.append(.init(tensor: 3, step: 2))
    },
    .init("fetch twice", .detour, says: "fetches twice") { $0.solution.fetches.append(.init(tensor: 1, step: 3)) },
    .init("first fetch of a graph input counted", .detour, says: "compulsory") {
      $0.solution.fetches.append(.init(tensor: 0, step: 0))
    },
    .init("fetch of no tensor", .detour, says: "there is no tensor 9", settles: false) {
      $0.solution.fetches[0].tensor = 9
    },
    .init("spill of no tensor", .detour, says: "there is no tensor -1", settles: false) {
      $0.solution.spills[0].tensor = -1
    },
    .init("fetch after the last step", .detour, says: "moves at step 4 of 4") {
      $0.solution.fetches.append(.init(tensor: 1, step: 4))
    },
    .init("spill before the first step", .detour, says: "moves at step -1 of 4") {
      $0.solution.spills.append(.init(tensor: 1, step: -1))
    },
  ]

  static let sums: [ScheduleFault] = [
    .init("cost one too high", .detour, says: "80 bytes move, stated are 81", settles: false) {
      $0.solution.cost = 81
    },
    .init("cost one too low", .detour, says: "80 bytes move, stated are 79", settles: false) { $0.solution.cost = 79 },
    .init("bound above the cost", .detour, says: "is below the bound 81", settles: false) {
      $0.solution.lowerBound = 81
    },
    .init("negative bound", .detour, says: "bound -1", settles: false) {
      ($0.solution.lowerBound, $0.solution.status) = (-1, .feasible(gap: 81))
    },
    .init("optimal with a gap", .detour, says: "is called optimal", settles: false) { $0.solution.lowerBound = 79 },
    .init("wrong gap", .detour, says: "states gap 2", settles: false) {
      ($0.solution.lowerBound, $0.solution.status) = (79, .feasible(gap: 2))
    },
    .init("gap of zero", .detour, says: "states gap 0", settles: false) { $0.solution.status = .feasible(gap: 0) },
    .init("infeasible with a solution", .detour, says: "and a solution", settles: false) {
      $0.solution.status = .infeasible(binding: "nothing")
    },
    .init("no budget with a solution", .detour, says: "and a solution", settles: false) {
      $0.solution.status = .budgetExhausted
    },
  ]

  static let places: [ScheduleFault] = [
    .init("misaligned", .place, says: "is not aligned to 8") {
      $0.solution.placements[2].offset = 25
      $0.solution.placements[3].offset = 25
      $0.solution.workspaces[0].offset = 49
    },
    .init("fixed offset moved", .place, says: "fixed at 90") { $0.solution.placements[1].offset = 80 },
    .init("pinned leaves", .place, says: "is pinned and leaves its memory") {
      $0.problem.ops[2].inputs = [3]
      $0.problem.ops[0].inputs = [0, 1]
      $0.solution.placements[1].to = 2
    },
    .init("pinned comes late", .place, says: "is pinned and comes only at step 2") {
      $0.solution.placements[1].from = 2
    },
    .init("pinned and nowhere", .place, says: "is pinned and not there to the end") {
      $0.problem.ops[2].inputs = [3]
      $0.solution.placements.remove(at: 1)
    },
    .init("pinned result leaves", .place, says: "is pinned and leaves its memory") {
      $0.problem.tensors[0].isPinned = true
      $0.problem.ops[0].inputs = []
      $0.problem.ops.append(.init("make in", inputs: [], outputs: [0]))
      $0.problem.tensors[0].kind = .activation
      $0.solution.order = [3, 0, 1, 2]
      for index in $0.solution.placements.indices.dropFirst() {
        $0.solution.placements[index].from += index == 1 ? 0 : 1
        $0.solution.placements[index].to += 1
      }
    },
    .init("workspace missing", .place, says: "has 0 places") { $0.solution.workspaces = [] },
    .init("workspace twice", .place, says: "has 2 places") {
      $0.solution.workspaces.append(.init(op: 0, memory: 0, offset: 64))
    },
    .init("workspace over an operand", .place, says: "the workspace is over tensor 0 'in'") {
      $0.solution.workspaces[0].offset = 4
    },
    .init("workspace over a result", .place, says: "is placed over a workspace") {
      $0.solution.workspaces[0].offset = 47
    },
    .init("workspace over a pinned tensor", .place, says: "the workspace is over tensor 1 'w'") {
      $0.solution.workspaces[0].offset = 80
    },
    .init("workspace past capacity", .place, says: "the workspace of op 0 is at 85 ..< 101") {
      $0.solution.workspaces[0].offset = 85
    },
    .init("workspace at a negative offset", .place, says: "the workspace of op 0 is at -1") {
      $0.solution.workspaces[0].offset = -1
    },
    .init("workspace of no op", .place, says: "there is no op 3") { $0.solution.workspaces[0].op = 3 },
    .init("workspace in no memory", .place, says: "workspace in memory 1") { $0.solution.workspaces[0].memory = 1 },
    .init("in-place overlap without a pair", .place, says: "is placed over tensor 2 'a'") {
      $0.problem.ops[1].inPlace = []
    },
    .init("in-place overlap with an operand that stays", .place, says: "is placed over tensor 2 'a'") {
      $0.problem.ops[2].inputs = [3, 1, 2]
      $0.solution.placements[2].to = 3
    },
    .init("in-place result beside its operand's offset", .place, says: "is placed over tensor 2 'a'") {
      $0.solution.placements[3].offset = 32
    },
    .init("in-place result longer than its operand over another", .place, says: "is placed over") {
      $0.problem.tensors[3].bytes = 68
    },
    .init("overwritten operand that is read again without a spill", .place, says: "has no copy off chip") {
      $0.problem.ops[2].inputs = [3, 1, 2]
      $0.solution.placements.append(.init(tensor: 2, from: 2, to: 3, offset: 56))
      $0.solution.fetches = [.init(tensor: 2, step: 2)]
    },
    .init("overwritten operand that is spilled afterwards", .place, says: "is overwritten") {
      $0.problem.ops[2].inputs = [3, 1, 2]
      $0.solution.placements.append(.init(tensor: 2, from: 2, to: 3, offset: 56))
      $0.solution.spills = [.init(tensor: 2, step: 2)]
      $0.solution.fetches = [.init(tensor: 2, step: 2)]
    },
  ]

  static let streams: [ScheduleFault] = [
    .init("streamed without a tile buffer", .stream, says: "the problem has no tile buffer") {
      $0.problem.tileBytes = nil
    },
    .init("streamed read without a copy", .stream, says: "streams tensor 1 'a', which has no copy off chip") {
      $0.problem.ops[0].outputs.append(2)
      $0.problem.ops[1].outputs = []
      $0.solution.placements = []
      $0.solution.fetches.append(.init(tensor: 1, step: 1, isStreamed: true))
    },
    .init("second streamed read not paid", .stream, says: "which is neither on chip nor streamed") {
      $0.solution.fetches = []
    },
    .init("first streamed read paid", .stream, says: "compulsory") {
      $0.solution.fetches.append(.init(tensor: 0, step: 0, isStreamed: true))
    },
    .init("streamed read paid twice", .stream, says: "twice") {
      $0.solution.fetches.append(.init(tensor: 0, step: 1, isStreamed: true))
    },
    .init("streamed result paid twice", .stream, says: "twice") {
      $0.solution.placements = []
      $0.solution.spills = Array(repeating: .init(tensor: 1, step: 0, isStreamed: true), count: 2)
      $0.solution.fetches.append(.init(tensor: 1, step: 1, isStreamed: true))
    },
    .init("result that is read again nowhere", .stream, says: "makes tensor 1 'a', which is neither") {
      $0.solution.placements = []
      $0.solution.fetches.append(.init(tensor: 1, step: 1, isStreamed: true))
    },
    .init("tile buffer overlapped", .stream, says: "there are 50 bytes") { $0.solution.placements[0].offset = 25 },
    .init("workspace over the tile buffer", .stream, says: "there are 50 bytes") {
      $0.problem.ops[1].workspace = [20]
      $0.solution.workspaces = [.init(op: 1, memory: 0, offset: 31)]
    },
    .init("streams what is on chip", .stream, says: "streams tensor 1 'a', which is on chip") {
      $0.solution.spills = [.init(tensor: 1, step: 1)]
      $0.solution.fetches.append(.init(tensor: 1, step: 1, isStreamed: true))
    },
    .init("streams what the op does not read", .stream, says: "which op 0 does not read") {
      $0.solution.fetches.append(.init(tensor: 2, step: 0, isStreamed: true))
    },
    .init("streams out what the op does not make", .stream, says: "which op 1 does not make") {
      $0.solution.spills.append(.init(tensor: 1, step: 1, isStreamed: true))
    },
    .init("streams out what is on chip", .stream, says: "streams out tensor 1 'a', which is on chip") {
      $0.solution.spills.append(.init(tensor: 1, step: 0, isStreamed: true))
    },
    .init("streams out an output", .stream, says: "whose write is compulsory") {
      $0.solution.spills.append(.init(tensor: 2, step: 1, isStreamed: true))
    },
    .init("pinned result streamed out", .stream, says: "is pinned and not there to the end") {
      $0.problem.tensors[2].isPinned = true
    },
  ]

  static let joins: [ScheduleFault] = [
    .init("parts apart", .join, says: "whose parts 1 and 2 are apart") { $0.solution.placements[2].offset = 45 },
    .init("parts the wrong way round", .join, says: "whose parts 1 and 2 are apart") {
      $0.solution.placements[1].offset = 50
      $0.solution.placements[2].offset = 20
    },
    .init("place for a view", .join, says: "is a view and has a place of its own") {
      $0.solution.placements.append(.init(tensor: 3, from: 2, to: 4, offset: 20))
    },
    .init("view before its parts", .join, says: "before tensor 2 'q' is made") { $0.solution.order = [0, 2, 1, 3] },
    .init("whole read before the view", .join, says: "before tensor 3 'whole' is made") {
      $0.solution.order = [0, 1, 3, 2]
    },
    .init("part that leaves before the whole is read", .join, says: "reads tensor 1 'p', which is not on chip") {
      $0.solution.placements[1].to = 3
    },
    .init("view that streams", .join, says: "streams and runs a view") {
      $0.problem.tileBytes = 0
      $0.solution.fetches.append(.init(tensor: 0, step: 2, isStreamed: true))
    },
  ]
}

struct ScheduleFaultTests {
  @Test(arguments: [ScheduleCase.detour, .place, .stream, .join]) func acceptsHonestSolutions(
    _ example: ScheduleCase
  ) throws {
    try example.problem.check()
    try example.problem.verify(example.solution)
  }

  @Test(arguments: ScheduleFault.all) func findsThePlantedFault(_ fault: ScheduleFault) throws {
    var example = fault.base
    fault.change(&example)
    if fault.settles { example.settle() }
    let (problem, solution) = (example.problem, example.solution)
    try problem.check()
    do {
      try problem.verify(solution)
      Issue.record("accepted")
    } catch {
      #expect(error.codes.allSatisfy { $0 == "wrong-schedule" })
      #expect(error.diagnostics.contains { $0.message.contains(fault.says) }, "\(error)")
    }
  }

  @Test func acceptsAnOperandThatIsSpilledAndOverwritten() throws {
    var example = ScheduleCase.place
    example.problem.ops[2].inputs = [3, 1, 2]
    example.solution.placements.append(.init(tensor: 2, from: 2, to: 3, offset: 56))
    example.solution.spills = [.init(tensor: 2, step: 1)]
    example.solution.fetches = [.init(tensor: 2, step: 2)]
    example.settle()
    try example.problem.verify(example.solution)
  }

  @Test func acceptsAFetchedOperandThatIsOverwrittenAtOnce() throws {
    var example = ScheduleCase.detour
    example.problem.ops[3].inPlace = [.init(input: 1, output: 4)]
    example.solution.placements[5].offset = 50
    try example.problem.verify(example.solution)
  }

  @Test func replaysHugeTensors() throws {
    let huge = ProblemLimit.amount / 2
    var example = ScheduleCase.join
    example.problem.memories[0].capacity = ProblemLimit.amount
    example.problem.tensors[1].bytes = huge
    example.problem.tensors[3].bytes = huge + 30
    example.solution.placements[2].offset = 20 + huge
    example.solution.placements[3].offset = 10
    try example.problem.verify(example.solution)
    example.solution.placements[3].offset = 11
    #expect { try example.problem.verify(example.solution) } throws: {
      ($0 as? DiagnosticError)?.codes == ["wrong-schedule"]
    }
  }
}
