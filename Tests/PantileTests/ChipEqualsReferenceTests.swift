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
    #expect(tight.timing.cycles == tight.judged.compactMap(\.cycles).min())
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

/// Products of two computed matrices, and the norms around them, on chips whose scratchpads hold them and on chips whose do not.
@Suite struct ComputedProductTests {
  /// Shapes of both factors, which of them are transposed.
  struct Case: CustomTestStringConvertible {
    var a: [Int]
    var b: [Int]
    var transposeA = false
    var transposeB = false

    var testDescription: String { "\(a)\(transposeA ? "t" : "") x \(b)\(transposeB ? "t" : "")" }

    /// A module that multiplies what a layer has made of its inputs, so that the factors are integers.
    var text: String {
      func type(_ shape: [Int]) -> String { "tensor<\(shape.map(String.init).joined(separator: "x"))xf32>" }
      let (m, k) = transposeA ? (a[a.count - 1], a[a.count - 2]) : (a[a.count - 2], a[a.count - 1])
      let n = transposeB ? b[b.count - 2] : b[b.count - 1]
      precondition((transposeB ? b[b.count - 1] : b[b.count - 2]) == k)
      let rank = max(a.count, b.count)
      let leads = [a, b].map { [Int](repeating: 1, count: rank - $0.count) + $0.dropLast(2) }
      let batch = zip(leads[0], leads[1]).map { max($0, $1) }
      let y = batch + [m, n]
      return """
        func.func @main(%a: \(type(a)), %b: \(type(b))) -> \(type(y)) {
          %y = dnn.matmul %a, %b {transpose_a = \(transposeA), transpose_b = \(transposeB)} : (\(type(a)), \(type(b))) -> \(type(y))
          %z = dnn.relu %y : \(type(y))
          func.return %z : \(type(y))
        }

        """
    }
  }

  static let cases = [
    Case(a: [7, 9], b: [9, 5]), Case(a: [9, 7], b: [9, 5], transposeA: true),
    Case(a: [7, 9], b: [5, 9], transposeB: true), Case(a: [3, 33, 40], b: [3, 40, 17]),
    Case(a: [2, 3, 20, 24], b: [2, 3, 50, 24], transposeB: true), Case(a: [2, 3, 20, 24], b: [3, 24, 31]),
    Case(a: [2, 1, 24, 20], b: [1, 5, 18, 24], transposeA: true, transposeB: true),
    Case(a: [4, 1, 64], b: [4, 64, 1]),
    Case(a: [1, 2, 90, 64], b: [1, 2, 64, 90]),
  ]

  private func check(_ text: String, on chip: String, overrides: [String]) throws -> Compiler.Compilation {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("pantile-\(UUID().uuidString).mlir")
    try text.write(to: folder, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try ChipEqualsReferenceTests().check(folder.path, on: chip, overrides: overrides)
  }

  @Test(
    arguments: cases,
    [
      ("systolic-16x16", []), ("bitserial-16x16", ["memories.spad.size=16KiB"]),
      ("nm-16x16", ["memories.spad.size=8KiB"]),
    ])
  func productsOfComputedMatrices(_ item: Case, on chip: (name: String, overrides: [String])) throws {
    let compilation = try check(item.text, on: chip.name, overrides: chip.overrides)
    #expect(compilation.graph.steps.contains { $0.kind == "matmul" }, "the product runs on the array")
    #expect(!compilation.program.regions.contains { $0.name.hasSuffix(".weights") })
  }

  @Test(arguments: ChipEqualsReferenceTests.chips) func attention(chip: String) throws {
    let compilation = try ChipEqualsReferenceTests().check(
      "\(ChipEqualsReferenceTests.root)/Tests/Filetests/dnn/attention.mlir", on: chip)
    #expect(compilation.graph.steps.count { $0.kind == "matmul" } == 2)
  }

  @Test(arguments: ["layer_norm", "rms_norm"], [1, 2]) func norms(_ op: String, axis: Int) throws {
    let bias = op == "layer_norm" ? ", %b" : ""
    let biasType = op == "layer_norm" ? ", tensor<24xf32>" : ""
    let text = """
      func.func @main(%x: tensor<3x7x24xf32>, %s: tensor<24xf32>, %b: tensor<24xf32>) -> (tensor<3x7x24xf32>, tensor<24xf32>) {
        %y = dnn.\(op) %x, %s\(bias) {axis = \(axis), epsilon = 0.001} : (tensor<3x7x24xf32>, tensor<24xf32>\(biasType)) -> tensor<3x7x24xf32>
        %r = dnn.reciprocal %b : tensor<24xf32>
        %q = dnn.mul %b, %b : tensor<24xf32>
        %u = dnn.rsqrt %q : tensor<24xf32>
        %v = dnn.add %r, %u : tensor<24xf32>
        func.return %y, %v : tensor<3x7x24xf32>, tensor<24xf32>
      }

      """
    _ = try check(text, on: "systolic-16x16", overrides: ["memories.spad.size=4KiB"])
  }

  /// A product of two matrices of which the left one has a zero point is refused by name.
  @Test func zeroPointsAreRefused() throws {
    let text = """
      func.func @main(%a: tensor<4x8xi8>, %b: tensor<8x4xi8>) -> tensor<4x4xi32> {
        %y = dnn.matmul %a, %b {input_zero_point = 3} : (tensor<4x8xi8>, tensor<8x4xi8>) -> tensor<4x4xi32>
        func.return %y : tensor<4x4xi32>
      }

      """
    do {
      _ = try check(text, on: "systolic-16x16", overrides: [])
      Issue.record("accepted")
    } catch let error as DiagnosticError {
      #expect(error.diagnostics.contains { $0.code == "unsupported" && $0.message.contains("zero point") }, "\(error)")
    }
  }
}
