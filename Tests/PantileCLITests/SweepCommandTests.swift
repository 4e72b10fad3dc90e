import Foundation
import Testing

/// `pantile sweep` and `pantile check`.
struct SweepCommandTests {
  private static let sweep = """
    name: small
    model: digits-cnn
    chip: systolic-16x16
    axes:
      engines.array0.rows: [4, 8, 16, 32]
      engines.array0.columns: [8, 16]
      memories.spad.size: [32 KiB, 64 KiB, 128 KiB, 256 KiB]
    """

  private func write(_ text: String, to path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  /// Stopped in the middle and started again, a sweep gives the table that an undisturbed one gives.
  @Test func goesOnWhereItWasKilled() throws {
    try TemporaryFolder.with { folder in
      try write(SweepCommandTests.sweep, to: "\(folder)/s.yaml")
      let whole = try Tool.run(["sweep", "\(folder)/s.yaml", "-o", "\(folder)/whole.csv"])
      #expect(whole.code == 0, "\(whole.errors)")
      let table = try Tool.text("\(folder)/whole.csv")
      #expect(table.split(separator: "\n").count == 33)

      let process = Process()
      process.executableURL = URL(fileURLWithPath: Tool.executable)
      process.arguments = [
        "sweep", "\(folder)/s.yaml", "-o", "\(folder)/killed.csv", "--jobs", "1", "--root", Tool.root,
      ]
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      let journal = "\(folder)/killed.csv.journal"
      // Until a few points stand in the journal.
      while process.isRunning, ((try? Tool.text(journal)) ?? "").split(separator: "\n").count < 4 { usleep(2000) }
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/killed.csv") || process.terminationStatus == 0)

      let resumed = try Tool.run(["sweep", "\(folder)/s.yaml", "-o", "\(folder)/killed.csv"])
      #expect(resumed.code == 0, "\(resumed.errors)")
      #expect(try Tool.text("\(folder)/killed.csv") == table)
    }
  }

  /// The array alone: no compile a point, the cycles of the array's own timing, no memory in the way.
  @Test func sweepsTheArrayAlone() throws {
    try TemporaryFolder.with { folder in
      let spec = SweepCommandTests.sweep.replacing("axes:", with: "options: {timing: array}\naxes:")
      try write(spec, to: "\(folder)/s.yaml")
      let run = try Tool.run(["sweep", "\(folder)/s.yaml", "-o", "\(folder)/s.csv"])
      #expect(run.code == 0, "\(run.errors)")
      let rows = try Tool.text("\(folder)/s.csv").split(separator: "\n").dropFirst().map { $0.split(separator: ",") }
      #expect(rows.count == 32)
      // The scratchpad's size changes the standing energy, nothing else.
      let bySize = Dictionary(grouping: rows) { "\($0[1])x\($0[2])" }
      for (array, group) in bySize {
        #expect(Set(group.map { $0[6] }).count == 1, "\(array)")
        #expect(Set(group.map { $0[8] }).count == group.count, "\(array)")
      }
      try write(spec.replacing("timing: array", with: "timing: arrays"), to: "\(folder)/wrong.yaml")
      let wrong = try Tool.run(["sweep", "\(folder)/wrong.yaml", "-o", "\(folder)/w.csv"])
      #expect(wrong.code == 2 && wrong.errors.contains("must be one of chip, array, found 'arrays'"))
      // A suite compares compiled networks.
      try write(
        "name: s\noptions: {timing: array}\ncases:\n  - {model: digits-cnn, chip: systolic-16x16}\n",
        to: "\(folder)/suite.yaml")
      #expect(try Tool.run(["check", "\(folder)/suite.yaml"]).code == 2)
    }
  }

  @Test func checkNamesTheLayerThatMoved() throws {
    try TemporaryFolder.with { folder in
      let suite = "\(folder)/s.yaml"
      try write("name: s\ncases:\n  - {model: digits-cnn, chip: systolic-16x16}\n", to: suite)
      let blessed = try Tool.run(["check", suite, "--bless"])
      #expect(blessed.code == 0, "\(blessed.errors)")
      let same = try Tool.run(["check", suite])
      #expect(same.code == 0, "\(same.output)\(same.errors)")

      // Plant a change: another schedule and other cycles on record for one layer.
      let golden = "\(folder)/s.golden"
      let text = try Tool.text(golden)
      let changed = text.replacing(/layer "conv2" commands (\d+) cycles (\d+)/) {
        "layer \"conv2\" commands \($0.1) cycles 1\($0.2)"
      }
      #expect(changed != text)
      try write(changed, to: golden)
      let moved = try Tool.run(["check", suite])
      #expect(moved.code == 1 && moved.output.contains("layer '"), "\(moved.output)\(moved.errors)")
    }
  }

  @Test func shippedSmokeSuiteIsAsExpected() throws {
    let result = try Tool.run(["check", "Workloads/suites/smoke.yaml"])
    #expect(result.code == 0, "\(result.output)\(result.errors)")
  }
}
