import PantileTensor

/// The closed form of one command on a weight-stationary N:M array.
///
/// Row r of the PEs holds slot r mod N of group floor(r/N) of the fold: N rows next to each other take the same group of M
/// activations, and floor(R/N)·N rows are used; no group straddles folds. G = K/M groups, F = ceil(G/floor(R/N))·ceil(n/C) folds;
/// a fold always takes the time of a full one.
///
/// Everything that moves down, partial sums, values and indices, takes L cycles a row, and one a column. Seen from a PE, at L·r + c
/// cycles behind PE (0, 0), all PEs do the same at once: for W cycles beats of weights pass of which it takes one, then for T cycles
/// activations. So
///
/// - serial: F·(W + T-1 + (R-1)·L + (C-1) + L+Lm): a fold starts when the last sum of the one before is written.
/// - overlapped (a shadow register for value and index): the beats of the next fold follow the wave that takes the shadow registers,
///   so streams start max(T, W) apart: W + (F-1)·max(T, W) + T-1 + (R-1)·L + (C-1) + L+Lm. The first load of a command starts with at
///   most R cycles of the running stream left, whatever its weights need.
/// - W = max(R, ceil(R·C·(b+log2 M)/weight port)), or with an own port for indices the longest of R, ceil(R·C·b/weight port) and
///   ceil(R·C·log2 M/metadata port).
/// - T = rows of A, times ceil(floor(R/N)·M/activation port): each vector of activations is collected before it enters.
///
/// With L = 1, Lm = 0 and no limits a fold takes 2R+C+T-2 cycles.
///
/// The sums of a fold are added to the accumulators in the cycle in which they leave, so no fold waits for an accumulator.
///
/// **Accuracy** exact: equal to the register-transfer stepper on every tested configuration.
enum NMWeightTiming {
  private struct Folds {
    var alongK: Int
    var alongN: Int
    var count: Int { alongK * alongN }
    /// Cycles of the activation port for a vector, of a stream, and of a load.
    var vector: Int
    var stream: Int
    var load: Int

    init(_ options: NMSparseOptions, _ extents: TileExtents, _ format: ContractionFormat) {
      let (r, c, ports) = (options.rows, options.columns, options.ports)
      let (kept, group) = (format.pattern?.kept ?? 1, format.pattern?.group ?? 1)
      alongK = ceilDiv(extents.k / group, r / kept)
      alongN = ceilDiv(extents.n, c)
      vector = ports.activation == 0 ? 1 : ceilDiv(r / kept * group, ports.activation)
      stream = extents.m * vector
      let (values, indices) = (r * c * format.weightBits, r * c * (format.pattern?.indexBits ?? 0))
      load = r
      if ports.weight > 0 {
        load = max(load, ceilDiv(values + (ports.metadata == 0 ? indices : 0), ports.weight))
      }
      if ports.metadata > 0 { load = max(load, ceilDiv(indices, ports.metadata)) }
    }

    func distance(_ options: NMSparseOptions) -> Int {
      options.variant == .overlapped ? max(stream, load) : load + stream + NMWeightTiming.tail(options)
    }
  }

  /// From the last cycle of a stream to the last sum being written.
  private static func tail(_ options: NMSparseOptions) -> Int {
    (options.rows - 1) * options.adderLatency + (options.columns - 1) + options.adderLatency - 1
      + options.multiplierLatency
  }

  static func timing(_ options: NMSparseOptions, _ extents: TileExtents, _ format: ContractionFormat) -> TileTiming {
    let folds = Folds(options, extents, format)
    let last = folds.load + (folds.count - 1) * folds.distance(options)
    let duration = last + folds.stream + tail(options)
    return TileTiming(
      duration: duration,
      nextIssue: options.variant == .overlapped ? last + max(0, folds.stream - options.rows) : duration,
      readA: last + folds.stream, readB: last)
  }

  /// Argued from a single PE, which begins r·L + c cycles behind PE (0, 0).
  static func occupancy(
    _ options: NMSparseOptions, _ extents: TileExtents, _ format: ContractionFormat
  ) -> TileOccupancy {
    let (r, c) = (options.rows, options.columns)
    let pes = r * c
    let folds = Folds(options, extents, format)
    var result = TileOccupancy.folds(
      count: (folds.alongK, folds.alongN), stream: extents.m, used: (format.storedRows(k: extents.k), extents.n),
      size: (r, c))
    let isOverlapped = options.variant == .overlapped
    let shown = isOverlapped ? 1 : folds.count
    // Loads that no stream hides: what R beats need is `load`, what a narrow port adds is `feed`.
    let hidden = isOverlapped ? folds.count - 1 : 0
    let loads = shown * folds.load + hidden * (max(folds.stream, folds.load) - folds.stream)
    let beats = shown * r + hidden * (max(folds.stream, r) - folds.stream)
    result.load = beats * pes
    result.feed = (folds.count * (folds.stream - extents.m) + loads - beats) * pes
    // Σ (r·L + c) over all PEs.
    let skew = (r - 1) * r / 2 * c * options.adderLatency + (c - 1) * c / 2 * r
    result.fill = shown * skew
    result.drain = shown * (skew + (options.adderLatency - 1 + options.multiplierLatency) * pes)
    return result
  }

  /// Each fold takes R beats of C pairs, and for each row of A its groups; groups beyond the end of K are not read.
  static func traffic(_ options: NMSparseOptions, _ extents: TileExtents, _ format: ContractionFormat) -> EdgeTraffic {
    let folds = Folds(options, extents, format)
    return EdgeTraffic(
      activationElements: folds.alongN * extents.m * extents.k,
      weightBeats: folds.count * options.rows * options.columns, results: folds.count * options.columns * extents.m)
  }
}
