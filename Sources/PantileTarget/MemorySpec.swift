import PantileSupport

/// A memory of a chip.
public struct MemorySpec: Hashable, Sendable {
  /// What the memory is for. Closed set: the simulator has a model for each.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// Off-chip, behind the DMA links.
    case dram
    /// On-chip operand memory in banks.
    case scratchpad
    /// On-chip memory of partial sums beside the arrays, in banks.
    case accumulator
  }

  /// The name by which commands and reports speak of it: `spad`.
  public var name: String
  public var kind: Kind
  public var size: Bytes
  /// Banks of equal size, blocked: bank = address / (size / banks). 1 for DRAM.
  public var banks: Int
  /// Bytes that one port moves in a cycle.
  public var portWidth: Bytes
  /// Bytes per cycle in all: of the pins for DRAM, of all bank ports together on chip.
  public var bandwidth: BytesPerCycle
  /// From request to first data.
  public var latency: Cycles
  /// The smallest transfer of DRAM; the port width on chip.
  public var burst: Bytes
  /// Which entry of the energy table an access costs: `lpddr4`, `sram-hp`. Empty when a device says it.
  public var energyKey: String
  /// The DRAM behind the links, burst by burst; nil for a memory of plain bandwidth and latency.
  public var device: DRAMDevice?

  public init(
    name: String, kind: Kind, size: Bytes, banks: Int, portWidth: Bytes, bandwidth: BytesPerCycle, latency: Cycles,
    burst: Bytes, energyKey: String, device: DRAMDevice? = nil
  ) {
    self.name = name
    self.kind = kind
    self.size = size
    self.banks = banks
    self.portWidth = portWidth
    self.bandwidth = bandwidth
    self.latency = latency
    self.burst = burst
    self.energyKey = energyKey
    self.device = device
  }

  /// The bytes of one bank; exact, as loading checks that banks divide the size.
  public var bankSize: Bytes { Bytes(size.count / banks) }
}

/// A bandwidth as an exact, reduced fraction of bytes per cycle.
public struct BytesPerCycle: Hashable, Sendable, BitwiseCopyable {
  public let numerator: Int
  public let denominator: Int

  /// - Precondition: both parts are positive.
  public init(_ numerator: Int, over denominator: Int = 1) {
    precondition(numerator > 0 && denominator > 0, "a bandwidth must be positive, got \(numerator)/\(denominator)")
    var (a, b) = (numerator, denominator)
    while b != 0 { (a, b) = (b, a % b) }
    self.numerator = numerator / a
    self.denominator = denominator / a
  }

  /// Whole cycles that `bytes` take at this rate, rounded up.
  @inlinable public func cycles(for bytes: Int) -> Int {
    let (high, low) = bytes.multipliedFullWidth(by: denominator)
    precondition(high == 0, "\(bytes) bytes over \(denominator) do not fit 64 bits")
    return Int((low + UInt(numerator) - 1) / UInt(numerator))
  }

  /// The nearest double.
  public var value: Double { Double(numerator) / Double(denominator) }
}

extension BytesPerCycle: CustomStringConvertible {
  /// `16 B/cycle` or `96/5 B/cycle`.
  public var description: String { "\(denominator == 1 ? "\(numerator)" : "\(numerator)/\(denominator)") B/cycle" }
}
