import PantileTensor

/// The closed form of one command on an N:M array (output stationary, I contexts a PE).
///
/// G = K/M groups, Kc = G·N kept weights, P = max(I, L). A group of M activations enters a row every N·P cycles and is held; the
/// beats of column c come in the order (group, slot, context), a new slot every P cycles. So a fold streams (Kc-1)·P + I cycles and
/// tile = (Kc-1)·P + I + (R-1) + (C-1) + (Lm+L-1) + R·I; serial total = ceil(rows/R)·ceil(columns/(C·I))·tile. Dense weights
/// are groups of one.
///
/// Overlapped (an output register a context, column-local drain of R·I cycles, context after context): context i meets new results
/// at row 0 in the last of its own drain cycles at the earliest, so stream ends stand at least R·I + R-1 apart.
///
/// **Accuracy** exact: equal to the register-transfer stepper on every tested configuration.
enum NMSparseTiming {
  static func timing(_ options: NMSparseOptions, _ extents: TileExtents, _ format: ContractionFormat) -> TileTiming {
    let (r, c, i) = (options.rows, options.columns, options.interleave)
    let kept = format.storedRows(k: extents.k)
    let groups = extents.k / (format.pattern?.group ?? 1)
    let hold = (format.pattern?.kept ?? 1) * options.period
    let stream = (kept - 1) * options.period + i
    let pipeline = options.multiplierLatency + options.adderLatency - 1
    let algebra = OutputFoldAlgebra(
      folds: ceilDiv(extents.m, r) * ceilDiv(extents.n, c * i), stream: stream,
      tail: (r - 1) + (c - 1) + pipeline + r * i, drainSlot: r * i + r - 1,
      overlapped: options.variant == .overlapped)
    return TileTiming(
      duration: algebra.duration, nextIssue: algebra.nextIssue,
      readA: algebra.lastStream + (groups - 1) * hold + 1, readB: algebra.lastStream + stream)
  }

  /// As of an output-stationary systolic array; a PE takes Kc·I products in the (Kc-1)·P + I cycles of a fold's stream, and waits for its
  /// adder in the others.
  static func occupancy(
    _ options: NMSparseOptions, _ extents: TileExtents, _ format: ContractionFormat
  ) -> TileOccupancy {
    let (r, c, i) = (options.rows, options.columns, options.interleave)
    let kept = format.storedRows(k: extents.k)
    let (foldRows, foldColumns) = (ceilDiv(extents.m, r), ceilDiv(extents.n, c * i))
    let folds = foldRows * foldColumns
    var result = TileOccupancy.folds(
      count: (foldRows, foldColumns), stream: kept, used: (extents.m, extents.n), size: (r, c * i))
    result.adder = folds * (kept - 1) * (options.period - i) * (r * c)
    let stream = (kept - 1) * options.period + i
    let pipeline = options.multiplierLatency + options.adderLatency - 1
    let isOverlapped = options.variant == .overlapped
    let shown = isOverlapped ? 1 : folds
    result.addSkew(rows: r, columns: c, times: shown)
    let wait = isOverlapped ? folds * max(0, r * i + r - 1 - stream) : 0
    result.drain += (shown * (pipeline + r * i) + wait) * (r * c)
    return result
  }

  /// Each fold takes G groups of M activations in R rows, and Kc beats for I contexts in C columns.
  static func traffic(_ options: NMSparseOptions, _ extents: TileExtents, _ format: ContractionFormat) -> EdgeTraffic {
    let (r, c, i) = (options.rows, options.columns, options.interleave)
    let folds = ceilDiv(extents.m, r) * ceilDiv(extents.n, c * i)
    return EdgeTraffic(
      activationElements: folds * r * extents.k, weightBeats: folds * c * i * format.storedRows(k: extents.k),
      results: folds * r * c * i)
  }
}
