extension NumberFormat {
  /// A sign before a magnitude.
  private static func signed(_ name: String, magnitudes: [Double]) -> ElementCode {
    let values = magnitudes.map { CodeValue.number($0) } + magnitudes.map { CodeValue.number(-$0) }
    return .table(name: name, bits: values.count.trailingZeroBitCount, values)
  }

  /// `pot4`: zero and powers of two.
  static func powerOfTwo(_ bits: Int) -> NumberFormat {
    let count = 1 << (bits - 1)
    return NumberFormat(
      "pot\(bits)", "0 and plus or minus 2^0 ... 2^\(count - 2)",
      source:
        "Miyashita et al., \"Convolutional Neural Networks using Logarithmic Data Representation\", arXiv 1603.01025",
      code: signed(
        "pot\(bits)", magnitudes: (0..<count).map { $0 == 0 ? 0 : Double(1 << ($0 - 1)) }),
      scheme: ScaleScheme(.real(bits: 16), per: .channel), dequantisation: "a shift",
      notes: ["Nearest in value, not in the logarithm.", "Zero has two codes."])
  }

  /// `apot5`, `apot7`: sums of powers of two from disjoint sets, two bits a term.
  ///
  /// Term `i` of `n` is 0 or `2^-(i + n j)`, `j = 0, 1, 2`; values here are multiplied by `2^(3n - 1)`, so that they
  /// are whole.
  static func additivePowersOfTwo(terms: Int) -> NumberFormat {
    let name = "apot\(2 * terms + 1)"
    let top = 3 * terms - 1
    let magnitudes = (0..<1 << (2 * terms)).map { code -> Double in
      (0..<terms).reduce(0.0) { sum, term in
        let digit = code >> (2 * term) & 3
        return digit == 0 ? sum : sum + Double(1 << (top - term - terms * (digit - 1)))
      }
    }
    return NumberFormat(
      name, "sign and a sum of \(terms) powers of two, two bits a term",
      source:
        "Li et al., \"Additive Powers-of-Two Quantization\", ICLR 2020, equation 4 with k = 2",
      code: signed(name, magnitudes: magnitudes),
      scheme: ScaleScheme(.real(bits: 16), per: .channel),
      dequantisation: "\(terms) shifts and an addition",
      notes: [
        "Bits 2i and 2i + 1 of a code are term i.", "Values are whole: the paper's times 2^\(top).",
        "Zero has two codes.",
      ])
  }
}
