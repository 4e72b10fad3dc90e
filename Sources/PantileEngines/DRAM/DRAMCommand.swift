/// A command on the bus of a DRAM channel.
public struct DRAMCommand: Hashable, Sendable, BitwiseCopyable {
  public enum Kind: UInt8, Hashable, Sendable, BitwiseCopyable, CaseIterable {
    case activate, precharge, read, write
    /// Read or write that closes the row behind itself.
    case readClosing, writeClosing
    /// Of a rank.
    case refresh
    case refreshBank

    /// As written in command traces.
    public var text: String {
      switch self {
      case .activate: return "ACT"
      case .precharge: return "PRE"
      case .read: return "RD"
      case .write: return "WR"
      case .readClosing: return "RDA"
      case .writeClosing: return "WRA"
      case .refresh: return "REF"
      case .refreshBank: return "REFB"
      }
    }
  }

  /// The memory clock in which it is on the bus.
  public var cycle: Int
  public var kind: Kind
  public var channel: Int32
  public var rank: Int32
  /// 0 for a refresh of a rank, as `bank`.
  public var group: Int32
  public var bank: Int32
  /// 0 for commands that name no row.
  public var row: Int32
  /// In bursts; 0 for commands that name no column.
  public var column: Int32

  public init(
    cycle: Int, kind: Kind, channel: Int, rank: Int, group: Int = 0, bank: Int = 0, row: Int = 0, column: Int = 0
  ) {
    self.cycle = cycle
    self.kind = kind
    (self.channel, self.rank, self.group, self.bank) = (Int32(channel), Int32(rank), Int32(group), Int32(bank))
    (self.row, self.column) = (Int32(row), Int32(column))
  }
}

extension DRAMCommand: CustomStringConvertible {
  /// `120 ACT 0 1 3 2 517 0`: cycle, kind, channel, rank, group, bank, row, column.
  public var description: String { "\(cycle) \(kind.text) \(channel) \(rank) \(group) \(bank) \(row) \(column)" }
}
