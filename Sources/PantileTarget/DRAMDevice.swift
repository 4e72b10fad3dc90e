/// A DRAM behind a memory controller: its organisation, timing, currents, and the controller's queues and policies.
///
/// Read from a file in `Targets/memories`; `Docs/dram.md` describes the format. All times are whole memory clocks.
public struct DRAMDevice: Hashable, Sendable {
  /// The name by which reports speak of it: `ddr4-2400-x64`.
  public var name: String
  public var summary: String
  /// Where the figures are from.
  public var source: String
  /// Length of a memory clock.
  public var clockPeriod: ClockPeriod
  public var organization: Organization
  public var addressMap: DRAMAddressMap
  public var timing: Timing
  public var power: Power
  public var controller: Controller

  /// Channels, ranks, bank groups, banks, rows and columns.
  public struct Organization: Hashable, Sendable {
    /// Independent channels, each with its own command and data bus.
    public var channels: Int
    /// Ranks that share the buses of a channel.
    public var ranks: Int
    public var bankGroups: Int
    public var banksPerGroup: Int
    public var rows: Int
    /// Beats of the data bus in a row.
    public var columns: Int
    /// Data pins of one device. **Units**: bits.
    public var deviceWidth: Int
    /// Data pins of a channel. **Units**: bits.
    public var busWidth: Int
    /// Beats of one access.
    public var burstLength: Int
    /// Beats in a clock: 2 for double data rate.
    public var beatsPerClock: Int
    /// Whether row and column commands have command buses of their own (HBM), so that one of each goes out in a clock.
    public var hasSplitCommandBus: Bool

    /// Banks of a rank.
    public var banksPerRank: Int { bankGroups * banksPerGroup }
    /// Devices that answer together.
    public var devicesPerRank: Int { busWidth / deviceWidth }
    /// Bytes of one access.
    public var burstBytes: Int { busWidth / 8 * burstLength }
    /// Clocks that one access keeps the data bus busy.
    public var burstClocks: Int { burstLength / beatsPerClock }
    /// Accesses that a row holds.
    public var burstsPerRow: Int { columns / burstLength }
    /// Bytes of all channels.
    public var capacity: Int { burstBytes * burstsPerRow * rows * banksPerRank * ranks * channels }
  }

  /// Shortest distances between commands, as JEDEC names them. **Units**: memory clocks.
  ///
  /// `_S` holds between bank groups, `_L` inside one.
  public struct Timing: Hashable, Sendable {
    /// Additive latency.
    public var additiveLatency = 0
    /// Read command to first data, without additive latency.
    public var readLatency = 0
    /// Write command to first data, without additive latency.
    public var writeLatency = 0
    /// Activate to read.
    public var activateToRead = 0
    /// Activate to write.
    public var activateToWrite = 0
    /// Precharge to activate or refresh.
    public var precharge = 0
    /// Activate to precharge.
    public var activeTime = 0
    /// Activates of different bank groups.
    public var activateShort = 0
    /// Activates inside a bank group.
    public var activateLong = 0
    /// A window that holds four activates of a rank at most.
    public var fourActivates = 0
    /// Column commands of different bank groups.
    public var columnShort = 0
    /// Column commands inside a bank group.
    public var columnLong = 0
    /// End of write data to read, different bank groups.
    public var writeToReadShort = 0
    /// End of write data to read, inside a bank group.
    public var writeToReadLong = 0
    /// End of write data to precharge.
    public var writeRecovery = 0
    /// Read to precharge.
    public var readToPrecharge = 0
    /// Gap on the data bus when the driver changes: from rank to rank, from read to write.
    public var busTurnaround = 0
    /// Precharge to precharge in a rank; 0 where there is no such rule.
    public var prechargeToPrecharge = 0
    /// Refresh of a rank to activate.
    public var refreshTime = 0
    /// Average distance of the refreshes of a rank.
    public var refreshInterval = 0
    /// Refresh of a bank to activate in it; 0 where banks are not refreshed alone.
    public var bankRefreshTime = 0
    /// Distance of the refreshes of single banks of a channel; 0 where banks are not refreshed alone.
    public var bankRefreshInterval = 0

    public init() {}

    /// One key of the file's section `timing`.
    public struct Parameter: Sendable {
      /// As JEDEC writes it.
      public let key: String
      public let path: any WritableKeyPath<Timing, Int> & Sendable
      /// Whether the key may be left out; it is 0 then.
      public let isOptional: Bool
      public let summary: String
    }

    /// All parameters, in the order of the reference page.
    public static let parameters: [Parameter] = [
      Parameter(key: "AL", path: \.additiveLatency, isOptional: true, summary: "additive latency"),
      Parameter(key: "CL", path: \.readLatency, isOptional: false, summary: "read to first data"),
      Parameter(key: "CWL", path: \.writeLatency, isOptional: false, summary: "write to first data"),
      Parameter(key: "tRCDRD", path: \.activateToRead, isOptional: false, summary: "activate to read"),
      Parameter(key: "tRCDWR", path: \.activateToWrite, isOptional: false, summary: "activate to write"),
      Parameter(key: "tRP", path: \.precharge, isOptional: false, summary: "precharge to activate or refresh"),
      Parameter(key: "tRAS", path: \.activeTime, isOptional: false, summary: "activate to precharge"),
      Parameter(key: "tRRD_S", path: \.activateShort, isOptional: false, summary: "activate to activate, other group"),
      Parameter(key: "tRRD_L", path: \.activateLong, isOptional: false, summary: "activate to activate, same group"),
      Parameter(key: "tFAW", path: \.fourActivates, isOptional: false, summary: "window of four activates of a rank"),
      Parameter(key: "tCCD_S", path: \.columnShort, isOptional: false, summary: "column to column, other group"),
      Parameter(key: "tCCD_L", path: \.columnLong, isOptional: false, summary: "column to column, same group"),
      Parameter(key: "tWTR_S", path: \.writeToReadShort, isOptional: false, summary: "write data to read, other group"),
      Parameter(key: "tWTR_L", path: \.writeToReadLong, isOptional: false, summary: "write data to read, same group"),
      Parameter(key: "tWR", path: \.writeRecovery, isOptional: false, summary: "write data to precharge"),
      Parameter(key: "tRTP", path: \.readToPrecharge, isOptional: false, summary: "read to precharge"),
      Parameter(
        key: "tRTRS", path: \.busTurnaround, isOptional: false, summary: "gap of the data bus at a change of its driver"
      ),
      Parameter(
        key: "tPPD", path: \.prechargeToPrecharge, isOptional: true, summary: "precharge to precharge in a rank"),
      Parameter(key: "tRFC", path: \.refreshTime, isOptional: false, summary: "refresh of a rank to activate"),
      Parameter(
        key: "tREFI", path: \.refreshInterval, isOptional: false, summary: "distance of the refreshes of a rank"),
      Parameter(
        key: "tRFCb", path: \.bankRefreshTime, isOptional: true,
        summary: "refresh of a bank to activate; with `refresh: bank-staggered`"),
      Parameter(
        key: "tREFIb", path: \.bankRefreshInterval, isOptional: true,
        summary: "distance of the refreshes of banks of a channel; with `refresh: bank-staggered`"),
    ]
  }

  /// Supply voltage and currents of one device (JEDEC IDD), from which energies follow.
  ///
  /// Doubles, as they are figures of data sheets. **Units**: volts, milliamperes.
  public struct Power: Hashable, Sendable {
    public var supply: Double
    /// One bank activated and precharged every tRAS + tRP.
    public var activate: Double
    /// All banks precharged, clock enabled.
    public var prechargeStandby: Double
    /// A bank open, clock enabled.
    public var activeStandby: Double
    /// Reading without pause.
    public var read: Double
    /// Writing without pause.
    public var write: Double
    /// Refreshing without pause.
    public var refresh: Double
    /// Refreshing single banks without pause; 0 where banks are not refreshed alone.
    public var bankRefresh: Double
    /// What one memory clock counts in energies.
    ///
    /// The clock period, except where a file follows a simulator that counts 1 ns whatever its clock is.
    public var energyCycle: ClockPeriod
  }

  /// Queues and policies of the controller of one channel.
  public struct Controller: Hashable, Sendable {
    /// The order in which the requests of a bank are served.
    public enum Scheduling: String, Hashable, Sendable, CaseIterable {
      /// Requests to the open row first, the oldest first among equals.
      case firstReady = "fr-fcfs"
      /// The oldest only.
      case inOrder = "in-order"
    }

    /// When a row is closed.
    public enum RowPolicy: String, Hashable, Sendable, CaseIterable {
      /// When another row of the bank is wanted, or a refresh.
      case open
      /// With each access.
      case closed
    }

    /// What is refreshed together.
    public enum Refresh: String, Hashable, Sendable, CaseIterable {
      /// One rank after the other, evenly spread over the interval.
      case rankStaggered = "rank-staggered"
      /// All ranks at once, each interval.
      case rankSimultaneous = "rank-simultaneous"
      /// One bank after the other.
      case bankStaggered = "bank-staggered"
      /// Never; for experiments.
      case never
    }

    /// Requests that wait before the bank queues: of reads, or of both when unified.
    public var readQueue: Int
    /// Writes that wait before the bank queues; 0 when reads and writes share one queue.
    public var writeQueue: Int
    /// Requests that wait at a bank.
    public var bankQueue: Int
    /// As many waiting writes start a drain.
    public var writeHigh: Int
    /// More waiting writes than this start a drain when no bank has work.
    public var writeIdle: Int
    public var scheduling: Scheduling
    public var rowPolicy: RowPolicy
    /// As many row hits may overtake an older request to another row of the bank.
    public var rowHitLimit: Int
    public var refresh: Refresh
  }

  /// Bytes per second of all data pins. A double: a derived figure for reports.
  public var peakBytesPerSecond: Double {
    Double(organization.busWidth / 8 * organization.beatsPerClock * organization.channels)
      / (clockPeriod.picoseconds * 1e-12)
  }
}
