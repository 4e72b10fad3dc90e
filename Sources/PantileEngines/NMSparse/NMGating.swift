import PantileTensor

/// What a command takes on an N:M array that gates products of zeros: the cycles of any other, and fewer actions.
enum NMGating {
  static func measure(
    _ options: NMSparseOptions, _ extents: TileExtents, _ format: ContractionFormat, _ operands: ArrayOperands,
    accumulate: Bool
  ) -> TileMeasure {
    TileMeasure(
      timing: options.timing(extents, format), occupancy: options.occupancy(extents, format),
      actions: NMSparseActions.counts(
        options, extents, format, accumulate: accumulate, moving: moving(options.gating, extents, format, operands)))
  }

  /// Products of a kept weight that is not zero, and under `operands` of an activation that is none either.
  private static func moving(
    _ gating: NMSparseOptions.Gating, _ extents: TileExtents, _ format: ContractionFormat, _ operands: ArrayOperands
  ) -> Int {
    let (m, k, n) = (extents.m, extents.k, extents.n)
    // Rows of A that have no zero at a place of the reduction.
    var rows = [Int](repeating: gating == .operands ? 0 : m, count: k)
    if gating == .operands {
      for row in 0..<m {
        for position in 0..<k where operands.a[row * k + position] != 0 { rows[position] += 1 }
      }
    }
    var count = 0
    for slot in 0..<format.storedRows(k: k) {
      for column in 0..<n where operands.b[slot * n + column] != 0 {
        let at = slot * n + column
        if let pattern = format.pattern, let indices = operands.indices {
          count += rows[slot / pattern.kept * pattern.group + Int(indices[at])]
        } else {
          count += rows[slot]
        }
      }
    }
    return count
  }
}
