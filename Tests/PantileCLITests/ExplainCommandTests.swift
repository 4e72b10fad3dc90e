import Foundation
import Pantile
import Testing

/// `pantile explain`.
struct ExplainCommandTests {
  private static func explain(_ arguments: [String]) throws -> Explanation {
    let result = try Tool.run(["explain"] + arguments + ["--json", "-"])
    #expect(result.code == 0, "\(result.errors)")
    return try JSONDecoder().decode(Explanation.self, from: Data(result.output.utf8))
  }

  /// The parts add up, for the run and for each layer, with a DRAM of plain bandwidth and with a device.
  @Test(arguments: [[], ["--set", "memories.dram.device=ddr4-2400-x64"]])
  func partsAddUp(_ settings: [String]) throws {
    try TemporaryFolder.with { folder in
      let chip = ["--chip", "systolic-16x16"] + settings
      let run = try Tool.run(["run", "resnet8"] + chip + ["--json", "\(folder)/run.json"])
      #expect(run.code == 0, "\(run.errors)")
      let report = try RunReport(json: AtomicFile.readText("\(folder)/run.json"), path: "run.json")
      let whole = try Self.explain(["resnet8"] + chip)
      #expect(whole.cycles == report.cycles)
      #expect(whole.parts.reduce(0) { $0 + $1.cycles } == whole.cycles)
      #expect(whole.parts.allSatisfy { $0.cycles >= 0 })
      #expect(whole.whatIfs.count == MachineChange.all.count)
      for layer in report.layers {
        let one = try Self.explain(["\(folder)/run.json", "--layer", layer.name])
        #expect(one.parts.reduce(0) { $0 + $1.cycles } == layer.cycles, "\(layer.name)")
        #expect(one.parts.allSatisfy { $0.cycles >= 0 }, "\(layer.name)")
        #expect(one.whatIfs.isEmpty)
        // The array's way is told of every layer, whichever engine binds it.
        #expect(one.array == "array0" && one.waterfall == layer.waterfall, "\(layer.name)")
      }
    }
  }

  /// A what-if is what the simulator says of the changed chip.
  @Test func whatIfsAreSimulated() throws {
    try TemporaryFolder.with { folder in
      let compiled = try Tool.run(["compile", "resnet8", "--chip", "systolic-16x16", "-o", "\(folder)/net.pantile"])
      #expect(compiled.code == 0, "\(compiled.errors)")
      let whole = try Self.explain(["\(folder)/net.pantile", "--chip", "systolic-16x16"])
      let wanted = try #require(whole.whatIfs.first { $0.change == "twice the DRAM bandwidth" })
      let chip = try Chip.load(
        "systolic-16x16", overrides: ["memories.dram.bandwidth=32 B/cycle"], schemas: Machine.schemas())
      var program = try CompiledModel(contentsOf: "\(folder)/net.pantile").program
      program.chipHash = ""
      #expect(try Simulator(chip: chip).time(program).cycles == wanted.cycles)
      #expect(wanted.cycles <= whole.cycles)
    }
  }

  @Test func unknownLayersAreNamed() throws {
    let result = try Tool.run(["explain", "resnet8", "--chip", "systolic-16x16", "--layer", "stack1.conv3"])
    #expect(result.code == 2)
    #expect(result.errors.contains("did you mean 'stack1.conv"))
  }
}
