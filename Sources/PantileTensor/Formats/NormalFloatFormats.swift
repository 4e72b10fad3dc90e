extension NumberFormat {
  /// The levels as single-precision numbers, which the published ones are.
  private static let levels: [Float] = [
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
    -0.18477343022823334,
    -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634,
    0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
  ]

  private static func normalFloat(
    _ name: String, _ summary: String, _ scale: ScaleScheme.Scale, _ note: String
  )
    -> NumberFormat
  {
    NumberFormat(
      name, summary,
      source: "Dettmers et al., \"QLoRA\", NeurIPS 2023, appendix E; levels as in bitsandbytes",
      code: .table(name: name, bits: 4, levels.map { .number(Double($0)) }),
      scheme: ScaleScheme(scale, per: .group(64)),
      dequantisation: "a table of 16 floats; no exact sum of few powers of two",
      notes: ["Scale is absmax.", note])
  }

  static let nf4 = normalFloat(
    "nf4", "16 quantiles of a normal distribution, absmax per 64", .real(bits: 32),
    "Scales are FP32.")

  static let nf4Double = normalFloat(
    "nf4-double", "nf4 with its scales quantised again", .doublyQuantised(per: 256),
    "Scales less their mean are stored in 8 bits, with an FP32 absmax for 256 of them.")
}
