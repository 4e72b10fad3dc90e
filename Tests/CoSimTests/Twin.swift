import Foundation
import PantileEngines
import PantileSupport
import Testing

/// One RTL twin under Verilator: the array of `options` with operands of `width` bits, perhaps with a planted fault.
struct Twin: Sendable, CustomStringConvertible {
  var options: SystolicOptions
  var width = 8
  var fault = SystolicStepper.Fault.none

  var description: String {
    "\(options.dataflow.rawValue) \(options.rows)x\(options.columns) \(options.variant.rawValue) latency "
      + "\(options.peLatency) int\(width)" + (fault == .none ? "" : " fault \(fault)")
  }

  /// One command and how often its enable is low, in 256ths.
  struct Case: Sendable {
    var extents: TileExtents
    var accumulates = false
    var seed: UInt64
    var freeze = 0
    /// Runs for its speed only.
    var isQuiet = false
  }

  struct Outcome: Hashable, Sendable {
    var cycles: Int
    var frozenCycles: Int
    var events: Int
    var hash: UInt64
    var mismatches: Int
  }

  struct Failure: Error, CustomStringConvertible { var description: String }

  static let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// Whether the tools are there; without them the tests are skipped by name.
  static let isAvailable = ["verilator", "g++", "make"].allSatisfy { tool in
    ProcessInfo.processInfo.environment["PATH", default: ""].split(separator: ":").contains {
      FileManager.default.isExecutableFile(atPath: "\($0)/\(tool)")
    }
  }

  /// Runs the cases, building the twin first if need be. Also returns PE-cycles and seconds of the quiet ones.
  func run(_ cases: [Case]) throws -> (outcomes: [Outcome], peCycles: Double, seconds: Double) {
    let lines = try output(cases, listing: nil).filter { !$0.isEmpty }
    var outcomes: [Outcome] = []
    var speed = (0.0, 0.0)
    for line in lines {
      let words = line.split(separator: " ")
      if words.first == "speed", words.count == 3 {
        speed = (Double(words[1]) ?? 0, Double(words[2]) ?? 0)
      } else if words.count == 6, let cycles = Int(words[1]), let frozen = Int(words[2]), let events = Int(words[3]),
        let hash = UInt64(words[4], radix: 16), let mismatches = Int(words[5])
      {
        outcomes.append(
          Outcome(cycles: cycles, frozenCycles: frozen, events: events, hash: hash, mismatches: mismatches))
      } else {
        throw Failure(description: "\(self) says '\(line)'")
      }
    }
    guard outcomes.count == cases.count else {
      throw Failure(description: "\(self) answers \(outcomes.count) of \(cases.count) cases")
    }
    return (outcomes, speed.0, speed.1)
  }

  /// The events of one case, for a report of what differs.
  func events(_ item: Case) throws -> [EdgeEvent] {
    try output([item], listing: 0).compactMap { line in
      let words = line.split(separator: " ")
      guard words.count == 4, words[0] == "event", let cycle = Int(words[1]), let port = Int(words[2]),
        let value = Int32(words[3])
      else { return nil }
      return EdgeEvent(cycle: cycle, port: port, value: value)
    }
  }

  private func output(_ cases: [Case], listing: Int?) throws -> [Substring] {
    let binary = try Self.launch(
      "Scripts/build-twin.sh",
      [
        options.dataflow.rawValue, "\(options.rows)", "\(options.columns)", options.variant.rawValue,
        "\(options.peLatency)", "\(width)", "\(fault.rawValue)",
      ]
    ).trimmingCharacters(in: .whitespacesAndNewlines)
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("twin-\(UUID().uuidString).txt")
    defer { try? FileManager.default.removeItem(at: file) }
    let text = cases.enumerated().map { index, item in
      let e = item.extents
      return
        "\(index) \(e.m) \(e.k) \(e.n) \(item.accumulates ? 1 : 0) \(item.seed) \(item.freeze) \(item.isQuiet ? 1 : 0)"
    }
    try (text.joined(separator: "\n") + "\n").write(to: file, atomically: true, encoding: .utf8)
    let result = try Self.launch(binary, [file.path] + (listing.map { ["\($0)"] } ?? []))
    return result.split(separator: "\n")
  }

  /// Runs a program of the repository and returns what it prints.
  static func launch(_ path: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = root.appendingPathComponent(path)
    process.arguments = arguments
    process.currentDirectoryURL = root
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(description: "\(path) \(arguments.joined(separator: " ")) ends with \(process.terminationStatus)")
    }
    return String(decoding: data, as: UTF8.self)
  }
}

extension Twin.Case {
  /// The operands that the harness draws from the seed.
  func command(width: Int) -> SystolicCommand {
    var random = SplitMix64(seed: seed)
    func draw(_ count: Int) -> [Int16] {
      (0..<count).map { _ in Int16(Int64(bitPattern: random.next()) >> (64 - width)) }
    }
    let a = draw(extents.m * extents.k)
    return SystolicCommand(extents: extents, a: a, b: draw(extents.k * extents.n), accumulates: accumulates)
  }

  /// When the enable is low.
  func frozen(cycles: Int) -> [Bool] {
    guard freeze > 0 else { return [] }
    var random = SplitMix64(seed: ~seed)
    return (0..<cycles).map { _ in random.next() & 255 < UInt64(freeze) }
  }
}
