import Foundation
import Testing

/// `--timing-model` of `gemm` and `run`.
struct TimingModelTests {
  private static let topology = "Workloads/topologies/resnet18.csv"
  private static let config = "Workloads/topologies/ws-128x128.cfg"

  private func gemm(_ more: [String]) throws -> [String: Any] {
    let result = try Tool.run(["gemm", "-m", "64", "-k", "64", "-n", "64", "--json", "-"] + more)
    #expect(result.code == 0, "\(result.errors)")
    return try jsonObject(result.output)
  }

  /// Measured products.
  @Test(arguments: [
    (["--array", "8x8", "--dataflow", "os", "--timing-model", "scalesim"], 4991),
    (["--array", "32x32", "--dataflow", "os", "--timing-model", "scalesim"], 503),
    (["--array", "32x32", "--dataflow", "ws", "--variant", "serial", "--timing-model", "scalesim"], 631),
    (["--array", "32x32", "--dataflow", "is", "--timing-model", "scalesim"], 631),
    (["--chip", config, "--timing-model", "scalesim"], 445),
    (["--array", "8x8", "--dataflow", "os", "--timing-model", "stonne"], 5312),
    (["--array", "8x8", "--timing-model", "stonne", "--bandwidth", "4"], 17728),
    (["--array", "8x8", "--dataflow", "os", "--variant", "serial", "--timing-model", "native"], 5504),
  ])
  func countsAsTheModelDoes(_ arguments: [String], _ cycles: Int) throws {
    #expect(try gemm(arguments)["cycles"] as? Int == cycles)
  }

  /// Figures of the tool itself; 2:8 of 100 keeps 12·2 + 2 rows.
  @Test func countsSparseFiltersAsScaleSimDoes() throws {
    let layer = try Tool.run([
      "gemm", "--timing-model", "scalesim", "--array", "8x2", "--dataflow", "ws", "--pattern", "4:16", "-m", "33", "-k",
      "69", "-n", "22", "--json", "-",
    ])
    let found = try jsonObject(layer.output)
    // ours: five groups of four slots, two groups a fold.
    #expect(found["cycles"] as? Int == 1616 && found["native_cycles"] as? Int == 3 * 11 * 49)
    let words = try #require(found["storage_words"] as? [String: Double])
    #expect(words["csr"] == 950 && words["ellpack_block"] == 20 * 22 + 20 * 22 * 4 / 32)
    let rows = try Tool.run([
      "gemm", "--timing-model", "scalesim", "--array", "4x8", "--pattern", "5:8", "--sparse-mode", "row-wise",
      "--block",
      "4", "-m", "6", "-k", "36", "-n", "22", "--json", "-",
    ])
    let second = try jsonObject(rows.output)
    #expect(second["cycles"] as? Int == 299 && second["native_cycles"] is NSNull && second["block"] as? Int == 4)
    let storage = try #require(second["storage_words"] as? [String: Any])
    #expect(storage["ellpack_block"] as? Double == 481.25 && storage["csr"] is NSNull)
  }

  @Test func saysTheNativeCyclesBeside() throws {
    let found = try gemm(["--array", "8x8", "--dataflow", "os", "--timing-model", "scalesim"])
    #expect(found["native_cycles"] as? Int == 5504 && found["bandwidth"] is NSNull)
  }

  @Test(arguments: [
    ["--timing-model", "scalesim", "--variant", "overlapped"], ["--timing-model", "scalesim", "--variant", "skewed"],
    ["--timing-model", "stonne", "--dataflow", "ws"], ["--timing-model", "stonne", "--variant", "overlapped"],
    ["--timing-model", "scalesim", "--bandwidth", "8"], ["--timing-model", "stonne", "--bandwidth", "5"],
    ["--bandwidth", "8"], ["--timing-model", "scalesym"], ["--timing-model", "scalesim", "--check"],
    ["--timing-model", "scalesim", "--engine", "nm"], ["--timing-model", "scalesim", "--block", "4"],
    ["--timing-model", "stonne", "--pattern", "2:4"], ["--sparse-mode", "row-wise"],
    ["--timing-model", "scalesim", "--pattern", "4:2"],
    ["--timing-model", "scalesim", "--pattern", "2:4", "--block", "4"],
    ["--timing-model", "scalesim", "--dataflow", "is", "--pattern", "2:4"],
    [
      "--timing-model", "scalesim", "--dataflow", "os", "--pattern", "2:4", "--sparse-mode", "row-wise", "--block", "4",
    ],
    ["--timing-model", "scalesim", "--pattern", "2:4", "--sparse-mode", "row-wise", "--block", "16"],
    ["--timing-model", "scalesim", "--dataflow", "rs"], ["--timing-model", "scalesim", "--chip", config],
  ])
  func refuses(_ more: [String]) throws {
    let result = try Tool.run(["gemm", "--array", "8x8", "-m", "8", "-k", "8", "-n", "8"] + more)
    #expect(result.code == 2 && !result.isCrash && result.output.isEmpty && !result.errors.isEmpty, "\(result.errors)")
  }

  private func run(_ more: [String]) throws -> Tool.Result {
    try Tool.run(["run", "--timing-model", "scalesim"] + more)
  }

  @Test func runsATopology() throws {
    let result = try run([Self.topology, "--chip", Self.config, "--json", "-"])
    #expect(result.code == 0 && result.errors.isEmpty, "\(result.errors)")
    let report = try jsonObject(result.output)
    #expect(report["cycles"] as? Int == 417_628 && report["native_cycles"] as? Int == 417_649)
    #expect(report["stalls"] as? Int == 0 && report["mode"] as? String == "CALC")
    let layers = try #require(report["layers"] as? [[String: Any]])
    #expect(layers.count == 21)
    #expect(layers[0]["name"] as? String == "Conv1" && layers[0]["cycles"] as? Int == 24_963)
    #expect(layers[0]["m"] as? Int == 12_100 && layers[0]["k"] as? Int == 147 && layers[0]["n"] as? Int == 64)
    for key in [
      "stalls", "native_cycles", "overall_util_percent", "mapping_efficiency_percent", "compute_util_percent",
      "ifmap_sram_reads", "filter_sram_reads", "ofmap_sram_writes",
    ] { #expect(layers[0][key] is NSNumber, "no '\(key)'") }
    let totals = try #require(report["totals"] as? [String: Any])
    #expect(totals["cycles"] as? Int == 417_628 && totals["macs"] is NSNumber)
  }

  @Test func takesTheFormatAsSaid() throws {
    try TemporaryFolder.with { folder in
      let file = "\(folder)/t.csv"
      try Data("a, b, c, d,\r\nG, 64, 64, 64,\r\n".utf8).write(to: URL(fileURLWithPath: file))
      for format in ["auto", "gemm"] {
        let result = try run([
          file, "--chip", "Workloads/topologies/os-32x32.cfg", "--topology-format", format, "--json", "-",
        ])
        #expect(try jsonObject(result.output)["cycles"] as? Int == 503, "\(result.errors)")
      }
      let wrong = try run([file, "--chip", Self.config, "--topology-format", "conv"])
      #expect(wrong.code == 2 && wrong.errors.contains("t.csv:2:1"), "\(wrong.errors)")
    }
  }

  @Test func writesATableAndCSV() throws {
    try TemporaryFolder.with { folder in
      let result = try run([Self.topology, "--chip", Self.config, "--csv", "\(folder)/l.csv"])
      #expect(result.code == 0 && result.output.contains("417,628"))
      let lines = try Tool.text("\(folder)/l.csv").split(separator: "\n")
      #expect(lines.count == 22 && lines[1].hasPrefix("0,Conv1,12100,147,64,24963,0,24964,"))
    }
  }

  /// The CPU seconds are said on stderr, results stay the same.
  @Test func saysWhatEvaluatingCosts() throws {
    let plain = try run([Self.topology, "--chip", Self.config, "--json", "-"])
    let timed = try run([Self.topology, "--chip", Self.config, "--json", "-", "--timing", "--repeat", "100"])
    #expect(timed.output == plain.output)
    #expect(timed.errors.contains("evaluate: 0.00") && timed.errors.contains("(mean of 100)"))
  }

  /// Two layers and their figures as the tool reported them.
  @Test func runsSparseTopologies() throws {
    try TemporaryFolder.with { folder in
      let (topology, config) = ("\(folder)/t.csv", "\(folder)/c.cfg")
      let rows = "Layer, M, N, K, Sparsity,\nG0, 12, 4, 39, 1:2,\nG1, 33, 22, 69, 4:16,\n"
      try Data(rows.utf8).write(to: URL(fileURLWithPath: topology))
      let text = try Tool.text("\(Tool.root)/\(Self.config)").replacing("ArrayHeight: 128", with: "ArrayHeight: 8")
        .replacing("ArrayWidth: 128", with: "ArrayWidth: 2").replacing(
          "SparsitySupport: false", with: "SparsitySupport: true"
        )
        .replacing("SparseRep: ellpack_block", with: "SparseRep: csr")
      try Data(text.utf8).write(to: URL(fileURLWithPath: config))
      let result = try run([topology, "--chip", config, "--json", "-"])
      #expect(result.code == 0 && result.errors.isEmpty, "\(result.errors)")
      let layers = try #require(try jsonObject(result.output)["layers"] as? [[String: Any]])
      #expect(layers.compactMap { $0["cycles"] as? Int } == [167, 1616])
      #expect(layers.compactMap { $0["storage_words"] as? Double } == [200, 950])
      #expect(layers[0]["pattern"] as? String == "1:2" && layers[0]["compute_util_percent"] is NSNull)
      let table = try run([topology, "--chip", config])
      #expect(table.code == 0 && table.output.contains("1,616"))
    }
  }

  @Test func refusesBandwidthModeAndMisuse() throws {
    try TemporaryFolder.with { folder in
      let user = "\(folder)/user.cfg"
      let text = try Tool.text("\(Tool.root)/\(Self.config)").replacing("CALC", with: "USER")
      try Data(text.utf8).write(to: URL(fileURLWithPath: user))
      let refused = try run([Self.topology, "--chip", user, "--json", "\(folder)/o.json"])
      #expect(refused.code == 2 && refused.errors.contains("not-reproduced") && refused.errors.contains("user.cfg:"))
      #expect(TemporaryFolder.files(folder) == ["user.cfg"])
    }
    for more in [
      [Self.topology], ["--chip", Self.config], [Self.topology, "--chip", "nothing.cfg"],
      ["nothing.csv", "--chip", Self.config], [Self.topology, "--chip", Self.config, "--seed", "1"],
      [Self.topology, "--chip", Self.config, "--set", "a=1"], [Self.topology, "--chip", Self.config, "--repeat", "0"],
      [Self.config, "--chip", Self.config], [Self.topology, "--chip", Self.topology],
      [Self.topology, "--chip", "systolic-16x16"], [Self.topology, "--chip", Self.config, "--timing-model", "stonne"],
    ] {
      let result = try run(more)
      #expect(result.code == 2 && !result.isCrash && result.output.isEmpty, "\(more): \(result.errors)")
    }
    let unused = try Tool.run(["run", "resnet8", "--chip", "systolic-16x16", "--topology-format", "conv"])
    #expect(unused.code == 2 && unused.errors.contains("option-conflict"))
    let forgotten = try Tool.run(["run", Self.topology, "--chip", Self.config])
    #expect(forgotten.code == 2 && forgotten.errors.contains("--timing-model scalesim"))
  }
}
