import PantileSupport
import PantileTensor
import Testing

/// The three encodings of N:M places.
struct NMEncodingTests {
  /// Every set of `kept` of `group` places, in colexicographic order, made by counting masks upwards.
  private func sets(_ kept: Int, _ group: Int) -> [[UInt8]] {
    (0..<1 << group).filter { $0.nonzeroBitCount == kept }
      .map { mask in (0..<UInt8(group)).filter { mask >> Int($0) & 1 == 1 } }
  }

  private static let patterns: [(Int, Int)] = [1, 2, 4, 8, 16].flatMap { group in (1...group).map { ($0, group) } }

  /// All sets of all patterns up to 16, one a group in one row, come back; the bytes are as many as the formula says.
  @Test(arguments: patterns) func everySetComesBack(_ kept: Int, _ group: Int) throws {
    let pattern = try NMPattern(kept: kept, group: group)
    let sets = sets(kept, group)
    for encoding in NMEncoding.allCases {
      let bytes = encoding.encode(sets.flatMap { $0 }, rows: 1, pattern: pattern)
      #expect(bytes.count == encoding.byteCount(pattern, rows: 1, k: sets.count * group))
      #expect(bytes.count % 4 == 0)
      let back = try encoding.decode(bytes, rows: 1, k: sets.count * group, pattern: pattern)
      #expect(back == sets.flatMap { $0 }, "\(encoding) \(pattern)")
    }
  }

  /// Sets in the order of their masks have the numbers 0, 1, 2, ...: no number is lost, and the last is C(M, N) - 1.
  @Test(arguments: [(1, 4), (2, 4), (2, 8), (3, 8), (4, 8)]) func numbersAreCountedByMasks(_ kept: Int, _ group: Int)
    throws
  {
    let pattern = try NMPattern(kept: kept, group: group)
    for (number, set) in sets(kept, group).enumerated() {
      let bytes = NMEncoding.combinatorial.encode(set, rows: 1, pattern: pattern)
      #expect(bytes == [UInt8(number), 0, 0, 0])
    }
  }

  /// Bits a group: the table of the literature.
  @Test func bitsOfAGroup() throws {
    let table: [(kept: Int, group: Int, index: Int, combinatorial: Int)] = [
      (1, 2, 1, 1), (2, 4, 4, 3), (1, 4, 2, 2), (4, 8, 12, 7), (2, 8, 6, 5), (2, 16, 8, 7), (4, 16, 16, 11),
      (4, 4, 8, 0),
      (1, 1, 0, 0), (16, 32, 80, 30),
    ]
    for row in table {
      let pattern = try NMPattern(kept: row.kept, group: row.group)
      #expect(NMEncoding.index.bits(pattern) == row.index)
      #expect(NMEncoding.bitmap.bits(pattern) == row.group)
      #expect(NMEncoding.combinatorial.bits(pattern) == row.combinatorial, "\(pattern)")
    }
  }

  /// By hand: 2:4, places 1 and 3, then 0 and 2, in two rows.
  @Test func layoutByHand() throws {
    let pattern = try NMPattern(kept: 2, group: 4)
    let places: [UInt8] = [1, 3, 0, 2, 0, 1, 2, 3]
    // Low bits first: 01 11 | 00 10 is 1 + 3·4 + 0·16 + 2·64; 00 01 | 10 11 is 0 + 1·4 + 2·16 + 3·64.
    #expect(NMEncoding.index.encode(places, rows: 2, pattern: pattern) == [141, 0, 0, 0, 228, 0, 0, 0])
    #expect(
      NMEncoding.bitmap.encode(places, rows: 2, pattern: pattern) == [0b0101_1010, 0, 0, 0, 0b1100_0011, 0, 0, 0])
    // {0,1}, {0,2}, {1,2}, {0,3}, {1,3}, {2,3} are 0 ... 5, in 3 bits.
    #expect(
      NMEncoding.combinatorial.encode(places, rows: 2, pattern: pattern) == [4 + 1 << 3, 0, 0, 0, 5 << 3, 0, 0, 0])
  }

  /// The index encoding is what arrays read.
  @Test func indexIsThePackedForm() throws {
    let pattern = try NMPattern(kept: 2, group: 8)
    let weights = (0..<3 * 40).map { Int8(truncatingIfNeeded: $0 * 37 + 11) }
    let packed = NMSparse.pack(weights, rows: 3, pattern: pattern)
    #expect(NMEncoding.index.encode(packed.indices, rows: 3, pattern: pattern) == packed.packedIndices)
  }

  /// The largest group, at both ends and at random.
  @Test func groupsOf32ComeBack() throws {
    var random = SplitMix64(seed: 32)
    for kept in 1...32 {
      let pattern = try NMPattern(kept: kept, group: 32)
      var places: [UInt8] = Array(0..<UInt8(kept)) + Array(UInt8(32 - kept)..<32)
      for _ in 0..<20 {
        var all = Array(UInt8(0)..<32)
        for index in stride(from: 31, to: 0, by: -1) { all.swapAt(index, random.next(below: index + 1)) }
        places += all.prefix(kept).sorted()
      }
      for encoding in NMEncoding.allCases {
        let bytes = encoding.encode(places, rows: 2, pattern: pattern)
        #expect(try encoding.decode(bytes, rows: 2, k: 11 * 32, pattern: pattern) == places, "\(encoding) \(pattern)")
      }
    }
  }

  /// What no encoder writes is refused.
  @Test func badBytesAreRefused() throws {
    let pattern = try NMPattern(kept: 2, group: 4)
    func refuse(_ encoding: NMEncoding, _ bytes: [UInt8]) {
      #expect(throws: DiagnosticError.self) { try encoding.decode(bytes, rows: 1, k: 4, pattern: pattern) }
    }
    refuse(.index, [0b0000, 0, 0, 0])
    refuse(.index, [0b0111, 0, 0, 0])
    refuse(.bitmap, [0b0111, 0, 0, 0])
    refuse(.combinatorial, [6, 0, 0, 0])
    refuse(.combinatorial, [0b1000, 0, 0, 0])
    refuse(.bitmap, [0b0011, 0, 0])
    refuse(.bitmap, [0b0011, 0, 0, 1])
    #expect(throws: Never.self) { try NMEncoding.combinatorial.decode([5, 0, 0, 0], rows: 1, k: 4, pattern: pattern) }
  }
}
