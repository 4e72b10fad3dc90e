import PantileProblem
import PantileTensor

/// The planning cost of a command on an N:M array: kept weights times the period of a context, then wave, pipeline and drain.
enum NMSparseMapping {
  static func mapping(_ options: NMSparseOptions, _ format: ContractionFormat, _ tile: TileExpr) -> ArrayMapping {
    let (r, c, i) = (options.rows, options.columns, options.interleave)
    let kept = format.pattern.map { CostExpr.ceilDiv(tile.k, $0.group) * $0.kept } ?? tile.k
    let folds = CostExpr.ceilDiv(tile.m, r) * .ceilDiv(tile.n, c * i)
    // The last slot of a fold is as long as its contexts, all others as a period.
    let period = max(i, options.adderLatency)
    let stream = kept * period + (i - period)
    let rest = (r + c - 2) + (options.multiplierLatency + options.adderLatency - 1) + r * i
    switch options.variant {
    case .serial:
      let cycles = folds * (stream + rest)
      return ArrayMapping(cycles: cycles, interval: cycles)
    case .overlapped:
      let interval = folds * .max(stream, .constant(r * i + r - 1))
      return ArrayMapping(cycles: interval + rest, interval: interval)
    }
  }
}
