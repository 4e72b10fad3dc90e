import PantileProblem
import PantileTensor

/// The planning cost of a command on an N:M array.
enum NMSparseMapping {
  static func mapping(_ options: NMSparseOptions, _ format: ContractionFormat, _ tile: TileExpr) -> ArrayMapping {
    switch options.dataflow {
    case .outputStationary: return output(options, format, tile)
    case .weightStationary: return stationary(options, format, tile)
    }
  }

  /// The groups of a fold one after another, each as long as its slots or its way through the port; then wave, pipeline and drain.
  private static func output(
    _ options: NMSparseOptions, _ format: ContractionFormat, _ tile: TileExpr
  ) -> ArrayMapping {
    let (r, c, i) = (options.rows, options.columns, options.interleave)
    let (kept, group) = (format.pattern?.kept ?? 1, format.pattern?.group ?? 1)
    let groups = format.pattern == nil ? tile.k : CostExpr.ceilDiv(tile.k, group)
    let folds = CostExpr.ceilDiv(tile.m, r) * .ceilDiv(tile.n, c * i)
    let activations = cycles(r * group, through: options.ports.activation)
    let beat = max(
      cycles(c * bitsBesides(options, format), through: options.ports.weight),
      cycles(c * (format.pattern?.indexBits ?? 0), through: options.ports.metadata))
    let period = max(beat * i, options.adderLatency)
    let each = max(activations, kept * period)
    // The last group ends with its last beat; the first begins behind what it is made of.
    let stream = groups * each + ((kept - 1) * period + (i - 1) * beat + 1 - each + max(activations, beat) - 1)
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

  /// A slot a fold, as long as its stream or its load. After the last slot only what it does not hold of stream and wave is left; a
  /// following command may begin when the last R cycles of the stream have.
  private static func stationary(
    _ options: NMSparseOptions, _ format: ContractionFormat, _ tile: TileExpr
  ) -> ArrayMapping {
    let (r, c, l) = (options.rows, options.columns, options.adderLatency)
    let (kept, group) = (format.pattern?.kept ?? 1, format.pattern?.group ?? 1)
    let groups = format.pattern == nil ? tile.k : CostExpr.ceilDiv(tile.k, group)
    let folds = CostExpr.ceilDiv(groups, r / kept) * .ceilDiv(tile.n, c)
    let stream = tile.m * cycles(r / kept * group, through: options.ports.activation)
    let load = max(
      r, cycles(r * c * bitsBesides(options, format), through: options.ports.weight),
      cycles(r * c * (format.pattern?.indexBits ?? 0), through: options.ports.metadata))
    let wave = r * l + c - 2 + options.multiplierLatency
    switch options.variant {
    case .serial:
      let cycles = folds * (stream + (load + wave))
      return ArrayMapping(cycles: cycles, interval: cycles)
    case .overlapped:
      let slots = folds * .max(stream, .constant(load))
      let left = CostExpr.min(stream, .constant(load))
      return ArrayMapping(
        cycles: slots + left + wave,
        interval: slots + left + .max(.constant(0), stream - .constant(r)) - stream)
    }
  }

  /// Bits of a pair at the weight port.
  private static func bitsBesides(_ options: NMSparseOptions, _ format: ContractionFormat) -> Int {
    format.weightBits + (options.ports.metadata == 0 ? format.pattern?.indexBits ?? 0 : 0)
  }

  private static func cycles(_ amount: Int, through port: Int) -> Int {
    port == 0 ? 1 : max(1, ceilDiv(amount, port))
  }
}
