import PantileTensor

extension ArrayFamily {
  /// The N:M weight-sparse array: int8, output stationary, one select and one multiplier a PE.
  public static let nmSparse = ArrayFamily(
    name: "nm", summary: "output-stationary array for N:M sparse int8 weights, dense weights too")
}

extension ArrayEngine {
  /// An N:M array with these options.
  public static func nmSparse(_ options: NMSparseOptions) -> ArrayEngine {
    ArrayEngine(
      family: ArrayFamily.nmSparse.name, rows: options.rows, columns: options.columns,
      summary:
        "nm \(options.rows)x\(options.columns) interleave \(options.interleave) group \(options.largestGroup)"
        + " latency \(options.multiplierLatency)+\(options.adderLatency) \(options.variant.rawValue)",
      peakMACs: { _ in Double(options.rows * options.columns) },
      capability: { NMSparseCapability.capability(of: $0, options) },
      granules: { format in
        TileExtents(m: options.rows, k: format.pattern?.group ?? 1, n: options.columns * options.interleave)
      },
      timing: { extents, format in NMSparseTiming.timing(options, extents, format) },
      function: { extents, format, operands, accumulate in
        if let pattern = format.pattern {
          compressedProduct(extents, pattern, operands, accumulate: accumulate)
        } else {
          denseProduct(extents, operands, accumulate: accumulate)
        }
      },
      actions: { extents, format, accumulate in
        NMSparseActions.counts(options, extents, format, accumulate: accumulate)
      },
      stepper: { inputs, format in NMSparseStepper.run(options, inputs, format) })
  }
}
