import Foundation
import Pantile
import Testing

/// The books of whole networks: stalls and the waterfall close on every shipped chip.
struct WaterfallCommandTests {
  private static let chips: [String] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(Tool.root)/Targets/chips")) ?? []
    return names.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
  }()

  private static func report(_ arguments: [String]) throws -> RunReport {
    try TemporaryFolder.with { folder in
      let result = try Tool.run(["run"] + arguments + ["--timing", "--json", "\(folder)/run.json"])
      #expect(result.code == 0, "\(result.errors)")
      return try RunReport(json: AtomicFile.readText("\(folder)/run.json"), path: "run.json")
    }
  }

  private static func check(_ report: RunReport, _ place: String) throws {
    for engine in report.engines {
      #expect(engine.busy + engine.stalls.total == report.cycles, "\(place) \(engine.name)")
    }
    let steps = try #require(report.waterfall)
    let peak = try #require(steps.first)
    #expect(peak.name == "peak" && peak.peCycles % report.cycles == 0, "\(place)")
    #expect(steps.dropFirst().reduce(0) { $0 + $1.peCycles } == peak.peCycles, "\(place)")
    for layer in report.layers where layer.cycles > 0 {
      #expect(layer.busy + layer.stalls.total == layer.cycles, "\(place) \(layer.name)")
      let steps = try #require(layer.waterfall)
      #expect(steps.first?.peCycles == layer.cycles * (peak.peCycles / report.cycles), "\(place) \(layer.name)")
      #expect(steps.dropFirst().reduce(0) { $0 + $1.peCycles } == steps.first?.peCycles, "\(place) \(layer.name)")
    }
    // All of the network's products are the array's, at its own rate.
    #expect(abs((steps.last?.share ?? 0) - report.utilization) < 1e-9, "\(place)")
  }

  /// What a chip of few weights asks for.
  private static let formats = [
    "bitmod-like": "bitmod-fp4", "ternary-32x32": "ternary", "ant-like": "ant4", "olive-like": "olive-int4",
  ]

  @Test(arguments: chips) func booksCloseOnEveryChip(_ chip: String) throws {
    let format = Self.formats[chip].map { ["--weight-format", $0] } ?? []
    try Self.check(Self.report(["digits-cnn", "--chip", chip] + format), chip)
    try Self.check(
      Self.report(["digits-cnn", "--chip", chip, "--set", "memories.dram.device=ddr4-2400-x64"] + format),
      "\(chip) with DDR4")
  }

  @Test(arguments: [
    ["--chip", "nm-16x16", "--sparsity", "2:4"], ["--chip", "bitserial-16x16", "--weight-bits", "4"],
    ["--chip", "systolic-16x16", "--set", "engines.array0.dataflow=is"],
    ["--chip", "systolic-16x16", "--set", "engines.array0.variant=skewed"],
  ])
  func booksCloseInEveryFormat(_ arguments: [String]) throws {
    let report = try Self.report(["digits-cnn"] + arguments)
    try Self.check(report, "\(arguments)")
    if arguments.last == "is" || arguments.last == "skewed" {
      #expect(report.waterfall?.last?.peCycles == report.macs)
    }
  }
}
