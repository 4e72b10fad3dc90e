import PantileEngines
import PantileProgram
import PantileSim
import PantileSupport
import Testing

@Suite struct RandomProgramTests {
  @Test(arguments: 0..<60)
  func anyLegalOrderComputesTheDefinition(_ seed: Int) throws {
    let sample = try RandomProgram(seed: UInt64(seed))
    try sample.program.verify()
    #expect(try Program(parsing: sample.program.text) == sample.program)
    for order in [nil, 1, 2, 3] as [UInt64?] {
      let run = try sample.functionalRun()
      try run.run(orderSeed: order)
      #expect(RandomProgram.outputs(run) == sample.expected(), "order \(order.map(String.init) ?? "of queues")")
    }
  }

  @Test(arguments: 0..<60)
  func everyCycleHasOneCause(_ seed: Int) throws {
    let sample = try RandomProgram(seed: UInt64(seed))
    let result = try TimingRun(sample.program, on: sample.machine, options: .init(trace: true)).run()
    #expect(Invariants.violations(of: result, program: sample.program) == [])
    #expect(Invariants.sliceViolations(of: result) == [])
    // Without a trace, and a second time: the same.
    let again = try TimingRun(sample.program, on: sample.machine).run()
    #expect(again.activities == result.activities)
    #expect(again.actions == result.actions)
    #expect(again.cycles == result.cycles)
    #expect(again.layers.map(\.activities) == result.layers.map(\.activities))
    #expect(again.slices.isEmpty)
  }

  @Test(arguments: 0..<12)
  func randomDurationsChangeNoBitAndStopNothing(_ seed: Int) throws {
    let sample = try RandomProgram(seed: 500 + UInt64(seed))
    let expected = sample.expected()
    for jitter in 0...50 {
      let functional = try sample.functionalRun()
      var illegal = 0
      let timing = try TimingRun(
        sample.program, on: sample.machine, options: .init(jitterSeed: UInt64(jitter))
      ) { queue in
        if functional.canStep(queue) { functional.step(queue) } else { illegal += 1 }
      }
      let result = try timing.run()
      #expect(illegal == 0)
      #expect(result.commands == functional.commandsRun)
      #expect(RandomProgram.outputs(functional) == expected, "jitter \(jitter)")
      #expect(Invariants.violations(of: result, program: sample.program) == [])
    }
  }

  /// More bandwidth or no latency never makes a pipeline of copies and one engine each slower than its own work.
  @Test(arguments: 0..<30)
  func busyCyclesDoNotDependOnTheMemory(_ seed: Int) throws {
    let sample = try RandomProgram(seed: 900 + UInt64(seed))
    var fast = sample.machine
    for index in fast.memories.indices {
      fast.memories[index].latency = 0
      fast.memories[index].bandwidthNumerator = 1000
    }
    let slow = try TimingRun(sample.program, on: sample.machine).run()
    let quick = try TimingRun(sample.program, on: fast).run()
    for (index, name) in slow.queueNames.enumerated() where name != "core0.dma0" && name != "core0.dma1" {
      if name == "core0.array0" { continue }  // tiles overlap as operands arrive
      #expect(slow.activities[index].busy == quick.activities[index].busy, "\(name)")
    }
    #expect(quick.cycles <= slow.cycles)
  }
}
