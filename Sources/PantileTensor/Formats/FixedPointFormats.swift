import PantileSupport

/// Q(m, n): a sign, `m` integer bits, `n` fraction bits; a code is the two's complement number of steps of `2^-n`.
public struct FixedPoint: Hashable, Sendable {
  public enum Rounding: String, CaseIterable, Hashable, Sendable {
    /// Toward minus infinity: dropping bits.
    case floor
    /// To nearest, ties to even.
    case nearest
  }

  public enum Overflow: String, CaseIterable, Hashable, Sendable {
    /// Dropping bits at the top.
    case wrap
    case saturate
  }

  public var integerBits: Int
  public var fractionBits: Int
  public var rounding: Rounding
  public var overflow: Overflow

  /// - Precondition: 1 to 15 bits besides the sign.
  public init(
    integerBits: Int, fractionBits: Int, rounding: Rounding = .nearest,
    overflow: Overflow = .saturate
  ) {
    precondition(
      integerBits >= 0 && fractionBits >= 0 && (1...15).contains(integerBits + fractionBits),
      "Q(\(integerBits), \(fractionBits))")
    self.integerBits = integerBits
    self.fractionBits = fractionBits
    self.rounding = rounding
    self.overflow = overflow
  }

  /// Reads `q3.4`, `q3.4-floor`, `q3.4-wrap`, `q3.4-floor-wrap`; nil when the name is of no such form.
  /// - Throws: `format-range` when the bits are too many or none.
  public init?(name: String) throws(DiagnosticError) {
    let parts = name.split(separator: "-", omittingEmptySubsequences: false)
    guard let first = parts.first, first.first == "q" else { return nil }
    let digits = first.dropFirst().split(separator: ".", omittingEmptySubsequences: false)
    func count(_ text: Substring) -> Int? {
      text.utf8.allSatisfy { (48...57).contains($0) } && text.utf8.count <= 3 ? Int(text) : nil
    }
    guard digits.count == 2, let integerBits = count(digits[0]), let fractionBits = count(digits[1])
    else { return nil }
    var modes = parts.dropFirst()
    let rounding: Rounding = modes.first == "floor" ? .floor : .nearest
    if modes.first == "floor" { modes = modes.dropFirst() }
    let overflow: Overflow = modes.first == "wrap" ? .wrap : .saturate
    if modes.first == "wrap" { modes = modes.dropFirst() }
    guard modes.isEmpty else { return nil }
    guard (1...15).contains(integerBits + fractionBits) else {
      throw DiagnosticError(
        "format-range",
        "'\(name)' has \(integerBits + fractionBits) bits besides the sign, 1 to 15 are supported")
    }
    self.init(
      integerBits: integerBits, fractionBits: fractionBits, rounding: rounding, overflow: overflow)
  }

  /// `q3.4-floor-wrap`.
  public var name: String {
    "q\(integerBits).\(fractionBits)" + (rounding == .floor ? "-floor" : "")
      + (overflow == .wrap ? "-wrap" : "")
  }

  /// Bits of a code.
  public var bits: Int { 1 + integerBits + fractionBits }

  var code: ElementCode {
    let (bits, rounding, wraps) = (self.bits, self.rounding, overflow == .wrap)
    let step = Double(sign: .plus, exponent: -fractionBits, significand: 1)
    let span = Double(1 << (integerBits + 1))
    let most = Double(1 << (bits - 1))
    @Sendable func multiple(_ value: Double) -> Double {
      rounding == .floor ? (value / step).rounded(.down) : (value / step).rounded(.toNearestOrEven)
    }
    return ElementCode(
      name: name, bits: bits,
      rounding: (rounding == .floor ? "toward minus infinity" : "to nearest, ties to even") + "; "
        + (wraps ? "wraps" : "saturates"),
      decode: { code, _ in
        .number(Double(code >> (bits - 1) == 1 ? code - (1 << bits) : code) * step)
      },
      nearest: { value, _ in
        // Whole spans do not change a wrapped code, and without them every number is small.
        let number =
          wraps
          ? multiple(value.truncatingRemainder(dividingBy: span))
          : min(max(multiple(value), -most), most - 1)
        return Int(number) & ((1 << bits) - 1)
      },
      overflows: { value, _ in !wraps && (multiple(value) < -most || multiple(value) > most - 1) },
      wraps: wraps)
  }
}

extension NumberFormat {
  /// The format of a fixed-point description.
  public static func fixedPoint(_ fixed: FixedPoint) -> NumberFormat {
    NumberFormat(
      fixed.name,
      "fixed point: sign, \(fixed.integerBits) integer bits, \(fixed.fractionBits) fraction bits",
      source:
        "Q notation of Texas Instruments, TMS320C64x DSP Library Programmer's Reference, appendix A",
      code: fixed.code,
      scheme: .none, groupIsFixed: true, dequantisation: "a shift by \(fixed.fractionBits)",
      notes: [
        "Any qM.N with M + N in 1 ... 15 is a format; '-floor' drops bits in place of rounding, '-wrap' drops them at the top."
      ])
  }
}
