import PantileProblem
import PantileSupport
import Testing

struct ChoiceProblemTests {
  /// Two steps and the tensor between them, kept or streamed.
  let problem = ChoiceProblem(
    name: "pair", memories: [.init("spad", capacity: 100)], resources: ["array"],
    links: [.init("load", rate: .init(bytes: 2)), .init("store", rate: .init(bytes: 2))],
    tensors: [
      .init("a", bytes: 60, kind: .intermediate, producer: 0, consumers: [1], memory: "spad", storeLink: "store")
    ],
    steps: [
      .init(
        "first",
        alternatives: [
          .init(workingSet: [20], busy: [10], bytes: [0, 60]),
          .init(residentWrites: [0], workingSet: [30], busy: [10], bytes: [0, 0]),
        ]),
      .init(
        "second",
        alternatives: [
          .init(workingSet: [20], busy: [12], bytes: [60, 0]),
          .init(residentReads: [0], workingSet: [40], busy: [12], bytes: [0, 0], extraCycles: 1),
        ]),
    ])

  var keptSolution: ChoiceSolution {
    .init(
      choice: [1, 1], kept: [1], stepCycles: [10, 13], cycles: 23, bytes: 0, status: .optimal, lowerBound: 23,
      boundName: "hand", method: "hand")
  }

  @Test func acceptsBothHonestSolutions() throws {
    try problem.check()
    try problem.verify(keptSolution)
    try problem.verify(
      .init(
        choice: [0, 0], kept: [0], stepCycles: [30, 30], cycles: 60, bytes: 120, status: .feasible(gap: 37),
        lowerBound: 23, boundName: "hand", method: "hand"))
  }

  @Test func findsPlantedFaults() {
    func refuses(_ change: (inout ChoiceSolution, inout ChoiceProblem) -> Void) {
      var solution = keptSolution
      var changed = problem
      change(&solution, &changed)
      #expect { try changed.verify(solution) } throws: {
        ($0 as? DiagnosticError)?.codes.contains("wrong-choice") == true
      }
    }
    refuses { solution, _ in solution.choice[1] = 0 }
    refuses { solution, _ in solution.kept = [0] }
    refuses { solution, _ in solution.kept = [2] }
    refuses { solution, _ in solution.cycles = 22 }
    refuses { solution, _ in solution.bytes = 1 }
    refuses { solution, _ in solution.lowerBound = 24 }
    refuses { solution, _ in solution.status = .feasible(gap: 1) }
    refuses { _, problem in problem.memories[0].capacity = 99 }
    refuses { _, problem in problem.tensors[0].kind = .output }
  }

  @Test func refusesMalformedProblems() {
    var bad = problem
    bad.tensors[0].consumers = [0]
    bad.tensors[0].memory = "nowhere"
    bad.steps[1].alternatives[0].busy = []
    #expect { try bad.check() } throws: {
      ($0 as? DiagnosticError)?.codes.contains("unknown-memory") == true
        && ($0 as? DiagnosticError)?.codes.contains("bad-choice-problem") == true
    }
  }
}
