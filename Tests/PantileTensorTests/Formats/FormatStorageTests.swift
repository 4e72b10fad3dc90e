import PantileSupport
import PantileTensor
import Testing

/// Packing, sizes and shared scales.
struct FormatStorageTests {
  @Test(arguments: 1...16, [1, 2, 3, 5, 8, 17, 64])
  func fieldsComeBack(_ bits: Int, _ rowLength: Int) throws {
    var random = SplitMix64(seed: UInt64(bits * 100 + rowLength))
    let codes = (0..<rowLength * 5).map { _ in random.next(below: 1 << bits) }
    let bytes = try CodePacking.fields.pack(codes, rowLength: rowLength, bits: bits)
    #expect(bytes.count == 5 * ((rowLength * bits + 7) / 8))
    #expect(try CodePacking.fields.unpack(bytes, rows: 5, rowLength: rowLength, bits: bits) == codes)
    // Bit by bit: code c of a row starts at bit c * bits, low bits first.
    let rowBytes = bytes.count / 5
    for (position, code) in codes.enumerated() {
      for bit in 0..<bits {
        let place = position % rowLength * bits + bit
        let byte = bytes[position / rowLength * rowBytes + place / 8]
        #expect(Int(byte >> UInt8(place % 8)) & 1 == code >> bit & 1)
      }
    }
  }

  @Test func everyFormatPacksAllItsCodes() throws {
    for format in NumberFormat.all {
      let codes = (0..<format.code.count).filter { format.packing != .baseThree || $0 < 3 }
      for rowLength in [1, codes.count] {
        let bytes = try format.packing.pack(codes, rowLength: rowLength, bits: format.code.bits)
        let rows = codes.count / rowLength
        #expect(
          try format.packing.unpack(bytes, rows: rows, rowLength: rowLength, bits: format.code.bits) == codes,
          "\(format.name)")
        #expect(bytes.count * 8 == rows * format.packing.rowBits(rowLength: rowLength, bits: format.code.bits))
      }
    }
  }

  @Test func baseThreeAndSplitPlanesAreAsDescribed() throws {
    // 1 + 2*3 + 0*9 + 2*27 + 1*81, then 2 alone.
    #expect(try CodePacking.baseThree.pack([1, 2, 0, 2, 1, 2], rowLength: 6, bits: 2) == [142, 2])
    // All 243 groups of five.
    let weights = [1, 3, 9, 27, 81]
    let codes = (0..<243).flatMap { (byte: Int) -> [Int] in weights.map { byte / $0 % 3 } }
    let bytes = try CodePacking.baseThree.pack(codes, rowLength: 5, bits: 2)
    #expect(bytes == (0..<243).map { UInt8($0) })
    #expect(try CodePacking.baseThree.unpack(bytes, rows: 243, rowLength: 5, bits: 2) == codes)
    // Low fours 1, 2, 3; high twos 0, 1, 3.
    #expect(try CodePacking.splitPlanes.pack([0x01, 0x12, 0x33], rowLength: 3, bits: 6) == [0x21, 0x03, 0b110100])
  }

  @Test func damagedPackingIsRefused() {
    #expect(throws: DiagnosticError.self) { try CodePacking.fields.pack([16], rowLength: 1, bits: 4) }
    #expect(throws: DiagnosticError.self) { try CodePacking.baseThree.pack([3], rowLength: 1, bits: 2) }
    #expect(throws: DiagnosticError.self) { try CodePacking.fields.unpack([1, 2], rows: 1, rowLength: 2, bits: 4) }
    #expect(throws: DiagnosticError.self) { try CodePacking.baseThree.unpack([243], rows: 1, rowLength: 5, bits: 2) }
  }

  /// By hand, for 256 x 512 weights.
  private static let sizes: [(String, Int)] = [
    // Codes, groups of 128: 1024 of 16 bits.
    ("int4", 256 * 512 * 4 + 1024 * 16), ("int4-asym", 256 * 512 * 4 + 1024 * 20),
    ("ternary", 256 * 103 * 8 + 16), ("binary", 256 * 512 + 256 * 16), ("fp16", 256 * 512 * 16),
    ("fp6-e3m2", 256 * 512 * 6 + 1024 * 16),
    // 2048 blocks of 64; double: 8 bits each, 8 of 32, and a mean.
    ("nf4", 256 * 512 * 4 + 2048 * 32), ("nf4-double", 256 * 512 * 4 + 2048 * 8 + 8 * 32 + 32),
    ("mxfp4", 256 * 512 * 4 + 4096 * 8), ("nvfp4", 256 * 512 * 4 + 8192 * 8 + 32),
    // 8 bits of scale and 2 of selector a group, 16 bits a row.
    ("bitmod-fp4", 256 * 512 * 4 + 1024 * 10 + 256 * 16), ("bitmod-fp3", 256 * 512 * 3 + 1024 * 10 + 256 * 16),
    // Two bits that name the type: once, or beside each of 1024 scales.
    ("ant4", 256 * 512 * 4 + 256 * 16 + 2), ("ant4-group", 256 * 512 * 4 + 1024 * 18),
    ("olive-int4", 256 * 512 * 4 + 256 * 16), ("q3.4", 256 * 512 * 8),
  ]

  @Test(arguments: sizes)
  func storageIsCountedByHand(_ name: String, _ bits: Int) throws {
    #expect(try NumberFormat.named(name).storageBits(rows: 256, columns: 512) == bits)
  }

  @Test func bitsPerWeightAreThoseOfThePapers() throws {
    #expect(try NumberFormat.named("bitmod-fp4").bitsPerWeight == 4.078125)
    #expect(try NumberFormat.named("bitmod-fp3").bitsPerWeight == 3.078125)
    #expect(try NumberFormat.named("mxfp4").bitsPerWeight == 4.25)
    #expect(try NumberFormat.named("nvfp4").bitsPerWeight == 4.5)
    #expect(try NumberFormat.named("nf4").bitsPerWeight == 4.5)
    #expect(try NumberFormat.named("nf4-double").bitsPerWeight == 4.126953125)
    #expect(try NumberFormat.named("ant4").bitsPerWeight == 4)
    #expect(try NumberFormat.named("ant4-group").bitsPerWeight == 4.140625)
    #expect(try NumberFormat.named("int4").withGroup(64).bitsPerWeight == 4.25)
  }

  @Test func sharedExponentsAreAllPowersOfTwo() throws {
    var value = 0x1p-127
    for code in 0..<255 {
      #expect(SharedExponent.value(of: code) == value)
      #expect(try SharedExponent.code(of: value) == code)
      value *= 2
    }
    #expect(SharedExponent.value(of: 255).isNaN)
    #expect(try SharedExponent.code(of: .nan) == 255)
    #expect(try SharedExponent.code(of: 1.5) == 128 && SharedExponent.code(of: 3) == 129)
    #expect(try SharedExponent.code(of: 1.5.nextDown) == 127 && SharedExponent.code(of: 3.0.nextDown) == 128)
    for value in [0.0, -1] {
      do { _ = try SharedExponent.code(of: value) } catch { #expect(error.codes == ["no-zero"]) }
    }
  }

  /// The three rules part where the largest value is close below a power of two.
  private static let rules: [(Double, Int, Int, Int)] = [
    (6.0, 127, 127, 127), (7.9, 127, 128, 128), (6.5, 127, 128, 127), (8.0, 128, 128, 128), (4.0, 127, 127, 127),
    (3.0, 126, 126, 126), (0.0, 0, 0, 0), (1e-45, 0, 0, 0), (.infinity, 255, 255, 255),
  ]

  @Test(arguments: rules)
  func scaleRuleIsAParameter(_ largest: Double, _ floor: Int, _ ceil: Int, _ even: Int) throws {
    let element = try NumberFormat.named("mxfp4").code
    let found = [SharedExponent.Rule.floor, .ceil, .even].map {
      SharedExponent.scale(largest: largest, element: element, rule: $0)
    }
    #expect(found == [floor, ceil, even])
  }
}
