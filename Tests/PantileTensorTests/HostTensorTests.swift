import PantileSupport
import PantileTensor
import Testing

@Suite struct HostTensorTests {
  @Test func valuesAreCopiedOnWrite() {
    let a = HostTensor(shape: [2, 3], values: [Float](arrayLiteral: 1, 2, 3, 4, 5, 6))
    var b = a
    b.withMutableValues(as: Float.self) { $0[0] = 9 }
    #expect(a.values(as: Float.self)[0] == 1)
    #expect(b.values(as: Float.self) == [9, 2, 3, 4, 5, 6])
    #expect(a != b)
  }

  @Test func transposeMovesElements() {
    let a = HostTensor(shape: [2, 3], values: [Int32](arrayLiteral: 1, 2, 3, 4, 5, 6))
    let b = a.transposed([1, 0])
    #expect(b.shape == [3, 2])
    #expect(b.values(as: Int32.self) == [1, 4, 2, 5, 3, 6])
    let c = HostTensor(shape: [2, 3, 4], values: (0..<24).map { Int16($0) })
    #expect(c.transposed([2, 0, 1]).transposed([1, 2, 0]) == c)
  }

  @Test func broadcastRepeats() {
    let row = HostTensor(shape: [3], values: [Int8](arrayLiteral: 1, 2, 3))
    #expect(row.broadcast(to: [2, 3]).values(as: Int8.self) == [1, 2, 3, 1, 2, 3])
    #expect(HostTensor.broadcastShape([2, 1], [3]) == [2, 3])
    #expect(HostTensor.broadcastShape([2], [3]) == nil)
    #expect(HostTensor(scalar: Float(2)).broadcast(to: [2, 2]).values(as: Float.self) == [2, 2, 2, 2])
  }

  @Test func castsSaturateFloatsAndWrapIntegers() {
    let floats = HostTensor(shape: [6], values: [Float](arrayLiteral: -1.9, 1.9, 300, -300, .nan, .infinity))
    #expect(floats.converted(to: .i8).values(as: Int8.self) == [-1, 1, 127, -128, 0, 127])
    #expect(floats.converted(to: .i64).values(as: Int64.self)[5] == Int64.max)
    let wide = HostTensor(shape: [3], values: [Int32](arrayLiteral: 300, -129, 7))
    #expect(wide.converted(to: .ui8).values(as: UInt8.self) == [44, 127, 7])
    #expect(wide.converted(to: .i1).values(as: UInt8.self) == [1, 1, 1])
    #expect(wide.converted(to: .i4).values(as: Int8.self) == [-4, -1, 7])
  }

  @Test func everyTypeConvertsToEveryType() {
    for source in ElementType.allCases {
      let tensor = HostTensor(shape: [2], values: [Float](arrayLiteral: 0, 1)).converted(to: source)
      #expect(tensor.elementType == source)
      for target in ElementType.allCases {
        #expect(tensor.converted(to: target).floats == [0, 1], "\(source) to \(target)")
      }
    }
  }

  @Test func bfloat16RoundsToNearestEven() {
    #expect(BFloat16.value(of: BFloat16.bits(of: 1.0)) == 1)
    #expect(BFloat16.bits(of: Float(bitPattern: 0x3F80_8000)) == 0x3F80)
    #expect(BFloat16.bits(of: Float(bitPattern: 0x3F81_8000)) == 0x3F82)
    #expect(BFloat16.bits(of: Float(bitPattern: 0x3F80_8001)) == 0x3F81)
    #expect(BFloat16.value(of: BFloat16.bits(of: .greatestFiniteMagnitude)) == .infinity)
    #expect(BFloat16.value(of: BFloat16.bits(of: .nan)).isNaN)
    for bits in UInt16.min...UInt16.max where !BFloat16.value(of: bits).isNaN {
      #expect(BFloat16.bits(of: BFloat16.value(of: bits)) == bits)
    }
  }
}

@Suite struct SeededValuesTests {
  /// The expected numbers come from the reference script of the model collection (numpy).
  @Test func followsTheWeightRule() {
    let first = SeededValues.tensor(name: "input:input", shape: [4], elementType: .f32, low: -1, high: 1)
    var generator = SplitMix64(seed: StableHash.fnv1a("input:input"))
    let expected = (0..<4).map { _ in Float(-1 + Double(generator.next() >> 40) / 16_777_216 * 2) }
    #expect(first.values(as: Float.self) == expected)
    let integers = SeededValues.tensor(name: "w", shape: [1000], elementType: .i8, low: -3, high: 3).integers
    #expect(integers.min() == -3 && integers.max() == 3)
  }
}

@Suite struct RequantisationTests {
  @Test func normalisesTheMultiplier() throws {
    for factor in [1.0, 0.5, 0.75, 1e-9, 3.14159, 0x1.fffffffffp-1, 1000.0] {
      let value = try Requantisation(factor: factor)
      #expect(value.multiplier >= 1 << 30)
      #expect(abs(value.factor - factor) <= factor * 0x1p-31)
    }
    #expect(try Requantisation(factor: 0).multiplier == 0)
    #expect(try Requantisation(factor: 0x1p-33).multiplier == 0)
    #expect(try Requantisation(factor: 0x1p-32) == Requantisation(multiplier: 1 << 30, shift: 62))
  }

  @Test(arguments: [-1.0, .nan, .infinity, 0x1p30, 0x1.ffffffffffp29])
  func rejectsUnusableFactors(_ factor: Double) {
    #expect { try Requantisation(factor: factor) } throws: { ($0 as? DiagnosticError)?.codes == ["requantise-factor"] }
  }

  @Test func roundsHalvesUp() throws {
    let half = try Requantisation(factor: 0.5)
    #expect([-3, -1, 1, 3].map { half.scaled($0) } == [-1, 0, 1, 2])
    #expect(half.apply(300, inputZeroPoint: 10, zeroPoint: 3, minimum: -128, maximum: 127) == 127)
    #expect(half.apply(12, inputZeroPoint: 10, zeroPoint: 3, minimum: -128, maximum: 127) == 4)
  }

  @Test func pairsShareOneShift() throws {
    let (a, b, shift) = try Requantisation.pair(0.75, 0.01)
    #expect(a >= 1 << 30)
    #expect(abs(Double(b) / Double(1 << shift) - 0.01) < 1e-9)
    let swapped = try Requantisation.pair(0.01, 0.75)
    #expect(swapped == (b, a, shift))
  }
}

@Suite struct PackingTests {
  @Test(arguments: 1...8) func fieldsComeBack(bits: Int) throws {
    var generator = SplitMix64(seed: UInt64(bits))
    for rowLength in [1, 3, 8, 13] {
      let values = (0..<(rowLength * 5)).map { _ in Int8(generator.next(below: 1 << bits) - (1 << (bits - 1))) }
      let packed = try BitPacking.pack(values, rowLength: rowLength, bits: bits)
      #expect(packed.count == 5 * ((rowLength * bits + 7) / 8))
      #expect(BitPacking.unpack(packed, rows: 5, rowLength: rowLength, bits: bits) == values)
    }
  }

  @Test func lowBitsComeFirst() throws {
    #expect(try BitPacking.pack([1, -1, 2], rowLength: 3, bits: 4) == [0xF1, 0x02])
  }

  @Test func rejectsValuesThatDoNotFit() {
    #expect { try BitPacking.pack([2], rowLength: 1, bits: 2) } throws: {
      ($0 as? DiagnosticError)?.codes == ["field-range"]
    }
  }
}

@Suite struct NMSparseTests {
  @Test func keepsTheLargestAndTiesGoToTheLowerIndex() throws {
    let pattern = try NMPattern(kept: 2, group: 4)
    let packed = NMSparse.pack([Int8](arrayLiteral: 1, -3, 3, 2, 5, 5, 5, 5, 0, 0, 0, 7), rows: 1, pattern: pattern)
    #expect(packed.values == [-3, 3, 5, 5, 0, 7])
    #expect(packed.indices == [1, 2, 0, 1, 0, 3])
    #expect(NMSparse.unpack(packed) == [0, -3, 3, 0, 5, 5, 0, 0, 0, 0, 0, 7])
    #expect(packed.retainedEnergy == Double(9 + 9 + 50 + 49) / Double(23 + 100 + 49))
    #expect(packed.packedIndices == [0b0100_1001, 0b1100, 0, 0])
  }

  @Test func paddingIsNeverKeptOverAWeight() throws {
    let packed = NMSparse.pack(
      [Int8](arrayLiteral: 0, 0, 0, 0, 0, 4), rows: 1, pattern: try NMPattern(kept: 2, group: 4))
    #expect(packed.values == [0, 0, 0, 4])
    #expect(packed.indices == [0, 1, 0, 1])
    let dense = try NMSparse.pack([Float](arrayLiteral: 1, 2, 3), rows: 1, pattern: try NMPattern(kept: 1, group: 1))
    #expect(dense.values == [1, 2, 3])
  }

  @Test func keptEnergyEqualsExhaustiveChoice() throws {
    let pattern = try NMPattern(kept: 2, group: 4)
    var generator = SplitMix64(seed: 11)
    for _ in 0..<200 {
      let group = (0..<4).map { _ in Int8(generator.next(below: 7) - 3) }
      let squares = group.map { Int($0) * Int($0) }
      var best = 0
      for i in 0..<4 { for j in (i + 1)..<4 { best = max(best, squares[i] + squares[j]) } }
      let packed = NMSparse.pack(group, rows: 1, pattern: pattern)
      #expect(packed.values.reduce(0) { $0 + Int($1) * Int($1) } == best)
    }
  }

  @Test func rejectsBadPatternsAndWeights() throws {
    #expect(throws: DiagnosticError.self) { try NMPattern(kept: 3, group: 2) }
    #expect(throws: DiagnosticError.self) { try NMPattern(kept: 1, group: 5) }
    #expect {
      try NMSparse.pack([Float.nan, 1], rows: 1, pattern: try NMPattern(kept: 1, group: 2))
    } throws: {
      ($0 as? DiagnosticError)?.codes == ["not-finite"]
    }
  }
}
