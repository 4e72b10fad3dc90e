import PantileEngines
import PantileProgram
import PantileSim
import PantileSupport
import Testing

/// The bus against its definition, one burst after the other in lists that never forget.
@Suite struct DRAMBusTests {
  /// A transfer and when its last burst left the bus and was answered.
  struct Record: Equatable {
    var queue: Int
    var sent: Int
    var answered: Int
  }

  /// Round robin by definition; times in units of 1/numerator of a cycle.
  struct Definition {
    let memory: Machine.Memory
    let dma: [DMAOptions]
    var answers: [[Int]]
    var ready: [Int?]
    var remaining: [Int]
    var latest: [Int]
    var free = 0
    var last = -1

    init(_ memory: Machine.Memory, _ dma: [DMAOptions]) {
      self.memory = memory
      self.dma = dma
      answers = dma.map { _ in [] }
      ready = dma.map { _ in nil }
      remaining = dma.map { _ in 0 }
      latest = dma.map { _ in 0 }
    }

    func credit(_ queue: Int) -> Int {
      let place = answers[queue].count - dma[queue].outstanding
      return place < 0 ? 0 : answers[queue][place]
    }

    mutating func start(_ queue: Int, _ bursts: Int, at cycle: Int) {
      ready[queue] = max(cycle * memory.bandwidthNumerator, credit(queue))
      remaining[queue] = bursts
      latest[queue] = 0
    }

    /// Serves a burst; what it ends, if it ends a transfer.
    mutating func step() -> Record? {
      let start = max(free, ready.compactMap { $0 }.min() ?? 0)
      let order = dma.indices.sorted { ($0 > last ? 0 : 1, $0) < ($1 > last ? 0 : 1, $1) }
      guard let queue = order.first(where: { (ready[$0] ?? .max) <= start }) else { return nil }
      last = queue
      free = start + memory.burst * memory.bandwidthDenominator
      let left = (free + memory.bandwidthNumerator - 1) / memory.bandwidthNumerator
      answers[queue].append((left + memory.latency) * memory.bandwidthNumerator)
      latest[queue] = max(latest[queue], left + memory.latency)
      let link = dma[queue].linkBytes
      let spacing = (memory.burst * memory.bandwidthNumerator + link - 1) / link
      ready[queue] = max(start + spacing, credit(queue))
      remaining[queue] -= 1
      guard remaining[queue] == 0 else { return nil }
      ready[queue] = nil
      return Record(queue: queue, sent: left, answered: latest[queue])
    }
  }

  @Test(arguments: 0..<200)
  func equalsItsDefinition(_ seed: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    func up(to most: Int) -> Int { 1 + random.next(below: most) }
    let memory = Machine.Memory(
      name: "dram", kind: .dram, bytes: 1 << 20, bandwidthNumerator: up(to: 40), bandwidthDenominator: up(to: 3),
      latency: random.next(below: 60), burst: 8 << random.next(below: 4))
    let dma = (0..<up(to: 3)).map { _ in DMAOptions(linkBytes: up(to: 64), outstanding: up(to: 12)) }
    var bus = DRAMBus(memory, dma: dma)
    var definition = Definition(memory, dma)
    var now = 0
    for queue in dma.indices {
      let bursts = up(to: 40)
      bus.start(queue: queue, bursts: bursts, at: now)
      definition.start(queue, bursts, at: now)
    }
    for _ in 0..<60 {
      var expected: Record?
      while expected == nil { expected = definition.step() }
      // In pieces, as events of other engines cut it.
      var done: DRAMBus.Done?
      while done == nil { done = bus.serve(before: (bus.nextStart ?? 0) + up(to: 9)) }
      #expect(done.map { Record(queue: $0.queue, sent: $0.sent, answered: $0.answered) } == expected)
      guard let queue = expected?.queue, let sent = expected?.sent else { return }
      // At times a queue rests, so that others are alone.
      now = max(now, sent)
      let next = random.next(below: 3) == 0 ? definition.ready.firstIndex { $0 == nil } ?? queue : queue
      let isAlone = definition.ready.allSatisfy { $0 == nil }
      guard definition.ready[next] == nil, isAlone || random.next(below: 2) == 0 else { continue }
      let bursts = up(to: 40)
      bus.start(queue: next, bursts: bursts, at: now)
      definition.start(next, bursts, at: now)
    }
  }

  /// A bus that writes down its bursts takes every one in turn; one that does not serves a transfer without company in one go.
  @Test(arguments: 0..<200)
  func servesATransferWithoutCompanyAsAnyOther(_ seed: Int) {
    var random = SplitMix64(seed: 500 + UInt64(seed))
    func up(to most: Int) -> Int { 1 + random.next(below: most) }
    let memory = Machine.Memory(
      name: "dram", kind: .dram, bytes: 1 << 20, bandwidthNumerator: up(to: 40), bandwidthDenominator: up(to: 3),
      latency: random.next(below: 60), burst: 8 << random.next(below: 4))
    let dma = (0..<up(to: 2)).map { _ in DMAOptions(linkBytes: up(to: 64), outstanding: up(to: 12)) }
    let latencies = (0..<random.next(below: 30)).map { _ in random.next(below: 60) }
    var quick = DRAMBus(memory, dma: dma, latencies: latencies)
    var slow = DRAMBus(memory, dma: dma, latencies: latencies, isLogging: true)
    var isRunning = dma.map { _ in false }
    var now = 0
    for _ in 0..<80 {
      let queue = random.next(below: dma.count)
      if !isRunning[queue] {
        let bursts = up(to: 40)
        quick.start(queue: queue, bursts: bursts, at: now)
        slow.start(queue: queue, bursts: bursts, at: now)
        isRunning[queue] = true
      }
      let limit = (quick.nextStart ?? 0) + up(to: 30)
      let (a, b) = (quick.serve(before: limit), slow.serve(before: limit))
      #expect(a?.queue == b?.queue && a?.sent == b?.sent && a?.answered == b?.answered)
      #expect(a?.waits.credit == b?.waits.credit && a?.waits.bus == b?.waits.bus)
      #expect(quick.nextStart == slow.nextStart && quick.leastEnd(of: 9_999) == slow.leastEnd(of: 9_999))
      if let a {
        isRunning[a.queue] = false
        now = max(now, a.sent)
      } else {
        now = max(now, limit)
      }
    }
  }
}
