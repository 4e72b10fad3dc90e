import PantileEngines
import PantileProgram
import PantileSim
import PantileSupport
import Testing

@Suite struct LatencyTests {
  private static func copies(_ body: [[(from: Int, at: Int, bytes: Int)]], memories: Int) -> Program {
    var program = Program(name: "copies")
    for index in 0..<memories { _ = program.add(memory: .init(name: "dram\(index)", kind: .dram, bytes: 4096)) }
    let spad = program.add(memory: .init(name: "spad", kind: .scratchpad, bytes: 4096, banks: 16))
    let layer = program.add(layer: .init(name: "l", nodes: [], kind: "copy", macs: 0))
    var top = 0
    for (queue, copies) in body.enumerated() {
      let nodes = copies.map { copy in
        func side(_ memory: MemoryID, _ base: Int) -> AddressGenerator {
          AddressGenerator(
            memory: memory, baseBits: Affine(base * 8), elementBits: 8, dims: [.init(copy.bytes, strideBits: 8)])
        }
        defer { top += 512 }
        return Program.Node.command(
          Command(
            .copy(Copy(from: side(MemoryID(copy.from), copy.at), to: side(spad, top))), layer: layer))
      }
      _ = program.add(queue: .init(core: "core0", engine: "dma\(queue)", body: nodes))
    }
    return program
  }

  private static func machine(_ program: Program) -> Machine {
    let dma = DMAOptions(linkBytes: 64, outstanding: 8)
    return Machine(
      chipName: "test", chipHash: "", clock: Hertz(1e9),
      memories: program.memories.map {
        .init(
          name: $0.name, kind: $0.kind, bytes: $0.bytes, banks: $0.banks, bandwidthNumerator: 8, latency: 10, burst: 32)
      }, engines: [.init(name: "dma0", unit: .dma(dma)), .init(name: "dma1", unit: .dma(dma))])
  }

  private static func events(_ program: Program, _ latencies: [Int]) throws -> [String] {
    try TimingRun(program, on: machine(program), options: .init(latencies: latencies, events: true)).run()
      .events.map(\.text)
  }

  /// Bursts of 4 cycles leave at 4, 8, 12; the second is answered last, and the copy is complete only then.
  @Test func copyIsCompleteWithItsLatestAnswer() throws {
    let program = Self.copies([[(0, 0, 96)]], memories: 1)
    #expect(
      try Self.events(program, [3, 50, 1]) == [
        "0 issue 0 0", "0 accept 0 1", "4 accept 0 1", "7 answer 0 1", "8 accept 0 1", "13 answer 0 1",
        "58 free-writes 0 1", "58 answer 0 1", "58 complete 0",
      ])
  }

  @Test func burstsBeyondTheListTakeTheMachinesLatency() throws {
    let program = Self.copies([[(0, 0, 64)]], memories: 1)
    #expect(try Self.events(program, []) == Self.events(program, [10]))
    #expect(try Self.events(program, [10]) == Self.events(program, [10, 10]))
  }

  /// The second queue leaves the second memory at 4 and then shares the first one's bus with the first queue, burst by burst.
  @Test func busesOfTwoMemoriesDoNotRunAheadOfEachOther() throws {
    let program = Self.copies([[(0, 0, 512)], [(1, 0, 32), (0, 1024, 64)]], memories: 2)
    let accepts = try Self.events(program, []).filter { $0.contains("accept") }
    #expect(accepts.prefix(5) == ["0 accept 0 1", "0 accept 1 1", "4 accept 1 1", "8 accept 0 1", "12 accept 1 1"])
  }
}
