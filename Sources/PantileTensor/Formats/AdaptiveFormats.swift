extension NumberFormat {
  /// ANT's choice among types: four bits that are an integer, a flint or a power of two.
  ///
  /// **Source** Guo et al., "ANT: Exploiting Adaptive Numerical Data Type for Low-bit Deep Neural Network Quantization", MICRO 2022,
  /// section V: the type with the least squared error, for a tensor; in groups as BitMoD's comparison has it (HPCA 2025, section V).
  private static func adaptive(_ name: String, _ scheme: ScaleScheme, _ place: String) -> NumberFormat {
    let types = [("int", symmetricInteger(4)), ("flint", flint4), ("pot", powerOfTwo(4))]
    let code = ElementCode.table(
      name: name, bits: 4,
      types.map { selector, format in
        (selector: selector, values: (0..<format.code.count).map { format.code.meaning(of: $0) })
      })
    return NumberFormat(
      name, "int4, flint4 or pot4, the best of them \(place)",
      source: "Guo et al., \"ANT\", MICRO 2022, sections IV and V", code: code, scheme: scheme,
      dequantisation: "a decoder of the type's codes at the array's edge: exponent and integer",
      notes: [
        "All three are tried \(place), with a scale absmax / largest magnitude; the least squared error wins, the first of equals: "
          + "int, flint, pot.",
        "Values are rounded to nearest, the lower of two that are as near, in all three types.",
      ])
  }

  static let ant4 = adaptive(
    "ant4", ScaleScheme(.real(bits: 16), per: .channel, selectorBits: 2, hasOneSelector: true), "for a tensor")
  static let ant4Group = adaptive(
    "ant4-group", ScaleScheme(.real(bits: 16), per: .group(128), selectorBits: 2), "for a group")
}
