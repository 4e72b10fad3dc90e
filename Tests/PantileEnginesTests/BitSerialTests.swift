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
}
