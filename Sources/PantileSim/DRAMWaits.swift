import PantileEngines

/// What DMA engines in front of a DRAM device wait for: clocks without a credit, clocks in front of a full queue, and what the
/// channels' data buses did meanwhile.
///
/// **Accuracy** credits and refusals are exact. Which of a transfer's idle cycles are due to rows, refreshes, turnarounds, bank groups
/// and other engines is a split by share: in proportion to the clocks that these took, from the transfer's start until it is sent, from
/// the channels that it uses.
struct DRAMWaits {
  /// **Units** memory clocks.
  private struct Engine {
    var credit = 0
    var refused = 0
    /// Since when there is no credit, or the queue refuses; -1 when it is not so.
    var creditSince = -1
    var refusedSince = -1
  }

  /// As it stood when an engine's transfer began.
  private struct Snapshot {
    var credit = 0
    var refused = 0
    var taken: [Int] = []
    var gaps: [DRAMGaps] = []
  }

  private let channels: Int
  private let burstClocks: Int
  private var engines: [Engine]
  /// Bursts taken so far, by queue, then channel.
  private var taken: [Int]
  private var snapshots: [Snapshot]

  init(queues: Int, channels: Int, burstClocks: Int) {
    self.channels = channels
    self.burstClocks = burstClocks
    engines = Array(repeating: Engine(), count: queues)
    taken = Array(repeating: 0, count: queues * channels)
    snapshots = Array(repeating: Snapshot(), count: queues)
  }

  /// A transfer begins in a clock.
  mutating func start(_ queue: Int, at clock: Int, gaps: (Int) -> DRAMGaps) {
    if engines[queue].creditSince >= 0 { engines[queue].creditSince = clock }
    snapshots[queue].credit = engines[queue].credit
    snapshots[queue].refused = engines[queue].refused
    snapshots[queue].taken.removeAll(keepingCapacity: true)
    snapshots[queue].taken.append(contentsOf: taken)
    snapshots[queue].gaps.removeAll(keepingCapacity: true)
    for channel in 0..<channels { snapshots[queue].gaps.append(gaps(channel)) }
  }

  @inline(__always) mutating func refuse(_ queue: Int, at clock: Int) {
    if engines[queue].refusedSince < 0 { engines[queue].refusedSince = clock }
  }

  /// A burst was taken; `hasCredit` says whether another may follow.
  @inline(__always) mutating func take(_ queue: Int, channel: Int, at clock: Int, hasCredit: Bool) {
    taken[queue &* channels &+ channel] &+= 1
    if engines[queue].refusedSince >= 0 {
      engines[queue].refused &+= clock &- engines[queue].refusedSince
      engines[queue].refusedSince = -1
    }
    if !hasCredit { engines[queue].creditSince = clock }
  }

  @inline(__always) mutating func answer(_ queue: Int, at clock: Int) {
    guard engines[queue].creditSince >= 0 else { return }
    engines[queue].credit &+= max(0, clock &- engines[queue].creditSince)
    engines[queue].creditSince = -1
  }

  // MARK: In one stretch

  /// Waits of an engine: sums, and since when it waits; nil where it does not.
  struct Clocks: BitwiseCopyable {
    var credit = 0
    var refused = 0
    var creditSince: Int?
    var refusedSince: Int?
  }

  func clocks(of queue: Int) -> Clocks {
    let engine = engines[queue]
    return Clocks(
      credit: engine.credit, refused: engine.refused,
      creditSince: engine.creditSince < 0 ? nil : engine.creditSince,
      refusedSince: engine.refusedSince < 0 ? nil : engine.refusedSince)
  }

  /// A stretch has added to the sums of an engine; what it waits for at the end counts from `end`.
  mutating func add(_ clocks: Clocks, to queue: Int, at end: Int) {
    engines[queue].credit &+= clocks.credit
    engines[queue].refused &+= clocks.refused
    engines[queue].creditSince = clocks.creditSince.map { end &+ $0 } ?? -1
    engines[queue].refusedSince = clocks.refusedSince.map { end &+ $0 } ?? -1
  }

  /// Bursts that a channel has taken.
  @inline(__always) mutating func take(_ count: Int, of queue: Int, channel: Int) {
    taken[queue &* channels &+ channel] &+= count
  }

  func taken(of queue: Int, channel: Int) -> Int { taken[queue &* channels &+ channel] }

  /// Splits the idle cycles of a transfer that has just been sent.
  ///
  /// - Parameters:
  ///   - cycles: to split; the parts add up to it.
  ///   - ownClocks: memory clocks that its bursts take at the device's full bandwidth.
  func split(_ cycles: Int, of queue: Int, ownClocks: Int, gaps: (Int) -> DRAMGaps) -> [(
    kind: StallCause.Kind, cycles: Int
  )] {
    let before = snapshots[queue]
    var meanwhile = DRAMGaps()
    var others = 0
    var (active, most) = (0, 0)
    for channel in 0..<channels {
      let own = taken[queue * channels + channel] - before.taken[queue * channels + channel]
      guard own > 0 else { continue }
      active += 1
      most = max(most, own * burstClocks)
      meanwhile += gaps(channel) - before.gaps[channel]
      for other in engines.indices where other != queue {
        others += (taken[other * channels + channel] - before.taken[other * channels + channel]) * burstClocks
      }
    }
    // What the channels do not explain: nobody asked, or one channel has more than its share of the bursts. The port knows why.
    let rest = meanwhile.idle + max(0, most - ownClocks) * active
    let credit = engines[queue].credit - before.credit
    let refused = engines[queue].refused - before.refused
    let atPort = Shares.split(rest, over: credit + refused > 0 ? [credit, refused] : [1, 0])
    let kinds: [(StallCause.Kind, Int)] = [
      (.credit, atPort[0]), (.queueFull, atPort[1]), (.rowMiss, meanwhile.row), (.refresh, meanwhile.refresh),
      (.turnaround, meanwhile.turnaround), (.bankGroup, meanwhile.group), (.bus, others),
    ]
    let weights = kinds.map(\.1)
    guard weights.contains(where: { $0 > 0 }) else {
      return [(refused > credit ? .queueFull : .credit, cycles)]
    }
    return zip(kinds, Shares.split(cycles, over: weights)).map { ($0.0, $1) }
  }
}
