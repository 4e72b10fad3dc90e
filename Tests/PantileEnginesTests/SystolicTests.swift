import PantileEngines
import PantileSupport
import Testing

@Suite struct SystolicTests {
  static let variants: [(SystolicOptions.Dataflow, FoldVariant)] =
    SystolicOptions.Dataflow.allCases.flatMap { d in FoldVariant.allCases.map { (d, $0) } }

  @Test func closedFormEqualsStepperOnRandomCommands() {
    for (dataflow, variant) in Self.variants {
      var random = SplitMix64(seed: 11)
      for _ in 0..<150 {
        let engine = ArrayEngine.systolic(
          SystolicOptions(
            rows: 1 + random.next(below: 9), columns: 1 + random.next(below: 9), dataflow: dataflow,
            variant: variant))
        let shapes = (0..<3).map { _ in
          TileExtents(m: 1 + random.next(below: 24), k: 1 + random.next(below: 24), n: 1 + random.next(below: 24))
        }
        let found = ArrayCases.disagreements(engine, .int8, shapes, random: &random)
        #expect(found.isEmpty, "\(found.first ?? "")")
        if !found.isEmpty { return }
      }
    }
  }
}
