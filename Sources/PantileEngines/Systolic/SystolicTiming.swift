/// The closed form of one command on a systolic array.
///
/// Notation: array R x C; F folds; a fold always takes the time of a full one, edge folds included. Skew registers stand at the
/// array's edge, so that a whole row (or column) vector is read from its port in one cycle.
///
/// **Accuracy** exact: equal to the register-transfer stepper on every tested shape.
enum SystolicTiming {
  static func timing(_ options: SystolicOptions, _ extents: TileExtents) -> TileTiming {
    switch options.dataflow {
    case .weightStationary: return weightStationary(options, extents)
    case .outputStationary: return outputStationary(options, extents)
    }
  }

  /// A fold loads R weight rows, then streams M rows through; F = ceil(K/R)·ceil(N/C).
  ///
  /// - serial: F·(2R+C+M-2).
  /// - overlapped (a shadow register, weights shift down its chain): the chain may move once the swap wave has left the last
  ///   PE, so streams start max(M, 2R+C-2) apart, the first at R; total R + (F-1)·max(M, 2R+C-2) + M+R+C-2.
  private static func weightStationary(_ options: SystolicOptions, _ extents: TileExtents) -> TileTiming {
    let (r, c, m) = (options.rows, options.columns, extents.m)
    let folds = ceilDiv(extents.k, r) * ceilDiv(extents.n, c)
    switch options.variant {
    case .serial:
      let fold = 2 * r + c + m - 2
      let lastStream = (folds - 1) * fold + r
      return TileTiming(
        duration: folds * fold, nextIssue: folds * fold, readA: lastStream + m, readB: lastStream)
    case .overlapped:
      let lastStream = r + (folds - 1) * max(m, 2 * r + c - 2)
      return TileTiming(
        duration: lastStream + m + r + c - 2, nextIssue: lastStream + max(r + c - 2, m - r), readA: lastStream + m,
        readB: lastStream)
    }
  }

  /// A fold streams K products through, then R results drain down each column; F = ceil(M/R)·ceil(N/C).
  ///
  /// - serial: all columns drain together after the last PE is done: F·(2R+C+K-2).
  /// - overlapped (an output register a PE, column-local drain): column c starts to shift when its last row is done, R cycles
  ///   long, and the next results may arrive at row 0 in the last of them. So stream *ends* stand at least 2R-1 apart: a fold
  ///   owns a slot of max(K, 2R-1) cycles and a shorter stream waits at the slot's head; total F·max(K, 2R-1) + 2R+C-2.
  private static func outputStationary(_ options: SystolicOptions, _ extents: TileExtents) -> TileTiming {
    let (r, c, k) = (options.rows, options.columns, extents.k)
    let algebra = OutputFoldAlgebra(
      folds: ceilDiv(extents.m, r) * ceilDiv(extents.n, c), stream: k, tail: 2 * r + c - 2, drainSlot: 2 * r - 1,
      overlapped: options.variant == .overlapped)
    let lastRead = algebra.lastStream + k
    return TileTiming(
      duration: algebra.duration, nextIssue: algebra.nextIssue, readA: lastRead, readB: lastRead)
  }

  /// `ws`: each fold takes R x C weights and M vectors of R activations. `os`: K vectors of R activations and of C weights.
  static func traffic(_ options: SystolicOptions, _ extents: TileExtents) -> EdgeTraffic {
    let (r, c) = (options.rows, options.columns)
    switch options.dataflow {
    case .weightStationary:
      let folds = ceilDiv(extents.k, r) * ceilDiv(extents.n, c)
      return EdgeTraffic(
        activationElements: folds * r * extents.m, weightBeats: folds * r * c, results: folds * c * extents.m)
    case .outputStationary:
      let folds = ceilDiv(extents.m, r) * ceilDiv(extents.n, c)
      return EdgeTraffic(
        activationElements: folds * r * extents.k, weightBeats: folds * c * extents.k, results: folds * r * c)
    }
  }
}
