import Foundation
import PantileSupport

extension RunReport {
  /// The report as JSON text: keys sorted, two spaces, a newline at the end; the same report gives the same bytes.
  public func json() -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    } catch {
      // Only a number that is not finite can fail to encode; the builder makes none.
      preconditionFailure("run report of '\(model)' does not encode: \(error)")
    }
  }

  /// Reads a report; `path` only names the file in messages.
  /// - Throws: `wrong-schema` when it is another schema, `wrong-report` when keys are missing or of another type.
  public init(json text: String, path: String) throws(DiagnosticError) {
    let decoder = JSONDecoder()
    let data = Data(text.utf8)
    struct Header: Decodable { var schema: String? }
    let found = (try? decoder.decode(Header.self, from: data))?.schema
    guard found == RunReport.currentSchema else {
      throw DiagnosticError(
        "wrong-schema",
        "'\(path)' has the schema \(found.map { "'\($0)'" } ?? "of no run report"), this version reads "
          + "'\(RunReport.currentSchema)'")
    }
    do {
      self = try decoder.decode(RunReport.self, from: data)
    } catch let error as DecodingError {
      throw DiagnosticError("wrong-report", "'\(path)' is not a run report: \(describe(error))")
    } catch {
      throw DiagnosticError("wrong-report", "'\(path)' is not a run report")
    }
  }
}

private func describe(_ error: DecodingError) -> String {
  func path(_ context: DecodingError.Context) -> String {
    let keys = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
    return keys.isEmpty ? "the top level" : keys.joined(separator: ".")
  }
  switch error {
  case .keyNotFound(let key, let context): return "no key '\(key.stringValue)' in \(path(context))"
  case .typeMismatch(_, let context), .valueNotFound(_, let context): return "wrong type at \(path(context))"
  case .dataCorrupted(let context): return "no JSON at \(path(context))"
  @unknown default: return "\(error)"
  }
}
