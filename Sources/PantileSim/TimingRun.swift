import PantileEngines
import PantileProgram
import PantileSupport
import PantileTarget

/// Runs a Program on a machine cycle by cycle: events only where something changes, values nowhere.
///
/// Machine contract: a queue issues in order; a command issues when its tokens are there, its engine accepts it and the
/// ports of all scratchpad banks it touches are free (all or none, queues in program order); tokens are visible the
/// cycle after their point; bursts of all DMA engines share each DRAM's bus round robin.
public struct TimingRun: ~Copyable {
  public struct Options: Sendable {
    /// Keep every interval for a trace.
    public var trace = false
    /// Stretch every duration and answer by a seeded random number of cycles; results must not change in value.
    public var jitterSeed: UInt64?
    /// Cycles from a burst on the bus to its answer, for the first bursts of each DRAM in the order in which they start;
    /// bursts beyond the list take the machine's latency.
    public var latencies: [Int] = []
    /// Bank ports are never in the way; for what-if questions.
    public var ignoresBanks = false
    /// Keep every event, to compare with the register-transfer twin.
    public var events = false
    /// What macro tiles take with given values, where that depends on them; without it they take the longest that any values do.
    public var profile: DataProfile?
    /// Skip what DRAM devices have done before in the same state; the result is the same. It pays when much comes again.
    public var remembers = false

    public init(
      trace: Bool = false, jitterSeed: UInt64? = nil, latencies: [Int] = [], events: Bool = false,
      profile: DataProfile? = nil
    ) {
      self.trace = trace
      self.jitterSeed = jitterSeed
      self.latencies = latencies
      self.events = events
      self.profile = profile
    }
  }

  struct QueueState {
    var cursor: QueueCursor
    /// The engine accepts the next command from this cycle on.
    var acceptsAt = 0
    /// Busy until here unless a later command cuts in.
    var busyUntil = 0
    var busySince = 0
    var busyLayer = 0
    /// Idle cycles up to here are accounted.
    var accountedUntil = 0
    /// What the engine waits for since `accountedUntil`.
    var waiting: StallCause?
    /// A DMA command whose bursts are being sent.
    var transfer: PendingTransfer?
    /// Commands that have been sent and wait for their answers, oldest first; only in front of a DRAM device.
    var unanswered: [PendingTransfer] = []
    /// Bank masks of the command that the cursor stands on, once they are known.
    var masks: (reads: UInt64, writes: UInt64)?
    /// When the last copy's writes were visible; a DMA keeps its writes in order.
    var lastAnswered = 0
    var isDone = false
    /// Macro tiles issued, in front of an array whose times depend on values.
    var tiles = 0
  }

  private let program: Program
  private let machine: Machine
  /// By queue, then as in `FlatQueue.commands`.
  private let plans: [[CommandTiming]]
  let flats: [FlatQueue]
  var queues: [QueueState]
  let units: [Machine.Unit]
  private var tokens: [Int]
  /// What a queue that waits for a token of a channel waits for.
  private let causes: [StallCause]
  var events = EventQueue()
  var ports: BankPorts
  var buses: [DRAMBus]
  /// In the place of a bus: the port of a DRAM device.
  let devices: [DRAMPort?]
  private let hasDevices: Bool
  /// What the devices had done when the last command was sent.
  var deviceCounts: [DRAMCounts]
  /// DRAM index (into `buses`) by program memory; -1 for on-chip memories.
  let busOf: [Int]
  let burstOf: [Int]
  private let scratchpad: Int?
  private let bankBytes: Int
  var accounting: Accounting
  private var occupancies: OccupancyBook
  var layers: [TimingResult.Layer]
  /// By layer and action.
  private var actionCounts: [[Int]]
  private var actionNames = TransferAction.allCases.map(\.rawValue)
  private var actionIndex: [String: Int] = Dictionary(
    uniqueKeysWithValues: TransferAction.allCases.enumerated().map { ($1.rawValue, $0) })
  var commands = 0
  private var jitter: SplitMix64?
  private let options: Options
  /// Called when a command of a queue issues, in issue order.
  private let onIssue: ((Int) -> Void)?
  private var recorded: [TimingEvent] = []

  /// - Throws: `chip-mismatch` when the Program does not fit the machine.
  public init(
    _ program: Program, on machine: Machine, options: Options = Options(), onIssue: ((Int) -> Void)? = nil
  ) throws(DiagnosticError) {
    try machine.check(program)
    self.program = program
    self.machine = machine
    self.options = options
    self.onIssue = onIssue
    jitter = options.jitterSeed.map { SplitMix64(seed: $0) }
    flats = program.queues.map { FlatQueue($0) }
    queues = flats.map { QueueState(cursor: QueueCursor($0)) }
    plans = flats.map { queue in
      queue.commands.map { CommandTiming(CommandPlan($0, kernels: program.kernels)) }
    }
    units = program.queues.map { queue in
      // Machine.check found each of them.
      guard let engine = machine.engines.first(where: { $0.name == queue.engine }) else {
        preconditionFailure("engine '\(queue.engine)' vanished")
      }
      return engine.unit
    }
    ports = BankPorts(queues: program.queues.count)
    tokens = program.channels.map(\.initial)
    causes = program.channels.map { channel in
      switch channel.role {
      case .data: StallCause(.data, source: channel.producer.offset)
      case .space: StallCause(.space, source: channel.producer.offset)
      case .order: StallCause(.order)
      }
    }
    let dma: [DMAOptions?] = units.map { if case .dma(let options) = $0 { return options } else { return nil } }
    var buses: [DRAMBus] = []
    var devices: [DRAMPort?] = []
    busOf = program.memories.map { memory in
      guard memory.kind == .dram, let mine = machine.memories.first(where: { $0.name == memory.name }) else {
        return -1
      }
      devices.append(DRAMPort.of(mine, on: machine, dma: dma, remembers: options.remembers))
      buses.append(
        DRAMBus(mine, dma: dma, latencies: options.latencies, isLogging: options.events))
      return buses.count - 1
    }
    self.buses = buses
    self.devices = devices
    hasDevices = devices.contains { $0 != nil }
    deviceCounts = devices.map { _ in DRAMCounts() }
    burstOf = program.memories.map { memory in machine.memories.first { $0.name == memory.name }?.burst ?? 64 }
    scratchpad = program.memories.firstIndex { $0.kind == .scratchpad }
    bankBytes = scratchpad.map { max(1, program.memories[$0].bytes / program.memories[$0].banks) } ?? 1
    occupancies = OccupancyBook(units: units)
    accounting = Accounting(queues: program.queues.count, layers: program.layers.count, trace: options.trace)
    layers = program.layers.map { _ in TimingResult.Layer(start: 0, end: 0, activities: [], actions: []) }
    actionCounts = program.layers.map { _ in [] }
  }

  /// Runs to the end.
  /// - Throws: `deadlock` when nothing can happen any more before all queues are at their end.
  public consuming func run() throws(DiagnosticError) -> TimingResult {
    for queue in queues.indices { tryIssue(queue, at: 0) }
    while true {
      let next = events.nextTime
      if serveBuses(before: next) { continue }
      guard let time = next else { break }
      while events.nextTime == time { deliver(events.pop()) }
      // Everyone who may be able to issue now, in queue order; an issue can only take ports, never free them, so one
      // pass is enough.
      for queue in queues.indices { tryIssue(queue, at: time) }
    }
    guard queues.allSatisfy(\.isDone) else { throw Self.deadlock }
    return result()
  }

  static var deadlock: DiagnosticError {
    DiagnosticError("deadlock", "the timing run stops before the program's end; verify() names the waits")
  }

  /// Lets bursts start before `limit`, until a transfer is done; whether one was.
  ///
  /// With several buses none runs ahead of the others: a transfer that ends on one may start the next on another.
  private mutating func serveBuses(before limit: Int?) -> Bool {
    if hasDevices && serveDevices(before: limit) { return true }
    while true {
      var first = -1
      var second: Int?
      for bus in buses.indices {
        guard let start = buses[bus].nextStart, start < limit ?? Int.max else { continue }
        if first < 0 || start < buses[first].nextStart ?? Int.max {
          if first >= 0 { second = buses[first].nextStart }
          first = bus
        } else {
          second = min(second ?? start, start)
        }
      }
      guard first >= 0 else { return false }
      // Up to and with the cycle in which the next bus has a burst.
      let until = second.map { min($0 + 1, limit ?? $0 + 1) } ?? limit
      if let done = buses[first].serve(before: until) {
        let transfer = sentTransfer(done)
        answeredTransfer(done.queue, transfer, at: done.answered)
        return true
      }
    }
  }

  private mutating func serveDevices(before limit: Int?) -> Bool {
    for (bus, device) in devices.enumerated() {
      switch device?.serve(before: limit) {
      case .sent(let queue, let cycle)?:
        if let device { sentTransfer(queue, at: cycle, to: device, bus: bus) }
        return true
      case .answered(let queue, let cycle)?:
        let transfer = queues[queue].unanswered.removeFirst()
        answeredTransfer(queue, transfer, at: cycle)
        return true
      case nil: break
      }
    }
    return false
  }

  private mutating func deliver(_ event: EventQueue.Event) {
    switch event.kind {
    case .token:
      tokens[Int(event.b)] += Int(event.a)
      record(.token, Int(event.b), Int(event.a), at: event.time)
    case .wake: break
    case .release:
      record(event.b == 1 ? .freeWrites : .freeReads, Int(event.a), mask: event.mask, at: event.time)
      if event.b == 1 {
        ports.release(writes: event.mask, of: Int(event.a))
      } else {
        ports.release(reads: event.mask, of: Int(event.a))
      }
    }
  }

  mutating func record(
    _ kind: TimingEvent.Kind, _ a: Int, _ b: Int = 0, mask: UInt64 = 0, at cycle: Int
  ) {
    if options.events { recorded.append(TimingEvent(cycle, kind, a, b, mask: mask)) }
  }

  // MARK: Issue

  private mutating func tryIssue(_ queue: Int, at time: Int) {
    while !queues[queue].isDone {
      guard let position = queues[queue].cursor.current else {
        if queues[queue].transfer == nil { close(queue, at: time) }
        return
      }
      guard queues[queue].transfer == nil, time >= queues[queue].acceptsAt else { return }
      let command = flats[queue].flat[position]
      if let channel = missingToken(queue, command.waits) {
        note(queue, for: causes[channel], at: time, layer: command.layer)
        return
      }
      let plan = plans[queue][position]
      let loops = queues[queue].cursor.loops
      let masks = queues[queue].masks ?? bankMasks(plan.plan, loops)
      queues[queue].masks = masks
      guard ports.areFree(reads: masks.reads, writes: masks.writes, for: queue) else {
        note(queue, for: StallCause(.bank), at: time, layer: command.layer)
        return
      }
      issue(queue, command, plan, loops, masks, at: time)
      queues[queue].masks = nil
    }
  }

  /// The first channel of the command's waits that has too few tokens; nil when all are there.
  private func missingToken(_ queue: Int, _ waits: FlatQueue.Span) -> Int? {
    let flat = flats[queue]
    for index in waits.range {
      let wait = flat.waits[index]
      if tokens[wait.channel] < wait.count, flat.hold(wait.guards, at: queues[queue].cursor.loops) {
        return wait.channel
      }
    }
    return nil
  }

  /// Notes what the queue waits for from now on; the time since the last note belongs to the former cause.
  private mutating func note(_ queue: Int, for cause: StallCause, at time: Int, layer: Int) {
    guard queues[queue].waiting != cause else { return }
    settle(queue, until: time, layer: layer)
    queues[queue].waiting = cause
  }

  /// Accounts everything up to `time`: the rest of the busy interval, then the wait.
  private mutating func settle(_ queue: Int, until time: Int, layer: Int) {
    let from = queues[queue].accountedUntil
    let busyEnd = min(max(from, queues[queue].busyUntil), time)
    accounting.add(queue: queue, from: from, to: busyEnd, cause: nil, layer: queues[queue].busyLayer)
    accounting.add(
      queue: queue, from: busyEnd, to: time, cause: queues[queue].waiting ?? StallCause(.order), layer: layer)
    queues[queue].accountedUntil = max(from, time)
  }

  private mutating func close(_ queue: Int, at time: Int) {
    let end = max(time, queues[queue].busyUntil)
    let from = queues[queue].accountedUntil
    accounting.add(
      queue: queue, from: from, to: min(end, queues[queue].busyUntil), cause: nil, layer: queues[queue].busyLayer)
    queues[queue].accountedUntil = max(from, queues[queue].busyUntil)
    queues[queue].isDone = true
  }

  private func bankMasks(_ plan: CommandPlan, _ loops: LoopState) -> (reads: UInt64, writes: UInt64) {
    guard let scratchpad, !options.ignoresBanks else { return (0, 0) }
    var reads: UInt64 = 0
    for access in plan.reads where access.generator.memory.offset == scratchpad {
      reads |= BankPorts.mask(access.touched(at: loops)?.range, bankBytes: bankBytes)
    }
    guard let write = plan.write, write.generator.memory.offset == scratchpad else { return (reads, 0) }
    return (reads, BankPorts.mask(write.touched(at: loops)?.range, bankBytes: bankBytes))
  }

  mutating func stretch() -> Int {
    guard jitter != nil else { return 0 }
    return jitter!.next(below: 40)  // checked in the line above
  }

  private mutating func issue(
    _ queue: Int, _ command: FlatQueue.FlatCommand, _ plan: CommandTiming, _ loops: LoopState,
    _ masks: (reads: UInt64, writes: UInt64), at time: Int
  ) {
    let layer = command.layer
    let flat = flats[queue]
    settle(queue, until: time, layer: layer)
    queues[queue].waiting = nil
    for index in command.waits.range {
      let wait = flat.waits[index]
      if flat.hold(wait.guards, at: loops) { tokens[wait.channel] -= wait.count }
    }
    commands += 1
    layers[layer].commands += 1
    onIssue?(queue)
    record(.issue, queue, queues[queue].cursor.current ?? 0, at: time)
    if let copy = plan.copy, case .dma(let options) = units[queue] {
      startCopy(queue, command, plan.plan, copy, options, loops, masks, at: time)
      queues[queue].cursor.advance()
      return
    }
    let known = costPlace(queue, plan, loops)
    for index in plan.costs[known].actions.indices {
      count(plan.costs[known].actions[index].action, plan.costs[known].actions[index].count, layer)
    }
    let duration = plan.costs[known].duration
    let reads = plan.costs[known].reads
    let occupancy = plan.costs[known].occupancy
    let extra = duration > 0 ? stretch() : 0
    let nextAccept = time + plan.costs[known].nextIssue + extra
    let writtenAt = time + duration + extra
    if masks.reads | masks.writes != 0 {
      ports.take(reads: masks.reads, writes: masks.writes, for: queue)
      // A pipeline reads until it writes; an array says when it has read.
      if masks.reads != 0 {
        let last = reads.map { time + $0.last } ?? writtenAt
        events.add(.release, at: max(time + 1, last), queue, 0, mask: masks.reads)
      }
      if masks.writes != 0 { events.add(.release, at: max(time + 1, writtenAt), queue, 1, mask: masks.writes) }
    }
    for index in command.signals.range {
      let signal = flat.signals[index]
      guard flat.hold(signal.guards, at: loops) else { continue }
      let point = signal.operand < 0 ? writtenAt : reads.map { time + $0.of(signal.operand) } ?? writtenAt
      events.add(.token, at: max(point, time + 1), signal.count, signal.channel)
    }
    accounting.completed(layer: layer, at: writtenAt)
    if duration > 0 { record(.complete, queue, at: writtenAt) }
    if occupancy >= 0 { occupancies.begin(occupancy, on: queue, at: time, until: writtenAt) }
    queues[queue].busyLayer = layer
    queues[queue].busyUntil = max(queues[queue].busyUntil, writtenAt)
    queues[queue].acceptsAt = nextAccept
    if nextAccept > time { events.add(.wake, at: nextAccept, queue) }
    if writtenAt > nextAccept { events.add(.wake, at: writtenAt, queue) }
    queues[queue].cursor.advance()
  }

  /// The place among the costs of a command of what it costs now.
  private mutating func costPlace(_ queue: Int, _ plan: CommandTiming, _ loops: LoopState) -> Int {
    guard let profile = options.profile, queues[queue].tiles < profile.tiles[queue].count,
      case .contract = plan.plan.command.operation
    else { return plan.cost(at: loops) { makeCost(of: plan.plan.command, at: loops, on: units[queue]) } }
    let measure = profile.tiles[queue][queues[queue].tiles]
    queues[queue].tiles += 1
    return plan.cost(ofMeasure: measure) { makeCost(of: profile.measures[Int(measure)]) }
  }

  private mutating func makeCost(of measure: TileMeasure) -> CommandTiming.Cost {
    var cost = CommandTiming.Cost(
      duration: measure.timing.duration, nextIssue: measure.timing.nextIssue,
      reads: CommandTiming.Reads(a: measure.timing.readA, b: measure.timing.readB))
    cost.occupancy = occupancies.add(measure.occupancy)
    for action in measure.actions { cost.actions.append((actionID(action.name), action.count)) }
    return cost
  }

  /// What a command costs besides its DMA transfers; the same for all trips of equal shape.
  private mutating func makeCost(of command: Command, at loops: LoopState, on unit: Machine.Unit) -> CommandTiming.Cost
  {
    switch (command.operation, unit) {
    case (.sync, _): return CommandTiming.Cost()
    case (.contract(let tile), .array(let array)):
      let extents = TileExtents(m: tile.m.value(at: loops), k: tile.k.value(at: loops), n: tile.n.value(at: loops))
      let accumulate: Bool =
        switch tile.initial {
        case .zero: false
        case .accumulate: true
        case .zeroInFirst(let depth): !loops.isFirst(depth)
        }
      return makeCost(
        of: TileMeasure(
          timing: array.timing(extents, tile.format), occupancy: array.occupancy(extents, tile.format),
          actions: array.actions(extents, tile.format, accumulate)))
    case (.drain(let map), .drain(let options)):
      let duration = options.duration(points: map.output.elementCount(at: loops))
      return CommandTiming.Cost(
        duration: duration, nextIssue: duration, actions: actions(of: map, at: loops, prefix: "drain"))
    case (.vector(let map), .vector(let options)):
      let duration = options.duration(
        of: program.kernels[map.kernel.offset], points: map.output.elementCount(at: loops), reduced: map.reduced)
      return CommandTiming.Cost(
        duration: duration, nextIssue: duration, actions: actions(of: map, at: loops, prefix: "vector"))
    default: preconditionFailure("command on the wrong engine; Machine.check proves it")
    }
  }

  // MARK: Counting

  private mutating func actions(of map: Map, at loops: LoopState, prefix: String) -> [(action: Int, count: Int)] {
    let kernel = program.kernels[map.kernel.offset]
    let points = map.output.elementCount(at: loops)
    var actions: [(action: Int, count: Int)] = []
    for (input, generator) in zip(kernel.inputs, map.inputs) {
      let elements = input.scope == .point ? points * map.reduced : points
      if program.memories[generator.memory.offset].kind == .accumulator {
        actions.append((actionID("acc.read"), elements))
      } else if generator.dims.contains(where: { $0.strideBits != 0 }) {
        // A parameter row that is broadcast over rows is read once for each of its elements.
        let distinct = generator.dims.reduce(1) { $1.strideBits == 0 ? $0 : $0 * $1.count.value(at: loops) }
        actions.append((actionID("spad.read_bytes"), min(elements, distinct) * input.format.bits / 8))
      }
    }
    actions.append((actionID("spad.write_bytes"), points * kernel.outputFormat.bits / 8))
    let operations = points * kernel.slots(reduced: map.reduced)
    actions.append((actionID(kernel.usesFloat ? "\(prefix).op.fp32" : "\(prefix).op.int32"), operations))
    return actions
  }

  mutating func actionID(_ name: String) -> Int {
    if let known = actionIndex[name] { return known }
    actionNames.append(name)
    actionIndex[name] = actionNames.count - 1
    return actionNames.count - 1
  }

  mutating func count(_ action: Int, _ number: Int, _ layer: Int) {
    while actionCounts[layer].count <= action { actionCounts[layer].append(0) }
    actionCounts[layer][action] += number
  }

  private consuming func result() -> TimingResult {
    var activities = program.queues.map { _ in TimingResult.Activity() }
    var totals: [Int: Int] = [:]
    let intervals = accounting.layers()
    for (bus, device) in devices.enumerated() {
      guard let device else { continue }
      let (counts, clocks) = device.finish(at: accounting.end)
      if !layers.isEmpty { count(device, bus, upTo: layers.count - 1) }
      let ranks = device.rankCount
      // Standing costs go to the layers by their length.
      var reached = 0
      for (index, interval) in intervals.enumerated() where interval.end > interval.start {
        let share = { (total: Int) in
          Int(Double(total) * (Double(interval.end) / Double(accounting.end)))
            - Int(Double(total) * (Double(reached) / Double(accounting.end)))
        }
        count(actionID("dram.active_clock"), share(counts.activeClocks), index)
        count(actionID("dram.idle_clock"), share(clocks * ranks - counts.activeClocks), index)
        reached = interval.end
      }
    }
    for (index, interval) in intervals.enumerated() {
      layers[index].start = interval.start
      layers[index].end = interval.end
      layers[index].activities = interval.activities
      var actions: [ActionCount] = []
      for (name, number) in actionCounts[index].enumerated() where number != 0 {
        actions.append(ActionCount(actionNames[name], number))
        totals[name, default: 0] += number
      }
      layers[index].actions = actions.sorted { $0.name < $1.name }
      for (queue, activity) in interval.activities.enumerated() {
        activities[queue].busy += activity.busy
        for stall in activity.stalls { activities[queue].add(stall.cause, stall.cycles) }
      }
    }
    let stretches = intervals.map { $0.start..<$0.end }
    for queue in activities.indices where occupancies.multipliers[queue] > 0 {
      for (index, occupancy) in occupancies.occupancies(of: queue, in: stretches).enumerated() {
        layers[index].activities[queue].occupancy += occupancy
        activities[queue].occupancy += occupancy
      }
    }
    for bus in buses {
      for burst in bus.log {
        recorded.append(TimingEvent(burst.start, .accept, burst.queue, 1))
        recorded.append(TimingEvent(burst.answered, .answer, burst.queue, 1))
      }
    }
    return TimingResult(
      cycles: accounting.end, queueNames: program.queues.map(\.name), layers: layers, activities: activities,
      actions: totals.map { ActionCount(actionNames[$0.key], $0.value) }.sorted { $0.name < $1.name },
      commands: commands, multipliers: occupancies.multipliers, slices: options.trace ? accounting.slices : [],
      events: recorded.canonical)
  }
}
