import Foundation
import PantileEngines
import PantileProgram
import PantileSim
import PantileSupport
import PantileTarget
import Testing

/// What a port skips by memory is what it does step by step: events, counts, and why copies waited.
@Suite struct StreamMemoTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  static let devices = ["ddr4-2400-x64", "hbm2-8ch", "lpddr4-2400-x64", "ddr3-2133-2ch"]

  /// A Program that loads tile after tile, as networks do: streams in turn and again, tiles of rows far apart, small copies in between,
  /// stores now and then, and an engine that takes its time with what was loaded.
  private static func sample(_ device: DRAMDevice, seed: UInt64) -> (program: Program, machine: Machine) {
    var random = SplitMix64(seed: seed)
    let (dramBytes, spadBytes) = (1 << 28, 1 << 20)
    var program = Program(name: "tiles")
    let dram = program.add(memory: .init(name: "dram", kind: .dram, bytes: dramBytes))
    let spad = program.add(memory: .init(name: "spad", kind: .scratchpad, bytes: spadBytes, banks: 8))
    let layer = program.add(layer: .init(name: "l", nodes: [], kind: "copy", macs: 0))
    let load = program.add(queue: .init(core: "core0", engine: "dma0", body: []))
    let store = program.add(queue: .init(core: "core0", engine: "dma1", body: []))

    func access(_ memory: MemoryID, _ base: Affine, _ bytes: Int, rows: Int = 1, pitch: Int = 0) -> AddressGenerator {
      AddressGenerator(
        memory: memory, baseBits: base, elementBits: 8,
        dims: [.init(rows, strideBits: 8 * (memory == spad ? bytes : pitch)), .init(bytes, strideBits: 8)])
    }
    var loads: [Program.Node] = []
    var stores: [Program.Node] = []
    for _ in 0..<(2 + random.next(below: 4)) {
      let bytes = [4096, 16_384, 65_536, 10_000][random.next(below: 4)]
      let trips = 8 + random.next(below: 40)
      let base = 16_384 * random.next(below: 512) + [0, 0, 192][random.next(below: 3)]
      let rows = random.next(below: 4) == 0 ? 8 : 1
      // Some tiles are the same again and again, most follow one another.
      let step = random.next(below: 5) == 0 ? 0 : bytes
      let space = program.add(
        channel: .init(
          name: "space\(loads.count)", role: .space, producer: store, consumer: load, initial: 2, capacity: 2))
      let data = program.add(
        channel: .init(
          name: "data\(loads.count)", role: .data, producer: load, consumer: store, initial: 0, capacity: 2))
      let from = Affine(8 * base, [.init(depth: 0, coefficient: 8 * step)])
      var body: [Program.Node] = [
        .command(
          Command(
            .copy(
              Copy(
                from: access(dram, from, bytes / rows, rows: rows, pitch: 4 * bytes),
                to: access(spad, Affine(0), bytes / rows, rows: rows))),
            layer: layer, waits: [Wait(space)], signals: [Signal(data, at: .written)]))
      ]
      if random.next(below: 2) == 0 {
        let small = access(dram, Affine(8 * (1 << 27), [.init(depth: 0, coefficient: 8 * 1536)]), 1536)
        body.append(.command(Command(.copy(Copy(from: small, to: access(spad, Affine(8 << 19), 1536))), layer: layer)))
      }
      loads.append(.loop(count: trips, body))
      // The other engine reads what came in; now and then it writes to the DRAM.
      let isStoring = random.next(below: 3) == 0
      let target =
        isStoring
        ? access(dram, Affine(8 * (3 << 26), [.init(depth: 0, coefficient: 8 * 512)]), 512)
        : access(spad, Affine(8 << 18), 512)
      stores.append(
        .loop(
          count: trips,
          [
            .command(
              Command(
                .copy(Copy(from: access(spad, Affine(0), 512), to: target)), layer: layer, waits: [Wait(data)],
                signals: [Signal(space, at: .written)]))
          ]))
    }
    program.queues[load.offset].body = loads
    program.queues[store.offset].body = stores
    let links = [64, 256]
    let machine = Machine(
      chipName: "c", chipHash: "", clock: Hertz([1_000_000_000, 700_000_000][random.next(below: 2)]),
      memories: [
        .init(name: "dram", kind: .dram, bytes: dramBytes, device: device),
        .init(name: "spad", kind: .scratchpad, bytes: spadBytes, banks: 8),
      ],
      engines: [
        .init(
          name: "dma0",
          unit: .dma(DMAOptions(linkBytes: links[random.next(below: 2)], outstanding: 8 + random.next(below: 120)))),
        .init(name: "dma1", unit: .dma(DMAOptions(linkBytes: 64, outstanding: 8))),
      ])
    return (program, machine)
  }

  @Test(arguments: devices, 0..<12)
  func aTimingRunIsTheSame(_ name: String, _ seed: Int) throws {
    let sample = Self.sample(try DRAMDevice.load(name, root: Self.root), seed: UInt64(seed))
    let stepped = try TimingRun(sample.program, on: sample.machine).run()
    var options = TimingRun.Options()
    options.remembers = true
    let recalled = try TimingRun(sample.program, on: sample.machine, options: options).run()
    #expect(recalled.cycles == stepped.cycles)
    #expect(recalled.activities == stepped.activities)
    #expect(recalled.actions == stepped.actions)
    #expect(try CycleRun(sample.program, on: sample.machine).run() == stepped.cycles)
  }

  @Test(arguments: devices, 0..<6)
  func repeatedRunsAreTheSame(_ name: String, _ seed: Int) throws {
    let sample = Self.sample(try DRAMDevice.load(name, root: Self.root), seed: 100 + UInt64(seed))
    let stepped = try CycleRun(sample.program, on: sample.machine).run(times: 12)
    #expect(try CycleRun(sample.program, on: sample.machine, remembers: true).run(times: 12) == stepped)
    #expect(stepped[0] == (try TimingRun(sample.program, on: sample.machine).run().cycles))
    #expect(zip(stepped, stepped.dropFirst()).allSatisfy { $0 < $1 })
  }

  /// A stream comes again row after row and time after time: hardly anything of it is stepped, and it is answered when a stepped port
  /// answers it.
  @Test(arguments: devices) func streamsAreRecalled(_ name: String) throws {
    let device = try DRAMDevice.load(name, root: Self.root)
    let ratio = try #require(ClockRatio(core: Hertz(1_000_000_000), memory: device.clockPeriod))
    let bursts = 1 << 17
    func answer(remembers: Bool) -> (answered: DRAMPort.Event?, recalled: Int) {
      let dma = DMAOptions(linkBytes: 256, outstanding: 64)
      let port = DRAMPort(device, ratio: ratio, dma: [dma], remembers: remembers)
      port.start(queue: 0, at: 5) { $0.append(0..<bursts, isWrite: false) }
      var last: DRAMPort.Event?
      while let event = port.serve(before: nil) { last = event }
      return (last, port.recalledHops)
    }
    let (stepped, none) = answer(remembers: false)
    let (recalled, many) = answer(remembers: true)
    #expect(recalled == stepped)
    #expect(none == 0)
    // There are as many hops as pieces of 256 bursts, and a few.
    #expect(many > bursts / 256 / 4, "\(many) hops of \(bursts / 256) recalled")
  }

  /// On a plain memory a time is as long as another, but for what the memory still owes.
  @Test func repeatsOnPlainMemories() throws {
    var sample = Self.sample(try DRAMDevice.load("ddr4-2400-x64", root: Self.root), seed: 3)
    sample.machine.memories[0].device = nil
    let once = try CycleRun(sample.program, on: sample.machine).run()
    #expect(try CycleRun(sample.program, on: sample.machine).run(times: 4) == (1...4).map { $0 * once })
  }

  /// Neighbouring bursts that belong to one row of each channel, counted burst by burst.
  @Test(arguments: devices) func stripesLieInOneRow(_ name: String) throws {
    let device = try DRAMDevice.load(name, root: Self.root)
    let stripe = device.addressMap.stripe(in: device.organization)
    func place(_ burst: Int) -> [Int] {
      [DRAMAddressMap.Field.rank, .group, .bank, .row].map { field in
        let (shift, width) = device.addressMap.bits(of: field, in: device.organization)
        return burst >> shift & (1 << width - 1)
      }
    }
    for start in [0, 5 * stripe, 1000 * stripe] {
      #expect((start..<(start + stripe)).allSatisfy { place($0) == place(start) })
      #expect(place(start + stripe) != place(start))
    }
  }
}
