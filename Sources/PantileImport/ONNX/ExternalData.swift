import Foundation
import PantileSupport
import PantileTensor

/// Where an ONNX tensor keeps its bytes outside the model file.
struct ExternalData: Hashable, Sendable {
  var location: String
  var offset: Int
  /// Nil: as many bytes as the tensor needs.
  var length: Int?

  /// - Throws: `external-data` when a key is missing or no number.
  init(_ tensor: ONNXTensor) throws(DiagnosticError) {
    var location: String?
    var offset = 0
    var length: Int?
    for entry in tensor.externalData {
      switch entry.key {
      case "location": location = entry.value
      case "offset": offset = try Self.number(entry, tensor)
      case "length": length = try Self.number(entry, tensor)
      default: break
      }
    }
    guard let location, !location.isEmpty else {
      throw DiagnosticError("external-data", "tensor '\(tensor.name)' lies outside the model but names no file")
    }
    self.location = location
    self.offset = offset
    self.length = length
  }

  private static func number(_ entry: ONNXEntry, _ tensor: ONNXTensor) throws(DiagnosticError) -> Int {
    guard let value = Int(entry.value), value >= 0 else {
      throw DiagnosticError(
        "external-data", "tensor '\(tensor.name)' has the \(entry.key) '\(entry.value)', which is not a count of bytes")
    }
    return value
  }

  /// The file, inside the folder of the model whatever links say, or nil when there is none.
  /// - Throws: `external-data-path` when the location leaves the folder.
  func resolve(modelPath: String) throws(DiagnosticError) -> String? {
    let parts = location.split(separator: "/", omittingEmptySubsequences: false)
    guard !location.hasPrefix("/"), !parts.contains(".."), !location.contains("\\"), !location.utf8.contains(0) else {
      throw leaves()
    }
    let slash = modelPath.lastIndex(of: "/")
    let folder = slash.map { $0 == modelPath.startIndex ? "/" : String(modelPath[..<$0]) } ?? "."
    guard let realFolder = Self.realPath(folder), let realFile = Self.realPath(folder + "/" + location) else {
      return nil
    }
    let prefix = realFolder == "/" ? "/" : realFolder + "/"
    guard realFile.hasPrefix(prefix) else { throw leaves() }
    return realFile
  }

  private func leaves() -> DiagnosticError {
    DiagnosticError(
      "external-data-path", "the model keeps weights in '\(location)', which lies outside the model's folder",
      hint: "weights must lie in the folder of the .onnx file or below it")
  }

  /// The path without links and dots; nil when nothing is there.
  private static func realPath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
