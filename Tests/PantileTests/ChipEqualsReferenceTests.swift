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
  func check(_ path: String, on name: String, options: Compiler.Options = .init()) throws {
    let chip = try Chip.load(name, schemas: Machine.schemas(), root: Self.root)
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

  @Test(arguments: 2...7) func narrowWeightsOnTheBitSerialArray(_ bits: Int) throws {
    var options = Compiler.Options()
    options.graph.quantize.weightBits = bits
    try check("\(Self.root)/Workloads/models/resnet8/resnet8.mlir", on: "bitserial-16x16", options: options)
  }
}
