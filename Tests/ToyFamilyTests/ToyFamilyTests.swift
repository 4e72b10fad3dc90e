import Foundation
import Pantile
import PantileDialects
import PantileEngines
import PantileIR
import PantilePasses
import PantileSupport
import PantileTarget
import PantileTensor
import Testing

/// A family from outside goes through chip file, compiler, proof, simulator and report like the shipped ones.
@Suite struct ToyFamilyTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  static func chip(_ families: [ArrayFamily]) throws -> Chip {
    let text = """
      extends: systolic-16x16
      name: toy-8
      engines:
        array0:
          family: toy
          rows: 1
          columns: 8
      """
    return try Chip.parse(
      text, path: "\(root)/Targets/chips/toy-8.yaml", schemas: Machine.schemas(families), root: root)
  }

  @Test func compilesAndRunsANetworkOnTheToyArray() throws {
    let families: [ArrayFamily] = .all + [.toy]
    let chip = try Self.chip(families)
    let module = try Module(verifying: Workload.named("resnet8").text(), path: "resnet8.mlir")
    let prepared = try GraphPipeline.integer(module)
    let compilation = try Compiler(chip: chip, families: families).compile(
      integer: prepared.module, name: "resnet8", modelHash: "")
    let function = try prepared.module.mainFunction()
    let inputs = try prepared.module.inputs(of: function).map { try prepared.module.tensor(of: $0) }
    let tensors = inputs.map {
      SeededValues.tensor(name: "toy", shape: $0.shape, elementType: .f32, low: -1, high: 1)
    }
    let simulator = try Simulator(chip: chip, families: families)
    let names = prepared.module.inputNames(of: function)
    let outputs = try simulator.run(
      compilation.program, inputs: zip(names, tensors).map { (name: $0.0, tensor: $0.1) })
    #expect(outputs.map(\.tensor) == (try Interpreter(prepared.module).run(tensors)))
    let report = simulator.report(compilation, model: "resnet8")
    #expect(report.macs > 12_000_000)
    // One row of eight products a cycle is the best that the array can do.
    #expect(report.cycles >= 12_500_000 / 8)
  }

  @Test func isUnknownWithoutItsListLine() throws {
    #expect(throws: DiagnosticError.self) { try Self.chip(.all) }
  }
}
