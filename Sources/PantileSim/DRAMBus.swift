import PantileEngines

/// The data bus of one DRAM, shared by DMA engines burst by burst in round-robin order.
///
/// Times inside are in units of 1/numerator of a cycle, so that fractional bandwidths stay exact.
package struct DRAMBus {
  /// One engine's running command.
  private struct Transfer {
    var queue: Int
    var remaining: Int
    /// Earliest start of the next burst, scaled.
    var ready: Int
    /// The latest answer so far, a cycle: with latencies of their own, bursts may be answered out of order.
    var answered = 0
    /// Scaled: its last burst has left the bus and the link by then; waits of the transfer for credits and for the bus so far.
    var ownEnd: Int
    var creditWait: Int
    var busWait = 0
  }

  /// A transfer whose last burst has left the bus.
  package struct Done {
    package var queue: Int
    /// The cycle after its last burst left the bus.
    package var sent: Int
    /// The cycle in which all its bursts are answered.
    package var answered: Int
    fileprivate var creditWait: Int
    fileprivate var busWait: Int
    fileprivate var scale: Int

    /// Whole cycles of waiting for credits, and for the bus while others held it. **Accuracy** exact, their sum rounded down.
    package var waits: (credit: Int, bus: Int) {
      let waits = creditWait + busWait
      if waits == 0 { return (0, 0) }
      let parts = Shares.split(waits / scale, over: [creditWait, busWait])
      return (parts[0], parts[1])
    }
  }

  /// When each of an engine's last `outstanding` bursts is answered (scaled), as a ring: the oldest, at `head`, must be
  /// answered before the next burst starts. It outlives commands, because bursts of several may be in flight.
  private struct Credits {
    var answers: [Int]
    var head = 0
  }

  private let scale: Int
  private let service: Int
  private let latency: Int
  /// Latency of the k-th burst, as far as the list goes; then `latency`.
  private let latencies: [Int]
  private var served = 0
  /// Start and answer of every burst, if they are wanted.
  private(set) var log: [(start: Int, answered: Int, queue: Int)] = []
  private let isLogging: Bool
  private var free = 0
  private var transfers: [Transfer] = []
  private var lastServed = -1
  /// Scaled distance of two bursts of one engine that its link allows, by queue.
  private let linkSpacing: [Int]
  private var credits: [Credits]

  /// - Parameters:
  ///   - dma: the options of each queue's engine; nil where it is no DMA.
  ///   - latencies: of the first bursts, in the order in which they start; the others have the memory's.
  ///   - isLogging: whether `log` is kept.
  package init(_ memory: Machine.Memory, dma: [DMAOptions?], latencies: [Int] = [], isLogging: Bool = false) {
    self.latencies = latencies
    self.isLogging = isLogging
    scale = memory.bandwidthNumerator
    service = memory.burst * memory.bandwidthDenominator
    latency = memory.latency
    linkSpacing = dma.map { options in
      guard let options else { return 0 }
      return (memory.burst * memory.bandwidthNumerator + options.linkBytes - 1) / options.linkBytes
    }
    credits = dma.map { Credits(answers: [Int](repeating: 0, count: max(1, $0?.outstanding ?? 1))) }
  }

  /// Cycles that `bursts` of one engine keep the bus busy, rounded up.
  package func ownCycles(_ bursts: Int) -> Int { (bursts * service + scale - 1) / scale }

  /// A cycle before which the last of `bursts` is not answered, of those that were served included.
  package func leastEnd(of bursts: Int) -> Int {
    (free + (bursts - served) * service + scale - 1) / scale + (latencies.isEmpty ? latency : 0)
  }

  /// A command's transfer begins; a queue has at most one.
  package mutating func start(queue: Int, bursts: Int, at cycle: Int) {
    let credit = credits[queue].answers[credits[queue].head]
    let begin = cycle * scale
    transfers.append(
      Transfer(
        queue: queue, remaining: bursts, ready: max(begin, credit), ownEnd: begin, creditWait: max(0, credit - begin)))
    transfers.sort { $0.queue < $1.queue }
  }

  /// The cycle in which the next burst starts; nil when nobody asks for one.
  package var nextStart: Int? {
    var earliest = Int.max
    for transfer in transfers { earliest = min(earliest, transfer.ready) }
    return transfers.isEmpty ? nil : max(free, earliest) / scale
  }

  /// Serves bursts that start before `limit` (a cycle), until a transfer is done.
  ///
  package mutating func serve(before limit: Int?) -> Done? {
    let end = limit.map { $0 * scale } ?? Int.max
    if transfers.count == 1, !isLogging { return serveAlone(before: end) }
    while !transfers.isEmpty {
      // The next burst starts when the bus is free and someone is ready; among the ready, round robin.
      var earliest = Int.max
      for transfer in transfers { earliest = min(earliest, transfer.ready) }
      let start = max(free, earliest)
      if start >= end { return nil }
      var chosen = -1
      for offset in 1...transfers.count {
        let base = transfers.firstIndex { $0.queue > lastServed } ?? 0
        let index = (base + offset - 1) % transfers.count
        if transfers[index].ready <= start {
          chosen = index
          break
        }
      }
      let queue = transfers[chosen].queue
      lastServed = queue
      free = start + service
      let answered = (free + scale - 1) / scale + (served < latencies.count ? latencies[served] : latency)
      served += 1
      if isLogging { log.append((start / scale, answered, queue)) }
      transfers[chosen].answered = max(transfers[chosen].answered, answered)
      let head = credits[queue].head
      credits[queue].answers[head] = answered * scale
      let next = head + 1 == credits[queue].answers.count ? 0 : head + 1
      credits[queue].head = next
      let credit = credits[queue].answers[next]
      transfers[chosen].busWait += start - max(transfers[chosen].ownEnd, transfers[chosen].ready)
      transfers[chosen].ownEnd = start + max(service, linkSpacing[queue])
      transfers[chosen].ready = max(start + linkSpacing[queue], credit)
      transfers[chosen].remaining -= 1
      if transfers[chosen].remaining == 0 {
        return done(transfers.remove(at: chosen))
      }
      transfers[chosen].creditWait += max(0, credit - transfers[chosen].ownEnd)
    }
    return nil
  }

  /// As `serve`, of the only transfer: nobody takes turns. `end` is scaled.
  private mutating func serveAlone(before end: Int) -> Done? {
    var transfer = transfers[0]
    let queue = transfer.queue
    let (scale, service, spacing) = (scale, service, linkSpacing[queue])
    let (latencies, latency) = (latencies, latency)
    var (free, served, head) = (free, served, credits[queue].head)
    // What times lie past whole cycles is carried along: a division for each burst would be most of the work.
    let (serviceOver, spacingOver) = (service % scale, spacing % scale)
    var (freeOver, readyOver) = (free % scale, transfer.ready % scale)
    func wrapped(_ over: Int) -> Int { over >= scale ? over - scale : over }
    var answered = transfer.answered * scale
    credits[queue].answers.withUnsafeMutableBufferPointer { answers in
      while true {
        let start = max(free, transfer.ready)
        if start >= end { break }
        let over = start == free ? freeOver : readyOver
        free = start + service
        freeOver = wrapped(over + serviceOver)
        let left = freeOver == 0 ? free : free - freeOver + scale
        let answer = left + (served < latencies.count ? latencies[served] : latency) * scale
        served += 1
        answered = max(answered, answer)
        answers[head] = answer
        head = head + 1 == answers.count ? 0 : head + 1
        // Answers come in whole cycles.
        let credit = answers[head]
        transfer.busWait += start - max(transfer.ownEnd, transfer.ready)
        transfer.ownEnd = start + max(service, spacing)
        (transfer.ready, readyOver) =
          start + spacing > credit ? (start + spacing, wrapped(over + spacingOver)) : (credit, 0)
        transfer.remaining -= 1
        if transfer.remaining == 0 { break }
        transfer.creditWait += max(0, credit - transfer.ownEnd)
      }
    }
    credits[queue].head = head
    (self.free, self.served) = (free, served)
    transfer.answered = answered / scale
    if transfer.remaining > 0 {
      // It may have taken turns before it was alone.
      if transfer.remaining != transfers[0].remaining { lastServed = queue }
      transfers[0] = transfer
      return nil
    }
    lastServed = queue
    transfers.removeAll(keepingCapacity: true)
    return done(transfer)
  }

  private func done(_ transfer: Transfer) -> Done {
    Done(
      queue: transfer.queue, sent: (free + scale - 1) / scale, answered: transfer.answered,
      creditWait: transfer.creditWait, busWait: transfer.busWait, scale: scale)
  }
}
