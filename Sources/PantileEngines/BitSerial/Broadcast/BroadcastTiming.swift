/// The closed forms of one command on a bit-serial machine with broadcast operands whose steps all take the same: what `LongestStep` says.
/// What given values take is in `BroadcastMeasure`.
///
/// With S = ceil(K/d) steps of T cycles, F = ceil(N/R)·ceil(M/C) folds, D cycles for a fold's results to leave, fill H and tail D:
/// `overlapped` H + S·T + (F-1)·max(S·T, D) + D, `serial` F·(H + S·T + D).
///
/// **Accuracy** exact: equal to the event model of `BitSerialMachine` with the policy `fixed`, and to its register-transfer stepper.
enum BroadcastTiming {
  static func timing(_ machine: BitSerialMachine, _ extents: TileExtents, step: Int) -> TileTiming {
    let folds = Folds(machine, extents, step: step)
    let cycles =
      switch machine.variant {
      case .serial: folds.count * (machine.fillCycles + folds.stream + machine.tailCycles)
      case .overlapped: machine.fillCycles + folds.stream + (folds.count - 1) * folds.slot + machine.tailCycles
      }
    return TileTiming(whole: cycles)
  }

  /// Folds, all of the same length but for the first, which no results are before.
  private struct Folds {
    /// Folds along m and n.
    var m: Int
    var n: Int
    /// Cycles of a fold's steps, and from fold to fold.
    var stream: Int
    var slot: Int
    var count: Int { m * n }

    init(_ machine: BitSerialMachine, _ extents: TileExtents, step: Int) {
      m = ceilDiv(extents.m, machine.columns)
      n = ceilDiv(extents.n, machine.rows)
      stream = ceilDiv(extents.k, machine.stepWidth) * step
      slot = machine.variant == .serial ? stream : max(stream, machine.drainCycles)
    }
  }

  static func occupancy(_ machine: BitSerialMachine, _ extents: TileExtents, step: Int) -> TileOccupancy {
    let folds = Folds(machine, extents, step: step)
    let lanes = machine.dotWidth
    let padded = ceilDiv(extents.k, lanes) * lanes
    let saved = folds.slot - folds.stream
    // Σ over folds of cycles times elements, less what the first fold does not wait.
    func spans(_ all: Int, _ first: Int) -> Int { lanes * (folds.slot * all - saved * first) }
    let (rows, columns) = (machine.rows, machine.columns)
    let (firstRows, firstColumns) = (min(rows, extents.n), min(columns, extents.m))
    let used = spans(extents.n * extents.m, firstRows * firstColumns)
    let usedColumns = spans(folds.n * rows * extents.m, rows * firstColumns)
    var result = TileOccupancy()
    result.edgeRows = usedColumns - used
    result.edgeColumns = spans(folds.n * rows * folds.m * columns, rows * columns) - usedColumns
    result.work = step * extents.macs
    result.edgeDepth = step * extents.m * extents.n * (padded - extents.k)
    let shown = machine.variant == .serial ? folds.count : 1
    result.fill = shown * machine.fillCycles * machine.multipliers
    result.drain = used - result.work - result.edgeDepth + shown * machine.tailCycles * machine.multipliers
    return result
  }

  /// Each fold takes all lanes of its rows and columns, padding included.
  static func traffic(_ machine: BitSerialMachine, _ extents: TileExtents) -> EdgeTraffic {
    let folds = ceilDiv(extents.m, machine.columns) * ceilDiv(extents.n, machine.rows)
    let padded = ceilDiv(extents.k, machine.stepWidth) * machine.stepWidth
    return EdgeTraffic(
      activationElements: folds * machine.columns * padded, weightBeats: folds * machine.rows * padded,
      results: extents.m * extents.n)
  }

  static func actions(
    _ machine: BitSerialMachine, _ extents: TileExtents, _ format: ContractionFormat, accumulate: Bool, step: Int
  ) -> [ActionCount] {
    actions(
      machine, extents, format, accumulate: accumulate, terms: step * extents.macs,
      sums: extents.m * extents.n * ceilDiv(extents.k, machine.stepWidth) * step)
  }

  /// - `array.term.int8`: one term, or pair of terms, times the other number; `array.dot_add`: sums of an element's lanes added to its own.
  /// - `array.booth`: serial numbers recoded at the edge, again in each fold.
  /// - `array.broadcast.activation`, `array.broadcast.weight`: numbers, serial or not, that drive the bus of a column or row.
  /// - `acc.read`, `acc.write`, `spad.read_bytes`: as of other arrays.
  ///
  /// - Parameters:
  ///   - terms: terms that were added.
  ///   - sums: steps' sums, one a cycle of an element at work.
  static func actions(
    _ machine: BitSerialMachine, _ extents: TileExtents, _ format: ContractionFormat, accumulate: Bool, terms: Int,
    sums: Int
  ) -> [ActionCount] {
    let foldsM = ceilDiv(extents.m, machine.columns)
    let foldsN = ceilDiv(extents.n, machine.rows)
    var recoded = 0
    if machine.serialOperand != .activation { recoded += foldsM * extents.k * extents.n }
    if machine.serialOperand != .weight { recoded += foldsN * extents.k * extents.m }
    let results = extents.m * extents.n
    return [
      ActionCount("array.term.int8", terms), ActionCount("array.dot_add", sums), ActionCount("array.booth", recoded),
      ActionCount("array.broadcast.activation", foldsN * extents.m * extents.k),
      ActionCount("array.broadcast.weight", foldsM * extents.k * extents.n),
      ActionCount("acc.read", accumulate ? results : 0), ActionCount("acc.write", results),
      operandReads(extents, format, activationPasses: foldsN, weightPasses: foldsM),
    ]
  }
}

extension TileTiming {
  /// A command that nothing overlaps and whose operands are held to its end.
  init(whole cycles: Int) {
    self.init(duration: cycles, nextIssue: cycles, readA: cycles, readB: cycles)
  }
}

extension BitSerialMachine {
  /// Lanes of all elements.
  var multipliers: Int { rows * columns * dotWidth }
}
