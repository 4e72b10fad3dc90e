import PantileProblem

/// The planning cost of a command on a bit-serial array: weight groups times terms, then wave and drain.
enum BitSerialMapping {
  static func mapping(_ options: BitSerialOptions, _ format: ContractionFormat, _ tile: TileExpr) -> ArrayMapping {
    let (r, c) = (options.rows, options.columns)
    let folds = CostExpr.ceilDiv(tile.m, r) * .ceilDiv(tile.n, c)
    let stream = CostExpr.ceilDiv(tile.k, options.dotWidth) * terms(options.encoding, format.weightBits)
    let waveAndDrain = (r - 1) + (c - 1) + r
    switch options.variant {
    case .serial:
      let cycles = folds * (stream + waveAndDrain)
      return ArrayMapping(cycles: cycles, interval: cycles)
    case .overlapped:
      let interval = folds * .max(stream, .constant(2 * r - 1))
      return ArrayMapping(cycles: interval + waveAndDrain, interval: interval)
    }
  }

  /// Cycles of a group of weights, apart from what timing uses.
  private static func terms(_ encoding: TermEncoding, _ bits: Int) -> Int {
    switch encoding {
    case .plain: bits
    case .signMagnitude, .bitColumn: bits - 1
    case .booth, .naf: (bits + 1) / 2
    case .lod2: 2
    }
  }
}
