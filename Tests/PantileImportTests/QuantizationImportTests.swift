import PantileDialects
import PantileIR
import PantileImport
import PantileSupport
import PantileTensor
import PantileText
import Testing

@Suite struct QuantizationImportTests {
  /// `y = x + dequantize(w)` with one scale and zero point for each row of w.
  static func model(_ w: HostTensor, scales: [Float], zeroPoints: HostTensor) -> TestModel {
    var model = TestModel(
      inputs: [("x", 1, [.fixed(2), .fixed(2)])],
      nodes: [
        .init(
          op: "DequantizeLinear", inputs: ["w", "s", "z"], outputs: ["d"], attributes: [("axis", .int(0))]),
        .init(op: "Add", inputs: ["x", "d"], outputs: ["y"]),
      ])
    model.initializers = [("w", w), ("s", HostTensor(shape: [scales.count], values: scales)), ("z", zeroPoints)]
    return model
  }

  static func load(_ model: TestModel) throws -> (constant: HostTensor, op: OpView, result: [Float]) {
    let (module, _) = try ONNXImport.load(data: model.data, path: "m.onnx")
    let ops = module.ops(inBodyOf: try module.mainFunction()).map { module[$0] }
    let constant = try #require(ops.first { $0.name == "dnn.constant" })
    let op = try #require(ops.first { $0.name == "dnn.dequantize" })
    let outputs = try Interpreter(module).run([HostTensor(shape: [2, 2], elementType: .f32)])
    return (try #require(try module.constantTensor(of: constant.id)), op, outputs[0].floats)
  }

  @Test func weightsBecomeSymmetricWhenTheyFit() throws {
    let w = HostTensor(shape: [2, 2], values: [UInt8](arrayLiteral: 0, 255, 128, 100))
    let (constant, op, result) = try Self.load(
      Self.model(w, scales: [0.5, 0.25], zeroPoints: HostTensor(shape: [2], values: [UInt8](arrayLiteral: 128, 100))))
    #expect(constant == HostTensor(shape: [2, 2], values: [Int8](arrayLiteral: -128, 127, 28, 0)))
    #expect(try op.integers("zero_point") == [0, 0])
    #expect(result == [-64, 63.5, 7, 0])
  }

  @Test func negativeScalesMoveIntoTheValues() throws {
    let w = HostTensor(shape: [2, 2], values: [Int8](arrayLiteral: 1, -2, 3, 4))
    let (constant, op, result) = try Self.load(
      Self.model(w, scales: [-0.5, 2], zeroPoints: HostTensor(shape: [2], values: [Int8](arrayLiteral: 1, 0))))
    #expect(constant.integers == [0, 3, 3, 4])
    #expect(try op.numbers("scale") == [0.5, 2])
    #expect(result == [0, 1.5, 6, 8])
  }

  @Test func weightsThatDoNotFitKeepTheirZeroPoint() throws {
    let w = HostTensor(shape: [2, 2], values: [Int8](arrayLiteral: -128, 127, 0, 0))
    let (constant, op, result) = try Self.load(
      Self.model(w, scales: [1, 1], zeroPoints: HostTensor(shape: [2], values: [Int8](arrayLiteral: 5, 0))))
    #expect(constant == w)
    #expect(try op.integers("zero_point") == [5, 0])
    #expect(result == [-133, 122, 0, 0])
  }

  @Test(arguments: [0, Float.nan, .infinity]) func impossibleScalesAreDiagnosed(_ scale: Float) {
    let w = HostTensor(shape: [2, 2], elementType: .i8)
    let model = Self.model(w, scales: [1, scale], zeroPoints: HostTensor(shape: [2], elementType: .i8))
    #expect(ImportDiagnosticsTests.codes(model) == ["onnx-input"])
  }

  @Test func activationsCannotHaveNegativeScales() {
    var model = TestModel(
      inputs: [("x", 3, [.fixed(2)])],
      nodes: [.init(op: "DequantizeLinear", inputs: ["x", "s"], outputs: ["y"])])
    model.initializers = [("s", HostTensor(scalar: Float(-1)))]
    #expect(ImportDiagnosticsTests.codes(model) == ["onnx-input"])
  }

  @Test func quantisedGemmWeightsAreTransposedBeforeTheyAreDequantised() throws {
    var model = TestModel(
      inputs: [("x", 1, [.fixed(1), .fixed(2)])],
      nodes: [
        .init(op: "DequantizeLinear", inputs: ["w", "s"], outputs: ["d"], attributes: [("axis", .int(1))]),
        .init(op: "Gemm", inputs: ["x", "d"], outputs: ["y"]),
      ])
    model.initializers = [
      ("w", HostTensor(shape: [2, 3], values: [Int8](arrayLiteral: 1, 2, 3, 4, 5, 6))),
      ("s", HostTensor(shape: [3], values: [Float](arrayLiteral: 1, 0.5, 2))),
    ]
    let (module, _) = try ONNXImport.load(data: model.data, path: "m.onnx")
    let names = module.ops(inBodyOf: try module.mainFunction()).map { module.name(of: $0) }
    #expect(names == ["dnn.constant", "dnn.dequantize", "dnn.fully_connected", "func.return"])
    let outputs = try Interpreter(module).run([HostTensor(shape: [1, 2], values: [Float](arrayLiteral: 1, 1))])
    #expect(outputs[0].floats == [5, 3.5, 18])
  }
}
