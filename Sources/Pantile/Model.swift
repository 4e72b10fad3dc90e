import Foundation
import PantileDialects
import PantileIR
import PantileImport
import PantileSupport
import PantileTensor
import PantileText

/// A network as read from a file: the `dnn` graph before any pass, with what to call it and a hash of what it computes.
///
/// **Example**
/// ```swift
/// let model = try Model(contentsOf: "Workloads/models/digits-cnn/digits-cnn.onnx")
/// print(model.inputs[0].name, model.inputs[0].shape)
/// ```
public struct Model: Sendable {
  /// What is open in a file and has to be said from outside.
  public struct Options: Sendable {
    /// Extents of named dimensions.
    public var dims: [String: Int]
    /// Whole shapes of inputs, for those whose file leaves them open.
    public var shapes: [String: [Int]]
    /// Makes the values of weights that are nowhere; nil leaves them absent.
    public var weightSeed: UInt64?

    public init(dims: [String: Int] = [:], shapes: [String: [Int]] = [:], weightSeed: UInt64? = nil) {
      self.dims = dims
      self.shapes = shapes
      self.weightSeed = weightSeed
    }
  }

  /// An input or output of the graph.
  public struct Port: Hashable, Sendable {
    public var name: String
    public var shape: [Int]
    public var elementType: ElementType

    public init(name: String, shape: [Int], elementType: ElementType) {
      self.name = name
      self.shape = shape
      self.elementType = elementType
    }

    /// `1x3x224x224xf32`.
    public var type: String { (shape.map(String.init) + [elementType.rawValue]).joined(separator: "x") }
  }

  /// The file name without folder and suffix.
  public var name: String
  /// One function, `@main`.
  public var module: Module
  /// What the reader wants the user to know, such as absent weights.
  public var warnings: [Diagnostic]

  /// - Precondition: `module` has a main function.
  public init(name: String, module: Module, warnings: [Diagnostic] = []) {
    self.name = name
    self.module = module
    self.warnings = warnings
  }

  /// Reads an `.onnx` or `.mlir` file.
  /// - Throws: `cannot-read`; `unknown-format` for another suffix; the codes of the reader and of the verifier.
  public init(contentsOf path: String, options: Options = Options()) throws(DiagnosticError) {
    let file = path.split(separator: "/").last.map(String.init) ?? path
    guard let dot = file.lastIndex(of: "."), dot != file.startIndex else { throw Model.unknownFormat(path) }
    name = String(file[..<dot])
    warnings = []
    switch file[dot...] {
    case ".onnx":
      let imported = try ONNXImport.load(path, options: ImportOptions(dims: options.dims, shapes: options.shapes))
      module = imported.module
      warnings = imported.warnings
      try module.verify(Dialects.registry, allowUnknownDialects: false)
    case ".mlir":
      guard options.dims.isEmpty, options.shapes.isEmpty else {
        throw DiagnosticError(
          "fixed-shape", "the shapes of '\(path)' stand in the text; --dim and --shape are for ONNX models")
      }
      module = try Module(parsing: AtomicFile.readText(path), path: path, registry: Dialects.registry)
      try module.verify(Dialects.registry, allowUnknownDialects: false)
    default: throw Model.unknownFormat(path)
    }
    _ = try module.mainFunction()
    if let seed = options.weightSeed { try makeWeights(seed: seed) }
  }

  private static func unknownFormat(_ path: String) -> DiagnosticError {
    DiagnosticError("unknown-format", "'\(path)' is neither an .onnx nor an .mlir file")
  }

  // MARK: Ports

  /// The graph inputs in order.
  public var inputs: [Port] {
    get throws(DiagnosticError) {
      let main = try module.mainFunction()
      return try ports(module.inputs(of: main), module.inputNames(of: main))
    }
  }

  /// The graph outputs in order.
  public var outputs: [Port] {
    get throws(DiagnosticError) {
      let main = try module.mainFunction()
      return try ports(module.outputs(of: main), module.outputNames(of: main))
    }
  }

  private func ports(_ values: [ValueID], _ names: [String]) throws(DiagnosticError) -> [Port] {
    var ports: [Port] = []
    for (value, name) in zip(values, names) {
      let type = try module.tensor(of: value)
      let element = try ElementType(type.element, at: module.location(ofValue: value))
      ports.append(Port(name: name, shape: type.shape, elementType: element))
    }
    return ports
  }

  // MARK: Identity

  /// Sixteen hexadecimal digits over the graph (locations left out) and the bytes of its weights.
  /// - Throws: what fetching weights throws.
  /// - Complexity: reads all weights.
  public func hash() throws(DiagnosticError) -> String {
    var hash = StableHash()
    hash.combine(try module.print(.init(form: .generic, locations: .none), withWeights: false))
    for key in module.resources.keys {
      guard let resource = module.resources[key] else { continue }
      hash.combine(key)
      guard let data = try resource.data() else { continue }
      hash.combine(data.count)
      data.withUnsafeBytes { hash.combine(buffer: $0) }
    }
    return hash.hexadecimal
  }
}
