import PantileTarget

extension ArrayFamily {
  /// The fixed-term bit-serial array: int8 activations, weights of 2 to 8 bits, output stationary.
  public static let bitSerial = ArrayFamily(
    name: "bitserial", summary: "fixed-term bit-serial array, int8 activations, int2 to int8 weights",
    fields: sizeFields + [
      FieldSchema(
        "dot_width", .count(1...BitSerialOptions.widestDot), default: .count(4),
        summary: "weights whose terms a processing element adds in a cycle"),
      FieldSchema(
        "encoding", .choice(["booth4"]), default: .choice("booth4"),
        summary: "how a weight becomes terms: radix-4 Booth, ceil(bits / 2) terms"),
      FieldSchema("max_weight_bits", .count(2...8), default: .count(8), summary: "widest weight that the array takes"),
      variantField,
    ],
    make: { section in
      .bitSerial(
        BitSerialOptions(
          rows: section.count("rows"), columns: section.count("columns"), dotWidth: section.count("dot_width"),
          largestWeightBits: section.count("max_weight_bits"), variant: section.foldVariant))
    })
}

extension ArrayEngine {
  /// A bit-serial array with these options.
  public static func bitSerial(_ options: BitSerialOptions) -> ArrayEngine {
    ArrayEngine(
      family: ArrayFamily.bitSerial.name, rows: options.rows, columns: options.columns,
      multipliers: options.rows * options.columns * options.dotWidth,
      summary:
        "bitserial \(options.rows)x\(options.columns) dot \(options.dotWidth) \(options.variant.rawValue)",
      peakMACs: { format in
        Double(options.rows * options.columns * options.dotWidth)
          / Double(BitSerialOptions.terms(weightBits: format.weightBits))
      },
      capability: { BitSerialCapability.capability(of: $0, options) },
      granules: { _ in TileExtents(m: options.rows, k: options.dotWidth, n: options.columns) },
      timing: { extents, format in BitSerialTiming.timing(options, extents, format) },
      occupancy: { extents, format in BitSerialTiming.occupancy(options, extents, format) },
      mapping: { format, tile in BitSerialMapping.mapping(options, format, tile) },
      traffic: { extents, _ in BitSerialTiming.traffic(options, extents) },
      function: { extents, _, operands, accumulate in
        denseProduct(extents, operands, accumulate: accumulate)
      },
      actions: { extents, format, accumulate in
        BitSerialActions.counts(options, extents, format, accumulate: accumulate)
      },
      stepper: { inputs, format in BitSerialStepper.run(options, inputs, format) })
  }
}
