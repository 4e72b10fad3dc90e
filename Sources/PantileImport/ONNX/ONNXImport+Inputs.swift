import PantileSupport

extension ONNXImport {
  /// The inputs that a model file declares, in order, without reading anything else of it; nil for open dimensions.
  ///
  /// Inputs of unknown rank are left out.
  /// - Throws: `cannot-read`, `onnx-format`.
  public static func inputs(of path: String) throws(DiagnosticError) -> [(name: String, dims: [Int?])] {
    let graph = try ONNXFile(path: path).model.graph
    let initializers = Set(graph.initializer.map(\.name))
    return graph.input.filter { !initializers.contains($0.name) && $0.type.tensorType.hasShape }.map { input in
      let dims = input.type.tensorType.shape.dim.map { dim in
        dim.hasDimValue && dim.dimValue > 0 ? Int(dim.dimValue) : nil
      }
      return (input.name, dims)
    }
  }
}
