/// What one command does inside a systolic array; padding lanes are gated and not counted.
enum SystolicActions {
  /// - `array.mac.int8`: multiply-accumulates of real operands.
  /// - `array.weight_load`: stationary weights written (`ws`).
  /// - `array.hop.activation`, `array.hop.weight`, `array.hop.psum`: operands that moved from PE to PE.
  /// - `acc.read`, `acc.write`: 32-bit accumulator words; the first fold along K of an overwriting command only writes.
  static func counts(_ options: SystolicOptions, _ extents: TileExtents, accumulate: Bool) -> [ActionCount] {
    let (m, k, n) = (extents.m, extents.k, extents.n)
    let macs = extents.macs
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
      ]
    case .outputStationary:
      return [
        ActionCount("array.mac.int8", macs),
        ActionCount("array.hop.activation", macs),
        ActionCount("array.hop.weight", macs),
        ActionCount("array.hop.psum", outputHops(options, extents)),
        ActionCount("acc.read", accumulate ? m * n : 0),
        ActionCount("acc.write", m * n),
      ]
    }
  }

  /// A result of row r shifts through R-1-r registers on its way out.
  private static func outputHops(_ options: SystolicOptions, _ extents: TileExtents) -> Int {
    let r = options.rows
    let full = extents.m / r
    let rest = extents.m % r
    // Σ_{i<q} (R-1-i) for the q used rows of a fold.
    func hops(_ used: Int) -> Int { used * (r - 1) - used * (used - 1) / 2 }
    return (full * hops(r) + hops(rest)) * extents.n
  }
}
