import Foundation
import PantileReport
import PantileSupport
import PantileSweep
import PantileTarget
import Synchronization
import Testing

/// Running, resuming and tabulating sweeps.
struct SweepTests {
  private func spec(_ sizes: String = "[32 KiB, 64 KiB, 128 KiB, 256 KiB]") throws -> SweepSpec {
    try SweepSpec.parse(
      """
      name: arrays
      model: net.mlir
      chip: systolic-16x16
      axes:
        memories.spad.size: \(sizes)
        engines.array0.rows: [4, 8, 16, 32, 64]
      """, path: "s.yaml")
  }

  private func sweep(_ spec: SweepSpec, workers: Int = 2, inputs: String = "model-1") -> Sweep {
    Sweep(
      spec: spec,
      options: .init(workers: workers, schemas: testSchemas, root: repositoryRoot, inputsHash: inputs))
  }

  @Test func tableDoesNotDependOnWorkersOrInterruptions() throws {
    let folder = try TemporaryFolder()
    let spec = try spec()
    let whole = try sweep(spec, workers: 1).run(journalPath: folder.path + "/a") { chip throws(DiagnosticError) in
      try formulaMetrics(chip)
    }
    #expect(whole.rows.count == 20 && whole.resumedCount == 0)
    let parallel = try sweep(spec, workers: 7).run(journalPath: folder.path + "/b") { chip throws(DiagnosticError) in
      try formulaMetrics(chip)
    }
    #expect(parallel.csv() == whole.csv())

    // Cut the journal anywhere, as a killed process would leave it, and go on.
    let journal = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/a"))
    for cut in [0, 1, 40, journal.count / 3, journal.count / 2, journal.count - 1, journal.count] {
      let path = folder.path + "/cut\(cut)"
      try journal.prefix(cut).write(to: URL(fileURLWithPath: path))
      let calls = Mutex(0)
      let resumed = try sweep(spec).run(journalPath: path) { chip throws(DiagnosticError) in
        calls.withLock { $0 += 1 }
        return try formulaMetrics(chip)
      }
      #expect(resumed.csv() == whole.csv())
      // Infeasible points found by the evaluation call it too.
      #expect(calls.withLock { $0 } == 20 - resumed.resumedCount)
    }
  }

  @Test func infeasiblePointsKeepTheirCode() throws {
    let folder = try TemporaryFolder()
    let result = try sweep(try spec("[32 KiB, 64 KiB, 100 B]")).run(journalPath: folder.path + "/j") {
      chip throws(DiagnosticError) in try formulaMetrics(chip)
    }
    let lines = result.csv().split(separator: "\n").map(String.init)
    #expect(lines.count == 16)
    #expect(lines[1].contains("infeasible") && lines[1].contains("does-not-fit") && lines[1].contains("needs 64 KiB"))
    #expect(lines[11].contains("bank-mismatch"))
    #expect(lines[6].contains(",ok,"))
  }

  @Test func paretoSetIsExactlyTheUndominatedPoints() throws {
    let folder = try TemporaryFolder()
    let result = try sweep(try spec()).run(journalPath: folder.path + "/j") { chip throws(DiagnosticError) in
      try formulaMetrics(chip)
    }
    let costs: [(Double, Double)?] = result.rows.map { row in
      guard case .done(let metrics) = row.outcome else { return nil }
      return (Double(metrics.cycles), metrics.energyPicojoules)
    }
    for (row, cost) in zip(result.rows, costs) {
      let isDominated = costs.contains { other in
        guard let other, let cost else { return false }
        return other.0 <= cost.0 && other.1 <= cost.1 && other != cost
      }
      #expect(row.isPareto == (cost != nil && !isDominated))
    }
    #expect(result.rows.contains(where: \.isPareto) && !result.rows.allSatisfy(\.isPareto))
  }

  @Test func foreignJournalsAreRefused() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/j"
    _ = try sweep(try spec()).run(journalPath: path) { chip throws(DiagnosticError) in try formulaMetrics(chip) }
    for other in [sweep(try spec("[64 KiB]")), sweep(try spec(), inputs: "model-2")] {
      let error = failure { () throws(DiagnosticError) in
        try other.run(journalPath: path) { chip throws(DiagnosticError) in try formulaMetrics(chip) }
      }
      #expect(error?.codes == ["journal-mismatch"])
    }
    try AtomicFile.write("point,cycles\n1,2\n", to: path)
    let spec = try spec()
    #expect(
      failure { () throws(DiagnosticError) in
        try sweep(spec).run(journalPath: path) { chip throws(DiagnosticError) in try formulaMetrics(chip) }
      }?.codes == ["wrong-journal"])
    #expect(
      failure { () throws(DiagnosticError) in
        try sweep(spec).run(journalPath: folder.path + "/no/such/j") { chip throws(DiagnosticError) in
          try formulaMetrics(chip)
        }
      }?.codes == ["cannot-write"])
  }

  @Test func wrongKeysAreFoundBeforeAnythingRuns() throws {
    let folder = try TemporaryFolder()
    let spec = try SweepSpec.parse(
      "name: n\nmodel: m\nchip: systolic-16x16\naxes: {engines.array0.rwos: [1, 2], memories.spad.size: [64]}\n",
      path: "s")
    let error = failure { () throws(DiagnosticError) in
      try sweep(spec).run(journalPath: folder.path + "/j") { chip throws(DiagnosticError) in
        Issue.record("ran")
        return try formulaMetrics(chip)
      }
    }
    #expect(Set(error?.codes ?? []) == ["unknown-key", "missing-unit"])
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/j"))
  }

  @Test func secondProcessOnTheSameJournalIsRefused() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/j"
    let spec = try spec("[64 KiB]")
    let inner = Mutex<[String]>([])
    let sweep = sweep(spec, workers: 1)
    _ = try sweep.run(journalPath: path) { chip throws(DiagnosticError) in
      let error = failure { () throws(DiagnosticError) in
        try sweep.run(journalPath: path) { chip throws(DiagnosticError) in try formulaMetrics(chip) }
      }
      inner.withLock { $0 += error?.codes ?? ["none"] }
      return try formulaMetrics(chip)
    }
    #expect(Set(inner.withLock { $0 }) == ["sweep-running"])
  }

  @Test func progressCountsEveryPointOnce() throws {
    let folder = try TemporaryFolder()
    let seen = Mutex<[Int]>([])
    let evaluate: Sweep.Evaluate = { chip throws(DiagnosticError) in try formulaMetrics(chip) }
    _ = try sweep(try spec(), workers: 3).run(
      journalPath: folder.path + "/j", progress: { progress in seen.withLock { $0.append(progress.done) } },
      evaluate: evaluate)
    #expect(seen.withLock { $0.sorted() } == Array(0...20))
  }
}
