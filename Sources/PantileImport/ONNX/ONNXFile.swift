import Foundation
import PantileSupport
import PantileTensor
import SwiftProtobuf

/// An ONNX file as read, before anything is understood.
struct ONNXFile {
  var model: ONNXModel
  var path: String

  /// - Throws: `cannot-read`; `onnx-format` when the bytes are no ONNX model.
  init(path: String) throws(DiagnosticError) {
    let file = try MappedFile(path: path)
    // Read from the mapping; the decoder copies what it keeps.
    let data = file.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress, bytes.count > 0 else { return Data() }
      return Data(bytesNoCopy: UnsafeMutableRawPointer(mutating: base), count: bytes.count, deallocator: .none)
    }
    defer { withExtendedLifetime(file) {} }
    try self.init(data: data, path: path)
  }

  /// - Throws: `onnx-format`.
  init(data: Data, path: String) throws(DiagnosticError) {
    self.path = path
    do {
      model = try ONNXModel(serializedBytes: data)
    } catch {
      throw DiagnosticError(
        "onnx-format", "'\(path)' is not an ONNX model: \(Self.reason(error))", hint: "check that the file is complete")
    }
    guard model.hasGraph, !model.graph.node.isEmpty || !model.graph.output.isEmpty else {
      throw DiagnosticError("onnx-format", "'\(path)' is not an ONNX model: it has no graph")
    }
    guard !model.graph.output.isEmpty else {
      throw DiagnosticError("onnx-graph", "the graph of '\(path)' has no outputs")
    }
  }

  private static func reason(_ error: any Error) -> String {
    guard let error = error as? BinaryDecodingError else { return "the bytes cannot be decoded" }
    switch error {
    case .truncated: return "it ends in the middle of a field"
    case .invalidUTF8: return "a name is not UTF-8"
    case .malformedProtobuf: return "a field is malformed"
    case .messageDepthLimit: return "its messages are nested too deeply"
    default: return "the bytes cannot be decoded"
    }
  }

  /// The version of the standard operator set.
  /// - Throws: `onnx-opset` when it is missing or older than 7.
  func opset() throws(DiagnosticError) -> Int {
    guard let entry = model.opsetImport.first(where: { $0.domain.isEmpty || $0.domain == "ai.onnx" }) else {
      throw DiagnosticError("onnx-opset", "'\(path)' does not say which version of the standard operators it uses")
    }
    guard entry.version >= 7 else {
      throw DiagnosticError(
        "onnx-opset",
        "'\(path)' uses version \(entry.version) of the standard operators, but 7 is the oldest supported",
        hint: "convert it with onnx.version_converter")
    }
    return Int(clamping: entry.version)
  }
}
