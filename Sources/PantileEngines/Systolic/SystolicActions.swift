import PantileProgram

/// What one command does inside a systolic array; padding lanes are gated and not counted.
enum SystolicActions {
  /// - `array.mac.int8`, `array.mac.bf16`, `array.mac.fp16`: multiply-accumulates of real operands.
  /// - `array.weight_load`: bytes of stationary operands written: weights (`ws`), activations (`is`).
  /// - `array.hop.activation`, `array.hop.weight`, `array.hop.psum`: bytes of operands, and sums, that moved from PE to PE.
  /// - `acc.read`, `acc.write`: 32-bit accumulator words; the first fold along K of an overwriting command only writes.
  /// - `spad.read_bytes`: operands at the array's edges, read again for each fold that streams them.
  static func counts(
    _ options: SystolicOptions, _ extents: TileExtents, _ format: ContractionFormat, accumulate: Bool
  ) -> [ActionCount] {
    let (m, k, n) = (extents.m, extents.k, extents.n)
    let macs = extents.macs
    let mac =
      switch format.numbers {
      case .integer: "array.mac.int8"
      case .bf16: "array.mac.bf16"
      case .f16: "array.mac.fp16"
      }
    // Registers of operands take 8 bits for integers of any width.
    let bytes = format.numbers == .integer ? 1 : 2
    switch options.dataflow {
    case .weightStationary, .inputStationary:
      let weightsStay = options.dataflow == .weightStationary
      let foldsK = ceilDiv(k, options.rows)
      // The streamed operand is read once for each fold along the columns.
      let passes = ceilDiv(weightsStay ? n : m, options.columns)
      return [
        ActionCount(mac, macs),
        ActionCount("array.weight_load", bytes * k * (weightsStay ? n : m)),
        ActionCount(weightsStay ? "array.hop.activation" : "array.hop.weight", bytes * macs),
        ActionCount("array.hop.psum", macs),
        ActionCount("acc.read", m * n * (accumulate ? foldsK : foldsK - 1)),
        ActionCount("acc.write", m * n * foldsK),
        operandReads(
          extents, format, activationPasses: weightsStay ? passes : 1, weightPasses: weightsStay ? 1 : passes),
      ]
    case .outputStationary:
      return [
        ActionCount(mac, macs),
        ActionCount("array.hop.activation", bytes * macs),
        ActionCount("array.hop.weight", bytes * macs),
        ActionCount("array.hop.psum", drainHops(rows: options.rows, m: m) * n),
        ActionCount("acc.read", accumulate ? m * n : 0),
        ActionCount("acc.write", m * n),
        operandReads(
          extents, format, activationPasses: ceilDiv(n, options.columns), weightPasses: ceilDiv(m, options.rows)),
      ]
    }
  }
}
