import PantileEngines
import PantileProgram
import PantileSupport
import PantileTensor
import Testing

/// Element transfers against the list of addresses that the definition of an access gives.
@Suite struct MemoryImageTests {
  static let byteCount = 4096

  static func image(_ random: inout SplitMix64) -> MemoryImage {
    let image = MemoryImage(byteCount: byteCount)
    for i in 0..<byteCount { image.bytes[i] = UInt8(random.next(below: 256)) }
    return image
  }

  /// A random access that stays inside `byteCount` bytes; strides are multiples of the width.
  static func access(_ random: inout SplitMix64, width: Int, isInjective: Bool = false) -> ResolvedAccess {
    var dims: [AddressGenerator.Dim] = []
    var reach = width
    for _ in 0..<1 + random.next(below: 4) {
      let count = 1 + random.next(below: 4)
      let stride = isInjective ? reach + width * random.next(below: 3) : width * random.next(below: 20)
      dims.append(.init(count, strideBits: stride))
      reach = max(reach, 0) + stride * (count - 1) + (isInjective ? 0 : width)
    }
    // Sometimes downwards, from the top.
    let isReversed = random.next(below: 4) == 0
    let total = dims.reduce(width) { $0 + $1.strideBits * ($1.count.full - 1) }
    if isReversed { dims = dims.map { .init($0.count, strideBits: -$0.strideBits) } }
    let start = random.next(below: max(1, (byteCount * 8 - total) / width)) * width
    var generator = AddressGenerator(
      memory: MemoryID(0), baseBits: Affine(isReversed ? start + total - width : start), elementBits: width,
      dims: dims.shuffled(using: &random), padValue: random.next(below: 9) - 4)
    for _ in 0..<random.next(below: 3) {
      generator.bounds.append(
        .init(
          offset: Affine(random.next(below: 3) - 1), coefficients: dims.map { _ in random.next(below: 3) - 1 },
          limit: 1 + random.next(below: 5)))
    }
    return generator.resolved(at: LoopState())
  }

  /// Bit address of each element, nil for padding.
  static func addresses(_ access: ResolvedAccess) -> [Int?] {
    var result: [Int?] = []
    access.forEachRun { _, bits, count in
      for i in 0..<count { result.append(bits.map { $0 + i * access.innerStride }) }
    }
    return result
  }

  /// The unsigned field of `width` bits at a bit address, bit by bit.
  static func field(_ image: MemoryImage, _ address: Int, _ width: Int) -> Int {
    (0..<width).reduce(0) { value, bit in
      value | (Int(image.bytes[(address + bit) / 8]) >> ((address + bit) % 8) & 1) << bit
    }
  }

  @Test(arguments: 1...8)
  func gathersSignedAndUnsignedFields(_ width: Int) {
    var random = SplitMix64(seed: UInt64(width))
    for number in 0..<200 {
      let image = Self.image(&random)
      let access = Self.access(&random, width: width)
      let addresses = Self.addresses(access)
      var signed = [Int8](repeating: 0, count: addresses.count)
      var unsigned = [UInt8](repeating: 0, count: addresses.count)
      signed.withUnsafeMutableBufferPointer { image.gather(access, signed: $0.baseAddress!) }
      unsigned.withUnsafeMutableBufferPointer { image.gather(access, unsigned: $0.baseAddress!) }
      let fields = addresses.map { $0.map { Self.field(image, $0, width) } }
      let expected = fields.map { field -> Int in
        guard let field else { return access.padValue }
        return field >> (width - 1) & 1 == 1 ? field - 1 << width : field
      }
      #expect(signed.map { Int($0) } == expected, "case \(number)")
      #expect(unsigned == fields.map { UInt8(truncatingIfNeeded: $0 ?? access.padValue) }, "case \(number)")
    }
  }

  @Test(arguments: Kernel.Format.allCases)
  func gathersAndScattersLanes(_ format: Kernel.Format) {
    let width = format.bits
    var random = SplitMix64(seed: 77 + StableHash.fnv1a(format.rawValue))
    for number in 0..<300 {
      let image = Self.image(&random)
      let access = Self.access(&random, width: width, isInjective: true)
      let addresses = Self.addresses(access)
      var lanes = [Int32](repeating: 0, count: addresses.count)
      lanes.withUnsafeMutableBufferPointer { image.gather(access, lanes: $0.baseAddress!, as: format) }
      let gathered = addresses.map { address -> Int32 in
        guard let bits = address.map({ Self.field(image, $0, width) }) else { return Int32(access.padValue) }
        switch format {
        case .i8: return Int32(Int8(truncatingIfNeeded: bits))
        case .ui8: return Int32(UInt8(truncatingIfNeeded: bits))
        case .bf16: return Int32(truncatingIfNeeded: bits << 16)
        case .f16: return Int32(bitPattern: Float(Float16(bitPattern: UInt16(truncatingIfNeeded: bits))).bitPattern)
        case .i32, .f32: return Int32(truncatingIfNeeded: bits)
        }
      }
      #expect(lanes == gathered, "case \(number)")
      var expected = Array(image.bytes)
      for (index, address) in addresses.enumerated() {
        guard let address else { continue }
        let lane = UInt32(truncatingIfNeeded: index &* 0x9E37_79B9 &+ number)
        let value: UInt32 =
          switch format {
          case .bf16: UInt32(BFloat16.bits(of: Float(bitPattern: lane)))
          case .f16: UInt32(Float16(Float(bitPattern: lane)).bitPattern)
          case .i8, .ui8, .i32, .f32: lane
          }
        for byte in 0..<width / 8 {
          expected[address / 8 + byte] = UInt8(truncatingIfNeeded: value >> UInt32(8 * byte))
        }
      }
      let values = addresses.indices.map { Int32(truncatingIfNeeded: $0 &* 0x9E37_79B9 &+ number) }
      values.withUnsafeBufferPointer { image.scatter(access, lanes: $0.baseAddress!, as: format) }
      #expect(Array(image.bytes) == expected, "case \(number)")
    }
  }

  @Test func startsAtZero() {
    let image = MemoryImage(byteCount: 100)
    #expect((0..<100).allSatisfy { image.bytes[$0] == 0 })
  }
}
