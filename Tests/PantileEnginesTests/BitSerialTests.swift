import PantileEngines
import PantileSupport
import Testing

@Suite struct BitSerialTests {
  @Test(arguments: FoldVariant.allCases)
  func closedFormEqualsStepperOnRandomCommands(variant: FoldVariant) {
    var random = SplitMix64(seed: 21)
    for _ in 0..<150 {
      let engine = ArrayEngine.bitSerial(
        BitSerialOptions(
          rows: 1 + random.next(below: 7), columns: 1 + random.next(below: 7), dotWidth: 1 + random.next(below: 5),
          variant: variant))
      let format = ContractionFormat(weightBits: 2 + random.next(below: 7))
      let shapes = (0..<3).map { _ in
        TileExtents(m: 1 + random.next(below: 16), k: 1 + random.next(below: 24), n: 1 + random.next(below: 16))
      }
      let found = ArrayCases.disagreements(engine, format, shapes, random: &random)
      #expect(found.isEmpty, "\(found.first ?? "")")
      if !found.isEmpty { return }
    }
  }

  /// The array in every encoding: closed form, planning cost, sums and stepper agree on weights that the encoding has.
  @Test(arguments: TermEncoding.allCases.filter { $0 != .bitColumn })
  func everyEncodingEqualsItsStepper(encoding: TermEncoding) {
    var random = SplitMix64(seed: 31)
    for _ in 0..<60 {
      let engine = ArrayEngine.bitSerial(
        BitSerialOptions(
          rows: 1 + random.next(below: 6), columns: 1 + random.next(below: 6), dotWidth: 1 + random.next(below: 5),
          encoding: encoding, variant: random.next(below: 2) == 0 ? .serial : .overlapped))
      let format = ContractionFormat(weightBits: 2 + random.next(below: 7))
      guard let refuses = engine.weightRefusal else {
        Issue.record("no refusal")
        return
      }
      let extents = TileExtents(
        m: 1 + random.next(below: 14), k: 1 + random.next(below: 24), n: 1 + random.next(below: 14))
      var input = ArrayCases.input(extents, format: format, random: &random)
      for index in input.b.indices { while refuses(input.b[index], format) != nil { input.b[index] /= 2 } }
      let stepped = engine.stepper([input], format)
      #expect(stepped.cycles == engine.timing(extents, format).duration)
      #expect(stepped.commands[0].readB == engine.timing(extents, format).readB)
      #expect(stepped.commands[0].accumulators == ArrayCases.product(input, format: format), "\(encoding) \(extents)")
    }
  }

  /// Serial activations and bricks: closed form, planning cost, sums and stepper agree, whatever the operands.
  @Test(arguments: [BitSerialMultiplication.serialActivation, .bricks], FoldVariant.allCases)
  func everyMultiplicationEqualsItsStepper(multiplication: BitSerialMultiplication, variant: FoldVariant) {
    var random = SplitMix64(seed: 41)
    let encodings: [TermEncoding] = [.plain, .booth, .naf]
    for turn in 0..<90 {
      let engine = ArrayEngine.bitSerial(
        BitSerialOptions(
          rows: 1 + random.next(below: 6), columns: 1 + random.next(below: 6), dotWidth: 1 + random.next(below: 4),
          encoding: encodings[turn % 3], multiplication: multiplication, variant: variant))
      let format = ContractionFormat(weightBits: 2 + random.next(below: 7))
      let shapes = (0..<2).map { _ in
        TileExtents(m: 1 + random.next(below: 14), k: 1 + random.next(below: 40), n: 1 + random.next(below: 14))
      }
      let found = ArrayCases.disagreements(engine, format, shapes, random: &random)
      #expect(found.isEmpty, "\(found.first ?? "")")
      if !found.isEmpty { return }
    }
  }

  private static let folds: [(BitSerialMultiplication, TermEncoding, Int, Int, Int)] = [
    // Stripes: 8 cycles for 16 products. Canonical digits: 4. Bricks: 1, 2 and 4 products a cycle.
    (.serialActivation, .plain, 16, 8, 8 * 4), (.serialActivation, .naf, 16, 3, 4 * 4), (.bricks, .booth, 1, 8, 64),
    (.bricks, .booth, 1, 5, 64), (.bricks, .booth, 1, 4, 32), (.bricks, .booth, 1, 3, 32), (.bricks, .booth, 1, 2, 16),
    (.bricks, .booth, 2, 4, 16),
  ]

  /// Cycles of one full fold by hand: the stream, then the wave and the drain, 2R + C - 2.
  @Test(arguments: folds)
  func oneFoldTakesTheCyclesOfThePapers(
    _ multiplication: BitSerialMultiplication, _ encoding: TermEncoding, _ dot: Int, _ bits: Int, _ stream: Int
  ) {
    let engine = ArrayEngine.bitSerial(
      BitSerialOptions(
        rows: 4, columns: 3, dotWidth: dot, encoding: encoding, multiplication: multiplication, variant: .serial))
    let format = ContractionFormat(weightBits: bits)
    #expect(engine.timing(TileExtents(m: 4, k: 64, n: 3), format).duration == stream + 2 * 4 + 3 - 2)
    #expect(engine.peakMACs(format) == 12 * 64 / Double(stream))
  }

  @Test func weightsWithoutACodeAreNamed() {
    func refusal(_ weight: Int8, _ encoding: TermEncoding) -> String? {
      let engine = ArrayEngine.bitSerial(BitSerialOptions(rows: 2, columns: 2, encoding: encoding))
      return engine.weightRefusal?(weight, ContractionFormat(weightBits: 4))
    }
    #expect(refusal(7, .lod2)?.contains("3 one-bits") == true)
    #expect(refusal(6, .lod2) == nil)
    #expect(refusal(-8, .signMagnitude) != nil)
    #expect(refusal(-7, .signMagnitude) == nil)
  }
}
