import Foundation
import PantileEngines
import PantileProgram
import PantileSim
import PantileSupport
import PantileTarget
import Testing

/// The port between DMA engines and a DRAM device, against a port that is stepped clock by clock.
struct DRAMPortTests {
  /// The repository.
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  /// The rules of `DRAMPort`, with nothing skipped: each memory clock answers come first, then every channel takes one offer.
  private struct SteppedPort: ~Copyable {
    struct Engine {
      var bursts: [Int] = []
      var isSending = false
      var isWrite = false
      /// In units of 1/(core·link) memory clocks.
      var linkReady = 0
      var inFlight = 0
      var open: [Int] = []
      var answered = 0
      let options: DMAOptions
    }

    let memory: DRAMSystem
    let ratio: ClockRatio
    let burst: Int
    var engines: [Engine]
    var last = -1
    var pending: [DRAMCompletion] = []

    init(_ device: DRAMDevice, _ ratio: ClockRatio, _ dma: [DMAOptions]) {
      memory = DRAMSystem(device)
      self.ratio = ratio
      burst = device.organization.burstBytes
      engines = dma.map { Engine(options: $0) }
    }

    mutating func start(_ queue: Int, _ bursts: [Int], isWrite: Bool, at cycle: Int) {
      engines[queue].bursts = bursts
      engines[queue].isSending = true
      engines[queue].isWrite = isWrite
      engines[queue].linkReady = cycle * ratio.memory * engines[queue].options.linkBytes
      engines[queue].open.append(bursts.count)
    }

    /// One clock; the events of it, in no particular order.
    mutating func step(_ clock: Int) -> [DRAMPort.Event] {
      var events: [DRAMPort.Event] = []
      for done in pending where done.cycle == clock {
        let (queue, command) = (done.tag % engines.count, done.tag / engines.count)
        engines[queue].inFlight -= 1
        engines[queue].open[command] -= 1
      }
      pending.removeAll { $0.cycle == clock }
      for queue in engines.indices {
        while engines[queue].answered < engines[queue].open.count, engines[queue].open[engines[queue].answered] == 0 {
          engines[queue].answered += 1
          events.append(.answered(queue: queue, at: ratio.coreCycle(atOrAfter: clock)))
        }
      }
      var used: Set<Int> = []
      var refused: Set<Int> = []
      while true {
        // The ready engine whose turn is next.
        let order = engines.indices.sorted {
          ($0 > last ? $0 : $0 + engines.count) < ($1 > last ? $1 : $1 + engines.count)
        }
        let ready = order.first { queue in
          let engine = engines[queue]
          let scale = ratio.core * engine.options.linkBytes
          return engine.isSending && !refused.contains(queue) && engine.inFlight < engine.options.outstanding
            && (engine.linkReady + scale - 1) / scale <= clock
            && !used.contains(memory.channel(of: engine.bursts[0] * burst))
        }
        guard let queue = ready else { break }
        let address = engines[queue].bursts[0] * burst
        let tag = (engines[queue].open.count - 1) * engines.count + queue
        guard memory.offer(DRAMRequest(address: address, isWrite: engines[queue].isWrite, tag: tag), at: clock) else {
          refused.insert(queue)
          continue
        }
        used.insert(memory.channel(of: address))
        last = queue
        engines[queue].inFlight += 1
        engines[queue].bursts.removeFirst()
        let scale = ratio.core * engines[queue].options.linkBytes
        if engines[queue].linkReady <= (clock - 1) * scale { engines[queue].linkReady = clock * scale }
        engines[queue].linkReady += burst * ratio.memory
        if engines[queue].bursts.isEmpty {
          engines[queue].isSending = false
          events.append(.sent(queue: queue, at: ratio.coreCycle(atOrAfter: clock + 1)))
        }
      }
      memory.advance(before: clock + 1)
      var fresh: [DRAMCompletion] = []
      memory.takeCompletions { fresh.append($0) }
      pending += fresh
      return events
    }
  }

  private struct Transfer {
    var bursts: [Int]
    var isWrite: Bool
    var pause: Int
  }

  private static func key(_ event: DRAMPort.Event) -> (Int, Int, Int) {
    switch event {
    case .sent(let queue, let at): return (at, queue, 0)
    case .answered(let queue, let at): return (at, queue, 1)
    }
  }

  private static func sorted(_ events: [DRAMPort.Event]) -> [DRAMPort.Event] { events.sorted { key($0) < key($1) } }

  @Test(arguments: ["ddr4-2400-x64", "hbm2-8ch"], [1_000_000_000, 700_000_000])
  func equalsTheSteppedPort(_ name: String, _ clock: Int) throws {
    for remembers in [false, true] { try compare(name, clock, remembers: remembers) }
  }

  private func compare(_ name: String, _ clock: Int, remembers: Bool) throws {
    let device = try DRAMDevice.load(name, root: Self.root)
    let ratio = try #require(ClockRatio(core: Hertz(Double(clock)), memory: device.clockPeriod))
    for seed in 0..<12 {
      var random = SplitMix64(seed: UInt64(seed))
      let dma = (0..<2).map { _ in
        DMAOptions(linkBytes: 8 << random.next(below: 6), outstanding: 1 + random.next(below: 40))
      }
      // Each queue has its list of transfers; the next begins a pause after the last was sent.
      let lists: [[Transfer]] = (0..<2).map { _ in
        (0..<(2 + random.next(below: 5))).map { _ in
          let base = random.next(below: 1 << 20)
          let stride = [1, 1, 1, 128, 4099][random.next(below: 5)]
          return Transfer(
            bursts: (0..<(1 + random.next(below: 120))).map { base + $0 * stride },
            isWrite: random.next(below: 3) == 0, pause: random.next(below: 200))
        }
      }
      let port = DRAMPort(device, ratio: ratio, dma: dma, remembers: remembers)
      var stepped = SteppedPort(device, ratio, dma)
      var starts: [(cycle: Int, queue: Int)] = [(lists[0][0].pause, 0), (lists[1][0].pause, 1)]
      var next = [0, 0]
      var seen: [DRAMPort.Event] = []
      while true {
        starts.sort { $0 < $1 }
        let limit = starts.first?.cycle
        if let event = port.serve(before: limit) {
          seen.append(event)
          if case .sent(let queue, let at) = event, next[queue] < lists[queue].count {
            starts.append((at + lists[queue][next[queue]].pause, queue))
          }
          continue
        }
        guard let begin = starts.first else { break }
        starts.removeFirst()
        let transfer = lists[begin.queue][next[begin.queue]]
        next[begin.queue] += 1
        port.start(queue: begin.queue, at: begin.cycle) { list in
          for burst in transfer.bursts { list.append(burst..<(burst + 1), isWrite: transfer.isWrite) }
        }
      }
      // The same starts, clock by clock.
      var wanted: [DRAMPort.Event] = []
      var due: [(cycle: Int, queue: Int)] = [(lists[0][0].pause, 0), (lists[1][0].pause, 1)]
      var begun = [0, 0]
      let total = lists.reduce(0) { $0 + $1.count } * 2
      var now = 0
      while wanted.count < total, now < 2_000_000 {
        for begin in due.sorted(by: { $0 < $1 }) where ratio.memoryClock(atOrAfter: begin.cycle) <= now {
          let transfer = lists[begin.queue][begun[begin.queue]]
          begun[begin.queue] += 1
          stepped.start(begin.queue, transfer.bursts, isWrite: transfer.isWrite, at: begin.cycle)
        }
        due.removeAll { ratio.memoryClock(atOrAfter: $0.cycle) <= now }
        for event in stepped.step(now) {
          wanted.append(event)
          if case .sent(let queue, let at) = event, begun[queue] < lists[queue].count {
            due.append((at + lists[queue][begun[queue]].pause, queue))
          }
        }
        now += 1
      }
      #expect(Self.sorted(seen) == Self.sorted(wanted), "seed \(seed), remembers: \(remembers)")
    }
  }

  /// Twice the bandwidth of a device halves a long copy whose link is no limit, whatever the device's address map says of channels.
  @Test(arguments: ["ddr4-2400-x64", "hbm2-8ch", "lpddr4-2400-x64"])
  func twiceTheBandwidthHalvesALongCopy(_ name: String) throws {
    let device = try DRAMDevice.load(name, root: Self.root)
    var program = Program(name: "copy")
    let dram = program.add(memory: .init(name: "dram", kind: .dram, bytes: 1 << 22))
    let spad = program.add(memory: .init(name: "spad", kind: .scratchpad, bytes: 1 << 20, banks: 8))
    let layer = program.add(layer: .init(name: "l", nodes: [], kind: "copy", macs: 0))
    func access(_ memory: MemoryID) -> AddressGenerator {
      AddressGenerator(memory: memory, baseBits: Affine(0), elementBits: 8, dims: [.init(1 << 20, strideBits: 8)])
    }
    let copy = Command(.copy(Copy(from: access(dram), to: access(spad))), layer: layer)
    _ = program.add(queue: .init(core: "core0", engine: "dma0", body: [.command(copy)]))
    let machine = Machine(
      chipName: "c", chipHash: "", clock: Hertz(1_000_000_000),
      memories: [
        .init(name: "dram", kind: .dram, bytes: 1 << 22, device: device),
        .init(name: "spad", kind: .scratchpad, bytes: 1 << 20, banks: 8),
      ],
      engines: [.init(name: "dma0", unit: .dma(DMAOptions(linkBytes: 4096, outstanding: 4096)))])
    let change = try #require(MachineChange.all.first { $0.name == "twice the DRAM bandwidth" })
    let changed = try #require(change.changed(machine)).machine
    let before = try TimingRun(program, on: machine).run().cycles
    let after = try TimingRun(program, on: changed).run().cycles
    // A map that leaves a copy on one of several channels gains more than its share of the new ones.
    #expect(Double(after) < 0.56 * Double(before), "\(before) -> \(after)")
  }

  /// A copy inside the DRAM reads and writes it.
  @Test func copiesInsideTheDeviceReadAndWrite() throws {
    let device = try DRAMDevice.load("ddr4-2400-x64", root: Self.root)
    var program = Program(name: "inside")
    let dram = program.add(memory: .init(name: "dram", kind: .dram, bytes: 1 << 20))
    let layer = program.add(layer: .init(name: "l", nodes: [], kind: "copy", macs: 0))
    func access(_ base: Int) -> AddressGenerator {
      AddressGenerator(
        memory: dram, baseBits: Affine(base * 8), elementBits: 8, dims: [.init(4096, strideBits: 8)])
    }
    let copy = Command(.copy(Copy(from: access(0), to: access(65_536))), layer: layer)
    _ = program.add(queue: .init(core: "core0", engine: "dma0", body: [.command(copy)]))
    let machine = Machine(
      chipName: "c", chipHash: "", clock: Hertz(1_000_000_000),
      memories: [.init(name: "dram", kind: .dram, bytes: 1 << 20, device: device)],
      engines: [.init(name: "dma0", unit: .dma(DMAOptions(linkBytes: 64, outstanding: 8)))])
    let result = try TimingRun(program, on: machine).run()
    let counts = Dictionary(uniqueKeysWithValues: result.actions.map { ($0.name, $0.count) })
    #expect(counts["dram.read_burst"] == 64)
    // Writes are posted: the run ends when the last is taken, with some still in the controller's queue.
    #expect((1...64).contains(counts["dram.write_burst"] ?? 0))
    #expect(counts["dram.write_bytes"] == 4096)
  }
}
