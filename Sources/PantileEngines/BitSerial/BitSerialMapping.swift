import PantileProblem

/// The planning cost of a command on a bit-serial array: weight groups times terms, then wave and drain.
enum BitSerialMapping {
  static func mapping(_ options: BitSerialOptions, _ format: ContractionFormat, _ tile: TileExpr) -> ArrayMapping {
    let (r, c) = (options.rows, options.columns)
    let folds = CostExpr.ceilDiv(tile.m, r) * .ceilDiv(tile.n, c)
    let (lanes, cycles) = group(options, format)
    let stream = CostExpr.ceilDiv(tile.k, lanes) * cycles
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

  /// Products of a group and its cycles, apart from what timing uses.
  private static func group(_ options: BitSerialOptions, _ format: ContractionFormat) -> (lanes: Int, cycles: Int) {
    switch options.multiplication {
    case .serialWeight: return (options.dotWidth, terms(options.encoding, format.weightBits))
    case .serialActivation: return (options.dotWidth, terms(options.encoding, format.activationBits))
    case .bricks:
      // Each halving of an operand, down to a quarter of a byte, doubles the products.
      var lanes = options.dotWidth
      for bits in [format.activationBits, format.weightBits] {
        if bits <= 4 { lanes *= 2 }
        if bits <= 2 { lanes *= 2 }
      }
      return (lanes, 1)
    }
  }

  /// Cycles of a group of serial numbers, apart from what timing uses.
  private static func terms(_ encoding: TermEncoding, _ bits: Int) -> Int {
    switch encoding {
    case .plain: bits
    case .signMagnitude, .bitColumn: bits - 1
    case .booth, .naf: (bits + 1) / 2
    case .lod2: 2
    }
  }
}
