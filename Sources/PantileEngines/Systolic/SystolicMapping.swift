import PantileProblem

/// The planning cost of a command on a systolic array, argued from occupancy and not from the fold algebra of the timing.
enum SystolicMapping {
  static func mapping(_ options: SystolicOptions, _ tile: TileExpr) -> ArrayMapping {
    let (r, c) = (options.rows, options.columns)
    switch options.dataflow {
    case .weightStationary:
      // The weights of a fold are busy from the first load cycle to the last swap: 2R+C-2 cycles, unless the stream is longer.
      // After the last fold's slot only the part of stream and wave that the slot does not hold is left.
      let folds = CostExpr.ceilDiv(tile.k, r) * .ceilDiv(tile.n, c)
      let wave = CostExpr.constant(2 * r + c - 2)
      switch options.variant {
      case .serial:
        let cycles = folds * (tile.m + wave)
        return ArrayMapping(cycles: cycles, interval: cycles)
      case .overlapped:
        let interval = folds * .max(tile.m, wave)
        return ArrayMapping(cycles: interval + .min(tile.m, wave), interval: interval)
      }
    case .outputStationary:
      return output(
        rows: r, columns: c, folds: .ceilDiv(tile.m, r) * .ceilDiv(tile.n, c), stream: tile.k,
        variant: options.variant)
    }
  }

  /// Wave through the array plus drain: R-1 + C-1 + R.
  private static func output(
    rows r: Int, columns c: Int, folds: CostExpr, stream: CostExpr, variant: FoldVariant
  ) -> ArrayMapping {
    switch variant {
    case .serial:
      let cycles = folds * (stream + (2 * r + c - 2))
      return ArrayMapping(cycles: cycles, interval: cycles)
    case .overlapped:
      let interval = folds * .max(stream, .constant(2 * r - 1))
      return ArrayMapping(cycles: interval + (2 * r + c - 2), interval: interval)
    }
  }
}
