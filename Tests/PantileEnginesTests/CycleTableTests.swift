import PantileEngines
import PantileSupport
import PantileTensor
import Testing

/// Cycles worked out apart from this code, from the formulas that RTL twins confirmed; some rows are measured ones:
/// 8x8 on 64 and 512, 16x16 and 32x32 on 256 under Verilator; 32x32 on 512 and 128x128 on 1024x1600x4800 are SCALE-Sim's
/// weight-stationary figures plus the one cycle by which it counts short.
@Suite struct CycleTableTests {
  /// R, C, M, K, N; weight stationary serial and overlapped, output stationary serial.
  static let systolic: [(Int, Int, Int, Int, Int, Int, Int, Int)] = [
    (8, 8, 64, 64, 64, 5504, 4118, 5504),
    (8, 8, 512, 512, 512, 2_187_264, 2_097_174, 2_187_264),
    (16, 16, 256, 256, 256, 77312, 65582, 77312),
    (32, 32, 256, 256, 256, 22400, 16478, 22400),
    (32, 32, 512, 512, 512, 155136, 131166, 155136),
    (16, 16, 49, 4608, 512, 875520, 451630, 595712),
    (16, 16, 12544, 147, 64, 503600, 501806, 605248),
    (4, 9, 1, 1, 1, 16, 16, 16),
    (1, 1, 5, 7, 3, 126, 106, 120),
    (16, 8, 17, 33, 9, 330, 245, 284),
    (3, 5, 100, 2, 31, 763, 709, 2618),
    (128, 128, 1024, 1600, 4800, 694564, 506238, 602528),
  ]

  /// R, C, dot width, weight bits, M, K, N; serial cycles.
  static let bitSerial: [(Int, Int, Int, Int, Int, Int, Int, Int)] = [
    (16, 16, 4, 8, 64, 64, 64, 1760),
    (16, 16, 4, 4, 64, 64, 64, 1248),
    (16, 16, 4, 2, 64, 64, 64, 992),
    (16, 16, 4, 3, 17, 65, 33, 480),
    (8, 4, 16, 6, 49, 147, 10, 1008),
    (4, 4, 1, 8, 5, 9, 3, 92),
    (32, 32, 4, 5, 196, 1152, 128, 26824),
  ]

  /// One row of the N:M table: serial cycles, activation elements at the left edge, weight beats.
  struct SparseRow: Sendable {
    var rows, columns, kept, group, interleave, adder, multiplier, m, k, n, cycles, elements, beats: Int
  }

  static let sparse: [SparseRow] = [
    (32, 32, 2, 8, 4, 4, 0, 3136, 576, 64, 75362, 1_806_336, 1_806_336),
    (32, 32, 2, 4, 4, 4, 0, 3136, 576, 64, 131810, 1_806_336, 3_612_672),
    (16, 16, 2, 4, 4, 1, 1, 64, 64, 64, 892, 4096, 8192),
    (16, 16, 2, 8, 4, 1, 1, 17, 128, 130, 1338, 12288, 12288),
    (16, 16, 1, 1, 1, 1, 0, 64, 64, 64, 1760, 16384, 16384),
    (16, 16, 1, 1, 4, 1, 1, 49, 147, 10, 2732, 9408, 37632),
    (4, 6, 2, 16, 2, 4, 2, 9, 32, 25, 315, 1152, 432),
    (8, 8, 1, 4, 1, 3, 0, 8, 12, 8, 31, 96, 24),
    (5, 3, 4, 8, 3, 2, 1, 11, 40, 20, 747, 1800, 1620),
    (1, 1, 1, 2, 1, 1, 0, 1, 2, 1, 2, 2, 1),
  ].map {
    SparseRow(
      rows: $0.0, columns: $0.1, kept: $0.2, group: $0.3, interleave: $0.4, adder: $0.5, multiplier: $0.6, m: $0.7,
      k: $0.8, n: $0.9, cycles: $0.10, elements: $0.11, beats: $0.12)
  }

  @Test func systolicArraysTakeTheCyclesOfTheTable() throws {
    for (r, c, m, k, n, weightSerial, weightOverlapped, outputSerial) in Self.systolic {
      let expected: [(SystolicOptions.Dataflow, SystolicOptions.Variant, Int)] = [
        (.weightStationary, .serial, weightSerial), (.weightStationary, .overlapped, weightOverlapped),
        (.outputStationary, .serial, outputSerial),
      ]
      for (dataflow, variant, cycles) in expected {
        let engine = ArrayEngine.systolic(
          SystolicOptions(rows: r, columns: c, dataflow: dataflow, variant: variant))
        let run = try GemmRun.run(engine, .init(m: m, k: k, n: n, check: m * k * n < 20_000))
        #expect(run.cycles == cycles, "\(engine.summary) \(m)x\(k)x\(n)")
        if let check = run.check { #expect(check.steppedCycles == cycles && check.mismatches == 0) }
      }
    }
  }

  @Test func bitSerialArraysTakeTheCyclesOfTheTable() throws {
    for (r, c, d, bits, m, k, n, cycles) in Self.bitSerial {
      let engine = ArrayEngine.bitSerial(BitSerialOptions(rows: r, columns: c, dotWidth: d, variant: .serial))
      let format = ContractionFormat(weightBits: bits)
      let run = try GemmRun.run(engine, .init(m: m, k: k, n: n, format: format, check: m * k * n < 40_000))
      #expect(run.cycles == cycles, "\(engine.summary) \(format) \(m)x\(k)x\(n)")
      if let check = run.check { #expect(check.steppedCycles == cycles && check.mismatches == 0) }
    }
  }

  @Test func sparseArraysTakeTheCyclesAndTrafficOfTheTable() throws {
    for row in Self.sparse {
      let pattern = row.group == 1 ? nil : try NMPattern(kept: row.kept, group: row.group)
      let engine = ArrayEngine.nmSparse(
        NMSparseOptions(
          rows: row.rows, columns: row.columns, interleave: row.interleave, adderLatency: row.adder,
          multiplierLatency: row.multiplier, patterns: pattern.map { [$0] } ?? [], variant: .serial))
      let run = try GemmRun.run(
        engine,
        .init(
          m: row.m, k: row.k, n: row.n, format: ContractionFormat(pattern: pattern),
          check: row.m * row.k * row.n < 40_000))
      #expect(run.cycles == row.cycles, "\(engine.summary) \(row)")
      #expect(run.activationElements == row.elements, "\(engine.summary) \(row)")
      #expect(run.weightBeats == row.beats, "\(engine.summary) \(row)")
      if let check = run.check { #expect(check.steppedCycles == row.cycles && check.mismatches == 0) }
    }
  }

  /// The array reads, at the table's 2:8 row, a quarter of the dense product's beats: speed-up 3.9 of at most 4.
  @Test func twoOfEightIsNearlyFourTimesAsFast() throws {
    let pattern = try NMPattern(kept: 2, group: 8)
    let engine = ArrayEngine.nmSparse(
      NMSparseOptions(rows: 32, columns: 32, interleave: 4, adderLatency: 4, patterns: [pattern]))
    let dense = try GemmRun.run(engine, .init(m: 3136, k: 576, n: 64))
    let sparse = try GemmRun.run(engine, .init(m: 3136, k: 576, n: 64, format: ContractionFormat(pattern: pattern)))
    let speedup = Double(dense.cycles) / Double(sparse.cycles)
    #expect(speedup > 3.9 && speedup <= 4, "\(speedup)")
  }
}
