/// ANT's flint: small integers and, behind a leading one, floats whose exponent is told by the place of the first one
/// bit.
enum Flint {
  /// The value of a code of `bits`.
  ///
  /// With the top bit clear, the code is the integer. With it set, let `z` be the zeros that the rest starts with: the
  /// value is `2^(bits - 1 + z)` times one and the fraction behind the rest's first one.
  ///
  /// **Source** Guo et al., "ANT: Exploiting Adaptive Numerical Data Type for Low-bit Deep Neural Network
  /// Quantization", MICRO 2022.
  static func value(_ code: Int, bits: Int) -> Double {
    let top = 1 << (bits - 1)
    guard code & top != 0 else { return Double(code) }
    let rest = code - top
    var zeros = 0
    while zeros < bits - 1, rest & (top >> (zeros + 1)) == 0 { zeros += 1 }
    let fractionBits = max(bits - 2 - zeros, 0)
    let fraction = Double(rest & ((1 << fractionBits) - 1)) / Double(1 << fractionBits)
    return Double(1 << (bits - 1 + zeros)) * (1 + fraction)
  }

  /// Signed codes: a sign bit before a flint of one bit less.
  static func signed(bits: Int) -> [CodeValue] {
    let sign = 1 << (bits - 1)
    return (0..<1 << bits).map { code in
      let magnitude = value(code & (sign - 1), bits: bits - 1)
      return .number(code & sign == 0 ? magnitude : -magnitude)
    }
  }
}

extension NumberFormat {
  private static let ant = "Guo et al., \"ANT\", MICRO 2022, section IV"

  static let flint4 = NumberFormat(
    "flint4", "sign and 3-bit flint: 0, 1, 2, 3, 4, 6, 8, 16 and negatives", source: ant,
    code: .table(name: "flint4", bits: 4, Flint.signed(bits: 4)),
    scheme: ScaleScheme(.real(bits: 16), per: .channel),
    dequantisation: "a decoder of the first one's place at the array's edge: exponent and integer",
    notes: [
      "Zero has two codes.", "ANT takes int4, flint4 or pot4 for a whole tensor, by squared error: that is ant4.",
    ])

  static let flint4Unsigned = NumberFormat(
    "flint4-unsigned", "4-bit flint: 0 to 8, 10, 12, 14, 16, 24, 32, 64", source: ant,
    code: .table(
      name: "flint4-unsigned", bits: 4, (0..<16).map { .number(Flint.value($0, bits: 4)) }),
    scheme: ScaleScheme(.real(bits: 16), per: .channel),
    dequantisation: "a decoder of the first one's place at the array's edge: exponent and integer",
    notes: ["Negative values become 0."])
}
