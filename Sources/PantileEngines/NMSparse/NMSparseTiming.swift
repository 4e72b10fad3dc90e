import PantileTensor

/// The closed form of one command on an output-stationary N:M array (I contexts a PE).
///
/// G = K/M groups, Kc = G·N kept weights. A beat is C pairs of value and index; the port needs F cycles for it, F = 1 without a limit.
/// A group of M activations in each row needs A cycles. Beats of column c come in the order (group, slot, context). The next slot of a
/// group starts P = max(I·F, L) cycles behind, the next group max(N·P, A) cycles behind, both collected meanwhile; a fold starts with
/// empty port buffers, so its first beat waits D-1 cycles, D = max(A, F).
///
/// - stream = D-1 + (G-1)·max(N·P, A) + (N-1)·P + (I-1)·F + 1; with ports without limit (Kc-1)·P + I.
/// - tile = stream + (R-1) + (C-1) + (Lm+L-1) + R·I; serial total = ceil(rows/R)·ceil(columns/(C·I))·tile.
/// - A = ceil(R·M/activation port), F = ceil(C·(b+log2 M)/weight port), or the longer of ceil(C·b/weight port) and
///   ceil(C·log2 M/metadata port).
///
/// Dense weights are groups of one. Overlapped (an output register a context, column-local drain of R·I cycles, context after context):
/// context i meets new results at row 0 in the last of its own drain cycles at the earliest, so stream ends stand at least
/// R·I + R-1 apart.
///
/// **Accuracy** exact: equal to the register-transfer stepper on every tested configuration.
enum NMSparseTiming {
  /// What a fold streams.
  private struct Stream {
    var kept: Int
    /// From the fold's first cycle to its first beat.
    var lead: Int
    /// From one group to the next.
    var hold: Int
    var groups: Int
    /// Cycles of the fold's stream, `lead` included.
    var length: Int
    /// Of them those in which a PE waits for its adder.
    var adder: Int

    init(_ options: NMSparseOptions, _ extents: TileExtents, _ format: ContractionFormat) {
      let (i, l) = (options.interleave, options.adderLatency)
      kept = format.storedRows(k: extents.k)
      let (n, m) = (format.pattern?.kept ?? 1, format.pattern?.group ?? 1)
      groups = extents.k / m
      let group = options.ports.activation == 0 ? 1 : ceilDiv(options.rows * m, options.ports.activation)
      let beat = NMSparseTiming.beatCycles(options, format)
      let period = max(i * beat, l)
      lead = max(group, beat) - 1
      hold = max(n * period, group)
      length = lead + (groups - 1) * hold + (n - 1) * period + (i - 1) * beat + 1
      adder = (kept - 1) * (max(i, l) - i)
    }
  }

  /// Cycles that the ports need for C pairs of value and index (F).
  private static func beatCycles(_ options: NMSparseOptions, _ format: ContractionFormat) -> Int {
    let (values, indices) = (options.columns * format.weightBits, options.columns * (format.pattern?.indexBits ?? 0))
    let ports = options.ports
    if ports.metadata == 0 { return ports.weight == 0 ? 1 : ceilDiv(values + indices, ports.weight) }
    return max(1, ports.weight == 0 ? 1 : ceilDiv(values, ports.weight), ceilDiv(indices, ports.metadata))
  }

  static func timing(_ options: NMSparseOptions, _ extents: TileExtents, _ format: ContractionFormat) -> TileTiming {
    let (r, c, i) = (options.rows, options.columns, options.interleave)
    let stream = Stream(options, extents, format)
    let pipeline = options.multiplierLatency + options.adderLatency - 1
    let algebra = OutputFoldAlgebra(
      folds: ceilDiv(extents.m, r) * ceilDiv(extents.n, c * i), stream: stream.length,
      tail: (r - 1) + (c - 1) + pipeline + r * i, drainSlot: r * i + r - 1,
      overlapped: options.variant == .overlapped)
    return TileTiming(
      duration: algebra.duration, nextIssue: algebra.nextIssue,
      readA: algebra.lastStream + stream.lead + (stream.groups - 1) * stream.hold + 1,
      readB: algebra.lastStream + stream.length)
  }

  /// As of an output-stationary systolic array; of the cycles of a fold's stream a PE takes Kc·I products, waits for its adder in
  /// those that it would also have to wait with ports without limit, and for a port in the others.
  static func occupancy(
    _ options: NMSparseOptions, _ extents: TileExtents, _ format: ContractionFormat
  ) -> TileOccupancy {
    let (r, c, i) = (options.rows, options.columns, options.interleave)
    let stream = Stream(options, extents, format)
    let (foldRows, foldColumns) = (ceilDiv(extents.m, r), ceilDiv(extents.n, c * i))
    let folds = foldRows * foldColumns
    var result = TileOccupancy.folds(
      count: (foldRows, foldColumns), stream: stream.kept, used: (extents.m, extents.n), size: (r, c * i))
    result.adder = folds * stream.adder * (r * c)
    result.feed = folds * (stream.length - stream.kept * i - stream.adder) * (r * c)
    let pipeline = options.multiplierLatency + options.adderLatency - 1
    let isOverlapped = options.variant == .overlapped
    let shown = isOverlapped ? 1 : folds
    result.addSkew(rows: r, columns: c, times: shown)
    let wait = isOverlapped ? folds * max(0, r * i + r - 1 - stream.length) : 0
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
