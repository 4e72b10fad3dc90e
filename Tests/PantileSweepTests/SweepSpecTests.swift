import PantileSupport
import PantileSweep
import Testing

/// Design-space files.
struct SweepSpecTests {
  private static let text = """
    name: arrays
    model: net.mlir
    chip: systolic-16x16
    axes:
      memories.spad.size: [64 KiB, 256 KiB]
    together:
      - engines.array0.rows: [8, 16, 32]
        engines.array0.columns: [8, 16, 32]
    where:
      - engines.array0.rows * engines.array0.columns <= 512
    objectives: [cycles, energy]

    """

  private func spec(_ old: String = "", _ new: String = "") throws(DiagnosticError) -> SweepSpec {
    var text = SweepSpecTests.text
    if !old.isEmpty {
      precondition(text.contains(old), "'\(old)' is not in the spec")
      text = text.replacing(old, with: new)
    }
    return try SweepSpec.parse(text, path: "s.yaml", allowedOptions: ["weights"])
  }

  @Test func pointsAreCartesianOverAxesAndGroupsInOrder() throws {
    let points = try spec().points()
    #expect(points.map(\.index) == [0, 1, 3, 4])
    #expect(
      points[1].settings == [
        "memories.spad.size=64 KiB", "engines.array0.rows=16", "engines.array0.columns=16",
      ])
  }

  @Test(arguments: [
    ("memories.spad.size >= 128 KiB", 3), ("memories.spad.size == 65536 B", 3), ("engines.array0.rows != 16", 4),
    ("engines.array0.rows > 8", 4), ("engines.array0.rows < 8 * 3", 4), ("16 == engines.array0.rows", 2),
    ("memories.spad.size > 16 * engines.array0.rows", 6),
  ])
  func conditionsCompareInBaseUnits(_ condition: String, _ count: Int) throws {
    let spec = try spec("engines.array0.rows * engines.array0.columns <= 512", "'\(condition)'")
    #expect(try spec.points().count == count)
  }

  @Test func wordsAreEqualOrNot() throws {
    let text = """
      name: flows
      model: net.mlir
      chip: systolic-16x16
      axes: {engines.array0.dataflow: [ws, os], engines.array0.rows: [8, 16]}
      where: ['engines.array0.dataflow == os']
      """
    let points = try SweepSpec.parse(text, path: "s.yaml").points()
    #expect(points.map(\.index) == [2, 3])
  }

  @Test(arguments: [
    ("name: arrays", "nam: arrays", "missing-key"),
    (
      "[8, 16, 32]\n    engines.array0.columns: [8, 16, 32]", "[8, 16]\n    engines.array0.columns: [8, 16, 32]",
      "wrong-value"
    ),
    ("[64 KiB, 256 KiB]", "[]", "wrong-value"), ("[64 KiB, 256 KiB]", "64 KiB", "wrong-type"),
    ("[64 KiB, 256 KiB]", "[64 KiB, 64 KiB]", "wrong-value"), ("[64 KiB, 256 KiB]", "[{a: 1}]", "wrong-type"),
    ("memories.spad.size:", "engines.array0.rows:", "duplicate-key"),
    ("<= 512", "<= lots", "wrong-condition"), ("<= 512", "", "wrong-condition"),
    ("engines.array0.rows * engines", "engines.array0.rwos * engines", "wrong-condition"),
    ("engines.array0.rows * engines.array0.columns <= 512", "3 < 4", "wrong-condition"),
    ("[cycles, energy]", "[cycles, enrgy]", "unknown-value"), ("objectives:", "objektives:", "unknown-key"),
    ("chip:", "options: {wieghts: x}\nchip:", "unknown-key"), ("chip:", "set: [rows]\nchip:", "wrong-override"),
    ("chip:", "set: rows=3\nchip:", "wrong-type"),
  ])
  func wrongSpecIsExplained(_ old: String, _ new: String, _ code: String) throws {
    let error = try #require(failure { () throws(DiagnosticError) in try spec(old, new) })
    #expect(error.codes.contains(code), "\(error.rendered)")
    #expect(error.diagnostics.allSatisfy { $0.location.filePosition?.path == "s.yaml" })
  }

  @Test func hugeAndEmptySpacesAreRefused() throws {
    let values = (1...1000).map(String.init).joined(separator: ", ")
    let huge = "name: n\nmodel: m\nchip: c\naxes: {a: [\(values)], b: [\(values)], c: [\(values)]}\n"
    #expect(
      failure { () throws(DiagnosticError) in try SweepSpec.parse(huge, path: "s").points() }?.codes == [
        "sweep-too-large"
      ])
    let empty = try spec("<= 512", "<= 1")
    #expect(failure { () throws(DiagnosticError) in try empty.points() }?.codes == ["empty-sweep"])
  }

  @Test func hashFollowsWhatDecidesResults() throws {
    let base = try spec().hash
    #expect(try spec().hash == base)
    #expect(try spec("name: arrays", "name: other").hash == base)
    #expect(try spec("[cycles, energy]", "[cycles]").hash == base)
    #expect(try spec("64 KiB", "96 KiB").hash != base)
    #expect(try spec("chip:", "options: {weights: seeded}\nchip:").hash != base)
  }

  @Test func chipPathsStartAtTheSpecsFolder() throws {
    let folder = try TemporaryFolder()
    try AtomicFile.write("extends: systolic-16x16\nname: mine\n", to: folder.path + "/mine.yaml")
    let text = "name: n\nmodel: m\nchip: mine.yaml\naxes: {engines.array0.rows: [8, 16]}\n"
    try AtomicFile.write(text, to: folder.path + "/s.yaml")
    let spec = try SweepSpec.load(folder.path + "/s.yaml")
    #expect(spec.chip == folder.path + "/mine.yaml")
    #expect(try SweepSpec.parse(text, path: "elsewhere/s.yaml").hash == spec.hash)
    #expect(try SweepSpec.parse(text, path: "elsewhere/s.yaml").chip == "mine.yaml")
  }
}
