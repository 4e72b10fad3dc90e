import Foundation

/// Writes whole files: to a temporary name beside the target first, then renamed, so that a reader never sees a half.
public enum AtomicFile {
  /// A device or a pipe (`/dev/null`) is written to as it is: renaming would put a plain file in its place.
  /// - Throws: `cannot-write` when the folder does not exist or refuses.
  public static func write(_ data: Data, to path: String) throws(DiagnosticError) {
    if isSpecial(path) { return try writeThrough(data, to: path) }
    let temporary = "\(path).tmp-\(ProcessInfo.processInfo.processIdentifier)"
    do {
      try data.write(to: URL(fileURLWithPath: temporary))
    } catch {
      unlink(temporary)
      throw DiagnosticError(
        "cannot-write", "cannot write '\(path)'", notes: [.init(String(describing: error.localizedDescription))],
        hint: "check that the folder exists and may be written")
    }
    guard rename(temporary, path) == 0 else {
      unlink(temporary)
      throw DiagnosticError("cannot-write", "cannot rename '\(temporary)' to '\(path)'")
    }
  }

  /// Whether there is something at `path` that is neither a plain file nor a folder: a device, a pipe, a socket.
  public static func isSpecial(_ path: String) -> Bool {
    var status = stat()
    guard stat(path, &status) == 0 else { return false }
    // The upper digits of the mode are the kind: plain file or folder.
    let kind = status.st_mode & 0o170000
    return kind != 0o100000 && kind != 0o040000
  }

  private static func writeThrough(_ data: Data, to path: String) throws(DiagnosticError) {
    guard let handle = FileHandle(forWritingAtPath: path) else {
      throw DiagnosticError("cannot-write", "cannot write '\(path)'")
    }
    do {
      try handle.write(contentsOf: data)
      try handle.close()
    } catch {
      throw DiagnosticError(
        "cannot-write", "cannot write '\(path)'", notes: [.init(String(describing: error.localizedDescription))])
    }
  }

  public static func write(_ text: String, to path: String) throws(DiagnosticError) {
    try write(Data(text.utf8), to: path)
  }

  /// The bytes of a file.
  /// - Throws: `cannot-read` when it is missing, a folder, or refused.
  public static func read(_ path: String) throws(DiagnosticError) -> Data {
    do {
      return try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      throw DiagnosticError("cannot-read", "cannot read '\(path)'", hint: "check the path")
    }
  }

  /// The text of a file.
  /// - Throws: `cannot-read`; `not-utf8` when the bytes are no UTF-8.
  public static func readText(_ path: String) throws(DiagnosticError) -> String {
    let data = try read(path)
    guard let text = String(validating: data, as: UTF8.self) else {
      throw DiagnosticError("not-utf8", "'\(path)' is not UTF-8 text")
    }
    return text
  }
}
