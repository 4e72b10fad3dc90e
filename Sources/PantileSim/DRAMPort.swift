import PantileEngines
import PantileTarget

/// DMA engines in front of a DRAM device: every burst is a request that its controller takes and answers.
///
/// A DMA offers the bursts of a command in order: not before a credit is free, and no faster than its link moves them. A channel
/// takes one request a memory clock; engines that are ready in the same clock take turns. A command has been *sent* in the cycle after
/// its last burst was taken, and is *answered* when all of its bursts are done and the command before it is.
package final class DRAMPort {
  /// What happened to the oldest command of a queue.
  package enum Event: Hashable, Sendable {
    case sent(queue: Int, at: Int)
    case answered(queue: Int, at: Int)
  }

  private struct Engine {
    /// Bursts of the command that is being sent.
    var bursts: [DRAMTraceEntry] = []
    var next = 0
    var isSending = false
    /// When the link is ready for the next burst, in memory clocks times `linkBytes` times the core's part of the ratio.
    var linkReady = 0
    /// Not before this memory clock: a full queue is asked again when something has happened behind it.
    var notBefore = 0
    var inFlight = 0
    /// Bursts still to be answered of each command that was begun and is not answered, oldest first.
    var open: [Int] = []
    var firstOpen = 0
    /// The command that `open` begins with, counted from the first.
    var answeredCommands = 0
    let outstanding: Int
    let linkBytes: Int

    var hasCredit: Bool { inFlight < outstanding }
  }

  private struct Answer: Timed, BitwiseCopyable {
    /// A memory clock.
    var time: Int
    var queue: Int32
    var command: Int32
    var order = 0
  }

  // Nothing here is reached from two places at once; the check at each access would cost a fifth of the time.
  @exclusivity(unchecked) private var memory: DRAMSystem
  private let ratio: ClockRatio
  private let burst: Int
  @exclusivity(unchecked) private var engines: [Engine]
  @exclusivity(unchecked) private var lastServed = -1
  /// The last clock in which each channel was offered a request.
  @exclusivity(unchecked) private var lastOffer: [Int]
  @exclusivity(unchecked) private var answers = TimeHeap<Answer>()
  /// The clock of the answer that was dealt with last.
  @exclusivity(unchecked) private var lastAnswer = 0
  /// Bursts taken and not yet answered, of all engines.
  @exclusivity(unchecked) private var waiting = 0
  @exclusivity(unchecked) private var waits: DRAMWaits

  /// - Parameters:
  ///   - device: behind the port.
  ///   - ratio: of the core's clock and the device's.
  ///   - dma: the options of each queue's engine; nil where it is no DMA.
  package init(_ device: DRAMDevice, ratio: ClockRatio, dma: [DMAOptions?]) {
    memory = DRAMSystem(device)
    self.ratio = ratio
    burst = device.organization.burstBytes
    engines = dma.map { Engine(outstanding: max(1, $0?.outstanding ?? 1), linkBytes: max(1, $0?.linkBytes ?? 1)) }
    lastOffer = Array(repeating: -1, count: device.organization.channels)
    waits = DRAMWaits(
      queues: dma.count, channels: device.organization.channels, burstClocks: device.organization.burstClocks)
  }

  /// A command's transfer begins; a queue sends one at a time.
  ///
  /// - Parameter list: fills in its bursts, in order; a copy from DRAM to DRAM reads and writes.
  /// - Precondition: there is at least one.
  package func start(queue: Int, at cycle: Int, _ list: (inout [DRAMTraceEntry]) -> Void) {
    engines[queue].bursts.removeAll(keepingCapacity: true)
    list(&engines[queue].bursts)
    precondition(!engines[queue].bursts.isEmpty, "a transfer needs a burst")
    engines[queue].next = 0
    engines[queue].isSending = true
    engines[queue].linkReady = cycle * ratio.memory * engines[queue].linkBytes
    engines[queue].notBefore = 0
    engines[queue].open.append(engines[queue].bursts.count)
    waits.start(queue, at: ratio.memoryClock(atOrAfter: cycle)) { memory.gaps(of: $0) }
  }

  /// Does what happens before `limit`, a core cycle, up to the first event.
  package func serve(before limit: Int?) -> Event? {
    let end = limit.map { ratio.memoryClock(atOrAfter: $0) } ?? Int.max
    while true {
      if let answered = takeAnswered() { return answered }
      let offer = nextOffer()
      let answer = answers.first?.time ?? Int.max
      // Refreshes of an idle device wait until someone asks it again.
      let device = waiting > 0 ? memory.nextEvent : (clock: Int.max, channel: 0)
      let first = min(answer, min(offer.clock, device.clock))
      if first >= end || first == Int.max { return nil }
      if answer == first {
        popAnswer()
      } else if offer.clock == first {
        if let sent = makeOffer(of: offer.queue, at: first) { return sent }
      } else {
        memory.advance(channel: device.channel, before: first + 1)
        collect(from: device.channel)
      }
    }
  }

  // MARK: Offers

  /// The next engine that offers a burst, and when.
  private func nextOffer() -> (clock: Int, queue: Int) {
    var best = (clock: Int.max, queue: -1)
    var bestTurn = Int.max
    for queue in engines.indices where engines[queue].isSending && engines[queue].hasCredit {
      let scale = ratio.core * engines[queue].linkBytes
      var clock = max((engines[queue].linkReady + scale - 1) / scale, engines[queue].notBefore)
      let address = engines[queue].bursts[engines[queue].next].address
      clock = max(clock, lastOffer[memory.channel(of: address)] + 1)
      let turn = queue > lastServed ? queue : queue + engines.count
      if clock < best.clock || (clock == best.clock && turn < bestTurn) {
        best = (clock, queue)
        bestTurn = turn
      }
    }
    return best
  }

  private func makeOffer(of queue: Int, at clock: Int) -> Event? {
    let next = engines[queue].bursts[engines[queue].next]
    let channel = memory.channel(of: next.address)
    let command = engines[queue].answeredCommands + engines[queue].open.count - engines[queue].firstOpen - 1
    let request = DRAMRequest(address: next.address, isWrite: next.isWrite, tag: command * engines.count + queue)
    guard memory.offer(request, at: clock) else {
      waits.refuse(queue, at: clock)
      // Room comes with the channel's next move, which is an event.
      engines[queue].notBefore = max(clock, memory.nextEventTime(of: channel)) + 1
      return nil
    }
    lastOffer[channel] = clock
    lastServed = queue
    waiting += 1
    engines[queue].inFlight += 1
    engines[queue].next += 1
    waits.take(queue, channel: channel, at: clock, hasCredit: engines[queue].hasCredit)
    // An engine that came late begins a new beat of its link.
    let scale = ratio.core * engines[queue].linkBytes
    if engines[queue].linkReady <= (clock - 1) * scale { engines[queue].linkReady = clock * scale }
    engines[queue].linkReady += burst * ratio.memory
    collect(from: channel)
    guard engines[queue].next == engines[queue].bursts.count else { return nil }
    engines[queue].isSending = false
    return .sent(queue: queue, at: ratio.coreCycle(atOrAfter: clock + 1))
  }

  // MARK: Answers

  private func collect(from channel: Int) {
    memory.takeCompletions(of: channel) { done in
      answers.push(
        Answer(
          time: done.cycle, queue: Int32(done.tag % engines.count), command: Int32(done.tag / engines.count)))
    }
  }

  private func popAnswer() {
    let answer = answers.pop()
    let queue = Int(answer.queue)
    waiting -= 1
    engines[queue].inFlight -= 1
    waits.answer(queue, at: answer.time)
    // A credit that comes free cannot be used before.
    engines[queue].notBefore = max(engines[queue].notBefore, answer.time)
    let index = engines[queue].firstOpen + Int(answer.command) - engines[queue].answeredCommands
    engines[queue].open[index] -= 1
    lastAnswer = answer.time
  }

  /// The oldest command of a queue, when all of its bursts are answered.
  private func takeAnswered() -> Event? {
    for queue in engines.indices {
      let first = engines[queue].firstOpen
      guard first < engines[queue].open.count, engines[queue].open[first] == 0 else { continue }
      engines[queue].firstOpen += 1
      engines[queue].answeredCommands += 1
      if engines[queue].firstOpen == 64 {
        engines[queue].open.removeFirst(64)
        engines[queue].firstOpen = 0
      }
      return .answered(queue: queue, at: ratio.coreCycle(atOrAfter: lastAnswer))
    }
    return nil
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
    memory.advance(before: clocks)
    return (memory.counts(until: clocks).reduce(into: DRAMCounts()) { $0 += $1 }, clocks)
  }
}
