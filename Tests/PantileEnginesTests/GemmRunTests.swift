import PantileEngines
import PantileSupport
import PantileTarget
import PantileTensor
import Testing

@Suite struct GemmRunTests {
  static func array(_ family: ArrayFamily, _ texts: [(key: String, text: String)]) throws -> ArrayEngine {
    try ArrayFamily.engine(of: family.section(texts))
  }

  @Test(arguments: [
    ("ws", "serial", 5504), ("ws", "overlapped", 4118), ("os", "serial", 5504), ("os", "overlapped", 4118),
    ("ws", "skewed", 4118), ("is", "serial", 5504), ("is", "overlapped", 4118), ("is", "skewed", 4118),
  ])
  func countsTheCyclesOfASmallSystolicProduct(dataflow: String, variant: String, cycles: Int) throws {
    let engine = try Self.array(
      .systolic, [("rows", "8"), ("columns", "8"), ("dataflow", dataflow), ("variant", variant)])
    let run = try GemmRun.run(engine, .init(m: 64, k: 64, n: 64, seed: 5, check: true))
    #expect(run.cycles == cycles)
    #expect(run.macs == 262_144)
    #expect(run.utilization == 262_144 / (64 * Double(cycles)))
    let check = try #require(run.check)
    #expect(check.steppedCycles == cycles)
    #expect(check.mismatches == 0 && check.functionMismatches == 0)
    #expect(check.activationElements == run.activationElements && check.weightBeats == run.weightBeats)
  }

  @Test func padsTheReductionOfSparseWeightsToGroups() throws {
    let engine = try Self.array(
      .nmSparse,
      [("rows", "4"), ("columns", "4"), ("interleave", "2"), ("adder_latency", "3 cycles"), ("patterns", "2:4,1:8")])
    for (text, k, stored, padded) in [((1, 8), 30, 4, 32), ((2, 4), 30, 16, 32)] {
      let pattern = try NMPattern(kept: text.0, group: text.1)
      let run = try GemmRun.run(
        engine, .init(m: 9, k: k, n: 17, format: ContractionFormat(pattern: pattern), check: true))
      #expect(run.macs == 9 * stored * 17)
      #expect(run.denseMACs == 9 * k * 17)
      // Folds of 4 rows and 8 columns.
      #expect(run.activationElements == 9 * 4 * padded)
      #expect(run.weightBeats == 9 * 4 * 2 * stored)
      let check = try #require(run.check)
      #expect(check.steppedCycles == run.cycles && check.mismatches == 0 && check.functionMismatches == 0)
    }
  }

  /// 100 of 104 positions: 13 groups of two kept, so 26 slots.
  @Test(arguments: [("os", 3 * 4, 13 * 2), ("ws", 3, 13 * 2)])
  func padsSparseReductionsOfEitherDataflow(dataflow: String, passes: Int, slots: Int) throws {
    let engine = try Self.array(
      .nmSparse,
      [("rows", "4"), ("columns", "6"), ("patterns", "2:8"), ("dataflow", dataflow), ("variant", "serial")])
    let format = ContractionFormat(pattern: try NMPattern(kept: 2, group: 8))
    let run = try GemmRun.run(engine, .init(m: 10, k: 100, n: 18, format: format, check: true))
    #expect(run.macs == 10 * slots * 18)
    // os: ceil(10/4) folds along m of 4 rows; ws: the 10 rows themselves.
    #expect(run.activationElements == (dataflow == "os" ? passes * 3 : passes * 10) * 104)
    let check = try #require(run.check)
    #expect(check.steppedCycles == run.cycles && check.mismatches == 0 && check.functionMismatches == 0)
    // ws: ceil(13/2) * 3 folds of 4 + 9 + 3 + 5 + 1 cycles.
    if dataflow == "ws" { #expect(run.cycles == 7 * 3 * 22) }
  }

  @Test func usesHalfTheCyclesForHalfTheBits() throws {
    let engine = try Self.array(.bitSerial, [("rows", "4"), ("columns", "4")])
    let wide = try GemmRun.run(engine, .init(m: 4, k: 4096, n: 4, check: true))
    let narrow = try GemmRun.run(
      engine, .init(m: 4, k: 4096, n: 4, format: ContractionFormat(weightBits: 4), check: true))
    #expect(wide.cycles == 4 * 1024 + 10)
    #expect(narrow.cycles == 2 * 1024 + 10)
    #expect(wide.check?.mismatches == 0 && narrow.check?.mismatches == 0)
  }

  @Test func reportsEverythingWrongAtOnce() throws {
    let engine = try Self.array(.systolic, [("rows", "4"), ("columns", "4")])
    let pattern = try NMPattern(kept: 2, group: 4)
    let options = GemmRun.Options(m: 0, k: 4, n: 1 << 40, format: ContractionFormat(pattern: pattern), check: true)
    let error = try #require(throws: DiagnosticError.self) { try GemmRun.run(engine, options) }
    #expect(error.codes == ["out-of-range", "out-of-range", "unsupported-format"])
    let large = GemmRun.Options(m: 1 << 20, k: 1 << 20, n: 1, check: true)
    #expect(throws: DiagnosticError.self) { try GemmRun.run(engine, large) }
    let unchecked = try GemmRun.run(engine, .init(m: 1 << 20, k: 1 << 20, n: 1 << 20))
    #expect(unchecked.cycles == (1 << 18) * (1 << 18) * (1 << 20) + 10)
  }

  /// A row of activations streams for one cycle, so that the interval of folds is all that counts: 2R+C-2, R, 2R-1.
  @Test(arguments: [
    ("ws", "overlapped", 1, 64, 8, "8 cycles", 8 + 7 * 22 + 1 + 14 + 7),
    ("ws", "skewed", 1, 64, 8, "8", 8 + 7 * 8 + 1 + 14 + 7), ("is", "skewed", 8, 64, 1, "1", 8 + 7 * 8 + 1 + 14),
    ("os", "overlapped", 64, 1, 8, "3", 8 * 15 + 22 + 2), ("os", "serial", 64, 1, 8, "3", 8 * (1 + 22 + 2)),
  ])
  func shortStreamsPayTheIntervalOfFolds(
    dataflow: String, variant: String, m: Int, k: Int, n: Int, latency: String, cycles: Int
  ) throws {
    let engine = try Self.array(
      .systolic,
      [("rows", "8"), ("columns", "8"), ("dataflow", dataflow), ("variant", variant), ("pe_latency", latency)])
    let run = try GemmRun.run(engine, .init(m: m, k: k, n: n, check: true))
    #expect(run.cycles == cycles && run.check?.steppedCycles == cycles && run.check?.mismatches == 0)
  }

  @Test func outputStationaryArraysAreNotSkewed() throws {
    let error = try #require(throws: DiagnosticError.self) {
      try ArrayFamily.systolic.section([
        ("rows", "2"), ("columns", "2"), ("dataflow", "os"), ("variant", "skewed"),
      ])
    }
    #expect(error.codes == ["option-conflict"])
    #expect(error.diagnostics[0].message.contains("'os'") && error.diagnostics[0].message.contains("'skewed'"))
  }

  @Test func sectionsFromTextsNameEveryFault() throws {
    let error = try #require(throws: DiagnosticError.self) {
      try ArrayFamily.systolic.section([("rows", "0"), ("dataflow", "xs"), ("colums", "4")])
    }
    #expect(error.codes == ["unknown-key", "out-of-range", "missing-key", "wrong-value"])
    #expect(error.diagnostics[0].hint == "did you mean 'columns'?")
    for bad in ["", "2", "3:2", "2:4,", "2:5", "a:b", "2:64"] {
      #expect(throws: DiagnosticError.self, "\(bad)") {
        try ArrayFamily.nmSparse.section([("rows", "2"), ("columns", "2"), ("patterns", bad)])
      }
    }
  }
}
