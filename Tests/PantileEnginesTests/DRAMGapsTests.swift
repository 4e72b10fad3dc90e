import PantileEngines
import PantileSupport
import PantileTarget
import Testing

/// Why the data bus of a channel stands still.
struct DRAMGapsTests {
  /// Runs arrivals; the system, recorded.
  private static func run(_ arrivals: [DRAMDevices.Arrival], on device: DRAMDevice) -> (
    gaps: DRAMGaps, problem: String?
  ) {
    let memory = DRAMSystem(device, recordsCommands: true)
    var clock = 0
    for arrival in arrivals {
      clock += arrival.gap
      while !memory.offer(DRAMRequest(address: arrival.entry.address, isWrite: arrival.entry.isWrite), at: clock) {
        clock += 1
      }
    }
    memory.advance(before: clock + 20_000)
    var all = DRAMGaps()
    for channel in 0..<device.organization.channels {
      let gaps = memory.gaps(of: channel)
      all += gaps
      var (end, data) = (0, 0)
      for command in memory.commands where command.channel == channel {
        let isRead = command.kind == .read || command.kind == .readClosing
        guard isRead || command.kind == .write || command.kind == .writeClosing else { continue }
        let latency = isRead ? device.timing.readLatency : device.timing.writeLatency
        end = command.cycle + device.timing.additiveLatency + latency + device.organization.burstClocks
        data += device.organization.burstClocks
      }
      let sum = gaps.row + gaps.refresh + gaps.turnaround + gaps.group + gaps.idle
      if sum + data != end { return (all, "channel \(channel): \(gaps) and \(data) of \(end)") }
    }
    return (all, nil)
  }

  /// Data and gaps fill the time of the bus, whatever the device and its requests.
  @Test(arguments: 0..<60) func gapsAndDataFillTheBus(seed: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    let device = DRAMDevices.random(&random)
    let (gaps, problem) = Self.run(DRAMDevices.arrivals(400, on: device, &random), on: device)
    #expect(problem == nil, "seed \(seed)")
    #expect([gaps.row, gaps.refresh, gaps.turnaround, gaps.group, gaps.idle].allSatisfy { $0 >= 0 }, "seed \(seed)")
    if device.controller.refresh == .never { #expect(gaps.refresh == 0, "seed \(seed)") }
    if device.organization.bankGroups == 1, device.timing.columnShort <= device.organization.burstClocks {
      #expect(gaps.group == 0, "seed \(seed)")
    }
  }

  private static func reads(_ addresses: [Int]) -> [DRAMDevices.Arrival] {
    addresses.map { DRAMDevices.Arrival(entry: DRAMTraceEntry($0), gap: 1) }
  }

  /// Reads along one row: the row is opened once, after that only the spacing inside the bank group shows.
  @Test func oneRowWaitsForItsGroup() {
    let device = DRAMDevices.tight { device in
      device.controller.refresh = .never
      device.organization.columns = 1024
    }
    let bytes = device.organization.burstBytes
    let gaps = Self.run(Self.reads((0..<64).map { $0 * bytes }), on: device).gaps
    // 7 clocks from column to column, 4 of them data.
    #expect(gaps.group == 63 * 3)
    #expect(gaps.refresh == 0 && gaps.turnaround == 0)
    #expect(gaps.row == 12 - 2, "tRCD less the additive latency")
  }

  /// Reads of one bank, each in another row.
  @Test func otherRowsAreMisses() {
    let device = DRAMDevices.tight { $0.controller.refresh = .never }
    let row = device.organization.capacity / device.organization.rows
    let gaps = Self.run(Self.reads((0..<32).map { $0 * row }), on: device).gaps
    // tRC = tRAS + tRP = 36 clocks from row to row: 4 of data, 3 that one bank group needs anyway.
    #expect(gaps.row == 10 + 31 * (36 - 4 - 3))
    #expect(gaps.group == 31 * 3 && gaps.refresh == 0 && gaps.turnaround == 0)
  }

  /// The same row again and again for longer than a refresh interval.
  @Test func refreshesAreTold() {
    let device = DRAMDevices.tight { device in
      device.organization.ranks = 1
      device.organization.columns = 1024
    }
    let bytes = device.organization.burstBytes
    let gaps = Self.run(Self.reads((0..<400).map { $0 % 128 * bytes }), on: device).gaps
    #expect(gaps.refresh >= 3 * device.timing.refreshTime)
    #expect(gaps.row == 10)
  }

  /// Reads and writes of one row in turns.
  @Test func turnaroundsAreTold() {
    let device = DRAMDevices.tight { device in
      device.controller.refresh = .never
      device.controller.writeQueue = 0
      device.controller.writeHigh = 0
      device.controller.writeIdle = 0
      device.controller.scheduling = .inOrder
      device.organization.columns = 1024
    }
    let bytes = device.organization.burstBytes
    let turns = (0..<40).map { DRAMDevices.Arrival(entry: DRAMTraceEntry($0 * bytes, isWrite: $0 % 2 == 1), gap: 1) }
    let gaps = Self.run(turns, on: device).gaps
    #expect(gaps.turnaround > 39 * device.timing.busTurnaround)
    #expect(gaps.group == 0 && gaps.refresh == 0 && gaps.row == 10)
  }
}
