/// What one command does inside a systolic array; padding lanes are gated and not counted.
enum SystolicActions {
  /// - `array.mac.int8`: multiply-accumulates of real operands.
  /// - `array.weight_load`: stationary weights written (`ws`).
  /// - `array.hop.activation`, `array.hop.weight`, `array.hop.psum`: operands that moved from PE to PE.
  /// - `acc.read`, `acc.write`: 32-bit accumulator words; the first fold along K of an overwriting command only writes.
  /// - `spad.read_bytes`: operands at the array's edges, read again for each fold that streams them.
  static func counts(
    _ options: SystolicOptions, _ extents: TileExtents, _ format: ContractionFormat, accumulate: Bool
  ) -> [ActionCount] {
    let (m, k, n) = (extents.m, extents.k, extents.n)
    let macs = extents.macs
    let foldsN = ceilDiv(n, options.columns)
    switch options.dataflow {
    case .weightStationary:
      let foldsK = ceilDiv(k, options.rows)
      return [
        ActionCount("array.mac.int8", macs),
        ActionCount("array.weight_load", k * n),
        ActionCount("array.hop.activation", macs),
        ActionCount("array.hop.psum", macs),
        ActionCount("acc.read", m * n * (accumulate ? foldsK : foldsK - 1)),
        ActionCount("acc.write", m * n * foldsK),
        operandReads(extents, format, activationPasses: foldsN, weightPasses: 1),
      ]
    case .outputStationary:
      return [
        ActionCount("array.mac.int8", macs),
        ActionCount("array.hop.activation", macs),
        ActionCount("array.hop.weight", macs),
        ActionCount("array.hop.psum", drainHops(rows: options.rows, m: m) * n),
        ActionCount("acc.read", accumulate ? m * n : 0),
        ActionCount("acc.write", m * n),
        operandReads(extents, format, activationPasses: foldsN, weightPasses: ceilDiv(m, options.rows)),
      ]
    }
  }
}
