import Foundation

/// The repository around this file, and re-blessing of committed results.
enum Repository {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// The committed text at a path; with `PANTILE_BLESS=1` it is first replaced by `text`.
  static func golden(_ path: String, actual text: String) throws -> String {
    let url = root.appendingPathComponent(path)
    if ProcessInfo.processInfo.environment["PANTILE_BLESS"] == "1" {
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    }
    return try String(contentsOf: url, encoding: .utf8)
  }
}
