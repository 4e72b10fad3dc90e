/// The books of a run on a bit-serial machine: its schedule, and what the lanes of all elements did meanwhile.
struct BitSerialBook {
  private let machine: BitSerialMachine
  private let m: Int
  private let n: Int
  private let k: Int
  private(set) var schedule: BitSerialSchedule
  /// Σ over folds of their cycles times the rows and columns of elements that have a result, and times all rows and those columns.
  private var usedSpans = 0
  private var columnSpans = 0
  /// Cycles of work, and of the last step alone, of elements that have a result.
  private(set) var usedWork = 0
  private var lastSteps = 0
  /// Cycles that those elements wait for operands, and for earlier results.
  private var feed = 0
  private var held = 0

  /// - Parameter feed: cycles that the streams need for a step.
  init(_ machine: BitSerialMachine, _ product: BitSerialProduct, feed: Int) {
    self.machine = machine
    (m, n, k) = (product.m, product.n, product.k)
    schedule = BitSerialSchedule(machine, k: product.k, feed: feed)
  }

  /// Adds the folds of a block of output channels with consecutive blocks of tokens, which all have the same costs.
  mutating func add(_ costs: StepCosts, blockN: Int, blocksM: Range<Int>) {
    let rows = min(machine.rows, n - blockN * machine.rows)
    // The last block alone may have fewer tokens.
    let isShort = blocksM.upperBound * machine.columns > m
    let whole = blocksM.count - (isShort ? 1 : 0)
    if whole > 0 { add(costs, times: whole, rows: rows, columns: machine.columns) }
    if isShort { add(costs, times: 1, rows: rows, columns: m - (blocksM.upperBound - 1) * machine.columns) }
  }

  private mutating func add(_ costs: StepCosts, times: Int, rows: Int, columns: Int) {
    let units = machine.units
    let used = (rows: min(rows, units.rows), columns: min(columns, units.columns))
    let elements = rows * columns / (used.rows * used.columns)
    let (cycles, waits, holds) = (schedule.foldCycles, schedule.usedFeed, schedule.usedHeld)
    schedule.add(costs, times: times, used: used)
    let span = schedule.foldCycles - cycles
    usedSpans += span * rows * columns
    columnSpans += span * machine.rows * columns
    feed += (schedule.usedFeed - waits) * elements
    held += (schedule.usedHeld - holds) * elements
    var work = 0
    var last = 0
    for step in 0..<costs.steps {
      last = 0
      for row in 0..<used.rows {
        let first = step * costs.units + row * units.columns
        for unit in first..<first + used.columns { last += Int(costs.cycles[unit]) }
      }
      work += last
    }
    usedWork += work * elements * times
    lastSteps += last * elements * times
  }

  /// Ends the run: the last results leave.
  mutating func finish() { schedule.finish() }

  /// - Parameter work: cycles that lanes add a term, each on its own.
  func occupancy(work: Int) -> TileOccupancy {
    let lanes = machine.dotWidth
    let elements = machine.rows * machine.columns
    let units = machine.units.rows * machine.units.columns
    let padded = ceilDiv(k, machine.stepWidth) * machine.stepWidth
    var result = TileOccupancy()
    result.work = work
    result.edgeRows = (columnSpans - usedSpans) * lanes
    result.edgeColumns = (schedule.foldCycles * elements - columnSpans) * lanes
    // Half as many adders as lanes, where columns are inverted.
    result.edgeDepth = lastSteps * (padded - k) * lanes / machine.stepWidth
    result.feed = feed * lanes
    result.fill = schedule.parts.fill / units * elements * lanes
    let held = held * lanes
    result.drain = held + schedule.parts.tail / units * elements * lanes
    result.sync = usedSpans * lanes - work - result.edgeDepth - result.feed - held
    return result
  }
}
