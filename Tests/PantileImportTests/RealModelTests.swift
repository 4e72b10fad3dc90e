import Foundation
import PantileDialects
import PantileIR
import PantileImport
import PantileSupport
import PantileTensor
import PantileTestSupport
import Testing

/// Small trained models with their weights, open dimensions bound by the given inputs.
@Suite(.serialized) struct RealModelTests {
  @Test(arguments: ["ppocr_v2_cls", "basic_pitch_nmp"]) func agreesWithONNXRuntime(_ name: String) throws {
    guard let folder = SharedFolder.path("models/real/\(name)") else {
      return SharedFolder.reportSkipped("reference outputs of \(name)")
    }
    struct Description: Decodable {
      struct Entry: Decodable {
        var name: String
        var file: String
      }
      var inputs: [Entry]
      var outputs: [Entry]
    }
    let description = try JSONDecoder().decode(
      Description.self, from: try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name).json")))
    var shapes: [String: [Int]] = [:]
    var inputs: [HostTensor] = []
    for entry in description.inputs {
      let tensor = try NPY.read("\(folder)/\(entry.file)")
      shapes[entry.name] = tensor.shape
      inputs.append(tensor)
    }
    let (module, _) = try ONNXImport.load("\(folder)/\(name).onnx", options: ImportOptions(shapes: shapes))
    try module.verify(Dialects.registry)
    let outputs = try Interpreter(module).run(inputs)
    let names = module.outputNames(of: try module.mainFunction())
    for entry in description.outputs {
      let index = try #require(names.firstIndex(of: entry.name))
      let expected = try NPY.read("\(folder)/\(entry.file)")
      #expect(outputs[index].shape == expected.shape)
      let largest = expected.floats.map { abs($0) }.max() ?? 0
      let worst = zip(outputs[index].floats, expected.floats).map { abs($0 - $1) }.max() ?? .infinity
      print("\(name) \(entry.name): max|a-b| / max|b| = \(worst / largest)")
      #expect(worst <= 1e-3 * largest)
    }
  }
}
