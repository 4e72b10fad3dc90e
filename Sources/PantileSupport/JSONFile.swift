import Foundation

/// JSON that others write, into values of ours.
public enum JSONFile {
  /// Decodes the contents of a file.
  ///
  /// - Parameters:
  ///   - code: of the diagnostic.
  ///   - hint: what describes the format.
  /// - Throws: `code` with the path of the key that is missing or wrong.
  public static func decode<Value: Decodable>(
    _ type: Value.Type, from data: Data, path: String, code: String, hint: String
  ) throws(DiagnosticError) -> Value {
    let message: String
    do {
      return try JSONDecoder().decode(type, from: data)
    } catch let error as DecodingError {
      switch error {
      case .keyNotFound(let key, let context): message = "'\(keyPath(context.codingPath + [key]))' is missing"
      case .typeMismatch(let type, let context): message = "'\(keyPath(context.codingPath))' is no \(type)"
      case .valueNotFound(let type, let context): message = "'\(keyPath(context.codingPath))' is null, not \(type)"
      case .dataCorrupted(let context):
        message = context.codingPath.isEmpty ? "this is no JSON" : "'\(keyPath(context.codingPath))' cannot be read"
      @unknown default: message = "this cannot be read"
      }
    } catch {
      message = "this is no JSON"
    }
    throw DiagnosticError(code, message, at: .file(path: path, line: 1, column: 1), hint: hint)
  }

  private static func keyPath(_ keys: [any CodingKey]) -> String {
    keys.reduce("") { text, key in
      key.intValue.map { "\(text)[\($0)]" } ?? (text.isEmpty ? key.stringValue : "\(text).\(key.stringValue)")
    }
  }
}
