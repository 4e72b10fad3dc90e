import PantileEngines
import PantileTensor
import Testing

/// Scratchpad bytes that arrays count, against an enumeration of folds.
struct OperandReadsTests {
  private func counted(_ engine: ArrayEngine, _ extents: TileExtents, _ format: ContractionFormat) -> Int {
    engine.actions(extents, format, false).filter { $0.name == "spad.read_bytes" }.reduce(0) { $0 + $1.count }
  }

  /// Lengths of the folds of `total` in steps of `step`.
  private func folds(_ total: Int, _ step: Int) -> [Int] {
    stride(from: 0, to: total, by: step).map { min(step, total - $0) }
  }

  @Test(arguments: [(1, 1, 1), (8, 8, 8), (9, 17, 5), (40, 3, 33)])
  func everyFoldReadsItsOperands(_ m: Int, _ k: Int, _ n: Int) throws {
    let extents = TileExtents(m: m, k: k, n: n)
    let ws = ArrayEngine.systolic(SystolicOptions(rows: 4, columns: 8))
    var bytes = 0
    for kk in folds(k, 4) { for nn in folds(n, 8) { bytes += kk * nn + m * kk } }
    #expect(counted(ws, extents, .int8) == bytes)

    let os = ArrayEngine.systolic(SystolicOptions(rows: 4, columns: 8, dataflow: .outputStationary))
    bytes = 0
    for mm in folds(m, 4) { for nn in folds(n, 8) { bytes += mm * k + k * nn } }
    #expect(counted(os, extents, .int8) == bytes)

    let serial = ArrayEngine.bitSerial(BitSerialOptions(rows: 4, columns: 8))
    var bits = 0
    for mm in folds(m, 4) { for nn in folds(n, 8) { bits += mm * k * 8 + k * nn * 4 } }
    #expect(counted(serial, extents, ContractionFormat(weightBits: 4)) == (bits + 7) / 8)

    let pattern = try NMPattern(kept: 2, group: 8)
    let nm = ArrayEngine.nmSparse(NMSparseOptions(rows: 4, columns: 2, interleave: 4, patterns: [pattern]))
    bits = 0
    // Sparse commands come in whole groups along k.
    let groups = (k + 7) / 8
    for mm in folds(m, 4) { for nn in folds(n, 8) { bits += mm * groups * 8 * 8 + groups * 2 * nn * (8 + 3) } }
    #expect(counted(nm, TileExtents(m: m, k: groups * 8, n: n), ContractionFormat(pattern: pattern)) == (bits + 7) / 8)
  }
}
