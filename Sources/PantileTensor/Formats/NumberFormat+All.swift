import PantileSupport

extension NumberFormat {
  /// Every format, families together; fixed-point formats are made on demand (`named`), one stands for them.
  public static let all: [NumberFormat] =
    (2...8).map(symmetricInteger) + (2...8).map(fullInteger) + (2...8).map(asymmetricInteger) + [
      ternary, binary,
    ]
    + [fp16, bf16, fp8E4M3, fp8E5M2, fp6E3M2, fp6E2M3, fp4E2M1, nf4, nf4Double]
    + [mxfp8E4M3, mxfp8E5M2, mxfp6E3M2, mxfp6E2M3, mxfp4, mxint8, nvfp4, bitmodFP4, bitmodFP3]
    + [
      flint4, flint4Unsigned, powerOfTwo(4), additivePowersOfTwo(terms: 2),
      additivePowersOfTwo(terms: 3), ant4, ant4Group,
    ]
    + [oliveInt4, oliveFlint4, fixedPoint(FixedPoint(integerBits: 3, fractionBits: 4))]

  /// The format of a name: one of `all`, or a fixed-point format such as `q7.8-floor-wrap`.
  /// - Throws: `unknown-format` with the nearest name, `format-range`.
  public static func named(_ name: String) throws(DiagnosticError) -> NumberFormat {
    if let format = all.first(where: { $0.name == name }) { return format }
    if let fixed = try FixedPoint(name: name) { return fixedPoint(fixed) }
    throw DiagnosticError(
      "unknown-format", "there is no number format '\(name)'",
      hint: nearestName(to: name, among: all.map(\.name)).map { "did you mean '\($0)'?" }
        ?? "see 'pantile list formats'")
  }
}
