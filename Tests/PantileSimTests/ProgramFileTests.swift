import PantileEngines
import PantileProgram
import PantileSim
import PantileSupport
import PantileTensor
import Testing

/// Every file of `Tests/Filetests/program`: verified, run on values against its oracle, run on cycles against its
/// expectations, and run with stretched durations.
@Suite struct ProgramFileTests {
  @Test func everyFileHasAnOracleOrAnError() throws {
    #expect(ProgramFile.names.count >= 16)
    for name in ProgramFile.names {
      let file = try ProgramFile(name)
      #expect(file.errors.isEmpty == (Oracles.all[name] != nil), "\(name)")
    }
  }

  @Test(arguments: ProgramFile.names)
  func verifies(_ name: String) throws {
    let file = try ProgramFile(name)
    if file.errors.isEmpty {
      try file.program.verify()
    } else {
      let error = #expect(throws: DiagnosticError.self) { try file.program.verify() }
      #expect(Set(error?.codes ?? []) == Set(file.errors), "\(error?.rendered ?? "")")
    }
    #expect(try Program(parsing: file.program.text) == file.program)
  }

  @Test(arguments: Oracles.all.keys.sorted())
  func computesWhatItsOracleSays(_ name: String) throws {
    let file = try ProgramFile(name)
    let oracle = try #require(Oracles.all[name])
    let expected = oracle(file.inputs())
    for seed in [nil, 1, 2, 3, 4, 5] as [UInt64?] {
      let run = try file.functionalRun()
      try run.run(orderSeed: seed)
      let outputs = run.outputs()
      #expect(outputs.map(\.name) == file.outputs.map(\.name))
      for ((name, tensor), shape) in zip(outputs, file.outputs.map(\.shape)) {
        #expect((tensor.shape.map(String.init) + [tensor.elementType.rawValue]).joined(separator: "x") == shape)
        #expect(
          ProgramFile.values(tensor) == expected[name], "\(name), order \(seed.map(String.init) ?? "of the program")")
      }
    }
  }

  @Test(arguments: Oracles.all.keys.sorted())
  func takesTheCyclesItSays(_ name: String) throws {
    let file = try ProgramFile(name)
    let result = try TimingRun(file.program, on: file.machine).run()
    if let cycles = file.cycles { #expect(result.cycles == cycles) }
    for expectation in file.busy {
      let queue = try #require(result.queueNames.firstIndex(of: expectation.queue))
      #expect(result.activities[queue].busy == expectation.cycles, "busy of \(expectation.queue)")
    }
    for expectation in file.stalls {
      let queue = try #require(result.queueNames.firstIndex(of: expectation.queue))
      let source = expectation.source.map { result.queueNames.firstIndex(of: $0) ?? -1 }
      let found = result.activities[queue].stalls.first {
        $0.cause.name == expectation.kind && $0.cause.source == source
      }
      #expect(
        found?.cycles == expectation.cycles,
        "\(expectation.queue) \(expectation.kind): \(result.activities[queue])")
    }
    #expect(Invariants.violations(of: result, program: file.program) == [])
  }

  @Test(arguments: Oracles.all.keys.sorted())
  func stretchedDurationsChangeNoBit(_ name: String) throws {
    let file = try ProgramFile(name)
    let reference = try file.functionalRun()
    try reference.run()
    let expected = reference.outputs().map { ProgramFile.values($0.tensor) }
    for seed in 0..<10 {
      let (values, result) = try Invariants.runWithJitter(file, seed: UInt64(seed))
      #expect(values == expected, "seed \(seed)")
      #expect(Invariants.violations(of: result, program: file.program) == [])
    }
  }
}
