import PantileSupport

/// E8M0: the scales of microscaling formats, powers of two `2^(code - 127)`; code 255 is NaN, zero has no code.
///
/// **Source** OCP, "Microscaling Formats (MX) Specification", v1.0, 2023, sections 5.4.1 and 6.3.
public enum SharedExponent {
  /// How a block of values gets its scale. The specification recommends `floor`; tools differ, and with them the bits
  /// of the same input.
  public enum Rule: String, CaseIterable, Hashable, Sendable {
    /// `2^(floor(log2 absmax) - emax)`: the largest values of a block may saturate.
    case floor
    /// The least power of two with which nothing saturates.
    case ceil
    /// As `floor`, of the absmax rounded to the elements' significand first: what rounds up to the next power of two
    /// gets its scale.
    case even
  }

  /// The code of NaN.
  public static let nan = 255

  /// The value of a code; NaN for 255.
  /// - Precondition: a code of eight bits.
  public static func value(of code: Int) -> Double {
    precondition((0...255).contains(code), "E8M0 code \(code)")
    return code == nan ? .nan : Double(sign: .plus, exponent: code - 127, significand: 1)
  }

  /// The code of a positive number: the nearest power of two, the larger from `1.5 2^e` on; NaN for NaN.
  ///
  /// Small numbers get `2^-127`, numbers that round beyond `2^127` that power or NaN, as `overflow` says. The specification leaves the
  /// rounding open; this is that of ml_dtypes.
  /// - Throws: `no-zero` for zero and negative numbers.
  public static func code(
    of value: Double, overflow: ElementCode.Overflow = .saturate
  ) throws(DiagnosticError) -> Int {
    if value.isNaN { return nan }
    guard value > 0 else {
      throw DiagnosticError(
        "no-zero", "E8M0 has no code for \(value)", hint: "a block of zeros takes any scale; 2^-127 is usual")
    }
    let code = value.isFinite ? Int(value.exponent) + (value.significand >= 1.5 ? 128 : 127) : nan
    if code >= nan { return overflow == .special ? nan : nan - 1 }
    return max(code, 0)
  }

  /// The scale of a block.
  ///
  /// - Parameters:
  ///   - largest: the largest magnitude of the block; zero gives the least scale, NaN and infinity the NaN of the whole
  /// block.
  ///   - element: the element format.
  public static func scale(largest: Double, element: ElementCode, rule: Rule) -> Int {
    guard largest.isFinite else { return nan }
    guard largest > 0 else { return 0 }
    let top = element.largestMagnitude()
    let exponent: Int
    switch rule {
    case .floor: exponent = Int(largest.exponent) - Int(top.exponent)
    case .ceil:
      // Dividing by the largest element may round; the comparison does not, since powers of two are exact.
      var power = Int((largest / top).exponent)
      while largest > top * Double(sign: .plus, exponent: power, significand: 1) { power += 1 }
      while largest <= top * Double(sign: .plus, exponent: power - 1, significand: 1) { power -= 1 }
      exponent = power
    case .even:
      // Steps of the element at its largest binade.
      let numbers = element.numbers()
      let step =
        numbers.count > 1 ? numbers[numbers.count - 1].value - numbers[numbers.count - 2].value : 1
      let unit =
        Double(sign: .plus, exponent: Int(largest.exponent) - Int(top.exponent), significand: 1)
        * step
      let rounded = (largest / unit).rounded(.toNearestOrEven) * unit
      exponent = Int(rounded.exponent) - Int(top.exponent)
    }
    return min(max(exponent + 127, 0), 254)
  }
}
