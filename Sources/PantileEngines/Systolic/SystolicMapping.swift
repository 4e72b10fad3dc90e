import PantileProblem

/// The planning cost of a command on a systolic array, argued from occupancy and not from the fold vectors of the timing.
enum SystolicMapping {
  static func mapping(_ options: SystolicOptions, _ tile: TileExpr) -> ArrayMapping {
    let (r, c) = (options.rows, options.columns)
    switch options.dataflow {
    case .weightStationary:
      return stationary(
        options, folds: .ceilDiv(tile.k, r) * .ceilDiv(tile.n, c), stream: tile.m)
    case .inputStationary:
      return stationary(
        options, folds: .ceilDiv(tile.k, r) * .ceilDiv(tile.m, c), stream: tile.n)
    case .outputStationary:
      return output(
        options, folds: .ceilDiv(tile.m, r) * .ceilDiv(tile.n, c), stream: tile.k)
    }
  }

  /// Loaded operands of a fold are busy from the first load cycle to the last swap: 2R+C-2 cycles when all rows shift at once, R
  /// when each is swapped in before the next arrives; a longer stream hides that. After the last fold's slot only the part of
  /// stream and wave that the slot does not hold is left, and the stages before the adder.
  private static func stationary(_ options: SystolicOptions, folds: CostExpr, stream: CostExpr) -> ArrayMapping {
    let (r, c, stages) = (options.rows, options.columns, options.peLatency - 1)
    let wave = CostExpr.constant(2 * r + c - 2)
    switch options.variant {
    case .serial:
      let cycles = folds * (stream + wave + .constant(stages))
      return ArrayMapping(cycles: cycles, interval: cycles)
    case .overlapped:
      let interval = folds * .max(stream, wave)
      return ArrayMapping(cycles: interval + .min(stream, wave) + .constant(stages), interval: interval)
    case .skewed:
      let interval = folds * .max(stream, .constant(r))
      return ArrayMapping(
        cycles: interval + .min(stream, .constant(r)) + .constant(r + c - 2 + stages), interval: interval)
    }
  }

  /// Wave through the array plus drain: R-1 + C-1 + R, and the stages before the adder.
  private static func output(_ options: SystolicOptions, folds: CostExpr, stream: CostExpr) -> ArrayMapping {
    let (r, c, stages) = (options.rows, options.columns, options.peLatency - 1)
    let tail = 2 * r + c - 2 + stages
    switch options.variant {
    case .serial:
      let cycles = folds * (stream + .constant(tail))
      return ArrayMapping(cycles: cycles, interval: cycles)
    case .overlapped:
      let interval = folds * .max(stream, .constant(2 * r - 1))
      return ArrayMapping(cycles: interval + .constant(tail), interval: interval)
    case .skewed: preconditionFailure("no output-stationary array is skewed; SystolicOptions proves it")
    }
  }
}
