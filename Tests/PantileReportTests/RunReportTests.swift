import Foundation
import PantileReport
import PantileSim
import PantileSupport
import Testing

/// Building a report and writing it in every form.
struct RunReportTests {
  @Test func booksClose() throws {
    let (timing, _, report) = try SmallRun.run()
    #expect(report.cycles == timing.cycles && report.cycles > 0)
    #expect(report.layers.reduce(0) { $0 + $1.cycles } == report.cycles)
    for engine in report.engines { #expect(engine.busy + engine.stalls.total == report.cycles, "\(engine.name)") }
    for layer in report.layers { #expect(layer.busy + layer.stalls.total == layer.cycles, "\(layer.name)") }
    let array = try #require(report.engines.first { $0.name == "array0" })
    #expect(report.stalls == array.stalls)
    #expect(report.macs == 2048)
    #expect(abs(report.utilization - 2048.0 / (64 * Double(report.cycles))) < 1e-12)
    #expect(report.seconds == Double(report.cycles) / 500e6)
    #expect(report.offchipBytes == 12 * 4096)
    #expect(report.bytes["dram_read"] == 8 * 4096 && report.bytes["dram_write"] == 4 * 4096)
    #expect(report.layers[1].engine == "dma0" || report.layers[1].engine == "dma1")
  }

  /// From every PE in every cycle to the products of the network, for the run and for each layer.
  @Test func waterfallAddsUp() throws {
    let report = try SmallRun.run().report
    func check(_ steps: [RunReport.WaterfallStep]?, cycles: Int) throws {
      let steps = try #require(steps)
      #expect(steps.first?.name == "peak" && steps.first?.peCycles == 64 * cycles)
      #expect(steps.dropFirst().reduce(0) { $0 + $1.peCycles } == 64 * cycles)
      #expect(steps.last?.name == "achieved" && steps.allSatisfy { $0.peCycles >= 0 })
    }
    try check(report.waterfall, cycles: report.cycles)
    for layer in report.layers { try check(layer.waterfall, cycles: layer.cycles) }
    #expect(report.waterfall?.last?.peCycles == 2048)
    let lost = try #require(report.waterfall).map(\.name)
    // Four tiles of 8x8x8, each behind its own load; the memory is of plain bandwidth.
    #expect(
      Set(lost).isSubset(of: ["peak", "no-work", "transfer", "credit", "bus", "load", "fill", "drain", "achieved"]))
    #expect(lost.contains("transfer") && lost.contains("load") && lost.contains("fill"))
  }

  @Test func energyIsCountsTimesTable() throws {
    let (_, _, report) = try SmallRun.run()
    let parts = report.energy.components
    #expect(abs(parts.total - report.energy.totalPicojoules) < 1e-6)
    let layers = report.layers.reduce(0.0) { $0 + $1.energy.totalPicojoules }
    #expect(abs(layers / report.energy.totalPicojoules - 1) < 1e-9)
    // 64 pJ a byte of LPDDR4.
    #expect(parts["dram"] == Double(12 * 4096) * 64)
    let macs = report.actions["array.mac.int8"]
    #expect(macs > 0 && parts["array"] >= Double(macs) * 0.3 - 1e-6)
    #expect(parts["leakage"] > 0 && parts["spad"] > 0 && parts["acc"] > 0)
    #expect(report.energy.unmodelled.contains("clock tree"))
    #expect(report.energy.confidence == "medium" || report.energy.confidence == "low")
  }

  @Test func jsonRoundTripsAndIsStable() throws {
    let report = try SmallRun.run().report
    let text = report.json()
    #expect(try SmallRun.run().report.json() == text)
    #expect(try RunReport(json: text, path: "r.json") == report)
    let object = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    for key in [
      "schema", "version", "cycles", "seconds", "energy", "stalls", "peak_scratchpad_bytes", "offchip_bytes", "layers",
      "plan", "outputs", "chip_hash", "model_hash", "utilization", "macs", "accuracy",
    ] { #expect(object[key] != nil, "\(key)") }
    let plan = try #require(object["plan"] as? [String: Any])
    let gaps = try #require(plan["gaps"] as? [String: Any])
    #expect(Set(gaps.keys) == ["tiling", "residency", "packing", "network"])
    #expect(gaps["packing"] is NSNull)
    let layer = try #require((object["layers"] as? [[String: Any]])?.first)
    for key in ["name", "nodes", "engine", "cycles", "macs", "utilization", "stalls", "bytes", "energy"] {
      #expect(layer[key] != nil, "\(key)")
    }
  }

  @Test(arguments: [
    ("", "wrong-schema"), ("[]", "wrong-schema"), ("{}", "wrong-schema"),
    ("{\"schema\": \"pantile.run/2\"}", "wrong-schema"), ("{\"schema\": \"pantile.run/1\"}", "wrong-report"),
  ])
  func foreignJSONIsRefused(_ text: String, _ code: String) {
    do throws(DiagnosticError) {
      _ = try RunReport(json: text, path: "r.json")
      Issue.record("accepted")
    } catch {
      #expect(error.codes == [code])
    }
  }

  @Test func textFitsAHundredColumns() throws {
    let report = try SmallRun.run().report
    let text = report.text()
    for line in text.split(separator: "\n") { #expect(line.count <= 100, "\(line)") }
    for word in [
      "by-hand on small", "accuracy", "87.5 %", "array stalls", "plan", "feasible", "packing unknown", "clock tree",
    ] {
      #expect(text.contains(word), "\(word)\n\(text)")
    }
    let comparison = RunReport.comparison(of: [report, report])
    #expect(comparison.split(separator: "\n").allSatisfy { $0.count <= 100 }, "\(comparison)")
  }

  @Test func csvHasOneLineALayerWithExactSums() throws {
    let report = try SmallRun.run().report
    let lines = report.layersCSV().split(separator: "\n").map(String.init)
    #expect(lines.count == 1 + report.layers.count)
    #expect(lines[1].hasPrefix("\"fc \"\"1\"\", <wide>\",matmul,/fc/MatMul /fc/Add,"))
    let header = lines[0].split(separator: ",").map(String.init)
    let cells = lines[2].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    #expect(header.count == cells.count)
    let stalls = zip(header, cells).filter { $0.0.hasPrefix("stall_") }.reduce(0) { $0 + (Int($1.1) ?? 0) }
    let busy = try #require(header.firstIndex(of: "busy").flatMap { Int(cells[$0]) })
    let cycles = try #require(header.firstIndex(of: "cycles").flatMap { Int(cells[$0]) })
    #expect(busy + stalls == cycles)
  }

  @Test func htmlIsSelfContainedAndEscaped() throws {
    let html = try SmallRun.run().report.html()
    #expect(html.contains("fc &quot;1&quot;, &lt;wide&gt;"))
    #expect(!html.contains("<wide>") && !html.contains("http") && !html.contains("src="))
    for pair in [("<svg", "</svg>"), ("<text", "</text>"), ("<table", "</table>")] {
      #expect(html.components(separatedBy: pair.0).count == html.components(separatedBy: pair.1).count)
    }
    #expect(!html.contains("width=\"-") && !html.contains("nan"))
  }

  @Test func emptyRunGivesAllForms() throws {
    var report = try SmallRun.run().report
    report.layers = []
    report.cycles = 0
    report.stalls = .init()
    report.utilization = 0
    report.energy.components = .init()
    report.energy.totalPicojoules = 0
    report.accuracy = nil
    for text in [report.text(), report.html(), report.json(), report.layersCSV()] { #expect(!text.contains("nan")) }
  }

  @Test func amountsAreSortedAndSummed() {
    let amounts = NamedAmounts([("b", 2), ("a", 1), ("b", 3)])
    #expect(amounts.items.map(\.name) == ["a", "b"] && amounts["b"] == 5 && amounts["c"] == 0 && amounts.total == 6)
    #expect(amounts.descending.map(\.name) == ["b", "a"])
  }
}
