/// The fold vector of a systolic array: when a fold takes each part of the array, counted from the first cycle of its stream.
///
/// Folds compose in max-plus algebra: the next stream starts when every part that it takes has been given back. `take` never
/// depends on a fold's sizes but for the slot of an output-stationary fold, whose head is the fold's own wait; so the issue of a
/// following command depends on what runs, not on what follows.
struct SystolicFold {
  /// From the first cycle of use to one past the last.
  struct Span {
    var take: Int
    var give: Int
  }

  /// What one fold after another has to itself: the row port, the slot, or the whole array when folds do not overlap.
  var turn: Span
  /// The chain of shadow registers; nil where there is none.
  var chain: Span?
  /// Reads at the row memory and at the column memory.
  var rowReads: Span
  var columnReads: Span
  /// One past the last accumulator write.
  var end: Int

  /// From the issue of a command to the stream of its first fold.
  var lead: Int { -min(turn.take, chain?.take ?? turn.take) }

  /// Cycles from this fold's stream to the next fold's.
  func distance(to next: SystolicFold) -> Int {
    var least = turn.give - next.turn.take
    if let chain, let other = next.chain { least = max(least, chain.give - other.take) }
    return least
  }

  /// - Parameter stream: cycles in which elements enter PE (0, 0).
  init(_ options: SystolicOptions, stream: Int) {
    let (r, c, stages) = (options.rows, options.columns, options.peLatency - 1)
    rowReads = Span(take: 0, give: stream)
    switch options.dataflow {
    case .weightStationary, .inputStationary:
      // The last sum passes R-1 rows and C-1 columns behind its first product, and the stages before the adder.
      end = stream + (r - 1) + (c - 1) + stages
      columnReads = Span(take: -r, give: 0)
      switch options.variant {
      case .serial: turn = Span(take: -r, give: end)
      case .overlapped:
        // All rows shift at once, so the swap wave must have reached the last PE; it may be there in the same cycle.
        turn = rowReads
        chain = Span(take: -r, give: r + c - 2)
      case .skewed:
        // Row r, column c is overwritten r+c cycles behind the load's start at the earliest: right behind the swap wave.
        turn = rowReads
        chain = Span(take: -r, give: 0)
      }
    case .outputStationary:
      end = stream + (r - 1) + (c - 1) + stages + r
      columnReads = rowReads
      // Column c shifts for R cycles once its last row is done, R-1 cycles behind its first; the next results may reach row 0
      // in the last of them: stream ends stand 2R-1 apart, and a shorter stream waits at its slot's head.
      turn =
        options.variant == .serial
        ? Span(take: 0, give: end) : Span(take: min(0, stream - (2 * r - 1)), give: stream)
    }
  }
}
