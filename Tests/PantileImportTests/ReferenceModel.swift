import Foundation
import PantileDialects
import PantileIR
import PantileImport
import PantileSupport
import PantileTensor
import PantileTestSupport

/// A model with inputs and the outputs that ONNX Runtime gave for them.
struct ReferenceModel {
  struct Description: Decodable {
    struct Input: Decodable {
      var name: String
      var dims: [Int]
      var dtype: String
      var lo: Double
      var hi: Double
      var prngName: String
    }
    struct Output: Decodable {
      var name: String
      var dims: [Int]
      var mean: Double
      var std: Double
      var min: Double
      var max: Double
      var argmax: Int
      var first: [Double]
      var strideSample: [Double]
    }
    struct Reference: Decodable {
      var inputs: [Input]
      var outputs: [Output]
    }
    var reference: Reference
  }

  let module: Module
  let inputs: [HostTensor]
  let outputs: [Description.Output]

  /// Nil when the shared folder is absent.
  init?(topology name: String) throws {
    guard let path = SharedFolder.path("models/topologies/\(name).onnx"),
      let description = SharedFolder.path("models/topologies/\(name).json")
    else {
      SharedFolder.reportSkipped("reference outputs of \(name)")
      return nil
    }
    let data = try Data(contentsOf: URL(fileURLWithPath: description))
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let reference = try decoder.decode(Description.self, from: data).reference
    let (module, warnings) = try ONNXImport.load(path)
    if !warnings.isEmpty { throw DiagnosticError(warnings) }
    self.module = module
    inputs = reference.inputs.map { input in
      let types: [String: ElementType] = ["float32": .f32, "int64": .i64, "int32": .i32]
      return SeededValues.tensor(
        name: input.prngName, shape: input.dims, elementType: types[input.dtype] ?? .f32, low: input.lo, high: input.hi
      )
    }
    outputs = reference.outputs
  }

  /// The first values and the strided sample, with the reference's values for them.
  static func samples(_ tensor: HostTensor, _ output: Description.Output) -> [(own: Double, reference: Double)] {
    let values = tensor.floats.map(Double.init)
    let step = max(1, values.count / 32)
    let strided = stride(from: 0, to: values.count, by: step).map { values[$0] }
    return Array(zip(values, output.first).map { ($0, $1) }) + zip(strided, output.strideSample).map { ($0, $1) }
  }

  static func argmax(_ tensor: HostTensor) -> Int {
    let values = tensor.floats
    return values.indices.max { values[$0] < values[$1] || values[$0] == values[$1] && $0 > $1 } ?? 0
  }
}
