import Foundation
import Pantile
import PantileDialects
import PantileEngines
import PantileSim
import PantileSupport
import PantileTarget
import PantileTensor
import Testing

/// Whole networks on chips whose times depend on values.
@Suite(.serialized) struct DataProfileTests {
  static let root = ChipEqualsReferenceTests.root

  struct Run {
    let compilation: Compiler.Compilation
    let simulator: Simulator
    let inputs: [(name: String, tensor: HostTensor)]
    let expected: [HostTensor]

    init(_ model: String, low: Double = -1, high: Double = 1, overrides: [String]) throws {
      let chip = try Chip.load("pragmatic-like", overrides: overrides, schemas: Machine.schemas(), root: root)
      let model = try Model(contentsOf: "\(root)/Workloads/models/\(model)/\(model).mlir")
      inputs = try model.inputs.map { port in
        (
          name: port.name,
          tensor: SeededValues.tensor(
            name: "input:\(port.name)", shape: port.shape, elementType: port.elementType, low: low, high: high)
        )
      }
      compilation = try Compiler(chip: chip).compile(model, calibration: [inputs.map(\.tensor)])
      simulator = try Simulator(chip: chip)
      expected = try Interpreter(compilation.module).run(inputs.map(\.tensor))
    }
  }

  static let small = ["engines.array0.rows=16", "engines.array0.columns=8", "engines.array0.dot_width=4"]

  /// The bits are the interpreter's; busy cycles are those of the measures, one command after the other; all adds up; a run in another
  /// order finds the same.
  @Test(arguments: ["serial=activation", "serial=weight", "serial=both"])
  func timesAreThoseOfTheTiles(serial: String) throws {
    let run = try Run(
      "lenet5",
      overrides: Self.small + [
        "engines.array0.\(serial)", "engines.array0.sync=pe", "engines.array0.run_ahead=0",
        "engines.array0.shift_reach=31",
      ])
    let program = run.compilation.program
    #expect(try run.simulator.run(program, inputs: run.inputs).map(\.tensor) == run.expected)
    let profile = try #require(try run.simulator.profile(of: program, inputs: run.inputs))
    let found = try run.simulator.time(program, profile: profile)
    let longest = try run.simulator.time(program)
    #expect(found.cycles < longest.cycles)
    let array = try #require(found.multipliers.firstIndex { $0 > 0 })
    let durations = profile.tiles[array].map { profile.measures[Int($0)].timing.duration }
    #expect(profile.tiles[array].count > 10 && profile.measures.count > 3)
    #expect(found.activities[array].busy == durations.reduce(0, +))
    #expect(found.commands == longest.commands)
    for activity in found.activities { #expect(activity.total == found.cycles) }
    #expect(found.activities[array].occupancy.total == found.activities[array].busy * found.multipliers[array])
    let terms = profile.tiles[array].reduce(0) { $0 + profile.measures[Int($1)].occupancy.work }
    #expect(found.actions.first { $0.name == "array.term.int8" }?.count == terms)

    let other = try FunctionalRun(program, on: run.simulator.machine, profiles: true)
    for input in run.inputs { try other.setInput(input.name, input.tensor) }
    try other.run(orderSeed: 7)
    let second = try #require(other.profile)
    #expect(second.tiles[array].count == durations.count)
    let again = try run.simulator.time(program, profile: second)
    #expect(again.cycles == found.cycles && again.activities == found.activities)
  }

  /// Serial weights do not care for inputs; serial activations do, and zeros are the fastest.
  @Test func onlyTheSerialOperandMatters() throws {
    let run = try Run("lenet5", overrides: Self.small + ["engines.array0.serial=weight"])
    let program = run.compilation.program
    let zeros = run.inputs.map {
      ($0.name, HostTensor(shape: $0.tensor.shape, values: [Float](repeating: 0, count: $0.tensor.count)))
    }
    let ofValues = try run.simulator.profile(of: program, inputs: run.inputs)
    let ofZeros = try run.simulator.profile(of: program, inputs: zeros)
    #expect(ofValues == ofZeros)
    let serial = try Run("lenet5", overrides: Self.small)
    let many = try #require(try serial.simulator.profile(of: serial.compilation.program, inputs: serial.inputs))
    let few = try #require(try serial.simulator.profile(of: serial.compilation.program, inputs: zeros))
    let times = [few, many].map { try? serial.simulator.time(serial.compilation.program, profile: $0).cycles }
    #expect(try #require(times[0]) < (try #require(times[1])))
  }

  /// Where nothing is skipped there is no profile, and a report says nothing of values.
  @Test func fixedChipsHaveNone() throws {
    let run = try Run(
      "lenet5",
      overrides: Self.small + [
        "engines.array0.term_policy=fixed", "engines.array0.run_ahead=0", "engines.array0.shift_reach=31",
      ])
    #expect(try run.simulator.profile(of: run.compilation.program, inputs: run.inputs) == nil)
    #expect(try run.simulator.run(run.compilation.program, inputs: run.inputs).map(\.tensor) == run.expected)
    #expect(!run.simulator.dependsOnValues)
  }
}
