import PantileEngines
import PantileSupport
import PantileTarget

/// What a trace on a DRAM came to: counts, latency, rates, and energy as counts times `DRAMDevice.energies`.
public struct DRAMReport: Sendable {
  /// Energy of one channel, or of all.
  public struct Energy: Hashable, Sendable {
    public var activate = Picojoules.zero
    public var read = Picojoules.zero
    public var write = Picojoules.zero
    public var refresh = Picojoules.zero
    /// Of ranks with an open row.
    public var activeStandby = Picojoules.zero
    /// Of ranks without.
    public var prechargeStandby = Picojoules.zero

    public var background: Picojoules { activeStandby + prechargeStandby }
    public var total: Picojoules { activate + read + write + refresh + background }

    public init() {}

    public init(_ counts: DRAMCounts, cycles: Int, on device: DRAMDevice) {
      let cost = device.energies
      func product(_ count: Int, _ each: Picojoules) -> Picojoules { Picojoules(Double(count) * each.value) }
      activate = product(counts.activates, cost.activate)
      read = product(counts.reads, cost.read)
      write = product(counts.writes, cost.write)
      refresh = product(counts.refreshes, cost.refresh) + product(counts.bankRefreshes, cost.bankRefresh)
      activeStandby = product(counts.activeClocks, cost.activeClock)
      prechargeStandby = product(device.organization.ranks * cycles - counts.activeClocks, cost.idleClock)
    }
  }

  public let run: DRAMTraceRun
  /// Requests of the trace.
  public let offered: Int
  /// All channels together.
  public let counts: DRAMCounts
  public let energy: Energy

  /// - Parameter offered: how many requests the trace has.
  public init(_ run: DRAMTraceRun, offered: Int) {
    self.run = run
    self.offered = offered
    var counts = DRAMCounts()
    var energy = Energy()
    for channel in run.counts {
      counts += channel
      let part = Energy(channel, cycles: run.cycles, on: run.device)
      energy.activate += part.activate
      energy.read += part.read
      energy.write += part.write
      energy.refresh += part.refresh
      energy.activeStandby += part.activeStandby
      energy.prechargeStandby += part.prechargeStandby
    }
    self.counts = counts
    self.energy = energy
  }

  public var requestsDone: Int { run.readsDone + run.writesDone }
  /// Picojoules a bit that was moved; nil when none was. A double: a quotient for reports.
  public var picojoulesPerBit: Double? {
    guard requestsDone > 0 else { return nil }
    return energy.total.value / (Double(requestsDone) * Double(run.device.organization.burstBytes) * 8)
  }
  /// Clocks from acceptance to last data; nil without reads. A double: a mean.
  public var meanReadLatency: Double? {
    run.readsDone > 0 ? Double(run.readLatencySum) / Double(run.readsDone) : nil
  }
  /// Nanoseconds of a memory clock.
  private var nanoseconds: Double { run.device.clockPeriod.nanoseconds }
  /// Gigabytes a second over the window, by all requests done. A double: a quotient for reports.
  public var gigabytesPerSecond: Double { rate(requestsDone) }

  private func rate(_ requests: Int) -> Double {
    Double(requests * run.device.organization.burstBytes) / (Double(run.cycles) * nanoseconds)
  }

  /// How much less a clock really is than energies count it, or more; 1 unless the file sets `energy_cycle` apart.
  private var physicalShare: Double { run.device.clockPeriod.picoseconds / run.device.power.energyCycle.picoseconds }

  /// The report as JSON, in the schema `pantile.dram/1` (`Docs/dram.md`).
  public var json: OrderedJSON {
    let device = run.device
    var entries: [OrderedJSON.Entry] = [
      .init("schema", .string("pantile.dram/1")), .init("memory", .string(device.name)),
      .init("cycles", .integer(run.cycles)), .init("clock_ns", .number(nanoseconds)),
      .init("request_bytes", .integer(device.organization.burstBytes)), .init("requests_offered", .integer(offered)),
      .init("requests_accepted", .integer(run.accepted)), .init("requests_wrapped", .integer(run.wrapped)),
      .init("requests_done", .integer(requestsDone)), .init("reads_done", .integer(run.readsDone)),
      .init("writes_done", .integer(run.writesDone)),
    ]
    entries += Self.entries(of: counts)
    entries += [
      .init("avg_read_latency_cycles", meanReadLatency.map { .number($0) } ?? .null),
      .init("avg_read_latency_ns", meanReadLatency.map { .number($0 * nanoseconds) } ?? .null),
      .init("gbps", .number(gigabytesPerSecond)), .init("peak_gbps", .number(device.peakBytesPerSecond / 1e9)),
      .init("energy_pj", .number(energy.total.value)),
      .init("pj_per_bit", picojoulesPerBit.map { .number($0) } ?? .null), .init("energy", Self.json(energy)),
      .init("energy_cycle_ns", .number(device.power.energyCycle.nanoseconds)),
      .init("energy_pj_at_clock", .number(energy.total.value * physicalShare)),
      .init("channels", .list(run.counts.indices.map(channel))),
    ]
    return .object(entries)
  }

  private func channel(_ index: Int) -> OrderedJSON {
    let energy = Energy(run.counts[index], cycles: run.cycles, on: run.device)
    return .object(
      [.init("channel", .integer(index)), .init("requests_done", .integer(run.doneByChannel[index]))]
        + Self.entries(of: run.counts[index])
        + [.init("gbps", .number(rate(run.doneByChannel[index]))), .init("energy_pj", .number(energy.total.value))])
  }

  private static func entries(of counts: DRAMCounts) -> [OrderedJSON.Entry] {
    [
      .init("row_hits", .integer(counts.readHits + counts.writeHits)), .init("activates", .integer(counts.activates)),
      .init("precharges", .integer(counts.precharges)), .init("read_commands", .integer(counts.reads)),
      .init("write_commands", .integer(counts.writes)),
      .init("refreshes", .integer(counts.refreshes + counts.bankRefreshes)),
      .init("forwarded_reads", .integer(counts.forwardedReads)), .init("merged_reads", .integer(counts.mergedReads)),
      .init("merged_writes", .integer(counts.mergedWrites)),
    ]
  }

  private static func json(_ energy: Energy) -> OrderedJSON {
    .object([
      .init("activate_pj", .number(energy.activate.value)), .init("read_pj", .number(energy.read.value)),
      .init("write_pj", .number(energy.write.value)), .init("refresh_pj", .number(energy.refresh.value)),
      .init("background_pj", .number(energy.background.value)),
      .init("active_standby_pj", .number(energy.activeStandby.value)),
      .init("precharge_standby_pj", .number(energy.prechargeStandby.value)),
    ])
  }
}
