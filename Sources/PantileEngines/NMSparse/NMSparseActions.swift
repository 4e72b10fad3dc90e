import PantileTensor

/// What one command does inside an N:M array; padding lanes are gated and not counted.
enum NMSparseActions {
  /// - `array.mac.int8`: multiply-accumulates of kept weights (a kept zero counts, unless it is gated).
  /// - `array.select`: inputs of the M-to-1 selects of an activation byte, M for each product.
  /// - `array.group_load`: activation bytes written into held-group registers, one hop each.
  /// - `array.hop.weight`: kept weights that moved from PE to PE; `array.hop.index_bit`: index bits that did.
  /// - `array.weight_load`: kept weights that took their place (`ws`); their index bits count as one hop.
  /// - `array.hop.psum`, `acc.read`, `acc.write`: 32-bit sums that moved down (`ws`), results on their way out (`os`), and
  ///   accumulator words; the first fold along K of an overwriting command only writes.
  /// - `spad.read_bytes`: operands at the array's edges, read again for each fold that streams them.
  ///
  /// - Parameter moving: products that are not gated; all when nil.
  static func counts(
    _ options: NMSparseOptions, _ extents: TileExtents, _ format: ContractionFormat, accumulate: Bool,
    moving: Int? = nil
  ) -> [ActionCount] {
    let kept = format.storedRows(k: extents.k)
    let products = extents.m * kept * extents.n
    let moving = moving ?? products
    let results = extents.m * extents.n
    if options.dataflow == .weightStationary {
      let group = format.pattern?.group ?? 1
      let foldsK = ceilDiv(extents.k / group, options.rows / (format.pattern?.kept ?? 1))
      return [
        ActionCount("array.mac.int8", moving),
        ActionCount("array.select", format.pattern == nil ? 0 : moving * group),
        ActionCount("array.group_load", products * group),
        ActionCount("array.weight_load", kept * extents.n),
        ActionCount("array.hop.index_bit", kept * extents.n * (format.pattern?.indexBits ?? 0)),
        ActionCount("array.hop.psum", products),
        ActionCount("acc.read", results * (accumulate ? foldsK : foldsK - 1)),
        ActionCount("acc.write", results * foldsK),
        operandReads(
          extents, format, activationPasses: ceilDiv(extents.n, options.columns), weightPasses: 1),
      ]
    }
    let usedColumns = ceilDiv(extents.n, options.interleave)
    return [
      ActionCount("array.mac.int8", moving),
      ActionCount("array.select", format.pattern.map { moving * $0.group } ?? 0),
      ActionCount("array.group_load", extents.m * extents.k * usedColumns),
      ActionCount("array.hop.weight", products),
      ActionCount("array.hop.index_bit", format.pattern.map { products * $0.indexBits } ?? 0),
      ActionCount("array.hop.psum", drainHops(rows: options.rows, m: extents.m) * extents.n),
      ActionCount("acc.read", accumulate ? results : 0),
      ActionCount("acc.write", results),
      operandReads(
        extents, format, activationPasses: ceilDiv(extents.n, options.columns * options.interleave),
        weightPasses: ceilDiv(extents.m, options.rows)),
    ]
  }
}
