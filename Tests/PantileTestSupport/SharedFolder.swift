import Foundation

/// The `shared` folder beside the repository checkout: models and measurements that are too large for it.
public enum SharedFolder {
  /// A path inside the folder, or nil when the folder or the path is not there.
  ///
  /// Looked for beside each folder above this file, so that it is found from any checkout of the repository.
  public static func path(_ relative: String) -> String? {
    var folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    while folder.path != "/" {
      folder.deleteLastPathComponent()
      let candidate = folder.appendingPathComponent("shared/models").path
      if FileManager.default.fileExists(atPath: candidate) {
        let path = folder.appendingPathComponent("shared/\(relative)").path
        return FileManager.default.fileExists(atPath: path) ? path : nil
      }
    }
    return nil
  }

  /// Says on standard output which check was left out for want of the folder.
  public static func reportSkipped(_ what: String) { print("skipped, no shared folder: \(what)") }
}
