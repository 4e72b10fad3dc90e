import Foundation
import Testing

/// `pantile gemm` against formulas that stand here alone.
struct GemmCommandTests {
  /// Array, shape and what to expect.
  struct Case: Sendable, CustomTestStringConvertible {
    var rows: Int
    var columns: Int
    var m: Int
    var k: Int
    var n: Int
    var testDescription: String { "\(rows)x\(columns) m\(m) k\(k) n\(n)" }
  }

  static let cases: [Case] = [
    Case(rows: 8, columns: 8, m: 64, k: 64, n: 64), Case(rows: 16, columns: 16, m: 16, k: 16, n: 16),
    Case(rows: 4, columns: 8, m: 7, k: 13, n: 9), Case(rows: 8, columns: 4, m: 1, k: 1, n: 1),
    Case(rows: 3, columns: 5, m: 10, k: 3, n: 11),
  ]

  private func run(_ item: Case, _ more: [String]) throws -> [String: Any] {
    let result = try Tool.run(
      ["gemm", "--array", "\(item.rows)x\(item.columns)", "-m", "\(item.m)", "-k", "\(item.k)", "-n", "\(item.n)"]
        + more + ["--check", "--json", "-"])
    #expect(result.code == 0, "\(result.errors)")
    return try jsonObject(result.output)
  }

  @Test(arguments: cases)
  func countsAndChecks(_ item: Case) throws {
    for dataflow in ["ws", "os", "is"] {
      for variant in dataflow == "os" ? ["serial", "overlapped"] : ["serial", "overlapped", "skewed"] {
        let found = try run(item, ["--dataflow", dataflow, "--variant", variant])
        let cycles = try #require(found["cycles"] as? Int)
        let macs = item.m * item.k * item.n
        #expect(found["macs"] as? Int == macs)
        #expect(found["mismatches"] as? Int == 0)
        #expect(found["stepped_cycles"] as? Int == cycles)
        let use = try #require(found["utilization"] as? Double)
        #expect(abs(use - Double(macs) / Double(cycles * item.rows * item.columns)) < 1e-12)
      }
    }
  }

  @Test func saysWhatTheArrayIs() throws {
    let found = try run(
      Case(rows: 8, columns: 8, m: 20, k: 64, n: 30),
      [
        "--engine", "nm", "--pattern", "2:8", "--interleave", "4", "--adder-latency", "3", "--multiplier-latency", "2",
      ])
    #expect(found["macs"] as? Int == 20 * 16 * 30)
    #expect(found["mismatches"] as? Int == 0)
    #expect((found["activation_elements"] as? Int ?? 0) > 0 && (found["weight_beats"] as? Int ?? 0) > 0)
  }

  /// Folds of tile cycles: serial is what the command counts when it is not told.
  @Test func sparseArraysCountSerialFolds() throws {
    let item = Case(rows: 4, columns: 6, m: 10, k: 100, n: 18)
    let common = ["--engine", "nm", "--pattern", "2:8", "--adder-latency", "2", "--multiplier-latency", "1"]
    let output = try run(item, common + ["--interleave", "2"])
    // Kc = 26, P = 2: 25·2 + 2 + 3 + 5 + (1 + 1) + 8 cycles in each of 3 x 2 tiles.
    #expect(output["cycles"] as? Int == 6 * 70 && output["weight_beats"] as? Int == 6 * 12 * 26)
    let weights = try run(item, common + ["--dataflow", "ws"])
    #expect(weights["cycles"] as? Int == 7 * 3 * (4 + 9 + 6 + 5 + 3))
    let narrow = try run(
      item, common + ["--dataflow", "ws", "--activation-port", "4", "--weight-port", "50", "--metadata-port", "18"])
    let cycles = try #require(narrow["cycles"] as? Int)
    // 16 activations through 4, 24 values of 8 bits through 50, 24 indices of 3 bits through 18.
    #expect(cycles == 7 * 3 * (4 + 40 - 1 + 6 + 5 + 3))
    let parts = try #require(narrow["pe_cycles"] as? [String: Int])
    #expect(parts.values.reduce(0, +) == cycles * 24 && parts["feed"] == 7 * 3 * 30 * 24)
    #expect(narrow["port_stalls"] as? [String: Int] == ["activation": 7 * 3 * 30, "weight": 0, "metadata": 0])
  }

  @Test func takesTheArrayOfAChip() throws {
    let result = try Tool.run([
      "gemm", "--chip", "bitserial-16x16", "--weight-bits", "4", "-m", "32", "-k", "32", "-n", "32", "--json", "-",
    ])
    #expect(result.code == 0)
    let found = try jsonObject(result.output)
    #expect(found["macs"] as? Int == 32 * 32 * 32)
    #expect(found["mismatches"] is NSNull)
  }

  @Test(arguments: [
    ["--array", "8"], ["--array", "8x"], ["--array", "0x8"], ["--array", "8x8", "--dataflow", "xx"], [],
    ["--array", "8x8", "--dataflow", "os", "--variant", "skewed"], ["--array", "8x8", "--pe-latency", "0"],
    ["--array", "8x8", "--engine", "nm", "--variant", "skewed"],
    ["--array", "8x8", "--engine", "nm", "--pattern", "9:4"], ["--array", "8x8", "--pattern", "2:4"],
    ["--array", "8x8", "--interleave", "2"], ["--chip", "systolic-16x16", "--array", "8x8"], ["--chip", "nothing"],
    ["--array", "8x8", "--weight-bits", "9"], ["--array", "8x8", "--weight-port", "9"],
    ["--array", "2x8", "--engine", "nm", "--dataflow", "ws", "--pattern", "3:8"],
    ["--array", "8x8", "--engine", "nm", "--dataflow", "ws", "--interleave", "2"],
    ["--array", "8x8", "--engine", "nm", "--dataflow", "is"],
  ])
  func refuses(_ more: [String]) throws {
    let result = try Tool.run(["gemm", "-m", "8", "-k", "8", "-n", "8"] + more)
    #expect(result.code == 2 && !result.isCrash, "\(result.errors)")
    #expect(!result.errors.isEmpty && result.output.isEmpty)
  }

  @Test(arguments: ["0", "-3", "1048577", "x", "99999999999999999999"])
  func refusesTheSize(_ size: String) throws {
    let result = try Tool.run(["gemm", "--array", "8x8", "-m", size, "-k", "8", "-n", "8"])
    #expect(result.code == 2 && !result.isCrash, "\(result.errors)")
  }
}
