extension NumberFormat {
  private static func microscaling(
    _ name: String, _ code: ElementCode, _ summary: String,
    _ dequantisation: String = "exponent addition a block",
    _ notes: [String] = []
  ) -> NumberFormat {
    NumberFormat(
      name, "\(summary), E8M0 scale shared by 32",
      source: "OCP, \"Microscaling Formats (MX) Specification\", v1.0, 2023, sections 5 and 6",
      code: code,
      scheme: ScaleScheme(.sharedExponent, per: .group(32)), groupIsFixed: true,
      dequantisation: dequantisation,
      notes: [
        "The scale is 2^(e - 127); code 255 makes the whole block NaN; there is no scale of zero.",
        "How a block gets its scale is a parameter: floor (the specification's advice), ceil, even.",
      ] + notes)
  }

  static let mxfp8E4M3 = microscaling("mxfp8-e4m3", .e4m3, "8-bit floats E4M3")
  static let mxfp8E5M2 = microscaling("mxfp8-e5m2", .e5m2, "8-bit floats E5M2")
  static let mxfp6E3M2 = microscaling("mxfp6-e3m2", .e3m2, "6-bit floats E3M2")
  static let mxfp6E2M3 = microscaling("mxfp6-e2m3", .e2m3, "6-bit floats E2M3")
  static let mxfp4 = microscaling("mxfp4", .e2m1, "4-bit floats E2M1")
  static let mxint8 = microscaling(
    "mxint8",
    .integer(
      name: "mxint8",
      .init(bits: 8, isSigned: true, range: -127...127, step: 0x1p-6, decodesAll: true)),
    "8-bit two's complement with an implied 2^-6", "exponent addition a block",
    ["Code -128 is -2; encoding keeps to -127 ... 127, symmetric about zero."])

  static let nvfp4 = NumberFormat(
    "nvfp4", "4-bit floats E2M1, E4M3 scale shared by 16, FP32 scale of the tensor",
    source: "NVIDIA, \"Pretraining Large Language Models with NVFP4\", arXiv 2509.25149, section 2",
    code: .e2m1,
    scheme: ScaleScheme(.fp8TimesTensor, per: .group(16)), groupIsFixed: true,
    dequantisation: "a multiplication per 16",
    notes: [
      "The tensor's scale is absmax / (448 * 6); a block's is its absmax / 6 over that, in E4M3."
    ])
}
