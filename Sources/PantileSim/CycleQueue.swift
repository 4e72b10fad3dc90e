import PantileEngines
import PantileProgram
import PantileSupport

/// A queue of a cycle run: where it stands in its loops, and what its commands cost and touch there.
///
/// Commands have few shapes and accesses few cases: what a trip needs is looked up, not computed. Everything that is read each trip
/// stands in plain records behind pointers, because properties of commands are copied whole and counted when they are read.
struct CycleQueue: ~Copyable {
  struct Span: BitwiseCopyable {
    var start: Int
    var end: Int
  }

  /// What a command asks of the run.
  struct Record: BitwiseCopyable {
    var waits: FlatQueue.Span
    var signals: FlatQueue.Span
    /// Of `accesses`; the last is the write unless there is none.
    var accesses: Span
    var hasWrite: Bool
    var isCopy: Bool
    /// Loops whose last trip changes an extent, in `depths`; the loop whose first trip starts accumulators, or -1.
    var depths: Span
    var firstDepth: Int
    /// Newest in `costs`; -1 for none.
    var cost = -1
  }

  /// Cycles of the trips of one shape.
  struct Cost: BitwiseCopyable {
    var shape = 0
    var duration = 0
    var nextIssue = 0
    /// Cycles from issue to one past the last read of each operand; -1 when reads end with the last write.
    var readA = -1
    var readB = -1
    /// The one before in `costs`.
    var next = -1
  }

  struct AffineRecord: BitwiseCopyable {
    var constant: Int
    /// Of `terms`.
    var terms: Span
  }

  struct AccessRecord: BitwiseCopyable {
    var base: AffineRecord
    /// 0: none.
    var rotationSlots = 0
    var rotationBits = 0
    var rotation = AffineRecord(constant: 0, terms: Span(start: 0, end: 0))
    /// Loops whose last trip changes a dim, in `depths`.
    var ragged = Span(start: 0, end: 0)
    /// Those that move with a loop, in `bounds`.
    var moving = Span(start: 0, end: 0)
    var memory: Int
    var elementBits: Int
    /// Newest in `cases`; -1 for none.
    var newest = -1
    /// The banks of the last trip.
    var lastBase = Int.min
    var lastCase = -1
    var lastMask: UInt64 = 0
  }

  /// A bound whose offset moves: no element leaves it while the offset lies in `inside`.
  struct BoundRecord: BitwiseCopyable {
    var offset: AffineRecord
    var insideLow: Int
    var insideHigh: Int
  }

  /// Accesses that differ in their base alone.
  struct Case: BitwiseCopyable {
    var slot: Int
    var offsets: InlineArray<3, Int>
    var elements: Int
    /// Bits from the base; nothing is touched when `isEmpty`.
    var low: Int
    var high: Int
    var isEmpty: Bool
    /// The one before of the same access in `cases`.
    var next: Int
    /// Newest in `bursts`.
    var burst = -1
  }

  private struct BurstRecord: BitwiseCopyable {
    var phase: Int
    var count: Int
    /// Of `burstRuns`.
    var runs: Span
    var next: Int
  }

  private struct Step: BitwiseCopyable {
    /// A command's index, or -1 of a loop's start and -2 of its end.
    var command: Int
    var guards = FlatQueue.Span(0, 0)
    var count = 0
    var target = 0
  }

  /// An offset that no element can leave: the bound does not matter.
  private static let inside = Int.min

  private let plans: [CommandPlan]
  private let accessPlans: [AccessPlan]
  private let steps: FixedBuffer<Step>
  private let guards: FixedBuffer<Guard>
  let waits: FixedBuffer<FlatQueue.FlatWait>
  let signals: FixedBuffer<FlatQueue.FlatSignal>
  let records: FixedBuffer<Record>
  let accesses: FixedBuffer<AccessRecord>
  private let depths: FixedBuffer<Int>
  private let terms: FixedBuffer<Affine.Term>
  private let bounds: FixedBuffer<BoundRecord>
  private var cases: [Case] = []
  private var bursts: [BurstRecord] = []
  /// From the burst in which the access begins.
  private var burstRuns: [Range<Int>] = []
  private var costs: [Cost] = []

  private let indices = FixedBuffer<Int>(repeating: 0, count: LoopState.mostLoops)
  private let counts = FixedBuffer<Int>(repeating: 0, count: LoopState.mostLoops)
  private var depth = 0
  private var position = 0
  /// The command that the queue stands on; -1 at its end.
  private(set) var current = -1

  init(_ queue: Program.Queue, kernels: [Kernel]) {
    let flat = FlatQueue(queue)
    plans = flat.commands.map { CommandPlan($0, kernels: kernels) }
    var tables = Tables()
    for (index, plan) in plans.enumerated() { tables.append(plan, flat.flat[index]) }
    accessPlans = tables.plans
    steps = FixedBuffer(
      flat.entries.map { entry in
        switch entry {
        case .command(let index): Step(command: index, guards: flat.flat[index].guards)
        case .enter(let count, let exit): Step(command: -1, count: count, target: exit)
        case .leave(let body): Step(command: -2, target: body)
        }
      })
    guards = FixedBuffer(flat.guards)
    waits = FixedBuffer(flat.waits)
    signals = FixedBuffer(flat.signals)
    records = FixedBuffer(tables.records)
    accesses = FixedBuffer(tables.accesses)
    depths = FixedBuffer(tables.depths)
    terms = FixedBuffer(tables.terms)
    bounds = FixedBuffer(tables.bounds)
  }

  // MARK: Loops

  /// Moves to the first command that takes place.
  mutating func begin() {
    position = 0
    depth = 0
    settle()
  }

  /// Moves to the next command that takes place.
  mutating func advance() {
    position &+= 1
    settle()
  }

  private mutating func settle() {
    while position < steps.count {
      let step = steps[position]
      if step.command >= 0 {
        if hold(step.guards) {
          current = step.command
          return
        }
        position &+= 1
      } else if step.command == -1 {
        if step.count > 0 {
          indices[depth] = 0
          counts[depth] = step.count
          depth &+= 1
          position &+= 1
        } else {
          position = step.target
        }
      } else {
        let next = indices[depth &- 1] &+ 1
        indices[depth &- 1] = next
        if next < counts[depth &- 1] {
          position = step.target
        } else {
          depth &-= 1
          position &+= 1
        }
      }
    }
    current = -1
  }

  /// True when every guard of a stretch holds.
  func hold(_ span: FlatQueue.Span) -> Bool {
    for index in span.range {
      let condition = guards[index]
      let trip = indices[condition.depth]
      switch condition.position {
      case .first: if trip != 0 { return false }
      case .last: if trip != counts[condition.depth] &- 1 { return false }
      case .notFirst: if trip == 0 { return false }
      case .notLast: if trip == counts[condition.depth] &- 1 { return false }
      }
    }
    return true
  }

  private var loops: LoopState {
    LoopState(depth: depth, index: { indices[$0] }, count: { counts[$0] })
  }

  private func value(_ affine: AffineRecord) -> Int {
    var result = affine.constant
    var index = affine.terms.start
    while index < affine.terms.end {
      result &+= terms[index].coefficient &* indices[terms[index].depth]
      index &+= 1
    }
    return result
  }

  private func lastTrips(_ span: Span) -> Int {
    var bits = 0
    for index in span.start..<span.end {
      let depth = depths[index]
      if indices[depth] == counts[depth] &- 1 { bits |= 1 << (index &- span.start) }
    }
    return bits
  }

  // MARK: Work ahead

  /// The sum over all commands that take place of what `work` says at each; every combination of first, middle and last trips is asked
  /// once.
  ///
  /// - Precondition: before `begin`; `work` depends on guards and extents alone.
  mutating func total(_ work: (inout CycleQueue, Int) -> Int) -> Int {
    var total = 0
    var position = 0
    var open = 0
    while position < steps.count {
      let step = steps[position]
      position += 1
      if step.command >= 0 {
        total += sum(over: step.command, guards: step.guards, from: 0, to: open, work)
      } else if step.command == -2 {
        open -= 1
      } else if step.count > 0 {
        counts[open] = step.count
        open += 1
      } else {
        position = step.target
      }
    }
    return total
  }

  /// Of one command, in the loops from `loop` to `end`; those before stand where they stand.
  private mutating func sum(
    over command: Int, guards: FlatQueue.Span, from loop: Int, to end: Int, _ work: (inout CycleQueue, Int) -> Int
  ) -> Int {
    guard loop < end else {
      depth = end
      return hold(guards) ? work(&self, command) : 0
    }
    let trips = counts[loop]
    indices[loop] = 0
    var total = 0
    if trips > 2, !decides(loop, of: command, guards) {
      total = trips * sum(over: command, guards: guards, from: loop + 1, to: end, work)
    } else {
      total = sum(over: command, guards: guards, from: loop + 1, to: end, work)
      if trips > 1 {
        indices[loop] = trips - 1
        total += sum(over: command, guards: guards, from: loop + 1, to: end, work)
      }
      if trips > 2 {
        indices[loop] = 1
        total += (trips - 2) * sum(over: command, guards: guards, from: loop + 1, to: end, work)
      }
    }
    indices[loop] = 0
    return total
  }

  /// Whether a command's guards or extents look at a loop.
  private func decides(_ loop: Int, of command: Int, _ span: FlatQueue.Span) -> Bool {
    if records[command].firstDepth == loop { return true }
    for index in span.range where guards[index].depth == loop { return true }
    for index in records[command].depths.start..<records[command].depths.end where depths[index] == loop {
      return true
    }
    return false
  }

  // MARK: Costs

  /// The cost of the current trip of a command that is no copy; `compute` is called once for each shape.
  mutating func cost(of command: Int, _ compute: (Command, LoopState) -> Cost) -> Cost {
    let record = records[command]
    var shape = lastTrips(record.depths) << 1
    if record.firstDepth >= 0, indices[record.firstDepth] == 0 { shape |= 1 }
    var known = record.cost
    while known >= 0 {
      if costs[known].shape == shape { return costs[known] }
      known = costs[known].next
    }
    var cost = compute(plans[command].command, loops)
    cost.shape = shape
    cost.next = record.cost
    records[command].cost = costs.count
    costs.append(cost)
    return cost
  }

  // MARK: Accesses

  private func base(_ access: AccessRecord) -> Int {
    let base = value(access.base)
    if access.rotationSlots == 0 { return base }
    return base &+ value(access.rotation) % access.rotationSlots &* access.rotationBits
  }

  /// The place in `cases` of the current trip of an access.
  private mutating func findCase(_ index: Int) -> Int {
    let access = accesses[index]
    let slot = lastTrips(access.ragged)
    var offsets = InlineArray<3, Int>(repeating: Self.inside)
    for number in access.moving.start..<access.moving.end {
      let bound = bounds[number]
      let offset = value(bound.offset)
      if offset < bound.insideLow || offset > bound.insideHigh { offsets[number &- access.moving.start] = offset }
    }
    var known = access.newest
    while known >= 0 {
      let candidate = cases[known]
      if candidate.slot == slot, candidate.offsets[0] == offsets[0], candidate.offsets[1] == offsets[1],
        candidate.offsets[2] == offsets[2]
      {
        return known
      }
      known = candidate.next
    }
    let resolved = accessPlans[index].resolved(at: loops)
    let range = resolved.bitRange
    cases.append(
      Case(
        slot: slot, offsets: offsets, elements: resolved.elementCount,
        low: (range?.lowerBound ?? 0) - resolved.baseBits, high: (range?.upperBound ?? 0) - resolved.baseBits,
        isEmpty: range == nil, next: access.newest))
    accesses[index].newest = cases.count - 1
    return cases.count - 1
  }

  /// The banks that the current trip of an access touches.
  mutating func banks(_ index: Int, bankBytes: Int) -> UInt64 {
    let found = findCase(index)
    if cases[found].isEmpty { return 0 }
    let base = base(accesses[index])
    if accesses[index].lastBase == base, accesses[index].lastCase == found { return accesses[index].lastMask }
    let mask = BankPorts.mask(
      ((base + cases[found].low) >> 3)..<((base + cases[found].high + 7) >> 3), bankBytes: bankBytes)
    accesses[index].lastBase = base
    accesses[index].lastCase = found
    accesses[index].lastMask = mask
    return mask
  }

  /// Elements that the current trip of an access lists, padding included.
  mutating func elements(_ index: Int) -> Int { cases[findCase(index)].elements }

  /// Bursts that the current trip of an access takes.
  mutating func burstCount(_ index: Int, burst: Int) -> Int { bursts[findBursts(index, burst: burst).record].count }

  /// Adds these bursts to a transfer.
  mutating func appendBursts(_ index: Int, burst: Int, isWrite: Bool, to runs: inout BurstRuns) {
    let found = findBursts(index, burst: burst)
    let span = bursts[found.record].runs
    for index in span.start..<span.end {
      let run = burstRuns[index]
      runs.append((run.lowerBound + found.first)..<(run.upperBound + found.first), isWrite: isWrite)
    }
  }

  /// The place in `bursts` of the current trip of an access, and the burst in which it begins.
  private mutating func findBursts(_ index: Int, burst: Int) -> (record: Int, first: Int) {
    let found = findCase(index)
    let bits = burst * 8
    let base = base(accesses[index])
    let remainder = base % bits
    let phase = remainder < 0 ? remainder + bits : remainder
    let first = (base - phase) / bits
    var known = cases[found].burst
    while known >= 0 {
      if bursts[known].phase == phase { return (known, first) }
      known = bursts[known].next
    }
    var count = 0
    let start = burstRuns.count
    accessPlans[index].resolved(at: loops).forEachBurstRun(of: burst) { run in
      count += run.count
      let shifted = (run.lowerBound - first)..<(run.upperBound - first)
      if burstRuns.count > start, let last = burstRuns.last, last.upperBound == shifted.lowerBound {
        burstRuns[burstRuns.count - 1] = last.lowerBound..<shifted.upperBound
      } else if !shifted.isEmpty {
        burstRuns.append(shifted)
      }
    }
    bursts.append(
      BurstRecord(
        phase: phase, count: count, runs: Span(start: start, end: burstRuns.count), next: cases[found].burst))
    cases[found].burst = bursts.count - 1
    return (bursts.count - 1, first)
  }

  // MARK: Tables

  private struct Tables {
    var plans: [AccessPlan] = []
    var records: [Record] = []
    var accesses: [AccessRecord] = []
    var depths: [Int] = []
    var terms: [Affine.Term] = []
    var bounds: [BoundRecord] = []

    mutating func append(_ plan: CommandPlan, _ command: FlatQueue.FlatCommand) {
      let first = accesses.count
      for access in plan.reads { append(access) }
      if let write = plan.write { append(write) }
      let isCopy = if case .copy = plan.command.operation { true } else { false }
      records.append(
        Record(
          waits: command.waits, signals: command.signals, accesses: Span(start: first, end: accesses.count),
          hasWrite: plan.write != nil, isCopy: isCopy, depths: list(plan.lastDepths),
          firstDepth: plan.firstDepth ?? -1))
    }

    private mutating func append(_ plan: AccessPlan) {
      let generator = plan.generator
      var access = AccessRecord(
        base: append(generator.baseBits), memory: generator.memory.offset, elementBits: generator.elementBits)
      if let rotation = generator.rotation {
        access.rotationSlots = rotation.slots
        access.rotationBits = rotation.slotBits
        access.rotation = append(rotation.index)
      }
      var ragged: [Int] = []
      for dim in generator.dims {
        if let depth = dim.count.depth, !ragged.contains(depth) { ragged.append(depth) }
      }
      access.ragged = list(ragged)
      let first = bounds.count
      for bound in generator.bounds where !bound.offset.terms.isEmpty {
        // With the longest dims; shorter ones reach less far.
        var (low, high) = (0, 0)
        for (coefficient, dim) in zip(bound.coefficients, generator.dims) {
          let reach = coefficient * (dim.count.largest - 1)
          if reach > 0 { high += reach } else { low += reach }
        }
        bounds.append(
          BoundRecord(offset: append(bound.offset), insideLow: -low, insideHigh: bound.limit - 1 - high))
      }
      access.moving = Span(start: first, end: bounds.count)
      accesses.append(access)
      plans.append(plan)
    }

    private mutating func append(_ affine: Affine) -> AffineRecord {
      let first = terms.count
      terms += affine.terms
      return AffineRecord(constant: affine.constant, terms: Span(start: first, end: terms.count))
    }

    private mutating func list(_ new: [Int]) -> Span {
      let first = depths.count
      depths += new
      return Span(start: first, end: depths.count)
    }
  }
}
