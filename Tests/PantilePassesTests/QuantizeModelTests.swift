import Foundation
import PantileDialects
import PantileIR
import PantileImport
import PantilePasses
import PantileSupport
import PantileTensor
import PantileTestSupport
import PantileText
import Testing

@Suite struct QuantizeModelTests {
  /// The models of ONNX Runtime's static quantisation: int8 and uint8 activations, weights for each channel.
  @Test(arguments: ["dscnn_kws_int8_qdq", "mobilenet_v2_int8_qdq"])
  func quantizedModelsLowerToOneStep(_ name: String) throws {
    guard let (module, inputs) = try Self.load(name) else { return }
    let pairs = try GraphPipeline.quantized(module)
    #expect(pairs.quantization == nil)
    let integer = try GraphPipeline.integer(module).module
    let comparison = try StepComparison(pairs.module, integer, inputs)
    #expect(comparison.largest <= 1, "\(comparison.worst)")
    #expect(comparison.valueCount > 15)
    #expect(comparison.differing * 100 < comparison.elementCount)
    let wanted = try Interpreter(pairs.module).run(inputs)[0]
    let found = try Interpreter(integer).run(inputs)[0]
    #expect(argmax(wanted) == argmax(found))
    // Nothing but the input's quantisation and what follows the last layer is float.
    let floats = try opNames(integer).filter {
      ["dnn.conv2d", "dnn.fully_connected", "dnn.add", "dnn.relu", "dnn.clamp", "dnn.global_avg_pool"].contains($0)
    }
    for op in integer.ops(inBodyOf: try integer.mainFunction()) where floats.contains(integer.name(of: op)) {
      #expect(try integer[op].operandTensor(0).element == .i8, "\(integer.location(of: op))")
    }
  }

  @Test(arguments: ["dscnn_kws", "autoencoder_toy"])
  func floatModelsQuantize(_ name: String) throws {
    guard let (module, inputs) = try Self.load(name) else { return }
    let pairs = try GraphPipeline.quantized(module, calibration: Calibration(samples: [inputs]))
    let integer = try GraphPipeline.integer(module, calibration: Calibration(samples: [inputs])).module
    #expect(pairs.quantization?.isSynthetic == false)
    let comparison = try StepComparison(pairs.module, integer, inputs)
    #expect(comparison.largest <= 1, "\(comparison.worst)")
    #expect(comparison.valueCount >= 3)
    let float = try Interpreter(GraphPipeline.cleaned(module)).run(inputs)[0]
    let quantised = try Interpreter(integer).run(inputs)[0]
    let scale = float.floats.map(\.magnitude).max() ?? 0
    for (a, b) in zip(float.floats, quantised.floats) { #expect((a - b).magnitude <= 0.1 * scale) }
  }

  /// A model of the shared folder with the inputs of its description.
  static func load(_ name: String) throws -> (module: Module, inputs: [HostTensor])? {
    guard let path = SharedFolder.path("models/topologies/\(name).onnx"),
      let description = SharedFolder.path("models/topologies/\(name).json")
    else {
      SharedFolder.reportSkipped("quantisation of \(name)")
      return nil
    }
    struct Description: Decodable {
      struct Input: Decodable {
        var dims: [Int]
        var lo: Double
        var hi: Double
        var prngName: String
      }
      struct Reference: Decodable { var inputs: [Input] }
      var reference: Reference
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let data = try Data(contentsOf: URL(fileURLWithPath: description))
    let inputs = try decoder.decode(Description.self, from: data).reference.inputs.map {
      SeededValues.tensor(name: $0.prngName, shape: $0.dims, elementType: .f32, low: $0.lo, high: $0.hi)
    }
    return (try ONNXImport.load(path).module, inputs)
  }
}
