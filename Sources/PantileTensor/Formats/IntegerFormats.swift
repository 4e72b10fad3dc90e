extension NumberFormat {
  /// `int8`: symmetric about zero, without the most negative code.
  static func symmetricInteger(_ bits: Int) -> NumberFormat {
    let most = (1 << (bits - 1)) - 1
    return NumberFormat(
      "int\(bits)", "\(bits)-bit integers, symmetric: -\(most) ... \(most)",
      source:
        "Nagel et al., \"A White Paper on Neural Network Quantization\", arXiv 2106.08295, section 2.2",
      code: .integer(name: "int\(bits)", .init(bits: bits, isSigned: true, range: -most...most)),
      scheme: ScaleScheme(.real(bits: 16), per: .group(128)),
      dequantisation: "one multiplication an output (tensor, channel) or a group",
      notes: [
        "Scale is absmax / \(most).",
        "The code of -\(most + 1) stands for nothing; int\(bits)-full has it.",
      ])
  }

  /// `int8-full`: all codes of two's complement.
  static func fullInteger(_ bits: Int) -> NumberFormat {
    let most = (1 << (bits - 1)) - 1
    return NumberFormat(
      "int\(bits)-full", "\(bits)-bit integers, full range: -\(most + 1) ... \(most)",
      source:
        "Nagel et al., \"A White Paper on Neural Network Quantization\", arXiv 2106.08295, section 2.2",
      code: .integer(
        name: "int\(bits)-full", .init(bits: bits, isSigned: true, range: -most - 1...most)),
      scheme: ScaleScheme(.real(bits: 16), per: .group(128)),
      dequantisation: "one multiplication an output (tensor, channel) or a group",
      notes: ["Scale is absmax / \(most), so that the most negative code is met by rounding only."])
  }

  /// `int8-asym`: unsigned codes about a zero point.
  static func asymmetricInteger(_ bits: Int) -> NumberFormat {
    let most = (1 << bits) - 1
    return NumberFormat(
      "int\(bits)-asym",
      "\(bits)-bit integers about a zero point: s (q - z), q and z in 0 ... \(most)",
      source:
        "Nagel et al., \"A White Paper on Neural Network Quantization\", arXiv 2106.08295, section 2.2",
      code: .integer(name: "int\(bits)-asym", .init(bits: bits, isSigned: false, range: 0...most)),
      scheme: ScaleScheme(.real(bits: 16), per: .group(128), zeroPointBits: bits),
      dequantisation:
        "a multiplication a group, and the sum of the group's activations times the zero point",
      notes: [
        "Scale is (max - min) / \(most) with zero inside the range; the zero point is -min / s, rounded and clamped.",
        "A code's own value is q; the zero point belongs to the group.",
      ])
  }

  /// `ternary`: BitNet b1.58.
  static let ternary = NumberFormat(
    "ternary", "-1, 0, 1 times the mean magnitude; five codes a byte",
    source:
      "Ma et al., \"The Era of 1-bit LLMs: All Large Language Models are in 1.58 Bits\", arXiv 2402.17764, equations 1-3",
    code: ElementCode(
      name: "ternary", bits: 2, rounding: "to nearest, ties to even; saturates",
      decode: { code, _ in code < 3 ? .number(Double(code - 1)) : .unused },
      nearest: { value, _ in Int(min(max(value.rounded(.toNearestOrEven), -1), 1)) + 1 },
      overflows: { value, _ in abs(value) > 1.5 }),
    scheme: ScaleScheme(.real(bits: 16), per: .tensor), packing: .baseThree,
    dequantisation: "add, subtract or skip; one multiplication an output",
    notes: [
      "Codes 0, 1, 2 are -1, 0, 1; code 3 stands for nothing.",
      "Scale is the mean magnitude of the tensor, not the largest.",
      "Two bits a code unpacked, 1.6 bits packed.",
    ])

  /// `binary`: signs.
  static let binary = NumberFormat(
    "binary", "-1 and 1 by sign, times the mean magnitude",
    source: "Rastegari et al., \"XNOR-Net\", ECCV 2016, equation 6",
    code: ElementCode(
      name: "binary", bits: 1, rounding: "by sign; zero counts as positive",
      decode: { code, _ in .number(code == 0 ? -1 : 1) },
      nearest: { value, _ in value < 0 ? 0 : 1 },
      overflows: { _, _ in false }),
    scheme: ScaleScheme(.real(bits: 16), per: .channel),
    dequantisation: "XNOR and a count of ones; one multiplication an output",
    notes: ["There is no zero.", "Scale is the mean magnitude, not the largest."])
}
