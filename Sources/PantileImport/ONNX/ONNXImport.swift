import Foundation
import PantileIR
import PantileSupport

/// Reads ONNX models.
public enum ONNXImport {
  /// Reads a model file into a module with one function, `@main`, whose arguments and results are those of the graph.
  ///
  /// Ops carry the names of their ONNX nodes as locations (`Conv#12` for the node of that number when it has no name).
  /// Weights stay where they are until asked for: in a file, under a rule that makes them, or absent with a warning.
  /// - Throws: all errors of the first stage that fails: reading (`cannot-read`, `onnx-format`), operators
  ///   (`unsupported-op`), input shapes (`dynamic-shape`, …), weights, nodes.
  public static func load(
    _ path: String, options: ImportOptions = ImportOptions()
  ) throws(DiagnosticError) -> (module: Module, warnings: [Diagnostic]) {
    try ONNXImporter.module(of: try ONNXFile(path: path), options: options)
  }

  /// Reads a model from the bytes of a file; `path` is where external weights are looked for, and what messages say.
  /// - Throws: as `load(_:options:)`.
  public static func load(
    data: Data, path: String, options: ImportOptions = ImportOptions()
  ) throws(DiagnosticError) -> (module: Module, warnings: [Diagnostic]) {
    try ONNXImporter.module(of: try ONNXFile(data: data, path: path), options: options)
  }

  /// The inputs that a model file declares, in order; weights that are listed among them are left out.
  ///
  /// A caller that is given tensors by position learns here which input each is for.
  /// - Throws: `cannot-read`, `onnx-format`.
  public static func inputs(_ path: String) throws(DiagnosticError) -> [ModelInput] {
    let graph = try ONNXFile(path: path).model.graph
    return ONNXImporter.inputs(of: graph).map { input in
      let tensor = input.type.tensorType
      return ModelInput(
        name: input.name, elementType: ONNXElementType.elementType(Int(tensor.elemType)),
        dimensions: tensor.hasShape ? tensor.shape.dim.map(ModelInput.Dimension.init) : nil)
    }
  }

  /// The names of the standard operators that can be read, sorted.
  public static var supportedOperators: [String] { ONNXImporter.all.map(\.name).sorted() }
}

extension ModelInput.Dimension {
  fileprivate init(_ dimension: ONNXDimension) {
    if dimension.hasDimValue, dimension.dimValue > 0 {
      self = .fixed(Int(dimension.dimValue))
    } else {
      self = dimension.hasDimParam && !dimension.dimParam.isEmpty ? .named(dimension.dimParam) : .open
    }
  }
}
