import PantileSupport
import PantileTarget
import PantileTensor

extension ArrayFamily {
  /// The N:M weight-sparse array: int8, output stationary, one select and one multiplier a PE.
  public static let nmSparse = ArrayFamily(
    name: "nm", summary: "output-stationary array for N:M sparse int8 weights, dense weights too",
    fields: sizeFields + [
      FieldSchema(
        "interleave", .count(1...NMSparseOptions.mostContexts), default: .count(1),
        summary: "output channels that a processing element serves in turn"),
      FieldSchema(
        "adder_latency", .cycles(1...64), default: .cycles(Cycles(1)), summary: "cycles until a sum can be added to"),
      FieldSchema(
        "multiplier_latency", .cycles(0...64), default: .cycles(Cycles(0)),
        summary: "pipeline stages of the multiplier"),
      FieldSchema(
        "patterns", .patterns(maximumGroup: 32),
        summary: "sparsity patterns that the array takes besides dense weights"),
      variantField,
    ],
    make: { section throws(DiagnosticError) in
      var patterns: [NMPattern] = []
      for pattern in section.patterns("patterns") {
        patterns.append(try NMPattern(kept: pattern.kept, group: pattern.group))
      }
      return .nmSparse(
        NMSparseOptions(
          rows: section.count("rows"), columns: section.count("columns"), interleave: section.count("interleave"),
          adderLatency: section.cycles("adder_latency").count,
          multiplierLatency: section.cycles("multiplier_latency").count, patterns: patterns,
          variant: section.foldVariant))
    })
}

extension ArrayEngine {
  /// An N:M array with these options.
  public static func nmSparse(_ options: NMSparseOptions) -> ArrayEngine {
    ArrayEngine(
      family: ArrayFamily.nmSparse.name, rows: options.rows, columns: options.columns,
      summary:
        "nm \(options.rows)x\(options.columns) interleave \(options.interleave) patterns \(options.patterns.map(\.description).joined(separator: ","))"
        + " latency \(options.multiplierLatency)+\(options.adderLatency) \(options.variant.rawValue)",
      peakMACs: { _ in Double(options.rows * options.columns) },
      capability: { NMSparseCapability.capability(of: $0, options) },
      granules: { format in
        TileExtents(m: options.rows, k: format.pattern?.group ?? 1, n: options.columns * options.interleave)
      },
      timing: { extents, format in NMSparseTiming.timing(options, extents, format) },
      occupancy: { extents, format in NMSparseTiming.occupancy(options, extents, format) },
      mapping: { format, tile in NMSparseMapping.mapping(options, format, tile) },
      traffic: { extents, format in NMSparseTiming.traffic(options, extents, format) },
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
