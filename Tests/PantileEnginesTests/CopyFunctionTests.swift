import PantileEngines
import PantileProgram
import PantileSupport
import Testing

@Suite struct CopyFunctionTests {
  /// Any source to an injective destination: element by element over the two address lists.
  @Test(arguments: [8, 16, 24, 32])
  func movesElementByElement(_ width: Int) {
    var random = SplitMix64(seed: UInt64(width))
    var scratch = CopyScratch()
    var tried = 0
    while tried < 300 {
      let source = MemoryImageTests.access(&random, width: width)
      let destination = MemoryImageTests.access(&random, width: width, isInjective: true)
      guard source.elementCount == destination.elementCount else { continue }
      tried += 1
      let from = MemoryImageTests.image(&random)
      let to = MemoryImageTests.image(&random)
      var expected = Array(to.bytes)
      for (a, b) in zip(MemoryImageTests.addresses(source), MemoryImageTests.addresses(destination)) {
        guard let b else { continue }
        let value = a.map { MemoryImageTests.field(from, $0, width) } ?? source.padValue
        for byte in 0..<width / 8 { expected[b / 8 + byte] = UInt8(truncatingIfNeeded: value >> (8 * byte)) }
      }
      CopyFunction.run(from: source, in: from, to: destination, in: to, scratch: &scratch)
      #expect(Array(to.bytes) == expected, "copy \(tried) of \(width) bits")
    }
  }

  @Test func overlappingCopiesReadBeforeTheyWrite() {
    let image = MemoryImage(byteCount: 64)
    for i in 0..<64 { image.bytes[i] = UInt8(i) }
    func access(_ base: Int) -> ResolvedAccess {
      AddressGenerator(
        memory: MemoryID(0), baseBits: Affine(base * 8), elementBits: 8, dims: [.init(32, strideBits: 8)]
      ).resolved(at: LoopState())
    }
    var scratch = CopyScratch()
    CopyFunction.run(from: access(0), in: image, to: access(8), in: image, scratch: &scratch)
    #expect(Array(image.bytes[8..<40]) == (0..<32).map { UInt8($0) })
  }

  /// Bursts are aligned; those that follow one another in the list are counted once.
  @Test func burstsAreCountedFromTheAddressList() {
    var random = SplitMix64(seed: 3)
    for width in [8, 16, 32] {
      for _ in 0..<300 {
        let access = MemoryImageTests.access(&random, width: width)
        for burst in [4, 32, 64] {
          var count = 0
          var bytes = 0
          var last = -1
          for address in MemoryImageTests.addresses(access) {
            guard let address else { continue }
            bytes += width / 8
            for byte in address / 8..<(address + width) / 8 where byte / burst != last {
              last = byte / burst
              count += 1
            }
          }
          let found = access.bursts(of: burst)
          var listed: [Int] = []
          access.forEachBurstRun(of: burst) { listed += $0 }
          #expect(listed.count == found.count)
          #expect(found.count == count && found.usefulBytes == bytes)
        }
      }
    }
  }
}
