import Foundation
import PantileEngines
import PantileSupport
import PantileTarget
import PantileTestSupport
import Testing

/// The model against the 18 rows of `energy/dram_dramsim3.csv`: three devices, six patterns, nothing set per pattern.
struct DRAMReferenceTests {
  static let devices = [
    "DDR4_8Gb_x8_2400": "ddr4-2400-x64", "LPDDR4_8Gb_x16_2400": "lpddr4-2400-x64", "HBM2_8Gb_x128": "hbm2-8ch",
  ]

  struct Row {
    var name: String
    var requests, error, energyError, hits, activates, refreshes: Double
    /// Cells of the table in `Docs/dram.md`.
    var cells: [String]
  }

  private static func percent(_ share: Double) -> String {
    let hundredths = Int((abs(share) * 10_000).rounded())
    let sign = hundredths == 0 ? "" : share < 0 ? "-" : "+"
    return "\(sign)\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
  }

  private static func thousandths(_ value: Double) -> String {
    let scaled = Int((value * 1000).rounded())
    let rest = String(scaled % 1000)
    return "\(scaled / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
  }

  static func rows() throws -> [Row]? {
    guard let path = SharedFolder.path("reference/energy/dram_dramsim3.csv") else { return nil }
    let lines = try AtomicFile.readText(path).split(whereSeparator: \.isNewline).map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    let header = try #require(lines.first)
    return try lines.dropFirst().map { cells in
      func cell(_ key: String) throws -> String { cells[try #require(header.firstIndex(of: key))] }
      func value(_ key: String) throws -> Double { try #require(Double(cell(key))) }
      let device = try DRAMDevices.shipped(try #require(devices[cell("config")]))
      let cycles = Int(try value("simulated_cycles"))
      let trace = try DRAMDevices.pattern(cell("pattern"), cycles)
      let run = DRAMTraceRun(trace, on: device, cycles: cycles)
      var counts = DRAMCounts()
      for channel in run.counts { counts += channel }
      let done = Double(run.readsDone + run.writesDone)
      let perBit = Self.energy(counts, cycles, device) / (done * Double(device.organization.burstBytes) * 8)
      func error(_ mine: Double, _ key: String) throws -> Double {
        let theirs = try value(key)
        return mine == theirs ? 0 : mine / theirs - 1
      }
      let requests = try error(done, "requests_done")
      let energy = try error(perBit, "pj_per_bit")
      let hits = counts.readHits + counts.writeHits
      return Row(
        name: "\(device.name) \(try cell("pattern"))", requests: done, error: requests, energyError: energy,
        hits: try error(Double(hits), "row_hits"), activates: try error(Double(counts.activates), "activates"),
        refreshes: try error(Double(counts.refreshes), "refreshes"),
        cells: [
          device.name, try cell("pattern"), "\(Int(done))", try cell("requests_done"), percent(requests),
          thousandths(perBit), try cell("pj_per_bit"), percent(energy), "\(hits) / \(try cell("row_hits"))",
          "\(counts.activates) / \(try cell("activates"))", "\(counts.refreshes) / \(try cell("refreshes"))",
        ])
    }
  }

  static func energy(_ counts: DRAMCounts, _ cycles: Int, _ device: DRAMDevice) -> Double {
    let cost = device.energies
    let clocks = device.organization.ranks * device.organization.channels * cycles
    return Double(counts.activates) * cost.activate.value + Double(counts.reads) * cost.read.value
      + Double(counts.writes) * cost.write.value + Double(counts.refreshes) * cost.refresh.value
      + Double(counts.activeClocks) * cost.activeClock.value
      + Double(clocks - counts.activeClocks) * cost.idleClock.value
  }

  /// The box is 10 % on average, 20 % at most, 15 % in energy; the model is held to what it reaches.
  @Test func agreesWithDRAMsim3() throws {
    guard let rows = try Self.rows() else {
      SharedFolder.reportSkipped("DRAM against DRAMsim3")
      return
    }
    #expect(rows.count == 18)
    for row in rows {
      #expect(abs(row.error) < 0.005, "\(row.name): requests \(row.error)")
      #expect(abs(row.energyError) < 0.005, "\(row.name): energy \(row.energyError)")
      #expect(abs(row.activates) < 0.01 && abs(row.refreshes) == 0, "\(row.name)")
    }
    // All but the row that hangs on tRTP, which the reference does not take from its file.
    #expect(rows.filter { $0.error == 0 && $0.hits == 0 && $0.activates == 0 }.count >= 17)
    // The error is as small as it is because nothing but tRTP differs.
    func requests(_ name: String) throws -> Double { try #require(rows.first { $0.name == name }).requests }
    for device in Self.devices.values {
      #expect(try requests("\(device) two_streams") < requests("\(device) random_read"))
    }
  }

  @Test func accuracyTableIsUpToDate() throws {
    guard let rows = try Self.rows() else {
      SharedFolder.reportSkipped("the accuracy table of Docs/dram.md")
      return
    }
    let head = [
      "memory", "pattern", "requests", "DRAMsim3", "%", "pJ/bit", "DRAMsim3", "%", "row hits", "activates", "refreshes",
    ]
    var table = "| \(head.joined(separator: " | ")) |\n|---|---|" + String(repeating: "---:|", count: 9) + "\n"
    for row in rows { table += "| \(row.cells.joined(separator: " | ")) |\n" }
    let errors = rows.map { abs($0.error) }
    table += "\nRequests done: \(Self.percent(errors.reduce(0, +) / Double(rows.count)).dropFirst()) % mean and "
    table += "\(Self.percent(errors.max() ?? 0).dropFirst()) % largest error. "
    table += "Energy: \(Self.percent(rows.map { abs($0.energyError) }.max() ?? 0).dropFirst()) % largest error. "
    table += "Pairs are ours / DRAMsim3.\n"
    let path = "\(DRAMDevices.root)/Docs/dram.md"
    let page = try AtomicFile.readText(path)
    let start = try #require(page.range(of: "<!-- accuracy -->\n")).upperBound
    let end = try #require(page.range(of: "<!-- end -->")).lowerBound
    let expected = page.replacingCharacters(in: start..<end, with: table)
    if ProcessInfo.processInfo.environment["PANTILE_BLESS"] == "1" { try AtomicFile.write(expected, to: path) }
    #expect(try AtomicFile.readText(path) == expected, "run once with PANTILE_BLESS=1")
  }

  /// The random rows stand and fall with this.
  @Test func twisterIsPythons() {
    var twister = MersenneTwister(seed: 1)
    #expect((0..<3).map { _ in twister.next(below: 1 << 30) } == [288_545_018, 135_520_872, 547_756_574])
  }
}
