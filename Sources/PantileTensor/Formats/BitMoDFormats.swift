extension NumberFormat {
  /// Sign-magnitude codes whose negative zero is the group's special value.
  private static func bitMoD(
    _ name: String, bits: Int, magnitudes: [Double], specials: [(String, Double)],
    _ summary: String, _ notes: [String]
  ) -> NumberFormat {
    let sign = 1 << (bits - 1)
    let tables = specials.map { selector, special in
      (
        selector: selector,
        values: (0..<1 << bits).map { code -> CodeValue in
          code == sign
            ? .number(special) : .number(code < sign ? magnitudes[code] : -magnitudes[code - sign])
        }
      )
    }
    return NumberFormat(
      name, summary,
      source:
        "Chen et al., \"BitMoD: Bit-serial Mixture-of-Datatype LLM Acceleration\", HPCA 2025, section III",
      code: .table(name: name, bits: bits, tables),
      scheme: ScaleScheme(.integerTimesChannel(bits: 8), per: .group(128), selectorBits: 2),
      dequantisation:
        "a register of special values, two power-of-two terms, a bit-serial scale of 8 cycles",
      notes: [
        "The code of negative zero stands for the special value that the group's selector names.",
        "All four are tried with scale absmax / largest magnitude; the least squared error wins, the first of equals.",
      ] + notes)
  }

  static let bitmodFP4 = bitMoD(
    "bitmod-fp4", bits: 4, magnitudes: [0, 0.5, 1, 1.5, 2, 3, 4, 6],
    specials: [("+ER", 5), ("-ER", -5), ("+EA", 8), ("-EA", -8)],
    "E2M1 with one special value a group: 5, -5, 8 or -8",
    ["ER adds resolution inside the range, EA reaches beyond it on one side."])

  static let bitmodFP3 = bitMoD(
    "bitmod-fp3", bits: 3, magnitudes: [0, 1, 2, 4],
    specials: [("+ER", 3), ("-ER", -3), ("+EA", 6), ("-EA", -6)],
    "0, 1, 2, 4 and negatives with one special value a group: 3, -3, 6 or -6",
    ["ER adds resolution inside the range, EA reaches beyond it on one side."])
}
