import Foundation
import PantileEngines
import PantileProgram
import PantileSim
import PantileSupport

/// The register-transfer twin of the core, built with Verilator for one structure, as tests run it.
struct CoreTwin {
  var executable: String
  var structure: CoreTwinStructure

  struct Failed: Error { var message: String }

  static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path

  static var isAvailable: Bool {
    ["/usr/bin/verilator", "/usr/local/bin/verilator"].contains { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// The structure that random Programs fit in.
  static func structure(_ array: SystolicOptions) throws -> CoreTwinStructure {
    try CoreTwinStructure(
      .systolic(array), programWords: 1 << 16, dramBytes: 1 << 20, scratchpadBytes: 1 << 18, accumulatorWords: 1 << 14)
  }

  /// Builds what is not built yet; the script keeps it under the hash of its sources.
  init(_ structure: CoreTwinStructure) throws {
    self.structure = structure
    executable = try Self.output(
      "\(Self.repository)/Scripts/core-twin.sh", structure.parameters.map { "\($0.name)=\($0.value)" }
    ).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  static func output(_ path: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    let (out, err) = (Pipe(), Pipe())
    process.standardOutput = out
    process.standardError = err
    try process.run()
    let data = out.fileHandleForReading.readDataToEndOfFile()
    let errors = err.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failed(
        message: "\(path) ends with \(process.terminationStatus): \(String(decoding: errors, as: UTF8.self))")
    }
    return String(decoding: data, as: UTF8.self)
  }

  /// What differs in each of the cases, by their order.
  func differences(_ cases: [CoreTwinCase], faults: Int = 0) throws -> [[String]] {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("core-twin-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    var paths: [URL] = []
    for (index, one) in cases.enumerated() {
      let path = folder.appendingPathComponent("\(index)")
      try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
      for file in one.inputs { try Data(file.bytes).write(to: path.appendingPathComponent(file.name)) }
      paths.append(path)
    }
    _ = try Self.output(executable, ["--faults", "\(faults)"] + paths.map(\.path))
    return zip(cases, paths).map { one, path in
      one.differences { name in (try? Data(contentsOf: path.appendingPathComponent("\(name).actual"))).map(Array.init) }
    }
  }
}
