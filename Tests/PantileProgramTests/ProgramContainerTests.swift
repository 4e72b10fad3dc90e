import PantileProgram
import PantileSupport
import Testing

@Suite struct ProgramContainerTests {
  private let container = ProgramContainer(program: Samples.everything(), metadata: "{\"plan\": \"é\"}")

  @Test func roundTrips() throws {
    let bytes = container.bytes
    let read = try ProgramContainer(bytes: bytes, path: "net.pantile")
    #expect(read == container)
    #expect(read.bytes == bytes)
  }

  @Test func emptyProgramRoundTrips() throws {
    let empty = ProgramContainer(program: Program(name: "nothing"))
    #expect(try ProgramContainer(bytes: empty.bytes, path: "-") == empty)
  }

  @Test func everyTruncationIsReported() {
    let bytes = container.bytes
    for count in 0..<bytes.count {
      let found = codes { try ProgramContainer(bytes: Array(bytes[..<count]), path: "net.pantile") }
      #expect(found == [count == 0 ? "not-a-program" : "container-truncated"], "\(count) bytes")
    }
  }

  @Test func everyChangedByteIsReported() {
    let bytes = container.bytes
    for at in bytes.indices {
      var damaged = bytes
      damaged[at] ^= 1 << UInt8(at % 8)
      let found = codes { try ProgramContainer(bytes: damaged, path: "net.pantile") }
      let expected: Set<String> =
        switch at {
        case ..<8: ["not-a-program"]
        case ..<12: ["container-version"]
        default: ["container-corrupt", "container-truncated", "container-sections"]
        }
      #expect(found.map { $0.count == 1 && expected.contains($0[0]) } == true, "byte \(at): \(found ?? [])")
    }
  }

  @Test func foreignAndTrailingBytesAreReported() {
    #expect(
      codes { try ProgramContainer(bytes: Array("PK\u{3}\u{4} some other file".utf8), path: "-") } == ["not-a-program"])
    #expect(codes { try ProgramContainer(bytes: container.bytes + [0], path: "-") } == ["container-sections"])
    var huge = container.bytes
    for at in 24..<32 { huge[at] = 0xFF }
    #expect(codes { try ProgramContainer(bytes: huge, path: "-") } == ["container-truncated"])
  }

  /// Random bytes behind a good header, and random pieces of good files glued together.
  @Test func survivesNoise() {
    var random = SplitMix64(seed: 5)
    let good = container.bytes
    for _ in 0..<2000 {
      var bytes = Array(good[..<random.next(below: 64)])
      for _ in 0..<random.next(below: 4) {
        let from = random.next(below: good.count)
        bytes += good[from..<min(good.count, from + random.next(below: 500))]
        for _ in 0..<random.next(below: 40) { bytes.append(UInt8(random.next(below: 256))) }
      }
      #expect(bytes == good || codes { try ProgramContainer(bytes: bytes, path: "-") } != nil)
    }
  }

  @Test func unsoundProgramsAreRefused() {
    var program = Program(name: "p")
    _ = program.add(memory: .init(name: "m", kind: .dram, bytes: 10))
    _ = program.add(region: .init(name: "r", memory: MemoryID(0), base: 8, bytes: 8, kind: .input))
    let bytes = ProgramContainer(program: program).bytes
    #expect(codes { try ProgramContainer(bytes: bytes, path: "-") } == ["region-bounds"])
  }
}
