import Foundation
import PantileImport
import PantileSupport
import PantileTensor
import Testing

/// Sizes and parameters that no honest model has: a diagnostic, and neither a crash nor much memory.
@Suite struct HostileModelTests {
  struct Case: Sendable, CustomStringConvertible {
    var description: String
    var op: String
    var parameters: [(String, HostTensor)] = []
    var attributes: [(String, TestModel.Attribute)] = []
    var shape = [2, 3, 4, 5]
    var type = 1
    var opset = 17
  }

  static func numbers(_ values: [Int]) -> HostTensor {
    HostTensor(shape: [values.count], values: values.map { Int64($0) })
  }

  static let refused: [Case] = [
    Case(description: "reshape overflow", op: "Reshape", parameters: [("p", numbers([1 << 40, 1 << 40]))]),
    Case(description: "reshape open overflow", op: "Reshape", parameters: [("p", numbers([-1, 1 << 40, 1 << 40]))]),
    Case(
      description: "reshape by zero", op: "Reshape", parameters: [("p", numbers([-1, 0]))],
      attributes: [("allowzero", .int(1))]),
    Case(description: "reshape negative", op: "Reshape", parameters: [("p", numbers([.min]))]),
    Case(description: "expand too far", op: "Expand", parameters: [("p", numbers([1 << 40, 1, 1, 1, 1]))]),
    Case(description: "expand negative", op: "Expand", parameters: [("p", numbers([-5, 1, 1, 1, 1]))]),
    Case(description: "tile overflow", op: "Tile", parameters: [("p", numbers([.max, 1, 1, 1]))]),
    Case(description: "pad least", op: "Pad", parameters: [("p", numbers([.min, 0, 0, 0, 0, 0, 0, 0]))]),
    Case(description: "pad below zero", op: "Pad", parameters: [("p", numbers([-3, 0, 0, 0, 0, 0, 0, 0]))]),
    Case(description: "axis least", op: "Softmax", attributes: [("axis", .int(.min))]),
    Case(description: "flatten least", op: "Flatten", attributes: [("axis", .int(.min))]),
    Case(
      description: "slice by zero", op: "Slice",
      parameters: [("a", numbers([0])), ("b", numbers([2])), ("c", numbers([0])), ("d", numbers([0]))]),
    Case(description: "kernel overflow", op: "MaxPool", attributes: [("kernel_shape", .ints([.max, 2]))]),
    Case(description: "kernel zero", op: "MaxPool", attributes: [("kernel_shape", .ints([0, 2]))]),
    Case(
      description: "stride zero", op: "MaxPool",
      attributes: [("kernel_shape", .ints([2, 2])), ("strides", .ints([0, 1]))]),
    Case(
      description: "pads overflow", op: "AveragePool",
      attributes: [("kernel_shape", .ints([2, 2])), ("pads", .ints([.max, 0, 1, 1]))]),
    Case(
      description: "same with huge kernel", op: "MaxPool",
      attributes: [
        ("kernel_shape", .ints([1 << 62, 2])), ("auto_pad", .string("SAME_UPPER")), ("dilations", .ints([1 << 19, 1])),
      ]),
    Case(
      description: "group least", op: "Conv", parameters: [("w", HostTensor(shape: [1, 1, 1, 1], elementType: .f32))],
      attributes: [("group", .int(.min))]),
    Case(
      description: "group zero", op: "Conv", parameters: [("w", HostTensor(shape: [1, 1, 1, 1], elementType: .f32))],
      attributes: [("group", .int(0))]),
    Case(
      description: "weights of rank one", op: "Conv", parameters: [("w", HostTensor(shape: [1], elementType: .f32))]),
    Case(
      description: "resize far", op: "Resize",
      parameters: [
        ("roi", HostTensor(shape: [0], elementType: .f32)),
        ("s", HostTensor(shape: [4], values: [Float](repeating: 9e5, count: 4))),
      ]),
    Case(
      description: "resize nothing", op: "Resize",
      parameters: [
        ("roi", HostTensor(shape: [0], elementType: .f32)),
        ("s", HostTensor(shape: [4], values: [Float](repeating: 1e-9, count: 4))),
      ]),
    Case(
      description: "split overflow", op: "Split", parameters: [("p", numbers([.max, .max]))],
      attributes: [("axis", .int(1))]),
    Case(description: "perm of another rank", op: "Transpose", attributes: [("perm", .ints([1, 0]))]),
    Case(description: "unsqueeze twice", op: "Unsqueeze", parameters: [("p", numbers([0, 0]))]),
    Case(description: "blocks of zero", op: "DepthToSpace", attributes: [("blocksize", .int(0))]),
    Case(description: "blocks least", op: "SpaceToDepth", attributes: [("blocksize", .int(.min))]),
    Case(description: "wrong attribute kind", op: "Softmax", attributes: [("axis", .string("x"))]),
    Case(description: "no matrix", op: "Gemm", parameters: [("w", HostTensor(shape: [5, 2], elementType: .f32))]),
    Case(
      description: "matmul of other sizes", op: "MatMul",
      parameters: [("w", HostTensor(shape: [6, 2], elementType: .f32))]),
    Case(description: "types differ", op: "Add", parameters: [("w", HostTensor(shape: [5], elementType: .f64))]),
    Case(description: "root of integers", op: "Sqrt", type: 7),
    Case(description: "pool of truth values", op: "MaxPool", attributes: [("kernel_shape", .ints([2, 2]))], type: 9),
    Case(
      description: "padding that does not exist", op: "Pad", parameters: [("p", numbers([1, 0, 0, 0, 0, 0, 0, 0]))],
      attributes: [("mode", .string("mirror"))]),
    Case(description: "huge input", op: "Relu", shape: [1 << 32, 1 << 32, 1 << 32, 2]),
    Case(description: "wide input", op: "Relu", shape: [1 << 31, 1 << 31]),
    Case(description: "gather outside", op: "Gather", parameters: [("p", HostTensor(shape: [1], values: [Int8(9)]))]),
  ]

  static func model(_ entry: Case) -> TestModel {
    var model = TestModel(
      opset: entry.opset, inputs: [("x", entry.type, entry.shape.map { .fixed($0) })],
      nodes: [
        .init(
          op: entry.op, inputs: ["x"] + entry.parameters.map(\.0), outputs: ["y"], attributes: entry.attributes)
      ])
    model.initializers = entry.parameters
    if entry.op == "Split" { model.nodes[0].outputs.append("z") }
    return model
  }

  @Test(arguments: refused) func isDiagnosed(_ entry: Case) {
    #expect(throws: DiagnosticError.self) { try ONNXImport.load(data: Self.model(entry).data, path: "m.onnx") }
  }

  /// Constants are computed with at import: what no verifier has seen must be refused all the same.
  @Test func constantsOfWrongTypesAreDiagnosed() {
    for op in ["Sqrt", "Exp", "Not", "Erf", "Softmax", "HardSwish"] {
      var model = TestModel(nodes: [.init(op: op, inputs: ["a"], outputs: ["y"])])
      model.initializers = [("a", HostTensor(shape: [2], values: [Int64](arrayLiteral: 1, 4)))]
      #expect(ImportDiagnosticsTests.codes(model) == ["operand-type"], "\(op)")
    }
    var model = TestModel(nodes: [.init(op: "And", inputs: ["a", "a"], outputs: ["y"])])
    model.initializers = [("a", HostTensor(shape: [2], elementType: .f32))]
    #expect(ImportDiagnosticsTests.codes(model) == ["operand-type"])
    model.nodes = [.init(op: "Where", inputs: ["a", "a", "a"], outputs: ["y"])]
    #expect(ImportDiagnosticsTests.codes(model) == ["operand-type"])
    model.nodes = [.init(op: "Gather", inputs: ["a", "a"], outputs: ["y"])]
    #expect(ImportDiagnosticsTests.codes(model) == ["operand-type"])
  }

  @Test func endlessConstantsAreDiagnosed() {
    func constants(_ op: String, _ parameters: [(String, HostTensor)]) -> TestModel {
      var model = TestModel(nodes: [.init(op: op, inputs: parameters.map(\.0), outputs: ["y"])])
      model.initializers = parameters
      return model
    }
    let endless = [
      ("a", HostTensor(scalar: Float(0))), ("b", HostTensor(scalar: Float.infinity)),
      ("c", HostTensor(scalar: Float(1))),
    ]
    #expect(ImportDiagnosticsTests.codes(constants("Range", endless)) == ["onnx-input"])
    let still = [
      ("a", HostTensor(scalar: Float(0))), ("b", HostTensor(scalar: Float(9))), ("c", HostTensor(scalar: Float(0))),
    ]
    #expect(ImportDiagnosticsTests.codes(constants("Range", still)) == ["onnx-input"])
    #expect(
      ImportDiagnosticsTests.codes(constants("ConstantOfShape", [("s", Self.numbers([1 << 20, 1 << 20]))])) == [
        "tensor-shape"
      ])
    #expect(ImportDiagnosticsTests.codes(constants("ConstantOfShape", [("s", Self.numbers([-1]))])) == ["tensor-shape"])
  }

  @Test func boundsBeyondIntegersSaturate() throws {
    // An old Clip has float bounds, also for integers.
    let clip = Case(
      description: "clip", op: "Clip",
      attributes: [("min", .float(-.infinity)), ("max", .float(.greatestFiniteMagnitude))],
      type: 6, opset: 9)
    _ = try ONNXImport.load(data: Self.model(clip).data, path: "m.onnx")
    let far = Case(
      description: "slice", op: "Slice",
      parameters: [
        ("a", Self.numbers([.max])), ("b", Self.numbers([.min])), ("c", Self.numbers([1])), ("d", Self.numbers([.min])),
      ])
    _ = try ONNXImport.load(data: Self.model(far).data, path: "m.onnx")
  }

  @Test func aPipeIsRefused() throws {
    let path = NSTemporaryDirectory() + "pantile-pipe-\(UUID().uuidString)"
    try #require(mkfifo(path, 0o600) == 0)
    defer { unlink(path) }
    #expect { try ONNXImport.load(path) } throws: { ($0 as? DiagnosticError)?.codes == ["cannot-read"] }
    #expect { try ONNXImport.load(NSTemporaryDirectory()) } throws: {
      ($0 as? DiagnosticError)?.codes == ["cannot-read"]
    }
  }
}
