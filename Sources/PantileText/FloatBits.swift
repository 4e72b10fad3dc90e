/// Conversions between Double and the bit patterns of the small float types that text can hold.
///
/// Rounding is to nearest, ties to even. Only f16, bf16, f32 and f64 have arithmetic here; the narrower formats appear in
/// text as hexadecimal bit patterns.
enum FloatBits {
  /// The bit pattern of `value` in the given format; nil for a format without conversion.
  static func encode(_ value: Double, as kind: TypeSyntax.FloatKind) -> UInt64? {
    switch kind {
    case .f64: return value.bitPattern
    case .f32: return UInt64(Float(value).bitPattern)
    case .f16: return UInt64(narrow(value, exponentBits: 5, fractionBits: 10))
    case .bf16: return UInt64(narrow(value, exponentBits: 8, fractionBits: 7))
    default: return nil
    }
  }

  /// The value of a bit pattern; nil for a format without conversion.
  static func decode(_ bits: UInt64, as kind: TypeSyntax.FloatKind) -> Double? {
    switch kind {
    case .f64: return Double(bitPattern: bits)
    case .f32: return Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
    case .bf16: return Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits) << 16))
    case .f16:
      let negative = bits & 0x8000 != 0
      let exponent = Int(bits >> 10) & 0x1F
      let fraction = Double(bits & 0x3FF)
      let magnitude: Double
      switch exponent {
      case 0: magnitude = fraction * 0x1p-24
      case 31: magnitude = fraction == 0 ? .infinity : .nan
      default: magnitude = (1024 + fraction) * Double(sign: .plus, exponent: exponent - 25, significand: 1)
      }
      return negative ? -magnitude : magnitude
    default: return nil
    }
  }

  /// Rounds straight from Double to a 16-bit format, once.
  private static func narrow(_ value: Double, exponentBits: Int, fractionBits: Int) -> UInt16 {
    let sign: UInt16 = value.sign == .minus ? 0x8000 : 0
    let bias = (1 << (exponentBits - 1)) - 1
    let infinity = UInt16((1 << exponentBits) - 1) << UInt16(fractionBits)
    if value.isNaN { return sign | infinity | (1 << UInt16(fractionBits - 1)) }
    let magnitude = value.magnitude
    if magnitude == .infinity { return sign | infinity }
    if magnitude == 0 { return sign }
    // The spacing of representable numbers near the value; subnormals share the least exponent's.
    let exponent = max(Int(magnitude.exponent), 1 - bias)
    let spacing = Double(sign: .plus, exponent: exponent - fractionBits, significand: 1)
    let steps = (magnitude / spacing).rounded(.toNearestOrEven)
    // `steps` counts units in the last place from zero at this exponent; carries run into the exponent by themselves.
    let base = (exponent - (1 - bias)) << fractionBits
    let pattern = base + Int(steps)
    return pattern >= Int(infinity) ? sign | infinity : sign | UInt16(pattern)
  }
}
