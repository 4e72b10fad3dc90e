import PantileEngines
import PantileSupport

/// The energy of a task as BitMoD's evaluation counts it.
///
/// **Accuracy** of its simulator to the rounding of printed figures: PEs burn in every compute cycle whether they are
/// used or not, each step reads both ports once, each fetched byte is written once, DRAM has one figure a bit; no
/// leakage.
/// **Source** Chen et al., HPCA 2025, section V; CACTI 7 for the ports.
public struct BitMoDEnergy: Hashable, Sendable {
  /// Energy figures of the buffers and the DRAM.
  public struct Table: Hashable, Sendable {
    /// Energy of an access through a port.
    public struct Port: Hashable, Sendable {
      public var bits: Int
      public var read: Picojoules
      public var write: Picojoules

      public init(bits: Int, read: Picojoules, write: Picojoules) {
        self.bits = bits
        self.read = read
        self.write = write
      }
    }

    /// By width, which occurs once.
    public var ports: [Port]
    public var dramPerBit: Picojoules
    /// Energy of a placed PE over that of the synthesised one; a ratio, hence a plain number.
    public var placeAndRouteFactor: Double

    public init(ports: [Port], dramPerBit: Picojoules, placeAndRouteFactor: Double) {
      self.ports = ports
      self.dramPerBit = dramPerBit
      self.placeAndRouteFactor = placeAndRouteFactor
    }

    /// The port of this width; nil when there is no figure for it.
    public func port(bits: Int) -> Port? { ports.first { $0.bits == bits } }
  }

  public var pe: Picojoules
  public var sramRead: Picojoules
  public var sramWrite: Picojoules
  public var dram: Picojoules

  /// Everything on the chip.
  public var onChip: Picojoules { pe + sramRead + sramWrite }
  public var total: Picojoules { onChip + dram }

  /// Nil when the table has no figure for one of the ports.
  ///
  /// - Parameter perPE: energy of a synthesised PE in a cycle.
  public init?(
    _ counts: BitMoDCounts, on array: BitMoDArray, perPE: Picojoules, weightPortBits: Int, inputPortBits: Int,
    table: Table
  ) {
    guard let weightPort = table.port(bits: weightPortBits), let inputPort = table.port(bits: inputPortBits) else {
      return nil
    }
    let elements = Double(array.rows) * Double(array.columns)
    pe = Picojoules(perPE.value * table.placeAndRouteFactor * elements * Double(counts.computeCycles.count))
    sramRead = Picojoules(Double(counts.steps) * (weightPort.read.value + inputPort.read.value))
    sramWrite = Picojoules(
      Double(counts.weightPortWrites.count) * 8 / Double(weightPortBits) * weightPort.write.value
        + Double(counts.inputPortWrites.count) * 8 / Double(inputPortBits) * inputPort.write.value)
    dram = Picojoules(counts.dramBytes * 8 * table.dramPerBit.value)
  }
}
