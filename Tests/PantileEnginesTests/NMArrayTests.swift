import PantileEngines
import PantileSupport
import PantileTarget
import PantileTensor
import Testing

@Suite struct NMArrayTests {
  /// A pattern with at most `most` kept, 1:1 and N = M among them, or none.
  static func randomPattern(_ random: inout SplitMix64, most: Int) throws -> NMPattern? {
    if random.next(below: 6) == 0 { return nil }
    let group = [1, 2, 4, 8, 16, 32][random.next(below: 6)]
    return try NMPattern(kept: 1 + random.next(below: min(group, most)), group: group)
  }

  static func randomOptions(
    _ dataflow: NMSparseOptions.Dataflow, _ variant: FoldVariant, ports: NMSparseOptions.Ports,
    _ random: inout SplitMix64
  ) throws -> (NMSparseOptions, ContractionFormat) {
    let weightsStay = dataflow == .weightStationary
    let rows = 1 + random.next(below: 9)
    let pattern = try randomPattern(&random, most: weightsStay ? rows : 32)
    let options = NMSparseOptions(
      rows: rows, columns: 1 + random.next(below: 10), dataflow: dataflow,
      interleave: weightsStay ? 1 : 1 + random.next(below: 4), adderLatency: 1 + random.next(below: 5),
      multiplierLatency: random.next(below: 3), patterns: pattern.map { [$0] } ?? [], variant: variant, ports: ports)
    return (options, ContractionFormat(weightBits: 2 + random.next(below: 7), pattern: pattern))
  }

  /// Three commands of a kind, short and long ones.
  static func randomShapes(_ format: ContractionFormat, _ random: inout SplitMix64) -> [TileExtents] {
    let group = format.pattern?.group ?? 1
    return (0..<3).map { _ in
      TileExtents(
        m: 1 + random.next(below: random.next(below: 4) == 0 ? 60 : 14),
        k: group * (1 + random.next(below: max(2, 40 / group))), n: 1 + random.next(below: 24))
    }
  }

  /// What is not as it has to be: closed form, stepper, function, mapping and product of three commands back to back; and the parts of
  /// each.
  static func firstDisagreement(
    _ options: NMSparseOptions, _ format: ContractionFormat, _ random: inout SplitMix64
  ) -> String? {
    let engine = ArrayEngine.nmSparse(options)
    let shapes = randomShapes(format, &random)
    if let found = ArrayCases.disagreements(engine, format, shapes, random: &random).first { return found }
    for shape in shapes {
      let parts = engine.occupancy(shape, format)
      let work = shape.m * format.storedRows(k: shape.k) * shape.n
      let cycles = engine.timing(shape, format).duration
      if parts.total != cycles * engine.multipliers || parts.work != work || parts.parts.contains(where: { $0 < 0 }) {
        return "\(engine.summary) \(format) \(shape): \(parts) in \(cycles) cycles"
      }
    }
    return nil
  }

  static let kinds = NMSparseOptions.Dataflow.allCases.flatMap { dataflow in
    FoldVariant.allCases.map { (dataflow, $0) }
  }

  @Test(arguments: kinds)
  func closedFormEqualsStepperOnRandomCommands(
    _ dataflow: NMSparseOptions.Dataflow, _ variant: FoldVariant
  ) throws {
    var random = SplitMix64(seed: 31)
    for _ in 0..<500 {
      let (options, format) = try Self.randomOptions(dataflow, variant, ports: .init(), &random)
      let found = Self.firstDisagreement(options, format, &random)
      #expect(found == nil)
      if found != nil { return }
    }
  }

  @Test(arguments: kinds)
  func narrowPortsAreExact(_ dataflow: NMSparseOptions.Dataflow, _ variant: FoldVariant) throws {
    var random = SplitMix64(seed: 32)
    func port(_ most: Int) -> Int { random.next(below: 3) == 0 ? 0 : 1 + random.next(below: most) }
    for _ in 0..<500 {
      let ports = NMSparseOptions.Ports(activation: port(80), weight: port(150), metadata: port(60))
      let (options, format) = try Self.randomOptions(dataflow, variant, ports: ports, &random)
      let found = Self.firstDisagreement(options, format, &random)
      #expect(found == nil)
      if found != nil { return }
    }
  }

  /// Without limits a dense fold takes as long as on a systolic array: 2R+C+T-2.
  @Test func denseWeightStationaryFoldsAreSystolic() throws {
    for (rows, columns, m) in [(4, 6, 9), (1, 1, 1), (8, 3, 2)] {
      let array = ArrayEngine.nmSparse(
        NMSparseOptions(rows: rows, columns: columns, dataflow: .weightStationary, patterns: [], variant: .serial))
      let extents = TileExtents(m: m, k: rows, n: columns)
      #expect(array.timing(extents, .int8).duration == 2 * rows + columns + m - 2)
    }
  }

  /// Weights for N:M pass four times the activations of a dense fold: a port that is right for the dense array takes all of it back,
  /// and speed-up is min(M/N, port/R).
  @Test(arguments: [(32, 1.0), (64, 2.0), (128, 4.0), (0, 4.0)])
  func theActivationPortBoundsTheSpeedUp(port: Int, speedUp: Double) throws {
    let pattern = try NMPattern(kept: 2, group: 8)
    let array = ArrayEngine.nmSparse(
      NMSparseOptions(
        rows: 32, columns: 32, dataflow: .weightStationary, patterns: [pattern], ports: .init(activation: port)))
    let extents = TileExtents(m: 4096, k: 1024, n: 64)
    let dense = array.timing(extents, .int8).duration
    let sparse = array.timing(extents, ContractionFormat(pattern: pattern)).duration
    let found = Double(dense) / Double(sparse)
    #expect(found > 0.99 * speedUp && found < 1.01 * speedUp, "\(found)")
  }

  @Test func refusesWhatAWeightStationaryArrayCannotBe() throws {
    for (more, code) in [
      ([("interleave", "2")], "option-conflict"), ([("rows", "1")], "pattern-rows"),
      ([("dataflow", "is")], "wrong-value"), ([("activation_port", "-1")], "out-of-range"),
    ] {
      let texts = [("rows", "4"), ("columns", "4"), ("patterns", "1:8,2:8"), ("dataflow", "ws")] + more
      let error = try #require(throws: DiagnosticError.self) { try ArrayFamily.nmSparse.section(texts) }
      #expect(error.codes == [code])
      #expect(code == "wrong-value" || code == "out-of-range" || error.diagnostics[0].hint != nil)
    }
  }
}
