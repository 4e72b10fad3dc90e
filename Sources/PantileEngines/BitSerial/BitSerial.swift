extension ArrayFamily {
  /// The fixed-term bit-serial array: int8 activations, weights of 2 to 8 bits, output stationary.
  public static let bitSerial = ArrayFamily(
    name: "bitserial", summary: "fixed-term bit-serial array, int8 activations, int2 to int8 weights")
}

extension ArrayEngine {
  /// A bit-serial array with these options.
  public static func bitSerial(_ options: BitSerialOptions) -> ArrayEngine {
    ArrayEngine(
      family: ArrayFamily.bitSerial.name, rows: options.rows, columns: options.columns,
      summary:
        "bitserial \(options.rows)x\(options.columns) dot \(options.dotWidth) \(options.variant.rawValue)",
      peakMACs: { format in
        Double(options.rows * options.columns * options.dotWidth)
          / Double(BitSerialOptions.terms(weightBits: format.weightBits))
      },
      capability: { BitSerialCapability.capability(of: $0) },
      granules: { _ in TileExtents(m: options.rows, k: options.dotWidth, n: options.columns) },
      timing: { extents, format in BitSerialTiming.timing(options, extents, format) },
      function: { extents, _, operands, accumulate in
        denseProduct(extents, operands, accumulate: accumulate)
      },
      actions: { extents, format, accumulate in
        BitSerialActions.counts(options, extents, format, accumulate: accumulate)
      },
      stepper: { inputs, format in BitSerialStepper.run(options, inputs, format) })
  }
}
