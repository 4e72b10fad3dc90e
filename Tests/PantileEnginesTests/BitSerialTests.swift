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
