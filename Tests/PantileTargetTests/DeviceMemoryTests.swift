import PantileSupport
import PantileTarget
import Testing

/// A chip whose DRAM is a file in `Targets/memories`.
struct DeviceMemoryTests {
  private static func load(_ overrides: [String]) throws(DiagnosticError) -> Chip {
    try Chip.load("systolic-16x16", overrides: overrides, schemas: testSchemas, root: repositoryRoot)
  }

  /// Bandwidth, latency and burst are those of the device, in cycles of the chip.
  @Test func figuresFollowFromTheDevice() throws {
    let chip = try Self.load(["memories.dram.device=ddr4-2400-x64"])
    let memory = try #require(chip.memories.first { $0.kind == .dram })
    #expect(memory.device?.name == "ddr4-2400-x64")
    #expect(memory.burst == Bytes(64))
    // 64 bytes in 4 clocks of 0.83 ns, at 1 GHz.
    #expect(memory.bandwidth == BytesPerCycle(1600, over: 83))
    // tRCD + CL + burst + 1 = 39 clocks = 32.37 ns.
    #expect(memory.latency == Cycles(33))
  }

  /// The hash covers what the device says; the resolved text reads back as the same chip.
  @Test func hashCoversTheDevice() throws {
    let plain = try Self.load([])
    let ddr4 = try Self.load(["memories.dram.device=ddr4-2400-x64"])
    let hbm = try Self.load(["memories.dram.device=hbm2-8ch"])
    #expect(Set([plain.hash, ddr4.hash, hbm.hash]).count == 3)
    let again = try Chip.parse(
      ddr4.resolvedText, path: "resolved.yaml", schemas: testSchemas, root: repositoryRoot)
    #expect(again.hash == ddr4.hash)
  }

  @Test func refusesTwoSources() {
    let text = """
      extends: systolic-16x16
      name: both
      memories:
        dram:
          kind: dram
          size: 1 GiB
          device: ddr4-2400-x64
          latency: 7 cycles
      """
    let both = failure { () throws(DiagnosticError) in
      try Chip.parse(text, path: "both.yaml", schemas: testSchemas, root: repositoryRoot)
    }
    #expect(both?.diagnostics.map(\.code) == ["key-conflict"])
    let extended = failure { () throws(DiagnosticError) in
      try Chip.load(
        "gemmini-like-16x16", overrides: ["memories.dram.bandwidth=9 B/cycle"], schemas: testSchemas,
        root: repositoryRoot)
    }
    // The array of that chip is of a family that this test does not know, which is said too.
    #expect(extended?.diagnostics.map(\.code).contains("key-conflict") == true)
    let unknown = failure { () throws(DiagnosticError) in try Self.load(["memories.dram.device=ddr4-2401"]) }
    #expect(unknown?.diagnostics.first?.code == "unknown-memory")
    let large = failure { () throws(DiagnosticError) in
      try Self.load(["memories.dram.device=hbm2-8ch", "memories.dram.size=64 GiB"])
    }
    #expect(large?.diagnostics.first?.code == "wrong-value")
    let clock = failure { () throws(DiagnosticError) in
      try Self.load(["memories.dram.device=ddr4-2400-x64", "clock=999999937 Hz"])
    }
    #expect(clock?.diagnostics.first?.code == "not-supported")
  }
}
