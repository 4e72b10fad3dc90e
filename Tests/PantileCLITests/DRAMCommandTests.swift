import Foundation
import Testing

/// `pantile dram` as scripts call it.
struct DRAMCommandTests {
  private func run(_ arguments: [String], trace: String) throws -> Tool.Result {
    try TemporaryFolder.with { folder in
      try Data(trace.utf8).write(to: URL(fileURLWithPath: "\(folder)/trace.txt"))
      return try Tool.run(["dram", "--trace", "\(folder)/trace.txt"] + arguments)
    }
  }

  @Test(arguments: ["ddr3-2133-2ch", "ddr4-2400-x64", "lpddr4-2400-x64", "hbm2-8ch"])
  func writesJSON(_ memory: String) throws {
    let trace = (0..<3_000).map { "\($0 % 5 == 4 ? "W" : "R") \($0 * 64)" }.joined(separator: "\n")
    let result = try run(["--memory", memory, "--cycles", "5000", "--json", "-"], trace: trace)
    #expect(result.code == 0 && result.errors.isEmpty)
    let object = try jsonObject(result.output)
    func number(_ key: String) throws -> Double { try #require(object[key] as? NSNumber, "\(key)").doubleValue }
    #expect(object["schema"] as? String == "pantile.dram/1" && object["memory"] as? String == memory)
    #expect(try number("requests_done") == number("reads_done") + number("writes_done"))
    #expect(try number("requests_done") > 500 && number("row_hits") > 0 && number("activates") > 0)
    let energy = try #require(object["energy"] as? [String: Double])
    let parts = ["activate_pj", "read_pj", "write_pj", "refresh_pj", "background_pj"].compactMap { energy[$0] }
    #expect(parts.count == 5)
    #expect(try abs(parts.reduce(0, +) / number("energy_pj") - 1) < 1e-9)
    let bits = try number("requests_done") * number("request_bytes") * 8
    #expect(try abs(number("energy_pj") / bits / number("pj_per_bit") - 1) < 1e-9)
    for key in ["refreshes", "avg_read_latency_cycles", "gbps", "peak_gbps", "energy_pj_at_clock"] {
      _ = try number(key)
    }
    let channels = try #require(object["channels"] as? [[String: Any]])
    let done = channels.compactMap { $0["requests_done"] as? Int }.reduce(0, +)
    #expect(try Double(done) == number("requests_done"))
  }

  @Test func tellsPeople() throws {
    let result = try run(["--memory", "hbm2-8ch", "--cycles", "2000", "--check"], trace: "R 0\nW 0x40\n")
    #expect(result.code == 0 && result.errors.isEmpty)
    for word in ["2 done", "GB/s", "row hits", "pJ/bit", "channel"] { #expect(result.output.contains(word)) }
    let ddr4 = try run(["--memory", "ddr4-2400-x64", "--cycles", "2000"], trace: "R 0xffffffffff\n")
    #expect(ddr4.output.contains("wrap around") && ddr4.output.contains("energies count 1.000 ns"))
  }

  /// A memory file of one's own, idle: no requests, refreshes and standby all the same.
  @Test func takesAFileAndAnEmptyTrace() throws {
    let result = try run(
      ["--memory", "\(Tool.root)/Targets/memories/ddr4-2400-x64.yaml", "--cycles", "50000", "--json", "-"], trace: "")
    let object = try jsonObject(result.output)
    #expect(object["requests_done"] as? Int == 0 && object["refreshes"] as? Int == 10)
    #expect(object["pj_per_bit"] is NSNull && object["avg_read_latency_cycles"] is NSNull)
    #expect((object["energy_pj"] as? Double ?? 0) > 3e7)
  }

  @Test func writesCommands() throws {
    try TemporaryFolder.with { folder in
      let path = "\(folder)/commands.txt"
      let result = try run(
        ["--memory", "ddr4-2400-x64", "--cycles", "200", "--commands", path, "--json", "\(folder)/a.json"],
        trace: "R 0\nR 64\n")
      #expect(result.code == 0 && result.output.contains("2 done"))
      let lines = try Tool.text(path).split(separator: "\n")
      #expect(
        lines == [
          "# cycle command channel rank group bank row column", "2 ACT 0 0 0 0 0 0", "19 RD 0 0 0 0 0 0",
          "25 RD 0 0 0 0 0 1",
        ])
    }
  }

  @Test func isTheSameEveryTime() throws {
    let trace = (0..<2_000).map { "R \($0 * 7919 % 100_003 * 64)" }.joined(separator: "\n")
    let outputs = try (0..<2).map { _ in
      try run(["--memory", "lpddr4-2400-x64", "--cycles", "9000", "--json", "-"], trace: trace).output
    }
    #expect(outputs[0] == outputs[1])
  }

  @Test(arguments: [
    (["--memory", "ddr4-2400-x64", "--cycles", "100"], "R 0\nQ 5\n", "trace.txt:2:1", "wrong-trace"),
    (["--memory", "ddr4-2400-x64", "--cycles", "100"], "R 0\nR zzz\n", "trace.txt:2:3", "wrong-trace"),
    (["--memory", "ddr5", "--cycles", "100"], "R 0\n", "ddr4-2400-x64", "unknown-memory"),
    (["--memory", "ddr4-2400-x64", "--cycles", "0"], "R 0\n", "--cycles", "out-of-range"),
    (["--memory", "ddr4-2400-x64", "--cycles", "-5"], "R 0\n", "", ""),
    (["--memory", "ddr4-2400-x64", "--cycles", "9999999999999"], "R 0\n", "--cycles", "out-of-range"),
    (
      ["--memory", "ddr4-2400-x64", "--cycles", "100", "--json", "/no/such/x.json"], "R 0\n", "no folder",
      "cannot-write"
    ),
    (["--memory", "ddr4-2400-x64", "--cycles", "9", "--json", "-", "--commands", "-"], "R 0\n", "", "option-conflict"),
    (["--memory", "Package.swift", "--cycles", "100"], "R 0\n", "", "error"),
    (["--cycles", "100"], "R 0\n", "memory", ""),
  ])
  func refuses(_ arguments: [String], _ trace: String, _ place: String, _ code: String) throws {
    let result = try run(arguments, trace: trace)
    #expect(!result.isCrash && result.code == 2 && result.output.isEmpty)
    #expect(place.isEmpty || result.errors.contains(place), "\(result.errors)")
    #expect(code.isEmpty || result.errors.contains(code), "\(result.errors)")
  }

  @Test func missingTraceIsADiagnostic() throws {
    let result = try Tool.run(["dram", "--memory", "hbm2-8ch", "--trace", "/no/such/trace", "--cycles", "10"])
    #expect(result.code == 2 && result.errors.contains("cannot-read"))
  }
}
