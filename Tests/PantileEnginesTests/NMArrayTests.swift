import PantileEngines
import PantileSupport
import PantileTensor
import Testing

@Suite struct NMArrayTests {
  static func randomPattern(_ random: inout SplitMix64) throws -> NMPattern? {
    let group = [1, 2, 4, 8][random.next(below: 4)]
    return group == 1 ? nil : try NMPattern(kept: 1 + random.next(below: group), group: group)
  }

  @Test(arguments: FoldVariant.allCases)
  func closedFormEqualsStepperOnRandomCommands(variant: FoldVariant) throws {
    var random = SplitMix64(seed: 31)
    for _ in 0..<300 {
      let format = ContractionFormat(pattern: try Self.randomPattern(&random))
      let engine = ArrayEngine.nmSparse(
        NMSparseOptions(
          rows: 1 + random.next(below: 6), columns: 1 + random.next(below: 6), interleave: 1 + random.next(below: 3),
          adderLatency: 1 + random.next(below: 4), multiplierLatency: random.next(below: 3),
          patterns: format.pattern.map { [$0] } ?? [], variant: variant))
      let group = format.pattern?.group ?? 1
      let shapes = (0..<3).map { _ in
        TileExtents(
          m: 1 + random.next(below: 14), k: group * (1 + random.next(below: 24 / group)), n: 1 + random.next(below: 20))
      }
      let found = ArrayCases.disagreements(engine, format, shapes, random: &random)
      #expect(found.isEmpty, "\(found.first ?? "")")
      if !found.isEmpty { return }
    }
  }
}
