import PantileProblem
import PantileSupport
import Testing

/// The checker of plans over several memories, on a plan written by hand and on that plan with one fault.
struct HierarchyVerifyTests {
  /// `x -> a -> loss`, then the update of `w`; `f` lies in flash. One slot of moves before each op: slots 0, 1 | 2 use, 3 | 4 grade,
  /// 5 | 6 update, 7.
  private static let problem = HierarchyProblem(
    name: "hand",
    memories: [
      .init("fast", capacity: 20, read: .init(energy: 1), write: .init(energy: 1)),
      .init("slow", capacity: 40, read: .init(energy: 10), write: .init(energy: 10)),
      .init("flash", capacity: 10, isReadOnly: true, read: .init(energy: 5)),
    ],
    links: [
      .init(from: 0, to: 1), .init(from: 1, to: 0, byte: .init(cycles: 2), move: .init(energy: 3)),
      .init(from: 2, to: 0),
    ],
    buffers: [
      .init("x", bytes: 4, kind: .input), .init("w", bytes: 8, kind: .weight), .init("f", bytes: 6, kind: .frozen),
      .init("a", bytes: 5, kind: .saved), .init("g", bytes: 7, kind: .gradient), .init("loss", bytes: 2, kind: .output),
    ],
    ops: [
      .init("use", reads: [0, 1, 2], writes: [3]), .init("grade", reads: [3], writes: [4, 5]),
      .init("update", reads: [4], writes: [], updates: [1]),
    ],
    inputMemory: 1, outputMemory: 1, rounds: 1)

  /// `w` comes from slow memory, is used and updated in fast memory, and goes back.
  private static let plan = HierarchyPlan(
    order: [0, 1, 2],
    stays: [
      .init(buffer: 0, memory: 1, from: 0, to: 3, offset: 0),
      .init(buffer: 1, memory: 1, from: 0, to: 2, offset: 8),
      .init(buffer: 1, memory: 0, from: 1, to: 8, offset: 0),
      .init(buffer: 1, memory: 1, from: 7, to: 8, offset: 8),
      .init(buffer: 2, memory: 2, from: 0, to: 8, offset: 0),
      .init(buffer: 3, memory: 0, from: 2, to: 5, offset: 8),
      .init(buffer: 4, memory: 0, from: 4, to: 7, offset: 13),
      .init(buffer: 5, memory: 1, from: 4, to: 8, offset: 0),
    ],
    moves: [.init(buffer: 1, from: 1, to: 0, slot: 1), .init(buffer: 1, from: 0, to: 1, slot: 7)],
    accesses: [
      .init(op: 0, buffer: 0, use: .read, memory: 1), .init(op: 0, buffer: 1, use: .read, memory: 0),
      .init(op: 0, buffer: 2, use: .read, memory: 2), .init(op: 0, buffer: 3, use: .write, memory: 0),
      .init(op: 1, buffer: 3, use: .read, memory: 0), .init(op: 1, buffer: 4, use: .write, memory: 0),
      .init(op: 1, buffer: 5, use: .write, memory: 1), .init(op: 2, buffer: 4, use: .read, memory: 0),
      .init(op: 2, buffer: 1, use: .update, memory: 0),
    ],
    // Accesses 40 + 8 + 30 + 5 + 5 + 7 + 20 + 7 + 16, moves 8·(10 + 1) + 3 and 8·(1 + 10); the link from slow to fast has cycles.
    cost: .init(energy: 317, cycles: 16), lowerBound: 0, boundName: "none", boundOrder: .any, prices: [],
    lowerBoundOfAnyOrder: 0, status: .feasible(gap: 317), method: "hand", states: 0)

  @Test func acceptsThePlan() throws {
    try Self.problem.check()
    try Self.problem.verify(Self.plan)
  }

  /// What a change breaks, as a part of the message.
  private static let faults: [(String, @Sendable (inout HierarchyPlan) -> Void)] = [
    ("runs before op", { $0.order = [0, 2, 1] }),
    ("never runs", { $0.order = [0, 1] }),
    ("runs twice", { $0.order = [0, 0, 1] }),
    ("which has 20 bytes", { $0.stays[2].offset = 13 }),
    ("lie on common bytes", { $0.stays[6].offset = 12 }),
    ("lie on common bytes", { $0.stays[5].offset = 7 }),
    ("before the step and at", { $0.stays[3].offset = 12 }),
    ("is not there at the end of the step", { $0.stays.remove(at: 3) }),
    ("where it is not", { $0.stays[5].to = 4 }),
    ("comes or goes, and the memory is read-only", { $0.stays[4].from = 1 }),
    ("in a read-only memory", { $0.stays[0].memory = 2 }),
    ("begins without a move", { $0.moves.removeFirst() }),
    ("where no stay of it begins", { $0.moves[1].slot = 5 }),
    ("in which an op runs", { $0.moves[0].slot = 2 }),
    ("where no move is possible", { $0.moves[1] = .init(buffer: 1, from: 0, to: 2, slot: 7) }),
    ("does not lie there before and meanwhile", { $0.stays[1].to = 1 }),
    ("before it is written there", { $0.stays[2].from = 2 }),
    (
      "begins without being written",
      {
        $0.stays[7].memory = 0
        $0.stays[7].offset = 8
      }
    ),
    ("uses 'f' in 0 memories", { $0.accesses.remove(at: 2) }),
    ("uses 'a' in 2 memories", { $0.accesses.append($0.accesses[3]) }),
    ("has no write of 'x'", { $0.accesses[0].use = .write }),
    ("the plan costs 317", { $0.cost.energy = 316 }),
    ("the plan costs 317", { $0.cost.cycles = 0 }),
    ("is above the cost", { $0.lowerBound = 318 }),
    ("its bound 0", { $0.status = .optimal }),
    (
      "the prices prove",
      {
        $0.boundOrder = .this
        $0.boundName = HierarchyPlan.priceBound
        $0.lowerBound = 316
      }
    ),
    ("there is no buffer 9", { $0.stays[0].buffer = 9 }),
  ]

  @Test(arguments: faults.indices) func refusesFault(_ index: Int) throws {
    var plan = Self.plan
    Self.faults[index].1(&plan)
    do {
      try Self.problem.verify(plan)
      Issue.record("no fault found: \(Self.faults[index].0)")
    } catch {
      #expect(error.codes.allSatisfy { $0 == "wrong-plan" })
      #expect(error.rendered.contains(Self.faults[index].0), "\(error.rendered)")
    }
  }

  /// An update leaves other copies stale: reading one afterwards is a fault.
  @Test func refusesAStaleCopy() throws {
    var problem = Self.problem
    problem.ops.append(.init("check", reads: [1], writes: []))
    var plan = Self.plan
    plan.order.append(3)
    // The copy in slow memory stays through the update, and is read behind it.
    plan.stays[1].to = 10
    plan.stays.remove(at: 3)
    for index in plan.stays.indices where plan.stays[index].to == 8 { plan.stays[index].to = 10 }
    plan.moves.removeLast()
    plan.accesses.append(.init(op: 3, buffer: 1, use: .read, memory: 1))
    plan.cost = .init(energy: 317 - 88 + 80, cycles: 16)
    plan.status = .feasible(gap: 309)
    do {
      try problem.verify(plan)
      Issue.record("a stale copy was read")
    } catch {
      #expect(error.rendered.contains("reads 'w' in 'slow' before it is written there"), "\(error.rendered)")
    }
  }

  private static let badProblems: [(String, @Sendable (inout HierarchyProblem) -> Void)] = [
    ("there must be 1 to 5", { $0.memories = [] }),
    ("two memories are called 'fast'", { $0.memories[1].name = "fast" }),
    ("which is read-only", { $0.links[0].to = 2 }),
    ("is listed twice", { $0.links[1] = .init(from: 0, to: 1) }),
    ("inputs arrive in 'flash'", { $0.inputMemory = 2 }),
    ("slots of moves", { $0.rounds = 0 }),
    ("names buffer 9", { $0.ops[0].reads.append(9) }),
    ("names 'x' twice", { $0.ops[0].reads.append(0) }),
    ("which is frozen", { $0.ops[2].updates = [2] }),
    ("and is there before the step", { $0.ops[0].writes = [1] }),
    ("and no op makes it", { $0.ops[0].writes = [] }),
    ("which comes before its maker", { $0.ops.swapAt(0, 1) }),
    ("ops can write to no memory", { problem in for index in 0..<2 { problem.memories[index].isDirect = false } }),
    (
      "can be planned for",
      { problem in
        problem.memories[0].read.energy = 1 << 40
        problem.buffers[0].bytes = 1 << 20
      }
    ),
    ("has alignment 0", { $0.memories[0].alignment = 0 }),
  ]

  @Test(arguments: badProblems.indices) func refusesBadProblem(_ index: Int) {
    var problem = Self.problem
    Self.badProblems[index].1(&problem)
    do {
      try problem.check()
      Issue.record("no fault found: \(Self.badProblems[index].0)")
    } catch { #expect(error.rendered.contains(Self.badProblems[index].0), "\(error.rendered)") }
  }

  /// By hand: with prices of 1 on each byte of fast memory in slot 2, where 20 bytes are worth 20 thousandths.
  @Test func pricesProveWhatTheyShould() {
    // Without prices: x 4·10 in slow; w read 8·1 and updated 8·2 in fast all the time; f 6·5 in flash, cheaper than a copy in fast that
    // stays, 6·1: it may live in fast memory. a 5 + 5, g 7 + 7, loss 2·1 in fast and moved to slow 2·11, or 2·10 in slow at once.
    #expect(Self.problem.bound(order: [0, 1, 2], prices: []) == 40 + 24 + 6 + 10 + 14 + 20)
    // w, f and a are there in slot 2: 8 + 6 + 5 bytes at a thousandth each, less 20: one thousandth is lost, and rounding gives it back.
    let price = HierarchyPlan.Price(memory: 0, slot: 2, value: 1)
    #expect(Self.problem.bound(order: [0, 1, 2], prices: [price]) == 114)
  }
}
