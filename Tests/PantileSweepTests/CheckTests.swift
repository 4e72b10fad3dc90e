import Foundation
import PantileReport
import PantileSupport
import PantileSweep
import PantileTarget
import Testing

/// Suites, golden files and differences.
struct CheckTests {
  private static let text = """
    name: smoke
    cases:
      - {model: a.onnx, chip: systolic-16x16}
      - {model: a.onnx, chip: systolic-16x16, set: [engines.array0.rows=8], options: {weights: seeded}}
    """

  private func suite() throws(DiagnosticError) -> CheckSuite {
    try CheckSuite.parse(CheckTests.text, path: "suite.yaml", allowedOptions: ["weights"])
  }

  private func measure(
    _ item: CheckSuite.Case, slowing slowed: String? = nil, schedule: String = "00000000000000aa"
  ) throws(DiagnosticError) -> Check.Measurement {
    let chip = try Chip.load(item.chip, overrides: item.settings, schemas: testSchemas, root: repositoryRoot)
    var report = try formulaReport(chip)
    for index in report.layers.indices where report.layers[index].name == slowed {
      report.layers[index].cycles += 100
      report.cycles += 100
    }
    return .init(report: report, schedules: ["00000000000000aa", schedule])
  }

  @Test func blessedSuiteIsSameAndPlantedChangesNameTheLayer() throws {
    let folder = try TemporaryFolder()
    let golden = folder.path + "/smoke.golden"
    let check = Check(suite: try suite(), workers: 2)
    let missing = try check.run(goldenPath: golden) { item throws(DiagnosticError) in try measure(item) }
    #expect(missing.hasRegressed && missing.text().contains("not in the golden file"))
    _ = try check.run(goldenPath: golden, bless: true) { item throws(DiagnosticError) in try measure(item) }
    let same = try check.run(goldenPath: golden) { item throws(DiagnosticError) in try measure(item) }
    #expect(!same.hasRegressed, "\(same.text())")
    #expect(same.text().contains("2 of 2 cases as expected"))

    let slow = try check.run(goldenPath: golden) { item throws(DiagnosticError) in
      try measure(item, slowing: "conv2")
    }
    #expect(slow.hasRegressed)
    #expect(slow.cases[0].differences.map(\.quantity) == ["cycles", "cycles"])
    #expect(slow.cases[0].differences.map(\.layer) == [nil, "conv2"])
    #expect(slow.cases[0].differences.filter { !$0.isWorse }.isEmpty)
    #expect(slow.text().contains("layer 'conv2': cycles"))

    let moved = try check.run(goldenPath: golden) { item throws(DiagnosticError) in
      try measure(item, schedule: "00000000000000bb")
    }
    #expect(moved.hasRegressed)
    #expect(moved.cases[1].differences.map(\.quantity) == ["schedule"])
    #expect(moved.text().contains("layer 'conv2': schedule 00000000000000aa -> 00000000000000bb"))
  }

  @Test func failingCaseFailsTheSuiteAndIsNeverBlessed() throws {
    let folder = try TemporaryFolder()
    let golden = folder.path + "/g"
    let check = Check(suite: try suite())
    let result = try check.run(goldenPath: golden) { item throws(DiagnosticError) in
      throw DiagnosticError("does-not-fit", "no")
    }
    #expect(result.hasRegressed && result.text().contains("does-not-fit"))
    let error = failure { () throws(DiagnosticError) in
      try check.run(goldenPath: golden, bless: true) { item throws(DiagnosticError) in
        throw DiagnosticError("does-not-fit", "no")
      }
    }
    #expect(error?.codes == ["does-not-fit", "does-not-fit"])
    #expect(!FileManager.default.fileExists(atPath: golden))
  }

  @Test func goldenFileRoundTripsOddNames() throws {
    let names = ["a b", "q\"uote", "back\\slash", "newline\nx", "", "ünï"]
    let golden = Golden(
      entries: names.map { name in
        Golden.Entry(
          name: name, figures: .init([("cycles", 3)]), actions: .init([(name, 2)]),
          layers: [.init(name: name, figures: .init([("cycles", 1)]), schedule: "00ff")])
      })
    #expect(try Golden(text: golden.text, path: "g") == golden)
  }

  @Test(arguments: [
    "", "cycles 3\n", "# pantile golden 2\n", "# pantile golden 1\ncycles 3\n",
    "# pantile golden 1\ncase \"a\"\n  cycles many\n", "# pantile golden 1\ncase \"a\n",
    "# pantile golden 1\ncase \"a\"\n  layer \"x\" cycles 3\n",
    "# pantile golden 1\ncase \"a\"\n  layer \"x\" cycles x schedule 00\n", "# pantile golden 1\ncase \"a\\\n",
  ])
  func brokenGoldenFileIsExplained(_ text: String) {
    let error = failure { () throws(DiagnosticError) in try Golden(text: text, path: "g") }
    #expect(error?.codes == ["wrong-golden"])
  }

  @Test func addedAndRemovedLayersAndCasesAreDifferences() throws {
    let suite = try suite()
    let check = Check(suite: suite)
    let measured = check.run(against: Golden(entries: [])) { item throws(DiagnosticError) in try measure(item) }
      .measured
    var golden = measured
    golden.entries[0].layers[0].name = "conv0"
    golden.entries[1].layers.swapAt(0, 1)
    golden.entries.append(.init(name: "gone", figures: .init(), actions: .init(), layers: []))
    let result = check.run(against: golden) { item throws(DiagnosticError) in try measure(item) }
    #expect(result.cases.count == 3 && result.cases.allSatisfy { !$0.isAsExpected })
    #expect(result.cases[0].differences.map(\.layer) == ["conv0", "conv1"])
    #expect(result.cases[1].differences.map(\.quantity) == ["order of layers"])
    #expect(result.cases[2].name == "gone")
  }

  @Test(arguments: [
    ("name: smoke", "nome: smoke", "missing-key"),
    ("model: a.onnx, chip: systolic-16x16}", "model: a.onnx}", "missing-key"),
    ("weights: seeded", "wieghts: seeded", "unknown-key"), ("engines.array0.rows=8", "engines", "wrong-override"),
    (", set: [engines.array0.rows=8], options: {weights: seeded}", "", "wrong-value"),
    ("cases:", "cases: []\nx:", "wrong-value"),
  ])
  func wrongSuiteIsExplained(_ old: String, _ new: String, _ code: String) throws {
    #expect(CheckTests.text.contains(old))
    let text = CheckTests.text.replacing(old, with: new)
    let error = failure { () throws(DiagnosticError) in
      try CheckSuite.parse(text, path: "suite.yaml", allowedOptions: ["weights"])
    }
    #expect(error?.codes.contains(code) == true, "\(error?.rendered ?? "accepted")")
  }
}
