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

  /// y and z are parts of x, w is x in place.
  let tied = PackingProblem(
    name: "tied",
    buffers: [
      .init("x", start: 2, end: 5, size: 16, tie: .init(to: 3, mayOverlap: true)),
      .init("y", start: 0, end: 3, size: 8, tie: .init(to: 0, mayOverlap: true)),
      .init("z", start: 1, end: 3, size: 8, tie: .init(to: 0, delta: 8, mayOverlap: true)),
      .init("w", start: 4, end: 6, size: 16, alignment: 8),
      .init("other", start: 0, end: 6, size: 8),
    ], capacity: 24)

  @Test func tiedBuffersShareBytesWhereTheTieSaysSo() throws {
    try tied.check()
    #expect(tied.maximumLive == 24)
    let solution = PackingSolution(
      offsets: [8, 8, 16, 8, 0], height: 24, bankConflicts: 0, status: .optimal, lowerBound: 24, method: "hand")
    try tied.verify(solution)
    func refuses(_ fault: String, _ change: (inout PackingSolution, inout PackingProblem) -> Void) {
      var solution = solution
      var changed = tied
      change(&solution, &changed)
      #expect { try changed.verify(solution) } throws: { error in
        (error as? DiagnosticError)?.rendered.contains(fault) == true
      }
    }
    refuses("'x' is at 0, tied to 'w' at 8") { solution, _ in solution.offsets[0] = 0 }
    refuses("'z' is at 8, tied to 'x' at 16") { solution, _ in solution.offsets[2] = 8 }
    refuses("'x' and 'w' overlap at 8") { _, problem in problem.buffers[0].tie?.mayOverlap = false }
    refuses("'x' and 'y' overlap at 8") { _, problem in problem.buffers[1].tie?.mayOverlap = false }
    // Two parts of one buffer may not share bytes.
    refuses("'y' and 'z' overlap at 12") { solution, problem in
      problem.buffers[2].tie?.delta = 4
      solution.offsets[2] = 12
    }
    refuses("'w' and 'other' overlap at 8") { solution, _ in solution.offsets[4] = 8 }
  }

  @Test func tiesSurviveTheTextForm() throws {
    #expect(try PackingProblem(parsing: tied.text) == tied)
    let stray = tied.text.replacing("anchor = 0 : i64, ", with: "")
    #expect { try PackingProblem(parsing: stray) } throws: {
      ($0 as? DiagnosticError)?.codes.contains("missing-attribute") == true
    }
  }

  @Test func refusesTiesThatLeadNowhere() {
    func faults(_ change: (inout PackingProblem) -> Void) -> String {
      var problem = tied
      change(&problem)
      do { try problem.check() } catch { return error.diagnostics.map(\.message).joined(separator: "; ") }
      return ""
    }
    func faultsOfY(_ tie: PackingProblem.Tie) -> String { faults { $0.buffers[1].tie = tie } }
    #expect(faultsOfY(.init(to: 5)) == "'tied': buffer 'y' is tied to buffer 5 of 5")
    #expect(faultsOfY(.init(to: -1)) == "'tied': buffer 'y' is tied to buffer -1 of 5")
    #expect(faultsOfY(.init(to: 1)) == "'tied': buffer 'y' is tied to itself")
    #expect(faultsOfY(.init(to: 0, delta: Int.min)).contains("out of range"))
    let circle = faults { $0.buffers[3].tie = .init(to: 2) }
    #expect(circle == "'tied': the ties of buffer 'x' lead back to it")
    let far = faults {
      $0.buffers[1].tie = .init(to: 0, delta: 1 << 50)
      $0.buffers[0].tie = .init(to: 3, delta: 1 << 50)
    }
    #expect(far.contains("out of range"))
  }

  @Test func refusesMalformedBuffers() {
    let bad = PackingProblem(
      name: "bad", buffers: [.init("a", start: 3, end: 2, size: -1, alignment: 0, fixedOffset: -4)], capacity: -1,
      bankBytes: 0)
    #expect { try bad.check() } throws: { ($0 as? DiagnosticError)?.codes.count == 6 }
  }
}
