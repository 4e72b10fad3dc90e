import Foundation
import PantileConfig
import PantileSupport
import PantileTarget
import Testing

/// Memory files: what is read, what is refused, and the shipped ones.
struct DRAMDeviceTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  static func text(_ name: String) throws -> String { try AtomicFile.readText("\(root)/Targets/memories/\(name).yaml") }

  static func device(_ text: String) throws -> DRAMDevice {
    try DRAMDevice.read(ConfigDocument.parse(text, path: "memory.yaml"))
  }

  @Test(arguments: DRAMDevice.shippedNames(root: root))
  func shippedMemoryLoads(_ name: String) throws {
    let device = try DRAMDevice.load(name, root: Self.root)
    #expect(device.name == name && !device.summary.isEmpty && !device.source.isEmpty)
    let energies = device.energies
    for energy in [
      energies.activate, energies.read, energies.write, energies.refresh, energies.activeClock, energies.idleClock,
    ] { #expect(energy.value > 0) }
  }

  @Test func shippedMemoriesAreWhatTheyAreCalled() throws {
    let names = DRAMDevice.shippedNames(root: Self.root)
    #expect(names == ["ddr3-2133-2ch", "ddr4-2400-x64", "hbm2-8ch", "lpddr4-2400-x64"])
    let facts: [(String, gibibytes: Int, gigabytesPerSecond: Double, burst: Int)] = [
      ("ddr3-2133-2ch", 8, 34.1, 64), ("ddr4-2400-x64", 16, 19.3, 64), ("hbm2-8ch", 8, 256, 64),
      ("lpddr4-2400-x64", 8, 19.3, 128),
    ]
    for (name, gibibytes, rate, burst) in facts {
      let device = try DRAMDevice.load(name, root: Self.root)
      #expect(device.organization.capacity == gibibytes << 30, "\(name)")
      #expect(abs(device.peakBytesPerSecond / 1e9 - rate) < 0.05 && device.organization.burstBytes == burst)
    }
  }

  /// The reference's `act_energy_pj / activates` and its like, exactly.
  @Test func energiesAreTheSumsOfCurrents() throws {
    let device = try DRAMDevice.load("ddr4-2400-x64", root: Self.root)
    let close = { (a: Picojoules, b: Double) in abs(a.value - b) < 1e-6 }
    let cost = device.energies
    #expect(close(cost.activate, 349_171.2 / 84) && close(cost.refresh, 8_346_240 / 10))
    #expect(close(cost.read, 1.2 * (135 - 43) * 4 * 8) && close(cost.write, 1.2 * (123 - 43) * 4 * 8))
    #expect(close(cost.activeClock, 1.2 * 43 * 8) && close(cost.idleClock, 1.2 * 34 * 8))
    var physical = device
    physical.power.energyCycle = device.clockPeriod
    #expect(close(physical.energies.read, 0.83 * cost.read.value))
  }

  @Test func aFieldCanBeMadeTheLowest() throws {
    #expect(try #require(DRAMAddressMap("rochrababgco")).withLowest(.channel).text == "rorababgcoch")
    #expect(try #require(DRAMAddressMap("rorababgcoch")).withLowest(.channel).text == "rorababgcoch")
  }

  @Test func addressMapPlacesFields() throws {
    let shape = try DRAMDevice.load("hbm2-8ch", root: Self.root).organization
    let map = try #require(DRAMAddressMap("rorabgbachco"))
    #expect(map.text == "rorabgbachco")
    func bits(_ field: DRAMAddressMap.Field) -> [Int] {
      let (shift, width) = map.bits(of: field, in: shape)
      return [shift, width]
    }
    #expect(bits(.column) == [0, 5] && bits(.channel) == [5, 3] && bits(.bank) == [8, 2])
    #expect(bits(.group) == [10, 2] && bits(.rank) == [12, 0] && bits(.row) == [12, 15])
    for wrong in ["", "rorabgbachc", "rorabgbachch", "rorabgbachcoro", "RORABGBACHCO", "xxrabgbachco"] {
      #expect(DRAMAddressMap(wrong) == nil)
    }
  }

  @Test func shortFormsStandForBoth() throws {
    let timing = try DRAMDevice.load("ddr3-2133-2ch", root: Self.root).timing
    #expect(timing.columnShort == 4 && timing.columnLong == 4 && timing.activateToRead == 14)
    #expect(timing.activateToWrite == 14 && timing.additiveLatency == 0 && timing.prechargeToPrecharge == 0)
  }

  @Test(
    arguments: [
      ("  CL: 17\n", "", "missing-key"), ("  CL: 17\n", "  CLL: 17\n", "missing-key"),
      ("  AL: 0\n", "  AL: 0\n  tXYZ: 3\n", "unknown-key"), ("  CL: 17\n", "  CL: 17\n  CL: 18\n", "duplicate-key"),
      ("  CL: 17\n", "  CL: -1\n", "out-of-range"), ("  CL: 17\n", "  CL: 0\n", "out-of-range"),
      ("  CL: 17\n", "  CL: 17 ns\n", "wrong-unit"), ("  CL: 17\n", "  CL: seventeen\n", "wrong-type"),
      ("  tRFC: 420\n", "  tRFC: 2000000\n", "out-of-range"), ("tCCD_S: 4", "tCCD_S: 7", "wrong-value"),
      ("  tCCD_S: 4\n", "  tCCD_S: 4\n  tCCD: 4\n", "duplicate-key"), ("  AL: 0\n", "  AL: 18\n", "wrong-value"),
      ("  tREFI: 9360\n", "  tREFI: 400\n", "wrong-value"),
      ("  tREFI: 9360\n", "  tREFI: 9360\n  tRFCb: 9\n", "no-effect"),
      ("refresh: rank-staggered", "refresh: bank-staggered", "missing-key"),
      ("bank_groups: 4", "bank_groups: 1", "wrong-value"), ("bank_groups: 4", "bank_groups: 3", "wrong-value"),
      ("rows: 65536", "rows: 0", "out-of-range"), ("device_width: 8 ", "device_width: 128 ", "wrong-value"),
      ("burst_length: 8 ", "burst_length: 2048", "out-of-range"), ("columns: 1024", "columns: 4", "wrong-value"),
      ("beats_per_clock: 2", "beats_per_clock: 16", "wrong-value"), ("ranks: 2 ", "ranks: 64 ", nil),
      ("banks_per_group: 4", "banks_per_group: 64", nil), ("command_bus: shared", "command_bus: both", "unknown-value"),
      ("rochrababgco", "rochrababgba", "wrong-value"), ("clock_period: 0.83 ns", "clock_period: 0.83", "missing-unit"),
      ("clock_period: 0.83 ns", "clock_period: 0 ns", "out-of-range"), ("VDD: 1.2 V", "VDD: 1.2", "wrong-unit"),
      ("IDD0: 48 mA", "IDD0: 48 A", "wrong-unit"), ("IDD4R: 135 mA", "IDD4R: 13 mA", "wrong-value"),
      ("IDD0: 48 mA", "IDD0: -48 mA", "wrong-unit"), ("  energy_cycle: 1 ns", "  cycle: 1 ns", "missing-key"),
      ("write_high: 32", "write_high: 33", "wrong-value"), ("scheduling: fr-fcfs", "scheduling: fifo", "unknown-value"),
      ("scheduling: fr-fcfs", "scheduling: in-order", "unknown-key"),
      ("row_policy: open", "row_policy: closed", "unknown-key"),
      ("  read_queue: 32", "  unified_queue: 32", "unknown-key"),
      ("controller:\n", "controller: 3\nx:\n", "wrong-type"),
      ("source: ", "sauce: ", "missing-key"), ("name: ddr4", "name: ' ddr4", "yaml-syntax"),
    ] as [(String, String, String?)])
  func refusesWhatIsWrong(_ before: String, _ after: String, _ code: String?) throws {
    let text = try Self.text("ddr4-2400-x64")
    #expect(text.contains(before))
    let changed = text.replacingOccurrences(of: before, with: after)
    guard let code else {
      _ = try Self.device(changed)
      return
    }
    let error = #expect(throws: DiagnosticError.self) { _ = try Self.device(changed) }
    #expect(error?.codes.contains(code) == true, "\(error?.rendered ?? "")")
    #expect(error?.diagnostics.allSatisfy { $0.location.filePosition != nil } == true)
  }

  @Test func namesAllErrorsAtOnce() throws {
    let text = try Self.text("ddr4-2400-x64").replacingOccurrences(of: "CL: 17", with: "CL: x")
      .replacingOccurrences(of: "VDD: 1.2 V", with: "VDD: 1.2 W").replacingOccurrences(
        of: "ranks: 2 ", with: "ranks: 3 ")
    let error = #expect(throws: DiagnosticError.self) { _ = try Self.device(text) }
    #expect(error?.diagnostics.count == 3)
  }

  @Test func unknownMemoryNamesTheKnownOnes() {
    let error = #expect(throws: DiagnosticError.self) { _ = try DRAMDevice.load("ddr4-2400", root: Self.root) }
    #expect(error?.codes == ["unknown-memory"] && error?.rendered.contains("ddr4-2400-x64") == true)
  }

  /// Every single-line deletion and a few thousand byte changes: a device or diagnostics, never a crash.
  @Test func survivesDamage() throws {
    let text = try Self.text("lpddr4-2400-x64")
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for index in lines.indices {
      var rest = lines
      rest.remove(at: index)
      _ = try? Self.device(rest.joined(separator: "\n"))
    }
    var random = SplitMix64(seed: 3)
    for _ in 0..<2_000 {
      var bytes = Array(text.utf8)
      for _ in 0..<(1 + random.next(below: 4)) {
        bytes[random.next(below: bytes.count)] = UInt8(32 + random.next(below: 95))
      }
      _ = try? Self.device(String(decoding: bytes, as: UTF8.self))
    }
  }
}
