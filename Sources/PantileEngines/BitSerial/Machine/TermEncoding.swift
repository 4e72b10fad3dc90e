/// How a whole number becomes signed powers of two, its *terms*: value = Σ plus - Σ minus.
///
/// **Source** plain to NAF: MacSorley, "High-Speed Arithmetic in Binary Computers", Proc. IRE 1961, and Reitwiesner, "Binary
/// Arithmetic", 1960; two leading ones: Chen et al., "BitMoD", HPCA 2025; columns: Shi et al., "BitWave", HPCA 2024.
public enum TermEncoding: String, CaseIterable, Hashable, Sendable {
  /// Bits of the two's complement; the highest counts negative.
  case plain
  /// Bits of the magnitude, all with the sign of the number.
  case signMagnitude = "sign-magnitude"
  /// Radix-4 Booth digits -2...2, one for two bits.
  case booth = "booth4"
  /// Non-adjacent form: the fewest signed powers of two.
  case naf
  /// At most two bits of the magnitude, as 4-bit and 3-bit floating point needs; numbers with more have no such code.
  case lod2
  /// Bits of the magnitude, taken column by column by all lanes of an element at once.
  case bitColumn = "bit-column"

  /// The terms of one number as two masks of bit positions.
  public struct Terms: Hashable, Sendable, BitwiseCopyable {
    public var plus: UInt32
    public var minus: UInt32

    /// All positions, whatever the sign.
    public var positions: UInt32 { plus | minus }
    public var count: Int { positions.nonzeroBitCount }
    /// The number.
    public var value: Int { Int(plus) - Int(minus) }
  }

  /// The terms of a number that `holds(_:bits:)`.
  public func terms(_ value: Int, bits: Int) -> Terms {
    let word = Int32(truncatingIfNeeded: value)
    switch self {
    case .plain:
      let mask = (UInt32(1) << UInt32(bits)) - 1
      let sign = UInt32(1) << UInt32(bits - 1)
      let low = UInt32(bitPattern: word) & mask
      return Terms(plus: low & ~sign, minus: low & sign)
    case .signMagnitude, .lod2, .bitColumn:
      return word < 0 ? Terms(plus: 0, minus: word.magnitude) : Terms(plus: word.magnitude, minus: 0)
    case .booth:
      var result = Terms(plus: 0, minus: 0)
      // Digit i is b[2i-1] + b[2i] - 2·b[2i+1]; a digit of ±2 is the term one position higher.
      for digit in 0..<ceilDiv(bits, 2) {
        let low = digit == 0 ? 0 : (word >> Int32(2 * digit - 1)) & 1
        let number = low + (word >> Int32(2 * digit)) & 1 - 2 * ((word >> Int32(2 * digit + 1)) & 1)
        guard number != 0 else { continue }
        let term = UInt32(1) << UInt32(2 * digit + (abs(number) == 2 ? 1 : 0))
        if number > 0 { result.plus |= term } else { result.minus |= term }
      }
      return result
    case .naf:
      // The carries of value + value / 2 are where a digit stands (Prodinger's construction).
      let half = word >> 1
      let sum = word &+ half
      let digits = half ^ sum
      return Terms(plus: UInt32(bitPattern: sum & digits), minus: UInt32(bitPattern: half & digits))
    }
  }

  /// Cycles a step of numbers of `bits` takes when every term has its cycle, zero or not: T.
  public func fixedTerms(bits: Int) -> Int {
    switch self {
    case .plain: bits
    case .signMagnitude, .bitColumn: max(1, bits - 1)
    case .booth, .naf: ceilDiv(bits, 2)
    case .lod2: 2
    }
  }

  /// Why a number has no code of `bits` in this encoding; nil when it has.
  ///
  /// - Parameter allowsLowest: whether a magnitude of 2^(bits-1), which the magnitude's bits cannot hold, may take one bit more.
  public func refusal(of value: Int, bits: Int, allowsLowest: Bool) -> String? {
    if self == .lod2 {
      let ones = value.magnitude.nonzeroBitCount
      return ones <= 2 ? nil : "its magnitude has \(ones) one-bits, two leading ones hold 2"
    }
    let limit = 1 << (bits - 1)
    guard value >= -limit && value < limit else { return "\(bits) bits hold \(-limit)...\(limit - 1)" }
    if value == -limit && !allowsLowest && (self == .signMagnitude || self == .bitColumn) {
      return "a magnitude of \(bits - 1) bits holds \(1 - limit)...\(limit - 1)"
    }
    return nil
  }
}
