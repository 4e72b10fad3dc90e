import Foundation
import PantileImport
import PantileSupport
import PantileTensor
import PantileTestSupport
import Testing

/// Damaged files give diagnostics: no crash, no hang. Seeds are the test arguments.
@Suite struct ImportFuzzTests {
  /// A model with weights, attributes and several operators.
  static var sample: Data {
    if let path = SharedFolder.path("models/topologies/dscnn_kws.onnx"),
      let data = FileManager.default.contents(atPath: path)
    {
      return data
    }
    SharedFolder.reportSkipped("fuzzing of dscnn_kws.onnx; a small model is damaged instead")
    var model = TestModel(
      inputs: [("x", 1, [.fixed(1), .fixed(2), .fixed(5), .fixed(5)])],
      nodes: [
        .init(op: "Conv", inputs: ["x", "w"], outputs: ["a"], attributes: [("pads", .ints([1, 1, 1, 1]))]),
        .init(op: "MaxPool", inputs: ["a"], outputs: ["b"], attributes: [("kernel_shape", .ints([2, 2]))]),
        .init(op: "Flatten", inputs: ["b"], outputs: ["y"]),
      ])
    model.initializers = [
      ("w", SeededValues.tensor(name: "w", shape: [3, 2, 3, 3], elementType: .f32, low: -1, high: 1))
    ]
    return model.data
  }

  private static func load(_ data: Data) { _ = try? ONNXImport.load(data: data, path: "/nonexistent/m.onnx") }

  @Test func truncatedModelsAreDiagnosed() {
    let whole = Self.sample
    for step in 0..<300 { Self.load(whole.prefix(whole.count * step / 300)) }
    #expect { try ONNXImport.load(data: Data(), path: "m.onnx") } throws: {
      ($0 as? DiagnosticError)?.codes == ["onnx-format"]
    }
    #expect { try ONNXImport.load(data: whole.prefix(whole.count / 2), path: "m.onnx") } throws: {
      ($0 as? DiagnosticError)?.codes == ["onnx-format"]
    }
  }

  @Test(arguments: 0..<8) func randomBytesAreDiagnosed(seed: Int) {
    var generator = SplitMix64(seed: UInt64(seed))
    for _ in 0..<200 {
      let bytes = (0..<generator.next(below: 400)).map { _ in UInt8(generator.next(below: 256)) }
      #expect(throws: DiagnosticError.self) { try ONNXImport.load(data: Data(bytes), path: "m.onnx") }
    }
  }

  @Test(arguments: 0..<8) func mutatedModelsNeverCrash(seed: Int) {
    var generator = SplitMix64(seed: UInt64(100 + seed))
    let whole = [UInt8](Self.sample)
    for _ in 0..<60 {
      var bytes = whole
      for _ in 0..<(1 + generator.next(below: 8)) {
        let place = generator.next(below: bytes.count)
        switch generator.next(below: 3) {
        case 0: bytes[place] = UInt8(generator.next(below: 256))
        case 1: bytes[place] ^= 1 << UInt8(generator.next(below: 8))
        default: bytes[place] = [0, 0x7F, 0x80, 0xFF][generator.next(below: 4)]
        }
      }
      Self.load(Data(bytes))
    }
  }

  @Test func deepNestingIsDiagnosed() {
    // Graph in attribute in node in graph …
    var inner: [UInt8] = []
    for _ in 0..<20_000 {
      var w = ProtoWriter()
      w.message(1) { node in node.message(5) { $0.data(6, inner) } }
      if w.bytes.count > 1 << 20 { break }
      inner = w.bytes
    }
    var w = ProtoWriter()
    w.data(7, inner)
    #expect { try ONNXImport.load(data: Data(w.bytes), path: "m.onnx") } throws: {
      ($0 as? DiagnosticError)?.codes == ["onnx-format"]
    }
  }
}
