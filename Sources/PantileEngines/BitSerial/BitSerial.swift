import PantileTarget

extension ArrayFamily {
  /// The fixed-term bit-serial array: int8 activations, weights of 2 to 8 bits, output stationary.
  ///
  /// The machine with broadcast operands, which may skip terms, is `BitSerialMachine`.
  public static let bitSerial = ArrayFamily(
    name: "bitserial", summary: "fixed-term bit-serial array, int8 activations, int2 to int8 weights",
    fields: sizeFields + [
      FieldSchema(
        "dot_width", .count(1...BitSerialOptions.widestDot), default: .count(4),
        summary: "weights whose terms a processing element adds in a cycle"),
      FieldSchema(
        "encoding", .choice(TermEncoding.allCases.filter { $0 != .bitColumn }.map(\.rawValue)),
        default: .choice(TermEncoding.booth.rawValue),
        summary:
          "how a weight of b bits becomes terms, each a cycle: plain b, sign-magnitude b-1, booth4 and naf ceil(b/2), lod2 "
          + "2 (numbers of at most two one-bits, as of bitmod-fp4)"),
      FieldSchema("max_weight_bits", .count(2...8), default: .count(8), summary: "widest weight that the array takes"),
      variantField,
    ],
    make: { section in
      .bitSerial(
        BitSerialOptions(
          rows: section.count("rows"), columns: section.count("columns"), dotWidth: section.count("dot_width"),
          encoding: TermEncoding(rawValue: section.choice("encoding")) ?? .booth,
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
        "bitserial \(options.rows)x\(options.columns) dot \(options.dotWidth) "
        + (options.encoding == .booth ? "" : "\(options.encoding.rawValue) ") + options.variant.rawValue,
      peakMACs: { format in
        Double(options.rows * options.columns * options.dotWidth)
          / Double(options.terms(weightBits: format.weightBits))
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
      stepper: { inputs, format in BitSerialStepper.run(options, inputs, format) },
      weightRefusal: { weight, format in
        options.encoding.refusal(of: Int(weight), bits: format.weightBits, allowsLowest: false)
      })
  }
}
