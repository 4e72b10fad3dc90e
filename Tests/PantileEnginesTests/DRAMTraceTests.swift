import PantileEngines
import PantileSupport
import Testing

/// The text of request traces.
struct DRAMTraceTests {
  @Test func readsRequests() throws {
    let text = "R 0\nW 64\n\n# comment\n  r 0x1F40  # behind\nw\t0XfF // too\r\nR 9223372036854775807"
    #expect(
      try DRAMTrace.parse(text, path: "t") == [
        DRAMTraceEntry(0), DRAMTraceEntry(64, isWrite: true), DRAMTraceEntry(8000), DRAMTraceEntry(255, isWrite: true),
        DRAMTraceEntry(Int.max),
      ])
    #expect(try DRAMTrace.parse("", path: "t").isEmpty)
  }

  @Test(arguments: [
    ("X 0", 1), ("R", 2), ("R  ", 4), ("R0", 2), ("R -1", 3), ("R 12a", 5), ("R 0x", 3), ("R 0xg", 3), ("R 1 2", 5),
    ("R 9223372036854775808", 3), ("READ 0", 2), ("R 1.5", 4), ("0x10 R", 1), ("R 1é", 4), ("R # 5", 3),
  ])
  func refusesWrongLines(_ line: String, _ column: Int) {
    let error = #expect(throws: DiagnosticError.self) {
      _ = try DRAMTrace.parse("R 0\n\(line)\nW 3\n", path: "trace.txt")
    }
    #expect(error?.codes == ["wrong-trace"])
    #expect(error?.diagnostics.first?.location == .file(path: "trace.txt", line: 2, column: column))
  }

  @Test func tellsTwentyWrongLines() {
    let text = String(repeating: "Z\n", count: 1000)
    let error = #expect(throws: DiagnosticError.self) { _ = try DRAMTrace.parse(text, path: "t") }
    #expect(error?.diagnostics.count == 21 && error?.codes.last == "too-many-errors")
  }
}
