import Foundation
import PantileEngines
import PantileProgram
import PantileSim
import PantileSupport
import PantileTarget
import Testing

/// Every cause of a copy's idle cycles, each in a case in which no other can appear.
struct StallCauseTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  /// Copies from DRAM in two layers; the first warms the device up, the second is looked at.
  private struct Case {
    /// Byte addresses of the bursts of each engine's copy in a layer: a start, a stride, and how many.
    var streams: [(start: Int, stride: Int)] = [(0, 64)]
    var bursts = 256
    var outstanding = 512
    var linkBytes = 64
    /// The engines that write instead.
    var writers: Set<Int> = []
    var memory = Machine.Memory(
      name: "dram", kind: .dram, bytes: 1 << 34, bandwidthNumerator: 16, bandwidthDenominator: 1, latency: 20, burst: 64
    )
    /// Copies of each engine and layer.
    var copies = 1

    func run() throws -> TimingResult {
      var program = Program(name: "copies")
      let dram = program.add(memory: .init(name: "dram", kind: .dram, bytes: 1 << 34))
      let spad = program.add(memory: .init(name: "spad", kind: .scratchpad, bytes: 1 << 20, banks: 16))
      let layers = (0..<2).map { program.add(layer: .init(name: "l\($0)", nodes: [], kind: "copy", macs: 0)) }
      for (index, stream) in streams.enumerated() {
        let outside = AddressGenerator(
          memory: dram, baseBits: Affine(stream.start * 8), elementBits: 8,
          dims: [.init(bursts, strideBits: stream.stride * 8), .init(64, strideBits: 8)])
        let inside = AddressGenerator(
          memory: spad, baseBits: Affine(index * (1 << 19) * 8), elementBits: 8,
          dims: [.init(bursts, strideBits: 64 * 8), .init(64, strideBits: 8)])
        let copy = writers.contains(index) ? Copy(from: inside, to: outside) : Copy(from: outside, to: inside)
        let body: [Program.Node] = layers.map { layer in
          .loop(count: copies, [.command(Command(.copy(copy), layer: layer))])
        }
        _ = program.add(queue: .init(core: "core0", engine: "dma\(index)", body: body))
      }
      let machine = Machine(
        chipName: "c", chipHash: "", clock: Hertz(1e9),
        memories: [memory, .init(name: "spad", kind: .scratchpad, bytes: 1 << 20, banks: 16)],
        engines: streams.indices.map {
          .init(name: "dma\($0)", unit: .dma(DMAOptions(linkBytes: linkBytes, outstanding: outstanding)))
        })
      let result = try TimingRun(program, on: machine).run()
      #expect(Invariants.violations(of: result, program: program) == [])
      return result
    }
  }

  /// Causes of waiting for the DRAM, with their cycles.
  private static func causes(_ activity: TimingResult.Activity) -> [StallCause.Kind: Int] {
    Dictionary(
      uniqueKeysWithValues: activity.stalls.filter { $0.cause.kind.isMemory }.map { ($0.cause.kind, $0.cycles) })
  }

  /// A device at a whole number of core clocks, without refreshes and without spacing inside a bank group unless asked for.
  private static func device(_ change: (inout DRAMDevice) -> Void = { _ in }) throws -> Machine.Memory {
    var device = try DRAMDevice.load("ddr4-2400-x64", root: root)
    device.clockPeriod = ClockPeriod(picoseconds: 1000)
    device.controller.refresh = .never
    device.timing.columnLong = device.organization.burstClocks
    // Rows stay together: row, rank, bank, group, column.
    device.addressMap = try #require(DRAMAddressMap("rorababgchco"))
    change(&device)
    return Machine.Memory(
      name: "dram", kind: .dram, bytes: 1 << 34, bandwidthNumerator: 16 * device.organization.channels,
      bandwidthDenominator: 1, latency: 20, burst: 64, device: device)
  }

  // MARK: Plain bandwidth

  @Test func oneBurstInFlightWaitsForItsCredit() throws {
    var sample = Case()
    sample.outstanding = 1
    let result = try sample.run()
    // 20 cycles of latency in front of each burst but the first of the run.
    #expect(Self.causes(result.activities[0]) == [.credit: 20 * (2 * 256 - 1)])
    #expect(result.activities[0].busy == 2 * 256 * 4)
  }

  @Test func twoEnginesWaitForTheBus() throws {
    var sample = Case()
    sample.streams = [(0, 64), (1 << 20, 64)]
    let result = try sample.run()
    for activity in result.activities {
      #expect(Set(Self.causes(activity).keys) == [.bus])
      // Every other burst is the other engine's.
      #expect(abs(activity.stalls[0].cycles - 2 * 256 * 4) <= 8)
    }
  }

  @Test func oneEngineWithCreditsNeverWaits() throws {
    let result = try Case().run()
    #expect(Self.causes(result.activities[0]) == [:])
  }

  /// Short rows in long bursts: the link moves whole bursts, and that is its own work.
  @Test func aSlowLinkIsNoWait() throws {
    var sample = Case()
    sample.linkBytes = 4
    let result = try sample.run()
    #expect(Self.causes(result.activities[0]) == [:])
  }

  // MARK: A device

  private static func second(_ sample: Case, queue: Int = 0) throws -> [StallCause.Kind: Int] {
    causes(try sample.run().layers[1].activities[queue])
  }

  @Test func oneBurstInFlightWaitsForTheDevice() throws {
    var sample = Case()
    sample.bursts = 64
    sample.outstanding = 1
    sample.memory = try Self.device()
    #expect(Set(try Self.second(sample).keys) == [.credit])
  }

  @Test func otherRowsOfABankMiss() throws {
    var sample = Case()
    sample.memory = try Self.device()
    sample.streams = [(0, 1 << 18)]
    sample.copies = 4
    let causes = try Self.second(sample)
    #expect(Set(causes.keys) == [.rowMiss], "\(causes)")
  }

  @Test func refreshesShowOnlyWhereThereAreAny() throws {
    var sample = Case()
    sample.copies = 40
    sample.bursts = 128
    sample.memory = try Self.device()
    #expect(try Self.second(sample)[.refresh] == nil)
    sample.memory = try Self.device { $0.controller.refresh = .rankStaggered }
    let causes = try Self.second(sample)
    // 40 x 128 bursts of 4 clocks are about two refresh intervals of the rank.
    #expect(causes[.refresh] ?? 0 >= 420, "\(causes)")
  }

  @Test func oneBankGroupSpacesItsColumns() throws {
    var sample = Case()
    sample.bursts = 128
    sample.copies = 10
    sample.memory = try Self.device { $0.timing.columnLong = 6 }
    let causes = try Self.second(sample)
    #expect(Set(causes.keys) == [.bankGroup], "\(causes)")
    #expect(causes[.bankGroup] ?? 0 >= 10 * 128 * 2 - 64)
  }

  @Test func oneOfTwoChannelsFillsItsQueue() throws {
    var sample = Case()
    sample.bursts = 128
    sample.copies = 10
    sample.memory = try Self.device { $0.organization.channels = 2 }
    let causes = try Self.second(sample)
    #expect(Set(causes.keys) == [.queueFull], "\(causes)")
  }

  /// One engine reads a half of a row, the other writes the other half.
  @Test func readsAndWritesTurnTheBusAround() throws {
    var sample = Case()
    sample.bursts = 64
    sample.copies = 20
    sample.streams = [(0, 64), (4096, 64)]
    sample.writers = [1]
    sample.memory = try Self.device()
    // The controller drains full write queues first, and the writer keeps its queue full: the reader waits, and turns the bus around.
    let causes = Self.causes(try sample.run().activities[0])
    #expect(causes[.turnaround] ?? 0 > 0 && causes[.bus] ?? 0 > 0, "\(causes)")
    // The row is opened once.
    #expect(causes[.refresh] == nil && causes[.bankGroup] == nil && causes[.rowMiss] ?? 0 <= 17, "\(causes)")
  }

  @Test func twoEnginesShareADevice() throws {
    var sample = Case()
    sample.bursts = 64
    sample.copies = 20
    // The two halves of one row.
    sample.streams = [(0, 64), (4096, 64)]
    sample.memory = try Self.device()
    for queue in 0..<2 {
      let causes = try Self.second(sample, queue: queue)
      #expect(Set(causes.keys) == [.bus], "\(causes)")
    }
  }

  /// The books of random Programs close in front of devices too.
  @Test(arguments: 0..<40) func booksCloseInFrontOfADevice(seed: Int) throws {
    var sample = try RandomProgram(seed: UInt64(seed))
    var random = SplitMix64(seed: UInt64(seed))
    let memory = try Self.device { device in
      device.controller.refresh = random.next(below: 2) == 0 ? .never : .rankSimultaneous
      device.timing.columnLong = 4 + random.next(below: 4)
      device.organization.channels = 1 << random.next(below: 2)
    }
    for index in sample.machine.memories.indices where sample.machine.memories[index].kind == .dram {
      sample.machine.memories[index].device = memory.device
      sample.machine.memories[index].burst = 64
    }
    let result = try TimingRun(sample.program, on: sample.machine, options: .init(trace: true)).run()
    #expect(Invariants.violations(of: result, program: sample.program) == [], "seed \(seed)")
    #expect(Invariants.sliceViolations(of: result) == [], "seed \(seed)")
    if memory.device?.controller.refresh == .never {
      #expect(result.activities.allSatisfy { Self.causes($0)[.refresh] == nil }, "seed \(seed)")
    }
  }
}
