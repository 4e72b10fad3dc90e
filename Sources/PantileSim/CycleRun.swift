import PantileEngines
import PantileProgram
import PantileSupport
import PantileTarget

/// The cycles of a Program on a machine, and nothing else: what a judge of many plans asks, and whoever runs one plan many times.
///
/// The same machine as `TimingRun`, event by event, without causes, actions, layers and occupancies.
public struct CycleRun: ~Copyable {
  private struct Event: Timed, BitwiseCopyable {
    enum Kind: Int32, BitwiseCopyable {
      /// `amount` tokens of channel `target` become visible.
      case token
      /// Queue `target` lets go the ports in `mask`.
      case releaseReads
      case releaseWrites
    }

    var time: Int
    var mask: UInt64 = 0
    var target: Int32
    var amount: Int32 = 0
    var kind: Kind
    var order = 0
  }

  /// What a queue is about.
  private struct State: BitwiseCopyable {
    /// The engine accepts the next command from this cycle on.
    var acceptsAt = 0
    /// The channel that has too few tokens for the current command; -1 for none that is known.
    var channel = -1
    var tokens = 0
    /// Bank masks of the current command, once they are known.
    var reads: UInt64 = 0
    var writes: UInt64 = 0
    var hasMasks = false
    /// A copy whose bursts are being sent; the cycle in which its link has moved everything.
    var isSending = false
    var linkEnd = 0
    /// When the last copy's writes were visible; a DMA keeps its writes in order.
    var lastAnswered = 0
    /// Cycles that the commands from the current one on take for certain, one after another.
    var workAhead = 0
  }

  /// A copy that a device has taken and not yet answered: what follows then.
  private struct Unanswered {
    var writes: UInt64
    var linkEnd: Int
    var tokens: [FlatQueue.FlatSignal]
  }

  private let kernels: [Kernel]
  private let units: [Machine.Unit]
  private let queueCount: Int
  private let queues: UnsafeMutablePointer<CycleQueue>
  private let states: FixedBuffer<State>
  private let tokens: FixedBuffer<Int>
  private var events = TimeHeap<Event>()
  private var ports: BankPorts
  private var buses: [DRAMBus]
  /// In the place of a bus: the port of a DRAM device.
  private let devices: [DRAMPort?]
  private let hasDevices: Bool
  private let remembers: Bool
  /// By queue, oldest first; only in front of devices.
  private var unanswered: [[Unanswered]]
  private let initialTokens: [Int]
  /// DRAM index (into `buses`) by program memory; -1 for on-chip memories.
  private let busOf: FixedBuffer<Int>
  private let burstOf: FixedBuffer<Int>
  /// -1: none.
  private let scratchpad: Int
  private let bankBytes: Int
  private var end = 0
  /// Bursts of all copies so far.
  private var moved = 0
  /// The run is of interest while its end may lie before this cycle; and whether it may.
  private var limit = Int.max
  private var isOpen = true
  /// Bursts of the whole run, by DRAM; only with a limit.
  private var bursts: [Int] = []

  /// - Parameter remembers: as of `TimingRun.Options`.
  /// - Throws: `chip-mismatch` when the Program does not fit the machine.
  public init(_ program: Program, on machine: Machine, remembers: Bool = false) throws(DiagnosticError) {
    try machine.check(program)
    kernels = program.kernels
    units = program.queues.map { queue in
      // Machine.check found each of them.
      guard let engine = machine.engines.first(where: { $0.name == queue.engine }) else {
        preconditionFailure("engine '\(queue.engine)' vanished")
      }
      return engine.unit
    }
    queueCount = program.queues.count
    queues = .allocate(capacity: max(1, program.queues.count))
    for (index, queue) in program.queues.enumerated() {
      (queues + index).initialize(to: CycleQueue(queue, kernels: program.kernels))
    }
    states = FixedBuffer(repeating: State(), count: program.queues.count)
    tokens = FixedBuffer(program.channels.map(\.initial))
    ports = BankPorts(queues: program.queues.count)
    let dma: [DMAOptions?] = units.map { if case .dma(let options) = $0 { return options } else { return nil } }
    var buses: [DRAMBus] = []
    var devices: [DRAMPort?] = []
    let busOf = program.memories.map { memory in
      guard memory.kind == .dram, let mine = machine.memories.first(where: { $0.name == memory.name }) else {
        return -1
      }
      buses.append(DRAMBus(mine, dma: dma))
      devices.append(DRAMPort.of(mine, on: machine, dma: dma, remembers: remembers))
      return buses.count - 1
    }
    self.buses = buses
    self.devices = devices
    hasDevices = devices.contains { $0 != nil }
    self.remembers = remembers
    unanswered = program.queues.map { _ in [] }
    initialTokens = program.channels.map(\.initial)
    self.busOf = FixedBuffer(busOf)
    burstOf = FixedBuffer(
      program.memories.map { memory in machine.memories.first { $0.name == memory.name }?.burst ?? 64 })
    scratchpad = program.memories.firstIndex { $0.kind == .scratchpad } ?? -1
    bankBytes =
      scratchpad < 0 ? 1 : max(1, program.memories[scratchpad].bytes / program.memories[scratchpad].banks)
  }

  deinit {
    queues.deinitialize(count: queueCount)
    queues.deallocate()
  }

  /// The cycle in which everything is done, as `TimingResult.cycles`.
  /// - Throws: `deadlock` when nothing can happen any more before all queues are at their end.
  public consuming func run() throws(DiagnosticError) -> Int {
    try simulate(from: 0)
    return end
  }

  /// The cycles in which the Program is done when it runs again and again, each time from the cycle in which everything of the time
  /// before was done. Memories stay as they are: open rows, writes that wait, refreshes in their turn.
  /// - Throws: as `run`.
  /// - Precondition: `times` is positive.
  public consuming func run(times: Int) throws(DiagnosticError) -> [Int] {
    precondition(times > 0, "a Program runs at least once")
    var ends: [Int] = []
    // The state of the devices before each time, as far as it is known.
    var known: [[Int32]: Int] = [:]
    while true {
      if remembers, let state = wholeState() {
        if let same = known[state] {
          // From here on everything comes again.
          let lengths = (same..<ends.count).map { ends[$0] - ($0 == 0 ? 0 : ends[$0 - 1]) }
          while ends.count < times { ends.append(ends[ends.count - 1] + lengths[(ends.count - same) % lengths.count]) }
          return ends
        }
        known[state] = ends.count
      }
      try simulate(from: end)
      ends.append(end)
      if ends.count == times { return ends }
      restart()
    }
  }

  /// Everything stands as before the first time, but for the memories.
  private mutating func restart() {
    for (channel, initial) in initialTokens.enumerated() { tokens[channel] = initial }
    for queue in 0..<queueCount { states[queue] = State(acceptsAt: end, lastAnswered: end) }
  }

  /// All that the next time depends on; nil when it cannot be told.
  private func wholeState() -> [Int32]? {
    var words: [Int32] = []
    for device in devices {
      guard let state = device?.wholeState(at: end) else { return nil }
      words += state
    }
    return words
  }

  /// The same, and how many bursts went to and from off-chip memories, if it is below `limit`; nil, often long before the end, if it is not.
  ///
  /// A queue needs at least the sum of its commands' own cycles from where it stands, and a DRAM that of its bursts.
  /// - Throws: as `run`, if the end is reached.
  /// - Precondition: no memory of the machine is a DRAM device, or there is no limit.
  public consuming func run(below limit: Int) throws(DiagnosticError) -> (cycles: Int, bursts: Int)? {
    self.limit = limit
    precondition(limit == Int.max || !hasDevices, "bursts of devices have no least time")
    if limit < Int.max { lookAhead() }
    try simulate(from: 0)
    return isOpen && end < limit ? (end, moved) : nil
  }

  private mutating func simulate(from start: Int) throws(DiagnosticError) {
    for queue in 0..<queueCount { queues[queue].begin() }
    for queue in 0..<queueCount { tryIssue(queue, at: start) }
    var now = start
    while isOpen {
      let next = nextTime(after: now)
      if serveBuses(before: next) { continue }
      if next == Int.max { break }
      now = next
      while events.first?.time == now { deliver(events.pop()) }
      for queue in 0..<queueCount { tryIssue(queue, at: now) }
    }
    guard isOpen else { return }
    for queue in 0..<queueCount where queues[queue].current >= 0 { throw TimingRun.deadlock }
  }

  // MARK: The work ahead

  private mutating func lookAhead() {
    bursts = buses.map { _ in 0 }
    for queue in 0..<queueCount {
      let unit = units[queue]
      let kernels = kernels
      states[queue].workAhead = queues[queue].total { queue, command in
        if queue.records[command].isCopy, case .dma(let options) = unit {
          return Self.linkCycles(&queue, command, options)
        }
        let cost = queue.cost(of: command) { Self.cost(of: $0, at: $1, on: unit, kernels) }
        return min(cost.duration, cost.nextIssue)
      }
      guard case .dma = unit else { continue }
      queues[queue].begin()
      while queues[queue].current >= 0 {
        if queues[queue].records[queues[queue].current].isCopy {
          let (count, bus) = burstCount(queue)
          if count > 0 { bursts[bus] += count }
        }
        queues[queue].advance()
      }
    }
  }

  /// Ends the run when it cannot end below the limit.
  private mutating func require(_ leastEnd: Int) {
    if leastEnd >= limit { isOpen = false }
  }

  /// When a queue may be able to issue again; `Int.max` when nothing is on its way.
  private func nextTime(after now: Int) -> Int {
    var next = events.first?.time ?? Int.max
    for queue in 0..<queueCount where states[queue].acceptsAt > now {
      if queues[queue].current >= 0, !states[queue].isSending { next = min(next, states[queue].acceptsAt) }
    }
    return next
  }

  private mutating func deliver(_ event: Event) {
    switch event.kind {
    case .token: tokens[Int(event.target)] += Int(event.amount)
    case .releaseReads: ports.release(reads: event.mask, of: Int(event.target))
    case .releaseWrites: ports.release(writes: event.mask, of: Int(event.target))
    }
  }

  private mutating func serveDevices(before time: Int) -> Bool {
    for device in devices {
      switch device?.serve(before: time == Int.max ? nil : time) {
      case .sent(let queue, let cycle)?:
        sentCopy(queue, at: cycle)
        return true
      case .answered(let queue, let cycle)?:
        answeredCopy(queue, at: cycle)
        return true
      case nil: break
      }
    }
    return false
  }

  /// As in `TimingRun`.
  private mutating func serveBuses(before time: Int) -> Bool {
    if hasDevices, serveDevices(before: time) { return true }
    while true {
      var first = -1
      var start = Int.max
      var second = Int.max
      for bus in buses.indices {
        guard let next = buses[bus].nextStart, next < time else { continue }
        if first < 0 || next < start {
          second = min(second, start)
          (first, start) = (bus, next)
        } else {
          second = min(second, next)
        }
      }
      guard first >= 0 else { return false }
      let until = second == Int.max ? time : min(second + 1, time)
      if let done = buses[first].serve(before: until == Int.max ? nil : until) {
        finishCopy(done.queue, sent: done.sent, answered: done.answered)
        if limit < Int.max { require(buses[first].leastEnd(of: bursts[first])) }
        return true
      }
    }
  }

  // MARK: Issue

  private mutating func tryIssue(_ queue: Int, at time: Int) {
    while queues[queue].current >= 0, !states[queue].isSending, states[queue].acceptsAt <= time {
      if states[queue].channel >= 0 {
        if tokens[states[queue].channel] < states[queue].tokens { return }
        states[queue].channel = -1
      }
      let record = queues[queue].records[queues[queue].current]
      for index in record.waits.range {
        let wait = queues[queue].waits[index]
        if tokens[wait.channel] < wait.count, queues[queue].hold(wait.guards) {
          states[queue].channel = wait.channel
          states[queue].tokens = wait.count
          return
        }
      }
      if !states[queue].hasMasks { findMasks(queue, record) }
      guard ports.areFree(reads: states[queue].reads, writes: states[queue].writes, for: queue) else { return }
      for index in record.waits.range {
        let wait = queues[queue].waits[index]
        if queues[queue].hold(wait.guards) { tokens[wait.channel] -= wait.count }
      }
      states[queue].hasMasks = false
      if limit < Int.max {
        require(time + states[queue].workAhead)
        if !isOpen { return }
      }
      if record.isCopy, case .dma(let options) = units[queue] {
        startCopy(queue, record, options, at: time)
      } else {
        issue(queue, record, at: time)
        queues[queue].advance()
      }
    }
  }

  private mutating func findMasks(_ queue: Int, _ record: CycleQueue.Record) {
    var reads: UInt64 = 0
    var writes: UInt64 = 0
    for index in record.accesses.start..<record.accesses.end
    where queues[queue].accesses[index].memory == scratchpad {
      let mask = queues[queue].banks(index, bankBytes: bankBytes)
      if record.hasWrite, index == record.accesses.end - 1 { writes |= mask } else { reads |= mask }
    }
    states[queue].reads = reads
    states[queue].writes = writes
    states[queue].hasMasks = true
  }

  private mutating func issue(_ queue: Int, _ record: CycleQueue.Record, at time: Int) {
    let unit = units[queue]
    let kernels = kernels
    let cost = queues[queue].cost(of: queues[queue].current) { Self.cost(of: $0, at: $1, on: unit, kernels) }
    let writtenAt = time + cost.duration
    let (reads, writes) = (states[queue].reads, states[queue].writes)
    if reads | writes != 0 {
      ports.take(reads: reads, writes: writes, for: queue)
      if reads != 0 {
        let last = cost.readA >= 0 ? time + max(cost.readA, cost.readB) : writtenAt
        events.push(Event(time: max(time + 1, last), mask: reads, target: Int32(queue), kind: .releaseReads))
      }
      if writes != 0 {
        events.push(Event(time: max(time + 1, writtenAt), mask: writes, target: Int32(queue), kind: .releaseWrites))
      }
    }
    for index in record.signals.range {
      let signal = queues[queue].signals[index]
      guard queues[queue].hold(signal.guards) else { continue }
      let isEarly = signal.operand >= 0 && cost.readA >= 0
      let point = isEarly ? time + (signal.operand == 0 ? cost.readA : cost.readB) : writtenAt
      give(signal, at: max(point, time + 1))
    }
    end = max(end, writtenAt)
    states[queue].acceptsAt = time + cost.nextIssue
    states[queue].workAhead -= min(cost.duration, cost.nextIssue)
  }

  private mutating func give(_ signal: FlatQueue.FlatSignal, at time: Int) {
    events.push(Event(time: time, target: Int32(signal.channel), amount: Int32(signal.count), kind: .token))
  }

  /// As `TimingRun.makeCost`, of the cycles alone.
  private static func cost(
    of command: Command, at loops: LoopState, on unit: Machine.Unit, _ kernels: [Kernel]
  ) -> CycleQueue.Cost {
    var cost = CycleQueue.Cost()
    switch (command.operation, unit) {
    case (.sync, _): break
    case (.contract(let tile), .array(let array)):
      let extents = TileExtents(m: tile.m.value(at: loops), k: tile.k.value(at: loops), n: tile.n.value(at: loops))
      let timing = array.timing(extents, tile.format)
      cost.duration = timing.duration
      cost.nextIssue = timing.nextIssue
      cost.readA = timing.readA
      cost.readB = timing.readB
    case (.drain(let map), .drain(let options)):
      cost.duration = options.duration(points: map.output.elementCount(at: loops))
      cost.nextIssue = cost.duration
    case (.vector(let map), .vector(let options)):
      cost.duration = options.duration(
        of: kernels[map.kernel.offset], points: map.output.elementCount(at: loops), reduced: map.reduced)
      cost.nextIssue = cost.duration
    default: preconditionFailure("command on the wrong engine; Machine.check proves it")
    }
    return cost
  }

  // MARK: Copies

  private static func linkCycles(_ queue: inout CycleQueue, _ command: Int, _ options: DMAOptions) -> Int {
    let source = queue.records[command].accesses.start
    let bytes = queue.elements(source) * queue.accesses[source].elementBits / 8
    return max(1, (bytes + options.linkBytes - 1) / options.linkBytes)
  }

  /// Of the copy that a queue stands on, and on which bus.
  private mutating func burstCount(_ queue: Int) -> (count: Int, bus: Int) {
    let record = queues[queue].records[queues[queue].current]
    var result = (count: 0, bus: -1)
    for access in record.accesses.start..<record.accesses.end {
      let memory = queues[queue].accesses[access].memory
      if busOf[memory] < 0 { continue }
      result.bus = busOf[memory]
      result.count += queues[queue].burstCount(access, burst: burstOf[memory])
    }
    return result
  }

  private mutating func startCopy(_ queue: Int, _ record: CycleQueue.Record, _ options: DMAOptions, at time: Int) {
    let linkCycles = Self.linkCycles(&queues[queue], queues[queue].current, options)
    let (bursts, bus) = burstCount(queue)
    moved += bursts
    ports.take(reads: states[queue].reads, writes: states[queue].writes, for: queue)
    states[queue].isSending = true
    states[queue].linkEnd = time + linkCycles
    states[queue].workAhead -= linkCycles
    if bursts == 0 {
      finishCopy(queue, sent: time, answered: time)
    } else if let device = devices[bus] {
      device.start(queue: queue, at: time) { runs in
        for access in record.accesses.start..<record.accesses.end {
          let memory = queues[queue].accesses[access].memory
          guard busOf[memory] >= 0 else { continue }
          let isWrite = record.hasWrite && access == record.accesses.end - 1
          queues[queue].appendBursts(access, burst: burstOf[memory], isWrite: isWrite, to: &runs)
        }
      }
    } else {
      buses[bus].start(queue: queue, bursts: bursts, at: time)
    }
  }

  /// The last burst of a copy has gone, and it is known when all are answered. Until now its queue stood on it.
  private mutating func finishCopy(_ queue: Int, sent: Int, answered: Int) {
    let sent = max(sent, states[queue].linkEnd)
    let answered = max(answered, max(states[queue].linkEnd, states[queue].lastAnswered))
    if states[queue].reads != 0 {
      events.push(Event(time: sent, mask: states[queue].reads, target: Int32(queue), kind: .releaseReads))
    }
    if states[queue].writes != 0 {
      events.push(Event(time: answered, mask: states[queue].writes, target: Int32(queue), kind: .releaseWrites))
    }
    let record = queues[queue].records[queues[queue].current]
    for index in record.signals.range {
      let signal = queues[queue].signals[index]
      if queues[queue].hold(signal.guards) { give(signal, at: signal.operand >= 0 ? sent : answered) }
    }
    end = max(end, answered)
    states[queue].lastAnswered = answered
    states[queue].acceptsAt = sent
    states[queue].isSending = false
    queues[queue].advance()
  }

  /// The last burst of a copy has been taken by a device.
  private mutating func sentCopy(_ queue: Int, at cycle: Int) {
    let sent = max(cycle, states[queue].linkEnd)
    if states[queue].reads != 0 {
      events.push(Event(time: sent, mask: states[queue].reads, target: Int32(queue), kind: .releaseReads))
    }
    var later = Unanswered(writes: states[queue].writes, linkEnd: states[queue].linkEnd, tokens: [])
    let record = queues[queue].records[queues[queue].current]
    for index in record.signals.range {
      let signal = queues[queue].signals[index]
      guard queues[queue].hold(signal.guards) else { continue }
      if signal.operand >= 0 { give(signal, at: sent) } else { later.tokens.append(signal) }
    }
    unanswered[queue].append(later)
    states[queue].acceptsAt = sent
    states[queue].isSending = false
    queues[queue].advance()
  }

  /// All bursts of a device's oldest copy of a queue are done.
  private mutating func answeredCopy(_ queue: Int, at cycle: Int) {
    let copy = unanswered[queue].removeFirst()
    let answered = max(max(cycle, copy.linkEnd), states[queue].lastAnswered)
    if copy.writes != 0 {
      events.push(Event(time: answered, mask: copy.writes, target: Int32(queue), kind: .releaseWrites))
    }
    for signal in copy.tokens { give(signal, at: answered) }
    end = max(end, answered)
    states[queue].lastAnswered = answered
  }
}
