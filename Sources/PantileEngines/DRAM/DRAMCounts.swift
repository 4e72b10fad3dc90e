/// What a DRAM channel did. Reports multiply it by `DRAMDevice.energies`.
public struct DRAMCounts: Hashable, Sendable, BitwiseCopyable {
  public var activates = 0
  public var precharges = 0
  /// Read commands; requests answered from waiting writes or together with another read need none.
  public var reads = 0
  /// Write commands.
  public var writes = 0
  /// Reads of a row that an earlier column command had used since its activation.
  public var readHits = 0
  public var writeHits = 0
  /// Refreshes of ranks.
  public var refreshes = 0
  public var bankRefreshes = 0
  /// Reads answered from a waiting write.
  public var forwardedReads = 0
  /// Reads answered together with an earlier read of the same address.
  public var mergedReads = 0
  /// Writes that replaced a waiting write to the same address.
  public var mergedWrites = 0
  /// Clocks with an open row, summed over ranks.
  public var activeClocks = 0

  public init() {}

  public static func += (a: inout DRAMCounts, b: DRAMCounts) {
    a.activates += b.activates
    a.precharges += b.precharges
    a.reads += b.reads
    a.writes += b.writes
    a.readHits += b.readHits
    a.writeHits += b.writeHits
    a.refreshes += b.refreshes
    a.bankRefreshes += b.bankRefreshes
    a.forwardedReads += b.forwardedReads
    a.mergedReads += b.mergedReads
    a.mergedWrites += b.mergedWrites
    a.activeClocks += b.activeClocks
  }

  public static func - (a: DRAMCounts, b: DRAMCounts) -> DRAMCounts {
    var result = a
    result.activates -= b.activates
    result.precharges -= b.precharges
    result.reads -= b.reads
    result.writes -= b.writes
    result.readHits -= b.readHits
    result.writeHits -= b.writeHits
    result.refreshes -= b.refreshes
    result.bankRefreshes -= b.bankRefreshes
    result.forwardedReads -= b.forwardedReads
    result.mergedReads -= b.mergedReads
    result.mergedWrites -= b.mergedWrites
    result.activeClocks -= b.activeClocks
    return result
  }
}
