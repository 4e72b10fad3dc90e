import Foundation
import PantileSupport
import Synchronization

/// The finished points of a sweep on disk: one JSON line each, appended and forced out before the point counts as done.
///
/// A killed sweep goes on from its journal; a torn last line is cut off. The header ties it to one spec, one model, one
/// version: any other is refused, never mixed.
final class SweepJournal: Sendable {
  /// One line.
  private struct Line: Codable {
    var point: String
    var metrics: SweepMetrics?
    var code: String?
    var message: String?
  }

  private struct Header: Codable {
    var schema: String
    var sweep: String
    var identity: String
  }

  private static let schema = "pantile.sweep-journal/1"

  private let path: String
  private let descriptor: Mutex<Int32>
  /// Outcomes found when the journal was opened, by point key.
  let finished: [String: SweepOutcome]

  /// Opens the journal at `path`, makes it when missing, and takes its lock.
  /// - Throws: `sweep-running` when another process holds it, `journal-mismatch` when it belongs to another sweep,
  ///   `cannot-write`, `wrong-journal`.
  init(path: String, sweep: String, identity: String) throws(DiagnosticError) {
    self.path = path
    let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard file >= 0 else {
      throw DiagnosticError("cannot-write", "cannot open the journal '\(path)'", hint: "check that the folder exists")
    }
    var keepsFile = false
    defer { if !keepsFile { close(file) } }
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
      throw DiagnosticError("sweep-running", "another process works on '\(path)'", hint: "wait for it or end it")
    }
    let text = try AtomicFile.read(path)
    var finished: [String: SweepOutcome] = [:]
    // Only whole lines count: a line without its newline was cut off by the end of the process.
    let lines = text.split(separator: 10, omittingEmptySubsequences: false).dropLast()
    var kept = 0
    if let first = lines.first {
      guard let header = try? JSONDecoder().decode(Header.self, from: Data(first)), header.schema == Self.schema else {
        throw DiagnosticError(
          "wrong-journal", "'\(path)' is not the journal of a sweep", hint: "name another output, or remove the file")
      }
      guard header.identity == identity else {
        throw DiagnosticError(
          "journal-mismatch",
          "the journal '\(path)' is of another sweep ('\(header.sweep)', \(header.identity)), this one is '\(sweep)', \(identity)",
          hint: "spec, model, chip or version changed: remove the journal to start anew, or name another output")
      }
      kept = first.count + 1
      for line in lines.dropFirst() {
        guard let entry = try? JSONDecoder().decode(Line.self, from: Data(line)) else { break }
        if let metrics = entry.metrics {
          finished[entry.point] = .done(metrics)
        } else {
          finished[entry.point] = .infeasible(code: entry.code ?? "", message: entry.message ?? "")
        }
        kept += line.count + 1
      }
    }
    self.finished = finished
    guard ftruncate(file, off_t(kept)) == 0, lseek(file, off_t(kept), SEEK_SET) == off_t(kept) else {
      throw DiagnosticError("cannot-write", "cannot write the journal '\(path)'")
    }
    descriptor = Mutex(file)
    if kept == 0 {
      try write(Header(schema: Self.schema, sweep: sweep, identity: identity))
    }
    keepsFile = true
  }

  deinit { descriptor.withLock { _ = close($0) } }

  /// Appends one finished point; returns after the disk has it.
  /// - Throws: `cannot-write`.
  func append(_ point: SweepSpec.Point, _ outcome: SweepOutcome) throws(DiagnosticError) {
    switch outcome {
    case .done(let metrics): try write(Line(point: point.key, metrics: metrics))
    case .infeasible(let code, let message): try write(Line(point: point.key, code: code, message: message))
    }
  }

  private func write(_ value: some Encodable) throws(DiagnosticError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard var data = try? encoder.encode(value) else {
      throw DiagnosticError("cannot-write", "a figure of the sweep is not finite; nothing was written to '\(path)'")
    }
    data.append(10)
    let isWritten = descriptor.withLock { file in
      data.withUnsafeBytes { buffer in
        var offset = 0
        while offset < buffer.count {
          let count = Foundation.write(file, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
          if count < 0, errno == EINTR { continue }
          guard count > 0 else { return false }
          offset += count
        }
        return fsync(file) == 0
      }
    }
    guard isWritten else {
      throw DiagnosticError("cannot-write", "cannot write the journal '\(path)'", hint: "is the disk full?")
    }
  }
}
