import PantileEngines
import PantileProgram
import PantileSim
import PantileSupport
import Testing

@Suite(.enabled(if: CoreTwin.isAvailable, "verilator is not installed"), .serialized) struct CoreTwinTests {
  @Test func randomProgramsAreEqualToTheCycle() throws {
    let array = SystolicOptions(rows: 4, columns: 4, variant: .overlapped)
    let twin = try CoreTwin(CoreTwin.structure(array))
    for seed in 0..<20 {
      let sample = try RandomProgram(seed: UInt64(seed), array: array)
      let one = try CoreTwinCase(sample.program, on: sample.machine) { run throws(DiagnosticError) in
        try sample.setInputs(of: run)
      }
      #expect(try twin.differences([one]) == [[]], "seed \(seed)")
    }
  }
}
