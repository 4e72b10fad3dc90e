/// The closed form of one command on a systolic array.
///
/// Notation: array R x C; F folds; a PE of L stages; a fold always takes the time of a full one, edge folds included. Skew
/// registers stand at the array's edge, so that a whole row (or column) vector is read from its port in one cycle.
///
/// - ws, F = ceil(K/R)·ceil(N/C): serial F·(2R+C+M-2 + L-1); overlapped R + (F-1)·max(M, 2R+C-2) + M+R+C-2 + L-1; skewed
///   R + (F-1)·max(M, R) + M+R+C-2 + L-1.
/// - is, F = ceil(K/R)·ceil(M/C): as ws with N in place of M.
/// - os, F = ceil(M/R)·ceil(N/C): serial F·(2R+C+K-2 + L-1); overlapped F·max(K, 2R-1) + 2R+C-2 + L-1.
///
/// **Accuracy** exact: equal to the register-transfer stepper and to the RTL twins on every tested shape.
enum SystolicTiming {
  static func timing(_ options: SystolicOptions, _ extents: TileExtents) -> TileTiming {
    let (count, stream) = folds(options, extents)
    let fold = SystolicFold(options, stream: stream)
    let distance = fold.distance(to: fold)
    let last = fold.lead + (count - 1) * distance
    let (row, column) = (last + fold.rowReads.give, last + fold.columnReads.give)
    // The operand that enters at the rows is A, but for `is`.
    let isExchanged = options.dataflow == .inputStationary
    return TileTiming(
      duration: last + fold.end, nextIssue: last + distance - fold.lead, readA: isExchanged ? column : row,
      readB: isExchanged ? row : column)
  }

  /// Number of folds, and cycles in which each streams.
  static func folds(_ options: SystolicOptions, _ extents: TileExtents) -> (count: Int, stream: Int) {
    let (r, c) = (options.rows, options.columns)
    switch options.dataflow {
    case .weightStationary: return (ceilDiv(extents.k, r) * ceilDiv(extents.n, c), extents.m)
    case .inputStationary: return (ceilDiv(extents.k, r) * ceilDiv(extents.m, c), extents.n)
    case .outputStationary: return (ceilDiv(extents.m, r) * ceilDiv(extents.n, c), extents.k)
    }
  }

  /// Where the PE-cycles of a command go, argued from a single PE: PE (r, c) takes the first product of a fold r + c cycles behind
  /// PE (0, 0). `ws`, `is`: it stands still for each load that no stream hides. `os`: each slot that is longer than its stream waits for
  /// results to leave.
  static func occupancy(_ options: SystolicOptions, _ extents: TileExtents) -> TileOccupancy {
    let (r, c, stages) = (options.rows, options.columns, options.peLatency - 1)
    let (count, stream) = folds(options, extents)
    let fold = SystolicFold(options, stream: stream)
    let used: (rows: Int, columns: Int) =
      switch options.dataflow {
      case .weightStationary: (extents.k, extents.n)
      case .inputStationary: (extents.k, extents.m)
      case .outputStationary: (extents.m, extents.n)
      }
    var result = TileOccupancy.folds(
      count: (ceilDiv(used.rows, r), ceilDiv(used.columns, c)), stream: stream, used: used, size: (r, c))
    // Folds that overlap show one skew, one load and one way out; serial folds show them each time.
    let shown = options.variant == .serial ? count : 1
    result.addSkew(rows: r, columns: c, times: shown)
    switch options.dataflow {
    case .weightStationary, .inputStationary:
      result.drain += shown * stages * r * c
      result.load += shown * r * r * c
      if options.variant != .serial { result.load += (count - 1) * (fold.distance(to: fold) - stream) * r * c }
    case .outputStationary:
      result.drain += shown * (stages + r) * r * c
      if options.variant != .serial { result.drain += count * (fold.distance(to: fold) - stream) * r * c }
    }
    return result
  }

  /// `ws`, `is`: each fold takes R x C stationary elements and a vector of R elements a cycle. `os`: K vectors of R activations and
  /// of C weights.
  static func traffic(_ options: SystolicOptions, _ extents: TileExtents) -> EdgeTraffic {
    let (r, c) = (options.rows, options.columns)
    let (count, stream) = folds(options, extents)
    let atRows = count * r * stream
    switch options.dataflow {
    case .weightStationary:
      return EdgeTraffic(activationElements: atRows, weightBeats: count * r * c, results: count * c * stream)
    case .inputStationary:
      return EdgeTraffic(activationElements: count * r * c, weightBeats: atRows, results: count * c * stream)
    case .outputStationary:
      return EdgeTraffic(activationElements: atRows, weightBeats: count * c * stream, results: count * r * c)
    }
  }
}
