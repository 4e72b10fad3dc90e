import Foundation
import Pantile
import PantileDialects
import PantileEngines
import PantileIR
import PantileSupport
import PantileTarget
import PantileTensor
import PantileTestSupport
import Testing

/// Real networks on every shipped chip: the bits that the chip computes are those of the integer graph's interpretation.
@Suite(.serialized) struct ChipEqualsReferenceTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path
  static let chips = ["systolic-16x16", "bitserial-16x16", "nm-16x16"]
  static let topologies = [
    "dscnn_kws", "dscnn_kws_int8_qdq", "resnet18", "mobilenet_v2", "mobilenet_v2_int8_qdq", "autoencoder_toy",
  ]

  /// Compiles a model, runs it on the inputs, compares every output with the interpreter; checks the stall books.
  @discardableResult
  func check(
    _ path: String, on name: String, overrides: [String] = [], options: Compiler.Options = .init()
  ) throws -> Compiler.Compilation {
    let chip = try Chip.load(name, overrides: overrides, schemas: Machine.schemas(), root: Self.root)
    let model = try Model(contentsOf: path)
    // The reference inputs of the shared models: seeded by "input:" and the name, in -1 ... 1.
    let inputs = try model.inputs.map { port in
      (
        name: port.name,
        tensor: SeededValues.tensor(
          name: "input:\(port.name)", shape: port.shape, elementType: port.elementType, low: -1, high: 1)
      )
    }
    let compilation = try Compiler(chip: chip, options: options).compile(
      model, calibration: [inputs.map(\.tensor)])
    let expected = try Interpreter(compilation.module).run(inputs.map(\.tensor))
    let found = try Simulator(chip: chip).run(compilation.program, inputs: inputs)
    #expect(found.map(\.tensor) == expected, "\(path) on \(name)")
    for layer in compilation.timing.layers {
      for activity in layer.activities { #expect(activity.total == layer.cycles) }
    }
    return compilation
  }

  @Test(arguments: topologies, chips) func sharedTopologies(_ model: String, chip: String) throws {
    guard let path = SharedFolder.path("models/topologies/\(model).onnx") else {
      SharedFolder.reportSkipped("\(model) on \(chip)")
      return
    }
    try check(path, on: chip)
  }

  @Test(arguments: ["lenet5", "ds-cnn", "resnet8", "nas-darts"], chips)
  func shippedWorkloads(_ model: String, chip: String) throws {
    try check("\(Self.root)/Workloads/models/\(model)/\(model).mlir", on: chip)
  }

  /// Where a scratchpad is too small for a network with branches, an order that moves fewer bytes is judged beside the model's own.
  @Test func reorderedStepsAreJudged() throws {
    let path = "\(Self.root)/Workloads/models/nas-darts/nas-darts.mlir"
    let tight = try check(path, on: "systolic-16x16", overrides: ["memories.spad.size=64KiB"])
    #expect(tight.judged.contains { $0.method.contains("reordered") })
    #expect(tight.judged.contains { !$0.method.contains("reordered") })
    #expect(tight.timing.cycles == tight.judged.map(\.cycles).min())
    // Where everything fits there is nothing to gain.
    let roomy = try check(path, on: "systolic-16x16")
    #expect(!roomy.judged.contains { $0.method.contains("reordered") })
  }

  /// What stays in the array, how folds overlap and how deep a PE is moves cycles, never bits.
  @Test(arguments: SystolicOptions.kinds.map { ($0.dataflow.rawValue, $0.variant.rawValue) })
  func everySystolicArray(dataflow: String, variant: String) throws {
    try check(
      "\(Self.root)/Workloads/models/lenet5/lenet5.mlir", on: "systolic-16x16",
      overrides: [
        "engines.array0.dataflow=\(dataflow)", "engines.array0.variant=\(variant)",
        "engines.array0.pe_latency=3 cycles", "engines.array0.rows=8",
      ])
  }

  @Test func outputStationaryArraysAreNotSkewed() throws {
    let error = try #require(throws: DiagnosticError.self) {
      try Chip.load(
        "systolic-16x16", overrides: ["engines.array0.dataflow=os", "engines.array0.variant=skewed"],
        schemas: Machine.schemas(), root: Self.root)
    }
    #expect(error.codes == ["option-conflict"])
  }

  @Test(arguments: 2...7) func narrowWeightsOnTheBitSerialArray(_ bits: Int) throws {
    var options = Compiler.Options()
    options.graph.quantize.weightBits = bits
    try check("\(Self.root)/Workloads/models/resnet8/resnet8.mlir", on: "bitserial-16x16", options: options)
  }
}
