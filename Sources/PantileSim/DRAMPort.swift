import PantileEngines
import PantileTarget

/// DMA engines in front of a DRAM device: every burst is a request that its controller takes and answers.
///
/// A DMA offers the bursts of a command in order: not before a credit is free, and no faster than its link moves them. A channel
/// takes one request a memory clock; engines that are ready in the same clock take turns. A command has been *sent* in the cycle after
/// its last burst was taken, and is *answered* when all of its bursts are done and the command before it is.
///
/// What has happened once in a state happens again in the same state: with `StreamMemo` the port skips what it knows (`DRAMPort+Memo`).
package final class DRAMPort {
  /// What happened to the oldest command of a queue.
  package enum Event: Hashable, Sendable {
    case sent(queue: Int, at: Int)
    case answered(queue: Int, at: Int)
  }

  struct Engine {
    /// Bursts of the command that is being sent: those from burst `next` of run `run` on are still to come, `untaken` of them.
    var runs = BurstRuns()
    var run = 0
    var next = 0
    var untaken = 0
    var isSending = false
    /// When the link is ready for the next burst, in memory clocks times `linkBytes` times the core's part of the ratio.
    var linkReady = 0
    /// Not before this memory clock: a full queue is asked again when something has happened behind it.
    var notBefore = 0
    /// Of the next burst, as long as it is sending: the first memory clock that link and controller allow, and its channel.
    var readyClock = 0
    var channel = 0
    var inFlight = 0
    /// Bursts still to be answered of each command that was begun and is not answered, oldest first.
    var open: [Int] = []
    var firstOpen = 0
    /// The command that `open` begins with, counted from the first.
    var answeredCommands = 0
    let outstanding: Int
    let linkBytes: Int
    /// Of `linkReady`, in a memory clock.
    let scale: Int
  }

  struct Answer: Timed, BitwiseCopyable {
    /// A memory clock.
    var time: Int
    var queue: Int32
    var command: Int32
    var order = 0
  }

  // State is read and written in place: behind a property of a class each access would copy it or check that it is unique, which
  // took half of the time. For the same reason nobody checks that accesses do not overlap; nothing here is reached from two places.
  let memory: DRAMSystem
  let engines: UnsafeMutablePointer<Engine>
  let engineCount: Int
  /// The queues that are DMA engines; the others never ask.
  let senders: UnsafeMutableBufferPointer<Int>
  let ratio: ClockRatio
  private let burst: Int
  @exclusivity(unchecked) var lastServed = -1
  /// As `findOffer` says, until an engine changes; most events are the device's.
  @exclusivity(unchecked) private var offer = (clock: Int.max, queue: -1)
  @exclusivity(unchecked) var isOfferKnown = false
  /// The last clock in which each channel was offered a request.
  let lastOffer: UnsafeMutablePointer<Int>
  @exclusivity(unchecked) var answers = TimeHeap<Answer>()
  /// A command may have been answered since `takeAnswered` found none.
  @exclusivity(unchecked) var mayBeAnswered = false
  /// The clock of the answer that was dealt with last.
  @exclusivity(unchecked) var lastAnswer = 0
  /// Bursts taken and not yet answered, of all engines.
  @exclusivity(unchecked) var waiting = 0
  @exclusivity(unchecked) var waits: DRAMWaits
  /// The memory clock of what happened last.
  @exclusivity(unchecked) var clock = 0
  /// Nil: every burst is stepped.
  @exclusivity(unchecked) var memo: StreamMemo?

  /// - Parameters:
  ///   - device: behind the port.
  ///   - ratio: of the core's clock and the device's.
  ///   - dma: the options of each queue's engine; nil where it is no DMA.
  ///   - remembers: skip what is known of a state that comes again; the results are the same. What is new takes twice as long then.
  package init(_ device: DRAMDevice, ratio: ClockRatio, dma: [DMAOptions?], remembers: Bool = false) {
    memory = DRAMSystem(device)
    memo = remembers ? StreamMemo(memory) : nil
    self.ratio = ratio
    burst = device.organization.burstBytes
    engineCount = dma.count
    engines = .allocate(capacity: max(1, dma.count))
    for (queue, options) in dma.enumerated() {
      let linkBytes = max(1, options?.linkBytes ?? 1)
      (engines + queue).initialize(
        to: Engine(
          outstanding: max(1, options?.outstanding ?? 1), linkBytes: linkBytes, scale: ratio.core * linkBytes))
    }
    let dmaQueues = dma.indices.filter { dma[$0] != nil }
    senders = .allocate(capacity: dmaQueues.count)
    _ = senders.initialize(from: dmaQueues)
    lastOffer = .allocate(capacity: device.organization.channels)
    lastOffer.initialize(repeating: -1, count: device.organization.channels)
    waits = DRAMWaits(
      queues: dma.count, channels: device.organization.channels, burstClocks: device.organization.burstClocks)
  }

  /// The port of a memory of a machine; nil when that is no DRAM device.
  static func of(_ memory: Machine.Memory, on machine: Machine, dma: [DMAOptions?], remembers: Bool)
    -> DRAMPort?
  {
    guard let device = memory.device,
      // Reading the chip made sure of the ratio.
      let ratio = ClockRatio(core: machine.clock, memory: device.clockPeriod)
    else { return nil }
    return DRAMPort(device, ratio: ratio, dma: dma, remembers: remembers)
  }

  deinit {
    engines.deinitialize(count: engineCount)
    engines.deallocate()
    senders.deallocate()
    lastOffer.deallocate()
  }

  /// A command's transfer begins; a queue sends one at a time.
  ///
  /// - Parameter list: fills in its bursts, in order; a copy from DRAM to DRAM reads and writes.
  /// - Precondition: there is at least one.
  package func start(queue: Int, at cycle: Int, _ list: (inout BurstRuns) -> Void) {
    let start = ratio.memoryClock(atOrAfter: cycle)
    prepareStart(of: queue, at: start)
    engines[queue].runs.removeAll()
    list(&engines[queue].runs)
    let count = engines[queue].runs.count
    precondition(count > 0, "a transfer needs a burst")
    engines[queue].run = 0
    engines[queue].next = 0
    engines[queue].untaken = count
    engines[queue].isSending = true
    engines[queue].open.append(count)
    waits.start(queue, at: start) { memory.gaps(of: $0) }
    let linkReady = cycle * ratio.memory * engines[queue].linkBytes
    if memo != nil, startFromMemory(queue, at: start, linkReady: linkReady) { return }
    begin(queue, at: start, linkReady: linkReady)
  }

  /// An engine's link is ready for the first burst of a command.
  func begin(_ queue: Int, at start: Int, linkReady: Int) {
    engines[queue].linkReady = linkReady
    engines[queue].notBefore = 0
    clock = max(clock, start)
    prepareNext(of: queue)
  }

  /// Does what happens before `limit`, a core cycle, up to the first event.
  package func serve(before limit: Int?) -> Event? {
    let end = limit.map { ratio.memoryClock(atOrAfter: $0) } ?? Int.max
    return memo == nil ? step(before: end, keeping: 0) : recall(before: end)
  }

  /// Does what happens before `end`, a memory clock, up to the first event, or until a queue has only `untaken` bursts left to send.
  func step(before end: Int, keeping untaken: Int, of sender: Int = -1) -> Event? {
    while true {
      if mayBeAnswered, let answered = takeAnswered() { return answered }
      if !isOfferKnown {
        offer = findOffer()
        isOfferKnown = true
      }
      let answer = answers.first?.time ?? Int.max
      // Refreshes of an idle device wait until someone asks it again.
      let device = waiting > 0 ? memory.nextEvent : (clock: Int.max, channel: 0)
      let first = min(answer, min(offer.clock, device.clock))
      if first >= end || first == Int.max { return nil }
      clock = max(clock, first)
      if answer == first {
        popAnswer()
      } else if offer.clock == first {
        let queue = offer.queue
        if let sent = makeOffer(of: queue, at: first) { return sent }
        if queue == sender, engines[queue].untaken == untaken { return nil }
      } else {
        memory.advance(channel: device.channel, before: first + 1)
        collect(from: device.channel)
      }
    }
  }

  // MARK: Offers

  /// Notes when the next burst of an engine can be offered, and where.
  func prepareNext(of queue: Int) {
    isOfferKnown = false
    let engine = engines + queue
    let scale = engine.pointee.scale
    engine.pointee.readyClock = max((engine.pointee.linkReady + scale - 1) / scale, engine.pointee.notBefore)
    noteChannel(of: queue)
  }

  /// The channel of the burst that an engine sends next.
  func noteChannel(of queue: Int) {
    engines[queue].channel = memory.channel(of: nextBurst(of: queue).number * burst)
  }

  /// The burst that an engine sends next.
  func nextBurst(of queue: Int) -> (number: Int, isWrite: Bool) {
    let run = engines[queue].runs[engines[queue].run]
    return (run.first &+ engines[queue].next, run.isWrite)
  }

  /// An engine has sent `count` bursts, all of the run that it is in or of whole runs.
  func pass(_ count: Int, of queue: Int) {
    engines[queue].untaken -= count
    engines[queue].next += count
    while engines[queue].run < engines[queue].runs.runCount {
      let length = engines[queue].runs[engines[queue].run].count
      guard engines[queue].next >= length else { return }
      engines[queue].next -= length
      engines[queue].run += 1
    }
  }

  /// The next engine that offers a burst, and when.
  private func findOffer() -> (clock: Int, queue: Int) {
    var best = (clock: Int.max, queue: -1)
    var bestTurn = Int.max
    for queue in senders {
      let engine = engines + queue
      guard engine.pointee.isSending, engine.pointee.inFlight < engine.pointee.outstanding else { continue }
      let clock = max(engine.pointee.readyClock, lastOffer[engine.pointee.channel] + 1)
      let turn = queue > lastServed ? queue : queue + engineCount
      if clock < best.clock || (clock == best.clock && turn < bestTurn) {
        best = (clock, queue)
        bestTurn = turn
      }
    }
    return best
  }

  private func makeOffer(of queue: Int, at clock: Int) -> Event? {
    isOfferKnown = false
    let engine = engines + queue
    let next = nextBurst(of: queue)
    let channel = engine.pointee.channel
    let command = engine.pointee.answeredCommands + engine.pointee.open.count - engine.pointee.firstOpen - 1
    let request = DRAMRequest(address: next.number * burst, isWrite: next.isWrite, tag: command * engineCount + queue)
    guard memory.offer(request, at: clock) else {
      waits.refuse(queue, at: clock)
      // Room comes with the channel's next move, which is an event.
      delay(queue, until: max(clock, memory.nextEventTime(of: channel)) + 1)
      return nil
    }
    lastOffer[channel] = clock
    lastServed = queue
    waiting += 1
    engine.pointee.inFlight += 1
    pass(1, of: queue)
    waits.take(
      queue, channel: channel, at: clock, hasCredit: engine.pointee.inFlight < engine.pointee.outstanding)
    // An engine that came late begins a new beat of its link.
    let scale = engine.pointee.scale
    if engine.pointee.linkReady <= (clock - 1) * scale { engine.pointee.linkReady = clock * scale }
    engine.pointee.linkReady += burst * ratio.memory
    collect(from: channel)
    guard engine.pointee.untaken == 0 else {
      prepareNext(of: queue)
      return nil
    }
    engine.pointee.isSending = false
    return .sent(queue: queue, at: ratio.coreCycle(atOrAfter: clock + 1))
  }

  private func delay(_ queue: Int, until clock: Int) {
    isOfferKnown = false
    engines[queue].notBefore = max(engines[queue].notBefore, clock)
    engines[queue].readyClock = max(engines[queue].readyClock, clock)
  }

  // MARK: Answers

  private func collect(from channel: Int) {
    memory.takeCompletions(of: channel) { done in
      let (command, queue) = done.tag.quotientAndRemainder(dividingBy: engineCount)
      answers.push(Answer(time: done.cycle, queue: Int32(queue), command: Int32(command)))
    }
  }

  private func popAnswer() {
    let answer = answers.pop()
    let queue = Int(answer.queue)
    waiting -= 1
    engines[queue].inFlight -= 1
    waits.answer(queue, at: answer.time)
    // A credit that comes free cannot be used before.
    delay(queue, until: answer.time)
    let index = engines[queue].firstOpen + Int(answer.command) - engines[queue].answeredCommands
    engines[queue].open[index] -= 1
    if engines[queue].open[index] == 0 { mayBeAnswered = true }
    lastAnswer = answer.time
  }

  /// The oldest command of a queue, when all of its bursts are answered.
  private func takeAnswered() -> Event? {
    for queue in senders {
      let first = engines[queue].firstOpen
      guard first < engines[queue].open.count, engines[queue].open[first] == 0 else { continue }
      closeFirst(of: queue)
      return .answered(queue: queue, at: ratio.coreCycle(atOrAfter: lastAnswer))
    }
    mayBeAnswered = false
    return nil
  }

  /// The oldest open command of a queue is answered.
  func closeFirst(of queue: Int) {
    engines[queue].firstOpen += 1
    engines[queue].answeredCommands += 1
    if engines[queue].firstOpen == 64 {
      engines[queue].open.removeFirst(64)
      engines[queue].firstOpen = 0
    }
  }

  // MARK: Counts

  /// What the transfer that was just sent waited for in `cycles` core cycles, beside the `ownCycles` of its bursts.
  func stalls(of queue: Int, cycles: Int, ownCycles: Int) -> [(kind: StallCause.Kind, cycles: Int)] {
    waits.split(cycles, of: queue, ownClocks: ratio.memoryClock(atOrAfter: ownCycles)) { memory.gaps(of: $0) }
  }

  /// Ranks of all channels.
  var rankCount: Int { memory.device.organization.ranks * memory.device.organization.channels }

  /// Commands of all channels so far.
  var counts: DRAMCounts { memory.commandCounts }

  /// Finishes the clocks before a core cycle and returns the counts of the whole run, rank clocks with an open row included, and the
  /// number of clocks.
  func finish(at cycle: Int) -> (counts: DRAMCounts, clocks: Int) {
    let clocks = ratio.memoryClock(atOrAfter: cycle)
    settle()
    memory.advance(before: clocks)
    return (memory.counts(until: clocks).reduce(into: DRAMCounts()) { $0 += $1 }, clocks)
  }
}
