import Pantile
import PantileSweep
import PantileTestSupport
import Testing

@Suite struct TermStudyTests {
  private static let text = """
    array: {rows: 8, columns: 4, dot: 4, tile_rows: 4, tile_columns: 4, group: 32, dequant_cycles: 8, drain_ports: 1}
    tokens: 6
    chip: bitserial-16x16
    formats:
      - {name: int8, encodings: [booth4, naf]}
      - {name: bitmod-fp3, encodings: [lod2]}
    scopes: [pe, tile, array]
    run_ahead: [0, 2]
    weights:
      - {name: small, gaussian: {n: 20, k: 96, seed: 4}}
    """

  private static func study() throws -> TermStudy {
    var study = try TermStudy.parse(text, path: "study.yaml")
    study.weights[0].layers = [.init(n: 20, k: 96, values: GaussianWeights.values(count: 20 * 96, seed: 4))]
    return study
  }

  private static func chip() throws -> Chip {
    try Chip.load("bitserial-16x16", schemas: Machine.schemas(), root: repositoryRoot)
  }

  /// Each row is the machine's own answer to the quantised weights; any number of workers gives the same rows.
  @Test func rowsAreTheMachinesAnswers() throws {
    let study = try Self.study()
    let chip = try Self.chip()
    let rows = try study.rows(chip: chip, workers: 1)
    #expect(try study.rows(chip: chip, workers: 4) == rows)
    // Two encodings and one, each with pe once and two scopes at two run-aheads.
    #expect(rows.count == 3 * 5)
    for row in rows {
      var machine = study.machine
      machine.encoding = row.encoding
      machine.termPolicy = .skipTerms
      machine.syncScope = row.scope
      machine.runAhead = row.runAhead
      let format = try NumberFormat.named(row.format).withGroup(32)
      let layer = study.weights[0].layers[0]
      let matrix = try QuantisedMatrix(layer.values, rows: layer.n, columns: layer.k, format: format)
      let product = BitSerialProduct(
        m: 6, k: 96, n: 20, activations: [Int16](repeating: 1, count: 6 * 96), activationBits: 8,
        weights: try SerialNumbers(matrix).values, weightBits: try SerialNumbers.numberRange(of: format).bits)
      #expect(machine.stepped(product).cycles == row.cycles, "\(row)")
      #expect(row.energyPicojoules > 0)
      #expect(row.cycles <= row.fixedCycles)
    }
    let alone = rows.filter { $0.scope == .element }
    #expect(alone.count == 3 && alone.allSatisfy { $0.runAhead == 0 })
  }

  /// Rows of one curve never get slower with more run-ahead.
  @Test func runAheadHelps() throws {
    let rows = try Self.study().rows(chip: try Self.chip(), workers: 2)
    for (locked, ahead) in zip(rows, rows.dropFirst())
    where locked.scope == ahead.scope && locked.encoding == ahead.encoding {
      #expect(ahead.cycles <= locked.cycles)
    }
  }

  @Test func wrongStudiesAreRefusedAllAtOnce() {
    let text = Self.text.replacing("booth4", with: "both").replacing("int8", with: "int99").replacing(
      "group: 32", with: "group: 30")
    #expect {
      try TermStudy.parse(text, path: "study.yaml")
    } throws: { error in
      let codes = (error as? DiagnosticError)?.diagnostics.map(\.code) ?? []
      return Set(codes).isSuperset(of: ["unknown-value", "wrong-value", "unknown-format"])
    }
  }

  @Test func theShippedStudyIsRead() throws {
    let study = try TermStudy.load("\(repositoryRoot)/\(TermStudy.file)")
    #expect(study.formats.count == 6 && study.weights.count == 2 && study.machine.faults.isEmpty)
  }
}
