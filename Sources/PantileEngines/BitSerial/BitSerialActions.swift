/// What one command does inside a bit-serial array; padding lanes are gated and not counted.
enum BitSerialActions {
  /// - `array.term.int8`: one term times one activation, added to its dot product.
  /// - `array.dot_add`: sums of a dot product, shifted by their significance and added to a 32-bit sum.
  /// - `array.booth`: serial numbers recoded at the edge.
  /// - `array.brick`: products of 2 by 2 bits, where nothing is serial.
  /// - `array.hop.activation`: 8-bit activations that moved from PE to PE; `array.hop.term`: terms that did;
  ///   `array.hop.weight`: whole weights, where they are not serial.
  /// - `array.hop.psum`, `acc.read`, `acc.write`: 32-bit results on their way out, and accumulator words.
  /// - `spad.read_bytes`: operands at the array's edges, read again for each fold that streams them.
  static func counts(
    _ options: BitSerialOptions, _ extents: TileExtents, _ format: ContractionFormat, accumulate: Bool
  ) -> [ActionCount] {
    let rate = options.rate(format)
    let results = extents.m * extents.n
    let sums = ActionCount("array.dot_add", results * ceilDiv(extents.k, rate.lanes) * rate.cycles)
    let products: [ActionCount]
    switch options.multiplication {
    case .serialWeight:
      products = [
        ActionCount("array.term.int8", extents.macs * rate.cost), sums,
        ActionCount("array.booth", ceilDiv(extents.m, options.rows) * extents.k * extents.n),
        ActionCount("array.hop.activation", extents.macs), ActionCount("array.hop.term", extents.macs * rate.cost),
      ]
    case .serialActivation:
      products = [
        ActionCount("array.term.int8", extents.macs * rate.cost), sums,
        ActionCount("array.booth", ceilDiv(extents.n, options.columns) * extents.k * extents.m),
        ActionCount("array.hop.weight", extents.macs), ActionCount("array.hop.term", extents.macs * rate.cost),
      ]
    case .bricks:
      products = [
        ActionCount("array.brick", extents.macs * rate.cost), sums,
        ActionCount("array.hop.activation", extents.macs), ActionCount("array.hop.weight", extents.macs),
      ]
    }
    return products + [
      ActionCount("array.hop.psum", drainHops(rows: options.rows, m: extents.m) * extents.n),
      ActionCount("acc.read", accumulate ? results : 0),
      ActionCount("acc.write", results),
      operandReads(
        extents, format, activationPasses: ceilDiv(extents.n, options.columns),
        weightPasses: ceilDiv(extents.m, options.rows)),
    ]
  }
}
