extension ElementCode {
  /// Which codes of the largest exponent are no numbers.
  enum FloatSpecials: Sendable {
    /// Infinity and NaN as in IEEE 754.
    case ieee
    /// NaN where exponent and significand are all ones, no infinity.
    case onlyNaN
    /// Every code is a number.
    case none
  }

  /// A floating-point format of a sign, `exponentBits`, `significandBits`, with subnormals.
  ///
  /// A code's value is `(-1)^s 2^(e - bias) (1 + f / 2^m)` for `e > 0`, and `(-1)^s 2^(1 - bias) f / 2^m` for `e = 0`.
  /// Values are rounded to nearest, ties to the even code, as IEEE 754 does.
  ///
  /// **Source** IEEE 754-2019, section 3.4; OCP, "8-bit Floating Point Specification", 2023; OCP, "Microscaling
  /// Formats", v1.0, 2023.
  static func float(
    name: String, exponentBits: Int, significandBits: Int, bias: Int, specials: FloatSpecials
  ) -> ElementCode {
    let exponentMask = (1 << exponentBits) - 1
    let significandMask = (1 << significandBits) - 1
    let signBit = 1 << (exponentBits + significandBits)
    let largestCode: Int
    switch specials {
    case .ieee: largestCode = signBit - 1 - (significandMask + 1)
    case .onlyNaN: largestCode = signBit - 2
    case .none: largestCode = signBit - 1
    }
    let steps = Double(1 << significandBits)
    @Sendable func power(_ exponent: Int) -> Double {
      Double(sign: .plus, exponent: exponent, significand: 1)
    }
    @Sendable func magnitude(_ code: Int) -> Double {
      let field = code >> significandBits
      let fraction = Double(code & significandMask)
      return field == 0
        ? fraction * power(1 - bias - significandBits)
        : (steps + fraction) * power(field - bias - significandBits)
    }
    let largest = magnitude(largestCode)
    /// The rounded magnitude on the format's grid as if its exponents had no end; exact in a double.
    @Sendable func rounded(_ value: Double) -> (step: Int, multiple: Double) {
      let exponent = value == 0 ? 1 - bias : max(Int(value.exponent), 1 - bias)
      let step = exponent - significandBits
      return (step, (value / power(step)).rounded(.toNearestOrEven))
    }
    let top = power(Int(largest.exponent) - significandBits)
    // The quiet NaN of IEEE formats has the top bit of the significand alone.
    let quiet = specials == .ieee ? 1 << (significandBits - 1) : significandMask
    @Sendable func infinity(_ sign: FloatingPointSign) -> Int {
      (sign == .minus ? signBit : 0) | (exponentMask << significandBits)
    }
    @Sendable func nan(_ sign: FloatingPointSign) -> Int { infinity(sign) | quiet }
    @Sendable func decode(_ code: Int, _ selector: Int) -> CodeValue {
      let bare = code & (signBit - 1)
      if bare > largestCode {
        guard specials == .ieee, bare & significandMask == 0 else { return .nan }
        return .infinity(code & signBit == 0 ? .plus : .minus)
      }
      return .number(code & signBit == 0 ? magnitude(bare) : -magnitude(bare))
    }
    @Sendable func nearest(_ value: Double, _ selector: Int) -> Int {
      let sign = value.sign == .minus ? signBit : 0
      let size = abs(value)
      guard size < largest else { return sign | largestCode }
      let (step, multiple) = rounded(size)
      // A multiple of 2^m leads into the next binade, whose code follows without a gap.
      if multiple < steps { return sign | Int(multiple) }
      let code = ((step + significandBits + bias) << significandBits) + Int(multiple) - (1 << significandBits)
      return sign | min(code, largestCode)
    }
    @Sendable func overflows(_ value: Double, _ selector: Int) -> Bool {
      let size = abs(value)
      guard size > largest else { return false }
      // Half a step above the largest value still rounds down when its code is even.
      let half = largest + top / 2
      return largestCode & 1 == 0 ? size > half : size >= half
    }
    return ElementCode(
      name: name, bits: 1 + exponentBits + significandBits, rounding: "to nearest, ties to even",
      specials: Specials(infinity: specials == .ieee ? infinity : nil, nan: specials == .none ? nil : nan),
      decode: decode, nearest: nearest, overflows: overflows)
  }
}
