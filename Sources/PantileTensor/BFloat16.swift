/// Conversion between `Float` and the 16 upper bits that bfloat16 keeps of it.
public enum BFloat16 {
  /// The nearest bfloat16, ties to even; NaN stays NaN (quiet), overflow becomes infinity.
  @inlinable public static func bits(of value: Float) -> UInt16 {
    let bits = value.bitPattern
    if value.isNaN { return UInt16(truncatingIfNeeded: bits >> 16) | 0x0040 }
    return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
  }

  /// The value of a bit pattern, exactly.
  @inlinable public static func value(of bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }
}
