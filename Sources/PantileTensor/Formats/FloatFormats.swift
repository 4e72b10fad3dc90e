extension ElementCode {
  static let e4m3 = float(
    name: "fp8-e4m3", exponentBits: 4, significandBits: 3, bias: 7, specials: .onlyNaN)
  static let e5m2 = float(
    name: "fp8-e5m2", exponentBits: 5, significandBits: 2, bias: 15, specials: .ieee)
  static let e3m2 = float(
    name: "fp6-e3m2", exponentBits: 3, significandBits: 2, bias: 3, specials: .none)
  static let e2m3 = float(
    name: "fp6-e2m3", exponentBits: 2, significandBits: 3, bias: 1, specials: .none)
  static let e2m1 = float(
    name: "fp4-e2m1", exponentBits: 2, significandBits: 1, bias: 1, specials: .none)
}

extension NumberFormat {
  private static let ocp8 = "OCP, \"8-bit Floating Point Specification (OFP8)\", revision 1.0, 2023"
  private static let ocpMX =
    "OCP, \"Microscaling Formats (MX) Specification\", v1.0, 2023, section 5.3"

  static let fp16 = NumberFormat(
    "fp16", "IEEE half precision: sign, 5 exponent bits, 10 significand bits",
    source: "IEEE 754-2019, binary16",
    code: .float(name: "fp16", exponentBits: 5, significandBits: 10, bias: 15, specials: .ieee),
    scheme: .none,
    groupIsFixed: true, dequantisation: "none", notes: ["Largest 65504, infinity and NaN."])

  static let bf16 = NumberFormat(
    "bf16", "the upper half of single precision: sign, 8 exponent bits, 7 significand bits",
    source: "Kalamkar et al., \"A Study of BFLOAT16 for Deep Learning Training\", arXiv 1905.12322",
    code: .float(name: "bf16", exponentBits: 8, significandBits: 7, bias: 127, specials: .ieee),
    scheme: .none,
    groupIsFixed: true, dequantisation: "none",
    notes: ["Subnormals are numbers here, as in IEEE 754."])

  static let fp8E4M3 = NumberFormat(
    "fp8-e4m3", "8-bit float, 4 exponent bits, largest 448", source: ocp8, code: .e4m3,
    scheme: ScaleScheme(.real(bits: 16), per: .channel),
    dequantisation: "shift-align a significand of 4 bits",
    notes: [
      "No infinity; NaN is S.1111.111 alone.", "Overflow saturates, or becomes NaN on request.",
    ])

  static let fp8E5M2 = NumberFormat(
    "fp8-e5m2", "8-bit float, 5 exponent bits, largest 57344", source: ocp8, code: .e5m2,
    scheme: ScaleScheme(.real(bits: 16), per: .channel),
    dequantisation: "shift-align a significand of 3 bits",
    notes: [
      "Infinity and NaN as in IEEE 754.", "Overflow saturates, or becomes infinity on request.",
    ])

  static let fp6E3M2 = NumberFormat(
    "fp6-e3m2", "6-bit float, 3 exponent bits, largest 28", source: ocpMX, code: .e3m2,
    scheme: ScaleScheme(.real(bits: 16), per: .group(128)), packing: .splitPlanes,
    dequantisation: "shift-align a significand of 3 bits", notes: ["Neither infinity nor NaN."])

  static let fp6E2M3 = NumberFormat(
    "fp6-e2m3", "6-bit float, 2 exponent bits, largest 7.5", source: ocpMX, code: .e2m3,
    scheme: ScaleScheme(.real(bits: 16), per: .group(128)), packing: .splitPlanes,
    dequantisation: "shift-align a significand of 4 bits", notes: ["Neither infinity nor NaN."])

  static let fp4E2M1 = NumberFormat(
    "fp4-e2m1", "4-bit float: 0, 0.5, 1, 1.5, 2, 3, 4, 6 and negatives", source: ocpMX, code: .e2m1,
    scheme: ScaleScheme(.real(bits: 16), per: .group(128)),
    dequantisation: "at most two power-of-two terms",
    notes: ["Neither infinity nor NaN.", "Zero has two codes."])
}
