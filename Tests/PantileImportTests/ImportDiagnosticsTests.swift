import Foundation
import PantileIR
import PantileImport
import PantileSupport
import PantileTensor
import PantileTestSupport
import Testing

@Suite struct ImportDiagnosticsTests {
  /// `y = Relu(x)` on a named batch.
  static var relu: TestModel {
    TestModel(
      inputs: [("x", 1, [.named("batch"), .fixed(3)])], nodes: [.init(op: "Relu", inputs: ["x"], outputs: ["y"])])
  }

  static func codes(_ model: TestModel, options: ImportOptions = ImportOptions()) -> [String] {
    do throws(DiagnosticError) {
      _ = try ONNXImport.load(data: model.data, path: "/nonexistent/m.onnx", options: options)
      return []
    } catch {
      return error.codes
    }
  }

  static func shape(_ model: TestModel, _ options: ImportOptions) throws -> [Int] {
    let (module, _) = try ONNXImport.load(data: model.data, path: "m.onnx", options: options)
    let function = try module.mainFunction()
    let ops = module.ops(inBodyOf: function)
    return try module[ops[ops.count - 1]].operandTensor(0).shape
  }

  @Test func openDimensionsMustBeBound() throws {
    #expect(Self.codes(Self.relu) == ["dynamic-shape"])
    #expect(try Self.shape(Self.relu, ImportOptions(dims: ["batch": 4])) == [4, 3])
    #expect(try Self.shape(Self.relu, ImportOptions(shapes: ["x": [2, 3]])) == [2, 3])
  }

  @Test func wrongBindingsAreNamed() {
    #expect(Self.codes(Self.relu, options: ImportOptions(dims: ["batc": 4])) == ["unknown-dim", "dynamic-shape"])
    #expect(Self.codes(Self.relu, options: ImportOptions(dims: ["batch": 0])) == ["dim-range"])
    #expect(
      Self.codes(Self.relu, options: ImportOptions(shapes: ["y": [1, 3]])) == ["unknown-input", "dynamic-shape"])
    #expect(Self.codes(Self.relu, options: ImportOptions(shapes: ["x": [1, 4]])) == ["shape-conflict"])
    #expect(Self.codes(Self.relu, options: ImportOptions(shapes: ["x": [1]])) == ["shape-conflict"])
    #expect(
      Self.codes(Self.relu, options: ImportOptions(dims: ["batch": 2], shapes: ["x": [1, 3]])) == ["shape-conflict"])
  }

  @Test func oneShapeBindsTheSameNameElsewhere() throws {
    var model = Self.relu
    model.inputs.append(("z", 1, [.named("batch"), .fixed(3)]))
    model.nodes = [.init(op: "Add", inputs: ["x", "z"], outputs: ["y"])]
    #expect(try Self.shape(model, ImportOptions(shapes: ["x": [5, 3]])) == [5, 3])
  }

  @Test func inputsWithoutRankNeedAShape() throws {
    var model = Self.relu
    model.inputs = [("x", 1, nil)]
    #expect(Self.codes(model) == ["dynamic-shape"])
    #expect(try Self.shape(model, ImportOptions(shapes: ["x": [2, 2, 2]])) == [2, 2, 2])
  }

  @Test func allUnsupportedOperatorsAreListedAtOnce() {
    let model = TestModel(
      inputs: [("x", 1, [.fixed(3)])],
      nodes: [
        .init(op: "Frobnicate", inputs: ["x"], outputs: ["a"], name: "first"),
        .init(op: "Frobnicate", inputs: ["a"], outputs: ["b"]),
        .init(op: "Relu", inputs: ["b"], outputs: ["c"], domain: "com.example"),
        .init(op: "Nonsense", inputs: ["x"], outputs: ["unread"]), .init(op: "Relu", inputs: ["c"], outputs: ["y"]),
      ])
    do throws(DiagnosticError) {
      _ = try ONNXImport.load(data: model.data, path: "m.onnx")
      Issue.record("imported")
    } catch {
      #expect(error.codes == ["unsupported-op", "unsupported-op"])
      #expect(error.diagnostics[0].location == .named("first"))
      #expect(error.diagnostics[0].notes.map(\.location) == [.named("Frobnicate#1")])
      #expect(error.diagnostics[1].message.contains("com.example.Relu"))
    }
  }

  @Test func independentErrorsOfNodesComeTogether() {
    let model = TestModel(
      inputs: [("x", 1, [.fixed(1), .fixed(4)]), ("z", 1, [.fixed(1), .fixed(3)])],
      nodes: [
        .init(op: "Add", inputs: ["x", "z"], outputs: ["a"], name: "bad-add"),
        .init(op: "Transpose", inputs: ["x"], outputs: ["b"], name: "bad-perm", attributes: [("perm", .ints([0, 0]))]),
        .init(op: "Relu", inputs: ["a"], outputs: ["c"]), .init(op: "Concat", inputs: ["c", "b"], outputs: ["y"]),
      ])
    do throws(DiagnosticError) {
      _ = try ONNXImport.load(data: model.data, path: "m.onnx")
      Issue.record("imported")
    } catch {
      #expect(error.diagnostics.map(\.location) == [.named("bad-add"), .named("bad-perm")])
    }
  }

  @Test func graphsThatAreNoneAreDiagnosed() {
    var model = Self.relu
    model.inputs = [("x", 1, [.fixed(3)])]
    model.outputs = ["missing"]
    #expect(Self.codes(model) == ["onnx-graph"])
    model.outputs = ["y"]
    model.nodes.append(.init(op: "Relu", inputs: ["x"], outputs: ["y"]))
    #expect(Self.codes(model) == ["onnx-graph"])
    model.nodes = [.init(op: "Relu", inputs: ["nowhere"], outputs: ["y"])]
    #expect(Self.codes(model) == ["onnx-graph"])
    model.nodes = [.init(op: "Relu", inputs: ["y"], outputs: ["y"])]
    #expect(Self.codes(model) == ["onnx-graph"])
    model.nodes = [.init(op: "Relu", inputs: [], outputs: ["y"])]
    #expect(Self.codes(model) == ["onnx-input"])
    model.opset = 3
    #expect(Self.codes(model) == ["onnx-opset"])
    var strings = Self.relu
    strings.inputs = [("x", 8, [.fixed(3)])]
    #expect(Self.codes(strings) == ["tensor-type"])
  }

  @Test func shapesThatDependOnValuesAreDiagnosed() {
    let model = TestModel(
      inputs: [("x", 1, [.fixed(6)]), ("s", 7, [.fixed(2)])],
      nodes: [.init(op: "Reshape", inputs: ["x", "s"], outputs: ["y"], name: "r")])
    #expect(Self.codes(model) == ["not-constant"])
  }

  @Test func damagedTensorsAreDiagnosed() {
    func model(_ write: @escaping (inout ProtoWriter) -> Void) -> TestModel {
      var model = TestModel(
        inputs: [("x", 1, [.fixed(2)])], nodes: [.init(op: "Add", inputs: ["x", "w"], outputs: ["y"])])
      model.rawInitializers = [write]
      return model
    }
    func tensor(_ dims: [Int], _ type: Int, _ bytes: Int) -> (inout ProtoWriter) -> Void {
      { w in
        for dim in dims { w.integer(1, dim) }
        w.integer(2, type)
        w.text(8, "w")
        w.data(9, [UInt8](repeating: 0, count: bytes))
      }
    }
    #expect(Self.codes(model(tensor([2], 1, 8))) == [])
    #expect(Self.codes(model(tensor([2], 1, 7))) == ["tensor-data"])
    #expect(Self.codes(model(tensor([3], 1, 8))) == ["tensor-data"])
    #expect(Self.codes(model(tensor([-1], 1, 8))) == ["tensor-shape"])
    #expect(Self.codes(model(tensor([1 << 40, 1 << 40], 1, 8))) == ["tensor-shape"])
    #expect(Self.codes(model(tensor([2], 14, 8))) == ["tensor-type"])
    #expect(Self.codes(model(tensor([2], 99, 8))) == ["tensor-type"])
  }

  @Test func unnamedNodesAreNumberedInLocations() throws {
    let (module, _) = try ONNXImport.load(
      data: Self.relu.data, path: "m.onnx", options: ImportOptions(dims: ["batch": 1]))
    let ops = module.ops(inBodyOf: try module.mainFunction())
    #expect(module[ops[0]].name == "dnn.relu")
    #expect(module[ops[0]].location == .named("Relu#0"))
  }

  @Test func initializersAmongTheInputsAreNoInputs() throws {
    var model = TestModel(
      inputs: [("x", 1, [.fixed(2)]), ("w", 1, [.fixed(2)])],
      nodes: [.init(op: "Add", inputs: ["x", "w"], outputs: ["y"])])
    model.initializers = [("w", HostTensor(shape: [2], values: [Float](arrayLiteral: 1, 2)))]
    let (module, _) = try ONNXImport.load(data: model.data, path: "m.onnx")
    let function = try module.mainFunction()
    let block = try #require(module.body(of: function))
    #expect(module.arguments(of: block).count == 1)
  }

  @Test func shapeArithmeticFoldsAway() throws {
    // Flatten by Shape, Gather, Unsqueeze, Concat and Reshape, as exporters write it.
    var model = TestModel(
      inputs: [("x", 1, [.fixed(2), .fixed(3), .fixed(4)])],
      nodes: [
        .init(op: "Shape", inputs: ["x"], outputs: ["s"]), .init(op: "Gather", inputs: ["s", "zero"], outputs: ["n"]),
        .init(op: "Unsqueeze", inputs: ["n", "axes"], outputs: ["n1"]),
        .init(op: "Concat", inputs: ["n1", "rest"], outputs: ["t"], attributes: [("axis", .int(0))]),
        .init(op: "Reshape", inputs: ["x", "t"], outputs: ["y"]),
      ])
    model.initializers = [
      ("zero", HostTensor(scalar: Int64(0))), ("axes", HostTensor(shape: [1], values: [Int64(0)])),
      ("rest", HostTensor(shape: [1], values: [Int64(-1)])),
    ]
    let (module, _) = try ONNXImport.load(data: model.data, path: "m.onnx")
    let names = module.ops(inBodyOf: try module.mainFunction()).map { module.name(of: $0) }
    #expect(names == ["dnn.reshape", "func.return"])
    #expect(try Self.shape(model, ImportOptions()) == [2, 12])
  }
}
