import PantileDialects
import PantileIR
import PantileImport
import PantileSupport
import PantileTensor
import PantileTestSupport
import PantileText
import Testing

/// Networks against the outputs of ONNX Runtime.
@Suite(.serialized) struct TopologyTests {
  @Test(arguments: [
    "dscnn_kws", "autoencoder_toy", "resnet18", "mobilenet_v2", "densenet121", "efficientnet_b0", "regnet_y_400mf",
    "unet_small", "llama_tiny", "bert_base", "vit_b_16", "vit_b_16_opset23",
  ])
  func floatNetworksAgreeWithONNXRuntime(_ name: String) throws {
    guard let model = try ReferenceModel(topology: name) else { return }
    try model.module.verify(Dialects.registry)
    let outputs = try Interpreter(model.module).run(model.inputs)
    #expect(outputs.count == model.outputs.count)
    for (tensor, output) in zip(outputs, model.outputs) {
      #expect(tensor.shape == output.dims)
      let largest = max(abs(output.min), abs(output.max))
      let worst = ReferenceModel.samples(tensor, output).map { abs($0.own - $0.reference) }.max() ?? .infinity
      print("\(name): max|a-b| / max|b| = \(worst / largest)")
      #expect(worst <= 1e-3 * largest)
      #expect(ReferenceModel.argmax(tensor) == output.argmax)
      let mean = tensor.floats.reduce(0) { $0 + Double($1) } / Double(tensor.count)
      #expect(abs(mean - output.mean) <= 1e-3 * largest)
    }
  }

  @Test(arguments: ["dscnn_kws_int8_qdq", "mobilenet_v2_int8_qdq"])
  func quantisedNetworksAgreeToOneStep(_ name: String) throws {
    guard let model = try ReferenceModel(topology: name) else { return }
    let outputs = try Interpreter(model.module).run(model.inputs)
    let operations = model.module.ops(inBodyOf: try model.module.mainFunction()).map { model.module[$0] }
    let last = try #require(operations.last { $0.name == "dnn.quantize" })
    let step = try #require(try last.numbers("scale").first)
    for (tensor, output) in zip(outputs, model.outputs) {
      let worst = ReferenceModel.samples(tensor, output).map { abs($0.own - $0.reference) }.max() ?? .infinity
      print("\(name): max|a-b| = \(worst), one step is \(step)")
      #expect(worst <= step * 1.001)
      #expect(ReferenceModel.argmax(tensor) == output.argmax)
    }
  }

  /// Weights that are nowhere: sizes still come out, with one warning.
  @Test func aSevenBillionParameterGraphImportsWithoutWeights() throws {
    guard let path = SharedFolder.path("models/topologies/llama_7b_prefill128.onnx") else {
      return SharedFolder.reportSkipped("import of llama_7b_prefill128")
    }
    let (module, _) = try ONNXImport.load(path)
    let function = try module.mainFunction()
    let outputs = module.outputs(of: function)
    #expect(try module.tensor(of: outputs[0]).shape == [1, 128, 32000])
  }
}
