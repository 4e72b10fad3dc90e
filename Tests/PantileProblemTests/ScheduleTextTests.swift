import PantileProblem
import PantileSupport
import Testing

/// The MLIR text of schedule problems and solutions.
struct ScheduleTextTests {
  /// Every field differs from its default somewhere.
  private static let problem = ScheduleProblem(
    name: "all \"fields\"", memories: [.init("spad", capacity: 1 << 20), .init("acc", capacity: 4096)],
    tensors: [
      .init("x", bytes: 100, kind: .input), .init("w", bytes: 50, kind: .weight, isPinned: true, fixedOffset: 64),
      .init("a", bytes: 30, alignment: 16), .init("b", bytes: 70), .init("ab", bytes: 100),
      .init("acc", bytes: 40, memory: 1), .init("v", bytes: 8, kind: .variable), .init("s", bytes: 8, kind: .state),
      .init("y", bytes: 100, kind: .output),
    ],
    ops: [
      .init("left", inputs: [0, 1], outputs: [2, 5], workspace: [7, 9]), .init("right", inputs: [0, 6], outputs: [3]),
      .init("join", role: .concatView, inputs: [2, 3], outputs: [4]),
      .init("last", inputs: [4, 5, 7], outputs: [8], inPlace: [.init(input: 4, output: 8)]),
    ], tileBytes: 512)

  @Test func problemsRoundTrip() throws {
    let problem = Self.problem
    #expect(try ScheduleProblem(parsing: problem.text) == problem)
    var plain = problem
    plain.tileBytes = nil
    plain.ops[2].role = .splitView
    #expect(try ScheduleProblem(parsing: plain.text) == plain)
  }

  @Test(arguments: [SolutionStatus.optimal, .feasible(gap: 5), .infeasible(binding: "op 3"), .budgetExhausted])
  func solutionsRoundTrip(_ status: SolutionStatus) throws {
    let solution = ScheduleSolution(
      order: [1, 0, 2, 3], spills: [.init(tensor: 2, step: 3)],
      fetches: [.init(tensor: 2, step: 3, isStreamed: true), .init(tensor: 0, step: 1)],
      placements: [.init(tensor: 0, from: 0, to: 2, offset: 128)],
      workspaces: [.init(op: 0, memory: 1, offset: 40)], cost: 60, lowerBound: 55, boundName: "gap program",
      isFixedOrder: true, status: status, method: "gap", states: 12)
    #expect(try ScheduleSolution(parsing: solution.text) == solution)
  }

  @Test(arguments: [
    (#""problem.schedule"() ({}) {name = "a", tile = 1 : i64} : () -> ()"#, "unknown-attribute"),
    (#""problem.schedule"() ({}) {} : () -> ()"#, "missing-attribute"),
    (#""problem.schedule"() ({ "problem.step"() {} : () -> () }) {name = "a"} : () -> ()"#, "wrong-op"),
    (
      #""problem.schedule"() ({ "problem.tensor"() {name = "t", bytes = 1 : i64, kind = "akt"} : () -> () }) {name = "a"} : () -> ()"#,
      "attribute-choice"
    ),
    (
      #""problem.schedule"() ({ "problem.op"() {name = "o", inputs = [], outputs = [], in_place = [1]} : () -> () }) {name = "a"} : () -> ()"#,
      "attribute-kind"
    ),
    (#""problem.packing"() ({}) {name = "a", capacity = 1 : i64} : () -> ()"#, "wrong-op"),
  ])
  func refuses(_ text: String, _ code: String) {
    #expect { try ScheduleProblem(parsing: text) } throws: { ($0 as? DiagnosticError)?.codes.contains(code) == true }
  }
}
