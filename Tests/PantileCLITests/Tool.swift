import Foundation
import Testing

/// The built `pantile` executable, run as users run it.
enum Tool {
  struct Result {
    var code: Int32
    var output: String
    var errors: String
    /// Ended by a signal: a crash.
    var isCrash: Bool
  }

  /// The repository.
  static let root: String = {
    // Tests/PantileCLITests/Tool.swift
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().path
  }()

  /// The executable stands beside the test runner.
  static let executable: String = {
    let runner = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    var folders = [URL(fileURLWithPath: runner).deletingLastPathComponent().path]
    folders += CommandLine.arguments.map { URL(fileURLWithPath: $0).deletingLastPathComponent().path }
    #if DEBUG
      folders.append("\(root)/.build/debug")
    #else
      folders.append("\(root)/.build/release")
    #endif
    let found = folders.map { "\($0)/pantile" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    guard let found else { fatalError("no pantile executable in \(folders)") }
    return found
  }()

  /// Runs with these arguments in the repository (or `folder`).
  static func run(
    _ arguments: [String], environment: [String: String] = [:], in folder: String? = nil, input: String? = nil
  ) throws -> Result {
    try TemporaryFolder.with { scratch in
      let process = Process()
      process.executableURL = URL(fileURLWithPath: executable)
      process.arguments = arguments
      process.currentDirectoryURL = URL(fileURLWithPath: folder ?? root)
      var variables = ProcessInfo.processInfo.environment
      variables["SWIFT_BACKTRACE"] = "enable=no"
      variables["PANTILE_ROOT"] = root
      variables.merge(environment) { $1 }
      process.environment = variables
      // Files, not pipes: nobody has to read while it runs.
      for name in ["in", "out", "err"] {
        _ = FileManager.default.createFile(
          atPath: "\(scratch)/\(name)", contents: name == "in" ? Data((input ?? "").utf8) : nil)
      }
      process.standardInput = FileHandle(forReadingAtPath: "\(scratch)/in")
      process.standardOutput = FileHandle(forWritingAtPath: "\(scratch)/out")
      process.standardError = FileHandle(forWritingAtPath: "\(scratch)/err")
      try process.run()
      process.waitUntilExit()
      return Result(
        code: process.terminationStatus, output: try text("\(scratch)/out"), errors: try text("\(scratch)/err"),
        isCrash: process.terminationReason == .uncaughtSignal)
    }
  }

  static func text(_ path: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
  }
}

/// A folder that vanishes after use.
enum TemporaryFolder {
  static func with<R>(_ body: (String) throws -> R) throws -> R {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("pantile-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
  }

  /// The files below a folder, relative, sorted.
  static func files(_ folder: String) -> [String] {
    let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    return names.filter { name in
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: "\(folder)/\(name)", isDirectory: &isFolder) && !isFolder.boolValue
    }.sorted()
  }
}

/// The object that a JSON text holds.
func jsonObject(_ text: String) throws -> [String: Any] {
  let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
  return try #require(value as? [String: Any])
}
