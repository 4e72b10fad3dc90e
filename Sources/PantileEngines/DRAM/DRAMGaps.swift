/// Clocks in which a channel's data bus stood still between two bursts, by cause.
///
/// Every clock up to the end of the last burst is data or lies in exactly one of these; a gap is charged when the column command
/// that ends it goes out. **Units** memory clocks.
public struct DRAMGaps: Hashable, Sendable, BitwiseCopyable {
  /// A row had to be precharged or activated, or commands for rows took the command bus.
  public var row = 0
  /// The bank was held for a refresh, or had to be opened again behind one.
  public var refresh = 0
  /// The bus changed its direction or its rank.
  public var turnaround = 0
  /// Two column commands of one bank group stand further apart than their data.
  public var group = 0
  /// No request was at a bank.
  public var idle = 0

  public init() {}

  public static func += (a: inout DRAMGaps, b: DRAMGaps) {
    a.row += b.row
    a.refresh += b.refresh
    a.turnaround += b.turnaround
    a.group += b.group
    a.idle += b.idle
  }

  public static func - (a: DRAMGaps, b: DRAMGaps) -> DRAMGaps {
    var result = DRAMGaps()
    result.row = a.row - b.row
    result.refresh = a.refresh - b.refresh
    result.turnaround = a.turnaround - b.turnaround
    result.group = a.group - b.group
    result.idle = a.idle - b.idle
    return result
  }
}

/// The end of the last data on a channel's bus, and who made it.
struct DRAMBusState: BitwiseCopyable {
  var dataEnd = 0
  /// The first clock in which a command could have gone out for the requests that wait at the banks.
  var askedSince = 0
  var lastRank = -1
  var lastWasWrite = false
}

extension DRAMChannel {
  /// Charges the gap in front of a column command to its causes, in the order in which they hold the command back: nobody asked,
  /// the bus is not ready for this direction, rank and group, the bank's row is not open.
  ///
  /// **Precondition** The command has not changed any state yet.
  @inline(__always) mutating func noteGap(bank: Int, isWrite: Bool, at cycle: Int) {
    let latency = isWrite ? distances.writeLatency : distances.readLatency
    let rank = bank >> rankShift
    // The clock in which the command would have joined its data to the data before.
    let joining = bus.dataEnd &- latency
    if cycle > joining {
      let asked = max(joining, min(bus.askedSince, cycle))
      gaps.idle &+= asked &- joining
      let group = bank >> groupShift
      let busReady =
        isWrite
        ? max(groups[group].nextWrite, ranks[rank].shared.nextWrite)
        : max(groups[group].nextRead, ranks[rank].shared.nextRead)
      let bound = max(asked, min(busReady, cycle))
      if rank != bus.lastRank || isWrite != bus.lastWasWrite {
        gaps.turnaround &+= bound &- asked
      } else {
        gaps.group &+= bound &- asked
      }
      if cycle > bound {
        let opened = refreshedUntil[bank] &+ (isWrite ? distances.activateToWrite : distances.activateToRead)
        let refreshed = max(bound, min(opened, cycle))
        gaps.refresh &+= refreshed &- bound
        gaps.row &+= cycle &- refreshed
      }
    }
    bus.dataEnd = max(bus.dataEnd, cycle &+ latency &+ distances.burst)
    bus.lastRank = rank
    bus.lastWasWrite = isWrite
  }
}
