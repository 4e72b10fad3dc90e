import PantileSupport

/// An array of BitMoD's comparison: of bit-serial elements, or of multipliers that take a weight a cycle.
public struct BitMoDArray: Hashable, Sendable {
  /// PEs along output channels.
  public var rows: Int
  /// PEs along tokens.
  public var columns: Int
  /// Weights that a PE takes at a time.
  public var dotWidth: Int
  /// Storage bits of a weight with its share of the scale: not whole, hence a plain number.
  public var weightBits: Double
  /// Bits of a weight alone, where the share of the scale is known; what a port has to carry.
  public var elementBits: Double?
  public var isBitSerial: Bool
  /// PEs that get their operands in the same cycle: the array's skew counts tiles, not PEs.
  public var tileRows: Int
  public var tileColumns: Int

  public init(
    rows: Int, columns: Int, dotWidth: Int, weightBits: Double, elementBits: Double? = nil, isBitSerial: Bool,
    tileRows: Int = 1, tileColumns: Int = 1
  ) {
    self.rows = rows
    self.columns = columns
    self.dotWidth = dotWidth
    self.weightBits = weightBits
    self.elementBits = elementBits
    self.isBitSerial = isBitSerial
    self.tileRows = tileRows
    self.tileColumns = tileColumns
  }

  /// Cycles of a step with weights of `bits`: two bits of Booth recoding a cycle, fractions of scales not counted.
  ///
  /// **Source** BitMoD, section IV-A: 4 for INT8, 3 for INT6 and INT5, 2 for FP4 and FP3.
  public func stepCycles(bits: Double) -> Int {
    isBitSerial ? Int((bits.rounded(.down) / 2).rounded(.up)) : 1
  }

  /// Bits of the port through which the array reads weights.
  ///
  /// - Parameter granule: a weight takes whole multiples of this many bits.
  public func weightPortBits(granule: Int, bits: Double) -> Int {
    let stored = Int((bits / Double(granule)).rounded(.up)) * granule
    return dotWidth * stored * rows / (isBitSerial ? 2 : 1)
  }

  /// Bits of the port through which the array reads activations of `bits`.
  public func inputPortBits(activationBits: Int) -> Int {
    dotWidth * activationBits * columns / (isBitSerial ? 2 : 1)
  }
}

/// What stands around the array.
public struct BitMoDSystem: Hashable, Sendable {
  public var weightBuffer: Bytes
  public var activationBuffer: Bytes
  /// Bits of a number that no weight format covers: activations, keys, values, outputs.
  public var activationBits: Int
  /// Bits of keys and values as operands of attention, when assumption B is put right.
  public var cacheBits: Int
  public var dramBitsPerCycle: Int
  /// Rows in a buffer start at multiples of this.
  public var rowGranule: Bytes
  /// See `BitMoDArray.weightPortBits`.
  public var portGranuleBits: Int

  public init(
    weightBuffer: Bytes, activationBuffer: Bytes, activationBits: Int, cacheBits: Int, dramBitsPerCycle: Int,
    rowGranule: Bytes, portGranuleBits: Int
  ) {
    self.weightBuffer = weightBuffer
    self.activationBuffer = activationBuffer
    self.activationBits = activationBits
    self.cacheBits = cacheBits
    self.dramBitsPerCycle = dramBitsPerCycle
    self.rowGranule = rowGranule
    self.portGranuleBits = portGranuleBits
  }
}
