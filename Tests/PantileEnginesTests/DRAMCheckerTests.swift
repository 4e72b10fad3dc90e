import PantileEngines
import PantileSupport
import PantileTarget
import Testing

/// The checker refuses what breaks a rule: a controller whose device has one interval a clock too short, and single wrong commands.
struct DRAMCheckerTests {
  /// The rule that a trace of a device with one shorter parameter breaks, and how the device is set so that the parameter binds.
  static func setup(_ key: String, _ device: inout DRAMDevice) {
    switch key {
    case "tREFIb", "tRFCb":
      device.controller.refresh = .bankStaggered
      device.timing.bankRefreshTime = 40
      device.timing.bankRefreshInterval = 90
    case "tCCD_S", "tCCD_L", "tRRD_S", "tRRD_L":
      // One bit of the group below the column, so that neighbours are of other groups, or far above it.
      device.addressMap = DRAMAddressMap(key.hasSuffix("S") ? "rochrabacobg" : "rochbgrabaco")!
      if key.hasPrefix("tRRD") { device.timing.fourActivates = 6 }
    default: break
    }
  }

  static func trace(on device: DRAMDevice) -> [DRAMTraceEntry] {
    var random = SplitMix64(seed: 7)
    let bytes = device.organization.burstBytes
    let bursts = device.organization.capacity / bytes
    var entries = (0..<400).map { DRAMTraceEntry(bytes * $0) }
    for _ in 0..<60 {
      let base = random.next(below: bursts)
      let isWrite = random.next(below: 2) == 0
      for step in 0..<20 { entries.append(DRAMTraceEntry((base + step) % bursts * bytes, isWrite: isWrite)) }
    }
    for _ in 0..<2_500 {
      entries.append(DRAMTraceEntry(random.next(below: bursts) * bytes, isWrite: random.next(below: 5) == 0))
    }
    return entries
  }

  @Test(arguments: DRAMDevice.Timing.parameters.map(\.key))
  func refusesAnIntervalOneClockTooShort(_ key: String) throws {
    let parameter = try #require(DRAMDevice.Timing.parameters.first { $0.key == key })
    let right = DRAMDevices.tight { Self.setup(key, &$0) }
    var short = right
    short.timing[keyPath: parameter.path] -= 1
    #expect(short.timing[keyPath: parameter.path] > 0)
    let cycles = 20_000
    let trace = Self.trace(on: right)
    let good = DRAMTraceRun(trace, on: right, cycles: cycles, recordsCommands: true).commands
    #expect(DRAMChecker.violations(in: good, on: right, until: cycles).isEmpty)
    let bad = DRAMTraceRun(trace, on: short, cycles: cycles, recordsCommands: true).commands
    let broken = DRAMChecker.violations(in: bad, on: right, until: cycles, limit: 10_000)
    // Latencies and turnarounds show where data meet, and in the distances that contain them.
    let rules: [String: Set<String>] = [
      "AL": ["tRCDRD", "tRCDWR", "tRTP", "tWR", "tWTR_L", "tWTR_S", "data bus"], "CL": ["data bus"],
      "CWL": ["tWTR_L", "tWTR_S", "tWR", "data bus"], "tRTRS": ["data bus"], "tRP": ["tRP", "tRC"],
      "tRAS": ["tRAS", "tRC"], "tREFIb": ["tREFI"],
    ]
    #expect(!broken.isEmpty, "\(key) does not bind")
    #expect(Set(broken.map(\.rule)).isSubset(of: rules[key] ?? [key]), "\(key): \(Set(broken.map(\.rule)))")
  }

  /// The shipped devices: every parameter of theirs that binds in plain traffic.
  @Test(arguments: ["ddr4-2400-x64", "lpddr4-2400-x64", "hbm2-8ch"])
  func shippedDevicesKeepTheirRules(_ name: String) throws {
    let device = try DRAMDevices.shipped(name)
    let trace = Self.trace(on: device)
    let cycles = 40_000
    let commands = DRAMTraceRun(trace, on: device, cycles: cycles, recordsCommands: true).commands
    #expect(DRAMChecker.violations(in: commands, on: device, until: cycles).isEmpty)
    for pattern in ["seq_read", "seq_write", "stride_4KB_read", "random_read", "tile_256B_pitch_2KB", "two_streams"] {
      let trace = try DRAMDevices.pattern(pattern, 20_000)
      let commands = DRAMTraceRun(trace, on: device, cycles: 20_000, recordsCommands: true).commands
      #expect(commands.count > 100)
      #expect(DRAMChecker.violations(in: commands, on: device, until: 20_000).isEmpty, "\(pattern)")
    }
  }

  @Test(
    arguments: [
      ("row state", [(0, .activate, 0, 1), (30, .activate, 0, 2)]),
      ("row state", [(0, .read, 0, 1)]),
      ("row state", [(0, .activate, 0, 1), (20, .read, 0, 2)]),
      ("row state", [(0, .precharge, 0, 0)]),
      ("row state", [(0, .activate, 0, 1), (100, .refresh, 0, 0)]),
      ("command bus", [(0, .activate, 0, 1), (0, .activate, 1, 1)]),
      ("command bus", [(9, .activate, 0, 1), (0, .activate, 1, 1)]),
      ("address", [(0, .activate, 9, 1)]),
      ("address", [(0, .activate, 0, 64)]),
      ("window", [(600, .activate, 0, 1)]),
    ] as [(String, [(Int, DRAMCommand.Kind, Int, Int)])])
  func refusesWrongCommands(_ rule: String, _ list: [(Int, DRAMCommand.Kind, Int, Int)]) {
    let device = DRAMDevices.tight()
    let commands = list.map {
      DRAMCommand(cycle: $0.0, kind: $0.1, channel: 0, rank: 0, group: 0, bank: $0.2, row: $0.3)
    }
    let broken = DRAMChecker.violations(in: commands, on: device, until: 600)
    #expect(broken.contains { $0.rule == rule }, "\(broken)")
  }

  @Test func refusesARefreshThatIsMissing() {
    let device = DRAMDevices.tight()
    let broken = DRAMChecker.violations(in: [], on: device, until: 2_000)
    #expect(broken.map(\.rule) == ["tREFI", "tREFI"])
  }

  @Test func splitBusTakesARowAndAColumnCommandInAClock() {
    let commands = [
      DRAMCommand(cycle: 0, kind: .activate, channel: 0, rank: 0, row: 3),
      DRAMCommand(cycle: 40, kind: .read, channel: 0, rank: 0, row: 3),
      DRAMCommand(cycle: 40, kind: .activate, channel: 0, rank: 0, bank: 1, row: 3),
    ]
    let shared = DRAMDevices.tight()
    let split = DRAMDevices.tight { $0.organization.hasSplitCommandBus = true }
    #expect(DRAMChecker.violations(in: commands, on: shared, until: 300).map(\.rule) == ["command bus"])
    #expect(DRAMChecker.violations(in: commands, on: split, until: 300).isEmpty)
  }
}
