import PantileEngines
import PantileProgram
import PantileSim
import PantileSupport
import Testing

/// A cycle run against the timing run: two ways to the same number.
@Suite struct CycleRunTests {
  @Test(arguments: 0..<400)
  func countsTheCyclesOfATimingRun(_ seed: Int) throws {
    let sample = try RandomProgram(seed: 7000 + UInt64(seed))
    let whole = try TimingRun(sample.program, on: sample.machine).run()
    #expect(try CycleRun(sample.program, on: sample.machine).run() == whole.cycles)
  }

  @Test(arguments: 0..<40)
  func countsThemOfLongPrograms(_ seed: Int) throws {
    let sample = try RandomProgram(seed: 7500 + UInt64(seed), tiles: 60)
    let whole = try TimingRun(sample.program, on: sample.machine).run()
    #expect(try CycleRun(sample.program, on: sample.machine).run() == whole.cycles)
  }

  /// Padding, whose bounds move with the loops.
  @Test(arguments: 0..<200)
  func countsThemOfConvolutions(_ seed: Int) throws {
    var random = SplitMix64(seed: UInt64(seed))
    func up(to bound: Int) -> Int { 1 + random.next(below: bound) }
    let kind = SystolicOptions.kinds[random.next(below: SystolicOptions.kinds.count)]
    let options = SystolicOptions(
      rows: up(to: 8), columns: up(to: 8), dataflow: kind.dataflow, variant: kind.variant, peLatency: up(to: 3))
    let sample = RandomConvolution(seed: UInt64(seed), array: options)
    let whole = try TimingRun(sample.program, on: sample.machine).run()
    #expect(try CycleRun(sample.program, on: sample.machine).run() == whole.cycles)
  }

  /// Stopping early never changes the answer.
  @Test(arguments: 0..<120)
  func stopsOnlyWhereTheEndIsNotBelowTheLimit(_ seed: Int) throws {
    let sample = try RandomProgram(seed: 8000 + UInt64(seed), tiles: 1 + seed % 20)
    let whole = try TimingRun(sample.program, on: sample.machine).run().cycles
    var random = SplitMix64(seed: UInt64(seed))
    let limits =
      [1, whole / 2, whole - 1, whole, whole + 1, 2 * whole, .max] + (0..<8).map { _ in random.next(below: 2 * whole) }
    for limit in limits {
      let found = try CycleRun(sample.program, on: sample.machine).run(below: limit)?.cycles
      #expect(found == (whole < limit ? whole : nil), "below \(limit) of \(whole)")
    }
  }

  /// Bursts are those of the timing run's bytes.
  @Test(arguments: 0..<40)
  func countsBursts(_ seed: Int) throws {
    let sample = try RandomProgram(seed: 8500 + UInt64(seed))
    let whole = try TimingRun(sample.program, on: sample.machine).run()
    let bytes = whole.layers.reduce(0) { $0 + $1.offchipReadBytes + $1.offchipWriteBytes }
    let burst = try #require(sample.machine.memories.first { $0.kind == .dram }).burst
    #expect(try CycleRun(sample.program, on: sample.machine).run(below: .max)?.bursts == bytes / burst)
  }

  @Test func deadlockIsNamed() throws {
    var program = Program(name: "stuck")
    let layer = program.add(layer: .init(name: "l", nodes: [], kind: "sync", macs: 0))
    let queue = program.add(queue: .init(core: "core0", engine: "vector0", body: []))
    let channel = program.add(
      channel: .init(name: "c", role: .order, producer: queue, consumer: queue, initial: 0, capacity: 1))
    program.queues[0].body = [.command(Command(.sync, layer: layer, waits: [Wait(channel)]))]
    let machine = Machine(
      chipName: "test", chipHash: "", clock: Hertz(1e9), memories: [],
      engines: [.init(name: "vector0", unit: .vector(VectorOptions(lanes: 1, latency: 1)))])
    #expect(throws: DiagnosticError.self) { try CycleRun(program, on: machine).run() }
    #expect(throws: DiagnosticError.self) { try TimingRun(program, on: machine).run() }
  }
}
