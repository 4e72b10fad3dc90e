import PantileProgram
import PantileReport
import Testing

/// Digests tell which layer's commands changed.
struct ScheduleDigestTests {
  @Test func onlyTheChangedLayerMoves() throws {
    let program = SmallRun.program(try SmallRun.chip())
    let before = ScheduleDigest.layers(of: program)
    #expect(before.count == 2 && before[0] != before[1])
    #expect(ScheduleDigest.layers(of: program) == before)
    var changed = program
    guard case .loop(_, let body) = changed.queues[2].body[0] else {
      Issue.record("the store queue has no loop")
      return
    }
    changed.queues[2].body[0] = .loop(count: 3, body)
    let after = ScheduleDigest.layers(of: changed)
    #expect(after[0] == before[0] && after[1] != before[1])
  }
}
