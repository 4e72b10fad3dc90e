import PantileTarget

/// The rules of a DRAM as a list, for judging command traces. Shares nothing with the controller: each judges the other.
///
/// **Source** JEDEC JESD79-3 (DDR3), JESD79-4 (DDR4), JESD209-4 (LPDDR4), JESD235 (HBM): command truth and timing tables.
struct DRAMRules {
  /// Where the two commands of a rule are.
  enum Scope { case bank, group, rank }

  /// A command of `from` is followed by one of `to` after `distance` clocks at the earliest.
  struct Spacing {
    var name: String
    var from: [DRAMCommand.Kind]
    var to: [DRAMCommand.Kind]
    var scope: Scope
    var distance: Int
  }

  let spacings: [Spacing]
  /// Activates of a rank that may lie in a window of `fourActivates` clocks.
  let activatesInWindow = 4
  let fourActivates: Int
  /// Command to first data, and the clocks of data.
  let readStart: Int
  let writeStart: Int
  let dataClocks: Int
  /// Free clocks of the data bus when its driver changes.
  let turnaround: Int
  /// What closes a bank after a read or write that does so by itself.
  let closingRead: Int
  let closingWrite: Int
  let activeTime: Int
  let precharge: Int

  init(_ device: DRAMDevice) {
    let t = device.timing
    readStart = t.additiveLatency + t.readLatency
    writeStart = t.additiveLatency + t.writeLatency
    dataClocks = device.organization.burstLength / device.organization.beatsPerClock
    turnaround = t.busTurnaround
    fourActivates = t.fourActivates
    closingRead = t.additiveLatency + t.readToPrecharge
    closingWrite = writeStart + dataClocks + t.writeRecovery
    activeTime = t.activeTime
    precharge = t.precharge
    let reads: [DRAMCommand.Kind] = [.read, .readClosing]
    let writes: [DRAMCommand.Kind] = [.write, .writeClosing]
    let writeEnd = writeStart + dataClocks
    func rule(
      _ name: String, _ from: [DRAMCommand.Kind], _ to: [DRAMCommand.Kind], _ scope: Scope, _ distance: Int
    ) -> Spacing { Spacing(name: name, from: from, to: to, scope: scope, distance: distance) }
    spacings = [
      rule("tRCDRD", [.activate], reads, .bank, t.activateToRead - t.additiveLatency),
      rule("tRCDWR", [.activate], writes, .bank, t.activateToWrite - t.additiveLatency),
      rule("tRAS", [.activate], [.precharge], .bank, t.activeTime),
      rule("tRC", [.activate], [.activate, .refreshBank], .bank, t.activeTime + t.precharge),
      rule("tRP", [.precharge], [.activate, .refreshBank], .bank, t.precharge),
      rule("tRP", [.precharge], [.refresh], .rank, t.precharge),
      rule("tRTP", [.read], [.precharge], .bank, closingRead),
      rule("tWR", [.write], [.precharge], .bank, closingWrite),
      rule("tRRD_L", [.activate], [.activate], .group, t.activateLong),
      rule("tRRD_S", [.activate], [.activate], .rank, t.activateShort),
      rule("tCCD_L", reads, reads, .group, t.columnLong),
      rule("tCCD_S", reads, reads, .rank, t.columnShort),
      rule("tCCD_L", writes, writes, .group, t.columnLong),
      rule("tCCD_S", writes, writes, .rank, t.columnShort),
      rule("tWTR_L", writes, reads, .group, writeEnd + t.writeToReadLong),
      rule("tWTR_S", writes, reads, .rank, writeEnd + t.writeToReadShort),
      rule("tPPD", [.precharge], [.precharge], .rank, t.prechargeToPrecharge),
      rule("tRFC", [.refresh], [.activate, .refresh], .rank, t.refreshTime),
      rule("tRFCb", [.refreshBank], [.activate, .refreshBank], .bank, t.bankRefreshTime),
    ]
  }
}
