import PantileProgram

/// What a systolic array takes, and the tiles that it likes.
enum SystolicCapability {
  /// Dense operands: eight-bit integers, and the array's floats.
  static func capability(_ options: SystolicOptions, of format: ContractionFormat) -> ArrayCapability {
    if format.numbers != .integer {
      return options.operands.float == format.numbers
        ? .supported : .unsupported(["operands in \(format), the array takes \(options.operands.rawValue)"])
    }
    var reasons: [String] = []
    if format.activationBits != 8 {
      reasons.append("activations of \(format.activationBits) bits, the array takes 8")
    }
    if !(2...8).contains(format.weightBits) {
      reasons.append("weights of \(format.weightBits) bits, the array takes 2 to 8, each in an 8-bit register")
    }
    if let pattern = format.pattern { reasons.append("weights sparse \(pattern), the array takes dense weights") }
    return reasons.isEmpty ? .supported : .unsupported(reasons)
  }

  /// What rows and columns carry comes in multiples of them; the dimension that streams has no granule.
  static func granules(_ options: SystolicOptions, _ format: ContractionFormat) -> TileExtents {
    switch options.dataflow {
    case .weightStationary: return TileExtents(m: 1, k: options.rows, n: options.columns)
    case .outputStationary: return TileExtents(m: options.rows, k: 1, n: options.columns)
    case .inputStationary: return TileExtents(m: options.columns, k: options.rows, n: 1)
    }
  }
}
