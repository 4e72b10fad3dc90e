import PantileProblem
import PantileSupport
import Testing

struct PackingProblemTests {
  let problem = PackingProblem(
    name: "three",
    buffers: [
      .init("a", start: 0, end: 2, size: 40, bankGroup: 0),
      .init("b", start: 1, end: 3, size: 24, alignment: 8, bankGroup: 1),
      .init("c", start: 2, end: 4, size: 40, fixedOffset: 0),
    ], capacity: 64, bankBytes: 32)

  let good = PackingSolution(
    offsets: [0, 40, 0], height: 64, bankConflicts: 1, status: .optimal, lowerBound: 64, method: "hand")

  @Test func acceptsAnHonestPacking() throws {
    try problem.check()
    try problem.verify(good)
    #expect(problem.maximumLive == 64)
  }

  @Test func findsPlantedFaults() {
    func refuses(_ change: (inout PackingSolution, inout PackingProblem) -> Void) {
      var solution = good
      var changed = problem
      change(&solution, &changed)
      #expect { try changed.verify(solution) } throws: {
        ($0 as? DiagnosticError)?.codes.contains("wrong-packing") == true
      }
    }
    refuses { solution, _ in solution.offsets[1] = 39 }
    refuses { solution, _ in solution.offsets[1] = 44 }
    refuses { solution, _ in solution.offsets[1] = 32 }
    refuses { solution, _ in solution.offsets[2] = 8 }
    refuses { solution, _ in solution.offsets[0] = -8 }
    refuses { solution, _ in solution.height = 63 }
    refuses { solution, _ in solution.bankConflicts = 0 }
    refuses { solution, _ in solution.lowerBound = 65 }
    refuses { solution, _ in solution.offsets.removeLast() }
    refuses { _, problem in problem.capacity = 63 }
  }

  @Test func refusesMalformedBuffers() {
    let bad = PackingProblem(
      name: "bad", buffers: [.init("a", start: 3, end: 2, size: -1, alignment: 0, fixedOffset: -4)], capacity: -1,
      bankBytes: 0)
    #expect { try bad.check() } throws: { ($0 as? DiagnosticError)?.codes.count == 6 }
  }
}
