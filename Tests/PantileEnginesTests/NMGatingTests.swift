import PantileEngines
import PantileSupport
import PantileTensor
import Testing

/// N:M arrays that gate products of zeros: the cycles of any other, and the products that are left, counted one by one.
@Suite struct NMGatingTests {
  @Test(arguments: [NMSparseOptions.Gating.weights, .operands]) func productsOfZerosAreNotCounted(
    gating: NMSparseOptions.Gating
  ) throws {
    var random = SplitMix64(seed: 41)
    for turn in 0..<300 {
      let pattern = try NMPattern(kept: 2, group: [4, 8][random.next(below: 2)])
      let weightsStay = turn % 2 == 0
      let engine = ArrayEngine.nmSparse(
        NMSparseOptions(
          rows: 2 + random.next(below: 5), columns: 1 + random.next(below: 5),
          dataflow: weightsStay ? .weightStationary : .outputStationary,
          interleave: weightsStay ? 1 : 1 + random.next(below: 3), patterns: [pattern], gating: gating))
      let format = turn % 3 == 0 ? ContractionFormat.int8 : ContractionFormat(pattern: pattern)
      let extents = TileExtents(
        m: 1 + random.next(below: 9), k: pattern.group * (1 + random.next(below: 3)), n: 1 + random.next(below: 9))
      var input = ArrayCases.input(extents, format: format, random: &random)
      input.a = input.a.map { random.next(below: 3) == 0 ? 0 : $0 }
      input.b = input.b.map { random.next(below: 4) == 0 ? 0 : $0 }
      let measure = try #require(engine.measure)
      var sums = [Int32](repeating: 0, count: extents.m * extents.n)
      let found = sums.withUnsafeMutableBufferPointer { sums in
        input.a.withUnsafeBufferPointer { a in
          input.b.withUnsafeBufferPointer { b in
            input.indices.withUnsafeBufferPointer { indices in
              measure(
                extents, format,
                ArrayOperands(
                  a: a.baseAddress!, b: b.baseAddress!, indices: format.pattern == nil ? nil : indices.baseAddress,
                  accumulators: sums.baseAddress!, accumulatorStride: extents.n),
                false)
            }
          }
        }
      }
      #expect(found.timing == engine.timing(extents, format))
      #expect(found.occupancy == engine.occupancy(extents, format))
      var products = 0
      for row in 0..<extents.m {
        for slot in 0..<format.storedRows(k: extents.k) {
          for column in 0..<extents.n {
            let at = slot * extents.n + column
            let place = format.pattern.map { slot / $0.kept * $0.group + Int(input.indices[at]) } ?? slot
            let isZero = input.b[at] == 0 || (gating == .operands && input.a[row * extents.k + place] == 0)
            if !isZero { products += 1 }
          }
        }
      }
      let all = engine.actions(extents, format, false)
      for (own, other) in zip(found.actions, all) {
        let expected =
          switch own.name {
          case "array.mac.int8": products
          case "array.select": format.pattern.map { products * $0.group } ?? 0
          default: other.count
          }
        #expect(own.name == other.name && own.count == expected, "\(own.name) on \(engine.summary)")
      }
    }
  }

  @Test func withoutGatingThereIsNoMeasure() throws {
    let pattern = try NMPattern(kept: 2, group: 4)
    #expect(ArrayEngine.nmSparse(NMSparseOptions(rows: 4, columns: 4, patterns: [pattern])).measure == nil)
  }
}
