import Foundation
import Pantile

/// Files that a command will write: collected first, written when all work is done, so that an error leaves nothing behind.
struct OutputFiles {
  private var files: [(path: String, data: Data)] = []

  /// `-` is stdout.
  mutating func add(_ text: String, to path: String) { add(Data(text.utf8), to: path) }

  mutating func add(_ data: Data, to path: String) { files.append((path, data)) }

  /// Checks early that a file can be written, before minutes of work.
  /// - Throws: `cannot-write` when the folder of `path` does not exist, or `path` is a folder.
  static func check(_ path: String?) throws(DiagnosticError) {
    guard let path, path != "-" else { return }
    let folder = folder(of: path)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
      throw DiagnosticError("cannot-write", "cannot write '\(path)': there is no folder '\(folder)'")
    }
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      throw DiagnosticError("cannot-write", "cannot write '\(path)': it is a folder")
    }
    guard access(folder, W_OK) == 0 else {
      throw DiagnosticError("cannot-write", "cannot write '\(path)': the folder '\(folder)' refuses")
    }
  }

  /// Makes a folder for outputs if it is not there.
  /// - Throws: `cannot-write`.
  static func makeFolder(_ path: String) throws(DiagnosticError) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw DiagnosticError(
        "cannot-write", "cannot make the folder '\(path)'", notes: [.init(error.localizedDescription)])
    }
  }

  /// Writes everything: files whole or not at all, stdout last.
  /// - Throws: `cannot-write`; files written before the failure are removed again when they were new.
  func write() throws(DiagnosticError) {
    var made: [String] = []
    for file in files where file.path != "-" {
      let isNew = !FileManager.default.fileExists(atPath: file.path)
      do throws(DiagnosticError) {
        try AtomicFile.write(file.data, to: file.path)
      } catch {
        for path in made { unlink(path) }
        throw error
      }
      if isNew { made.append(file.path) }
    }
    for file in files where file.path == "-" { Terminal.write(String(decoding: file.data, as: UTF8.self)) }
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
