/// The closed form of one command on a fixed-term bit-serial array.
///
/// A group of d products (dot width) takes T cycles, one term each (ceil(bits/2) of Booth), whatever the values: no zero term is
/// skipped; of bricks, T is 1 and d follows from the widths. So a fold streams T·ceil(K/d) cycles and then behaves as the output-stationary systolic array:
/// serial ceil(M/R)·ceil(N/C)·(T·ceil(K/d) + 2R+C-2). The port reads a group of activations and of weights in the first of its
/// T cycles; registers at the edge hold them.
///
/// **Accuracy** exact: equal to the register-transfer stepper, which recodes and adds real digits.
enum BitSerialTiming {
  static func timing(_ options: BitSerialOptions, _ extents: TileExtents, _ format: ContractionFormat) -> TileTiming {
    let (r, c) = (options.rows, options.columns)
    let rate = options.rate(format)
    let stream = rate.cycles * ceilDiv(extents.k, rate.lanes)
    let algebra = OutputFoldAlgebra(
      folds: ceilDiv(extents.m, r) * ceilDiv(extents.n, c), stream: stream, tail: 2 * r + c - 2,
      drainSlot: 2 * r - 1, overlapped: options.variant == .overlapped)
    let lastRead = algebra.lastStream + stream - rate.cycles + 1
    return TileTiming(
      duration: algebra.duration, nextIssue: algebra.nextIssue, readA: lastRead, readB: lastRead)
  }

  /// As of an output-stationary systolic array, with several multipliers a PE: a product takes several of their cycles, and the last group of a
  /// reduction may leave some unused.
  static func occupancy(
    _ options: BitSerialOptions, _ extents: TileExtents, _ format: ContractionFormat
  ) -> TileOccupancy {
    let (r, c, d) = (options.rows, options.columns, options.units)
    let rate = options.rate(format)
    let padded = ceilDiv(extents.k, rate.lanes) * rate.lanes
    let (foldRows, foldColumns) = (ceilDiv(extents.m, r), ceilDiv(extents.n, c))
    var result = TileOccupancy.folds(
      count: (foldRows, foldColumns), stream: rate.cost * padded, used: (extents.m, extents.n), size: (r, c))
    result.work = rate.cost * extents.macs
    result.edgeDepth = rate.cost * extents.m * extents.n * (padded - extents.k)
    let stream = rate.cycles * padded / rate.lanes
    let isOverlapped = options.variant == .overlapped
    let shown = isOverlapped ? 1 : foldRows * foldColumns
    result.addSkew(rows: r, columns: c, times: shown, multipliers: d)
    let wait = isOverlapped ? foldRows * foldColumns * max(0, 2 * r - 1 - stream) : 0
    result.drain += (shown * r + wait) * (r * c * d)
    return result
  }

  /// Each fold takes ceil(K/d) groups of R·d activations and C·d weights.
  static func traffic(
    _ options: BitSerialOptions, _ extents: TileExtents, _ format: ContractionFormat
  ) -> EdgeTraffic {
    let (r, c) = (options.rows, options.columns)
    let folds = ceilDiv(extents.m, r) * ceilDiv(extents.n, c)
    let lanes = options.rate(format).lanes
    let padded = ceilDiv(extents.k, lanes) * lanes
    return EdgeTraffic(
      activationElements: folds * r * padded, weightBeats: folds * c * padded, results: folds * r * c)
  }
}
