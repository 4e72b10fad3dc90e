import ArgumentParser
import Foundation
import Pantile

/// The model, what its file leaves open, and how it is made integer.
struct ModelOptions: ParsableArguments {
  @Option(
    name: .customLong("dim"),
    help: ArgumentHelp("Binds a named dimension of an ONNX model. May be repeated.", valueName: "name=n"))
  var dims: [String] = []

  @Option(
    name: .customLong("shape"),
    help: ArgumentHelp("Binds the shape of an input: x=1x3x224x224. May be repeated.", valueName: "input=shape"))
  var shapes: [String] = []

  /// The path of a model: a file, or a shipped workload by name.
  /// - Throws: `unknown-model` with the nearest name.
  static func path(of model: String, root: String?) throws(DiagnosticError) -> String {
    if model.contains("/") || model.contains(".") || FileManager.default.fileExists(atPath: model) { return model }
    let known = WorkloadFolder.files(root: root)
    if let found = known.first(where: { $0.name == model }) { return found.path }
    let names = known.map(\.name)
    let nearest = nearestName(to: model, among: names).map { "did you mean '\($0)'? " } ?? ""
    throw DiagnosticError(
      "unknown-model", "there is no model '\(model)'",
      hint: "\(nearest)give a path or a name"
        + (names.isEmpty ? "" : "; known: \(names.joined(separator: ", "))"))
  }

  /// Loads the model; open dimensions are bound by the options, then by the inputs' shapes.
  func load(
    _ model: String, root: String?, inputs: Inputs? = nil, weightSeed: UInt64? = nil
  ) throws(DiagnosticError) -> Model {
    let path = try ModelOptions.path(of: model, root: root)
    var options = Model.Options(
      dims: try ModelOptions.dims(dims), shapes: try ModelOptions.shapes(shapes), weightSeed: weightSeed)
    if let inputs { try inputs.bind(&options, modelPath: path) }
    return try Model(contentsOf: path, options: options)
  }

  private static func dims(_ texts: [String]) throws(DiagnosticError) -> [String: Int] {
    var result: [String: Int] = [:]
    for text in texts {
      guard let separator = text.lastIndex(of: "="), separator != text.startIndex,
        let extent = Int(text[text.index(after: separator)...]), extent > 0
      else { throw DiagnosticError("wrong-dim", "'\(text)' binds no dimension", hint: "write --dim batch=1") }
      result[String(text[..<separator])] = extent
    }
    return result
  }

  private static func shapes(_ texts: [String]) throws(DiagnosticError) -> [String: [Int]] {
    var result: [String: [Int]] = [:]
    for text in texts {
      let pieces = text.lastIndex(of: "=").map { (text[..<$0], text[text.index(after: $0)...]) }
      let extents = pieces?.1.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) } ?? []
      guard let name = pieces?.0, !name.isEmpty, !extents.isEmpty, extents.allSatisfy({ ($0 ?? 0) > 0 }) else {
        throw DiagnosticError("wrong-shape", "'\(text)' is no shape", hint: "write --shape x=1x3x224x224")
      }
      result[String(name)] = extents.compactMap(\.self)
    }
    return result
  }
}
