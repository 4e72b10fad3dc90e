/// Where the cycles of all units of a bit-serial machine went; the parts add up to units times cycles.
public struct BitSerialCycles: Hashable, Sendable {
  /// Terms, one a cycle; a step without any takes one, too.
  public var work = 0
  /// Waiting for other units of the scope.
  public var sync = 0
  /// Waiting for operands.
  public var feed = 0
  /// Holding a sum whose predecessor is still being scaled, or still leaves.
  public var dequantisation = 0
  public var drain = 0
  /// Waiting at a fold's end for the slowest unit.
  public var foldEnd = 0
  /// Before the first step and behind the last hand-over.
  public var fill = 0
  public var tail = 0

  public init() {}

  public var total: Int { work + sync + feed + dequantisation + drain + foldEnd + fill + tail }

  static func * (a: BitSerialCycles, times: Int) -> BitSerialCycles {
    var result = a
    for part in parts { result[keyPath: part] *= times }
    return result
  }

  static func += (a: inout BitSerialCycles, b: BitSerialCycles) {
    for part in parts { a[keyPath: part] += b[keyPath: part] }
  }

  private static var parts: [WritableKeyPath<BitSerialCycles, Int>] {
    [\.work, \.sync, \.feed, \.dequantisation, \.drain, \.foldEnd, \.fill, \.tail]
  }
}

/// When the steps of a bit-serial machine begin and end: the event model. It knows sizes and step costs, never a value.
///
/// Let u be a unit, k a step of the fold, and q the run-ahead. A step begins once the unit is free, once all units of its scope have
/// ended step k-1-q, and once the streams have brought the operands:
///
///     start_u(k) = max(end_u(k-1), max over v of end_v(k-1-q), fetched(k))
///     end_u(k)   = start_u(k) + cost_u(k);  last step of a group: at least the last hand-over + max(s, D)
///     fetched(k) = max(fetched(k-1), max over all v of end_v(k-B)) + f
///
/// with s cycles of scaling, D of the way out, B operand slots and f cycles of the streams a step. Units meet at a fold's end.
///
/// **Accuracy** exact: equal to the register-transfer stepper and to the RTL twin.
struct BitSerialSchedule {
  private let machine: BitSerialMachine
  private let units: Int
  private let feed: Int
  private let groupSteps: Int
  private let interval: Int
  private let scopeOf: [Int]
  private let scopes: Int

  /// What a fold leaves behind, relative to its end: hand-overs (not later than 0), the end of the last fetch, and of the last B steps.
  private struct Carry: Hashable {
    var handover: [Int]
    var fetched: Int
    var slots: [Int]
  }
  private var carry: Carry

  /// Cycles so far, and whose they were.
  private(set) var cycles = 0
  private(set) var parts = BitSerialCycles()
  private(set) var folds = 0
  /// Cycles of folds alone, without fills and tails.
  private(set) var foldCycles = 0
  /// Of `parts`, what units that have lines of the product wait for operands and for results before theirs.
  private(set) var usedFeed = 0
  private(set) var usedHeld = 0

  init(_ machine: BitSerialMachine, k: Int, feed: Int) {
    self.machine = machine
    self.feed = feed
    let (rows, columns) = machine.units
    units = rows * columns
    groupSteps = machine.groupSteps(k: k)
    interval = machine.handoverInterval
    let scope = machine.scope
    let across = ceilDiv(columns, scope.columns)
    scopeOf = (0..<rows * columns).map { $0 / columns / scope.rows * across + $0 % columns / scope.columns }
    scopes = across * ceilDiv(rows, scope.rows)
    carry = Carry(
      handover: [Int](repeating: -interval, count: rows * columns), fetched: 0,
      slots: [Int](repeating: 0, count: machine.operandSlots))
  }

  /// Adds `count` equal folds.
  ///
  /// - Parameter used: rows and columns of units that have lines of the product; all when nil.
  mutating func add(_ costs: StepCosts, times count: Int = 1, used: (rows: Int, columns: Int)? = nil) {
    let isSerial = machine.variant == .serial
    var left = count
    while left > 0 {
      if folds == 0 || isSerial {
        cycles += machine.fillCycles
        parts.fill += units * machine.fillCycles
      }
      let before = carry
      let fold = run(costs, used ?? machine.units)
      // A fold that leaves what it found repeats itself exactly.
      let times = isSerial || carry == before ? left : 1
      cycles += fold.cycles * times
      parts += fold.parts * times
      foldCycles += fold.cycles * times
      usedFeed += fold.usedFeed * times
      usedHeld += fold.usedHeld * times
      if isSerial {
        cycles += machine.fillCycles * (times - 1) + machine.tailCycles * times
        parts.fill += units * machine.fillCycles * (times - 1)
        parts.tail += units * machine.tailCycles * times
        carry = Carry(
          handover: [Int](repeating: -interval, count: units), fetched: 0,
          slots: [Int](repeating: 0, count: machine.operandSlots))
      }
      folds += times
      left -= times
    }
  }

  /// Ends the run: the last results leave.
  mutating func finish() {
    guard machine.variant == .overlapped else { return }
    cycles += machine.tailCycles
    parts.tail += units * machine.tailCycles
  }

  /// One fold from its first possible start, cycle 0, to the end of its slowest unit.
  private mutating func run(
    _ costs: StepCosts, _ used: (rows: Int, columns: Int)
  ) -> (cycles: Int, parts: BitSerialCycles, usedFeed: Int, usedHeld: Int) {
    let ahead = machine.runAhead
    let slots = machine.operandSlots
    let isDequantLonger = machine.dequantCycles >= machine.drainCycles
    var work = 0
    var sync = 0
    var wait = 0
    var held = 0
    var usedFeed = 0
    var usedHeld = 0
    let across = machine.units.columns
    func isUsed(_ unit: Int) -> Bool { unit / across < used.rows && unit % across < used.columns }
    var end = [Int](repeating: 0, count: units)
    // Ends of the last q+1 steps, the latest of each scope; a fold begins with all of them at 0.
    let ring = ahead + 1
    var scopeEnds = [Int](repeating: 0, count: min(ring, costs.steps) * scopes)
    var fetched = carry.fetched
    var slotFree = carry.slots
    var slot = 0
    var ringAt = 0
    var inGroup = 0
    var latest = [Int](repeating: 0, count: scopes)
    for step in 0..<costs.steps {
      if feed > 0 { fetched = max(fetched, slotFree[slot]) + feed }
      let ready = feed > 0 ? fetched : 0
      inGroup += 1
      let isLast = inGroup == groupSteps || step + 1 == costs.steps
      if isLast { inGroup = 0 }
      // The slot of step-1-q is the one that this step's ends will replace.
      let hasBound = step >= ring
      for scope in 0..<scopes { latest[scope] = 0 }
      var latestOfAll = 0
      for unit in 0..<units {
        let scope = scopeOf[unit]
        let free = end[unit]
        let fed = max(free, ready)
        let bound = hasBound ? scopeEnds[ringAt * scopes + scope] : 0
        let start = max(fed, bound)
        let cost = Int(costs.cycles[step * units + unit])
        if feed > 0 {
          wait += fed - free
          if isUsed(unit) { usedFeed += fed - free }
        }
        sync += start - fed
        work += cost
        var stop = start + cost
        if isLast {
          let earliest = carry.handover[unit] + interval
          if earliest > stop {
            held += earliest - stop
            if isUsed(unit) { usedHeld += earliest - stop }
            stop = earliest
          }
          carry.handover[unit] = stop
        }
        end[unit] = stop
        latest[scope] = max(latest[scope], stop)
        latestOfAll = max(latestOfAll, stop)
      }
      for scope in 0..<scopes { scopeEnds[ringAt * scopes + scope] = latest[scope] }
      ringAt = ringAt + 1 == ring || ringAt + 1 == costs.steps ? 0 : ringAt + 1
      slotFree[slot] = latestOfAll
      slot = slot + 1 == slots ? 0 : slot + 1
    }
    let cycles = end.reduce(0, max)
    var parts = BitSerialCycles()
    parts.work = work
    parts.sync = sync
    parts.feed = wait
    if isDequantLonger { parts.dequantisation = held } else { parts.drain = held }
    for unit in 0..<units {
      parts.foldEnd += cycles - end[unit]
      carry.handover[unit] = max(carry.handover[unit] - cycles, -interval)
    }
    // The next fold's first step takes the slot after this fold's last. Without streams the time of a fetch means nothing.
    carry.fetched = feed > 0 ? fetched - cycles : 0
    carry.slots = (0..<slots).map { max(slotFree[(slot + $0) % slots] - cycles, carry.fetched) }
    return (cycles, parts, usedFeed, usedHeld)
  }
}

extension BitSerialMachine {
  /// Cycles of a product when no value matters; exact, in closed form. Nil where the streams are slower than the steps *and* hand-overs
  /// wait, for which there is only the event model.
  ///
  /// With S = ceil(K/step) steps in J groups of T cycles a step, F folds, interval I = max(s, D), tail s + D:
  /// `overlapped` fill + first group + Σ max(other groups, I) + tail over all F·J groups; `serial` that for J groups, F times. Streams
  /// of f <= T cycles a step add f before the first; slower ones make a step f cycles and add T behind the last.
  func closedForm(k: Int, folds: Int, stepCycles: Int, feed: Int) -> Int? {
    let steps = ceilDiv(k, stepWidth)
    let perGroup = groupSteps(k: k)
    let pace = max(stepCycles, feed)
    let whole = steps / perGroup
    let rest = steps % perGroup
    let shortest = rest == 0 ? perGroup : rest
    if feed > stepCycles && handoverInterval > shortest * pace { return nil }
    let edge = feed > stepCycles ? stepCycles : feed
    // Groups of one fold as intervals; the first group of a chain has no predecessor to wait for.
    let fold = whole * max(perGroup * pace, handoverInterval) + (rest == 0 ? 0 : max(rest * pace, handoverInterval))
    let first = whole > 0 ? perGroup : rest
    let saved = max(0, handoverInterval - first * pace)
    switch variant {
    case .serial: return folds * (fillCycles + edge + fold - saved + tailCycles)
    case .overlapped: return fillCycles + edge + folds * fold - saved + tailCycles
    }
  }
}
