import PantileSupport

/// The text of a request trace: a request a line, `R ADDRESS` or `W ADDRESS`, the address in bytes, decimal or `0x` hexadecimal.
/// Empty lines, and what follows `#` or `//`, are skipped.
public enum DRAMTrace {
  /// As many wrong lines are told one by one.
  private static let maximumDiagnostics = 20

  /// Reads a trace; `path` only names it in messages.
  /// - Throws: `wrong-trace` with the place of each wrong line.
  public static func parse(_ text: String, path: String) throws(DiagnosticError) -> [DRAMTraceEntry] {
    var copy = text
    // Contiguous bytes: traces have millions of lines.
    let (entries, wrong) = copy.withUTF8 { parse($0) }
    guard !wrong.isEmpty else { return entries }
    var diagnostics = wrong.prefix(maximumDiagnostics).map { line in
      Diagnostic(
        "wrong-trace", line.message, at: .file(path: path, line: line.number, column: line.column),
        hint: "write R or W and a byte address, as in 'R 0x1f40'", sourceLine: String(line.text.prefix(80)))
    }
    if wrong.count > maximumDiagnostics {
      diagnostics.append(
        Diagnostic("too-many-errors", "\(wrong.count - maximumDiagnostics) further wrong lines are not shown"))
    }
    throw DiagnosticError(diagnostics)
  }

  private struct WrongLine {
    var number: Int
    var column: Int
    var text: String
    var message: String
  }

  private static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> ([DRAMTraceEntry], [WrongLine]) {
    var entries: [DRAMTraceEntry] = []
    entries.reserveCapacity(bytes.count / 8)
    var wrong: [WrongLine] = []
    var start = 0
    var number = 0
    while start < bytes.count {
      var end = start
      while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
      number += 1
      let line = UnsafeBufferPointer(rebasing: bytes[start..<end])
      switch parseLine(line) {
      case .success(let entry): if let entry { entries.append(entry) }
      case .failure(let fault):
        wrong.append(
          WrongLine(
            number: number, column: fault.column + 1, text: String(decoding: line, as: UTF8.self),
            message: fault.message))
      }
      start = end + 1
    }
    return (entries, wrong)
  }

  private struct Fault: Error {
    var column: Int
    var message: String
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 13 }

  /// Nil for a line without a request.
  private static func parseLine(_ line: UnsafeBufferPointer<UInt8>) -> Result<DRAMTraceEntry?, Fault> {
    var at = 0
    func skipSpace() { while at < line.count, isSpace(line[at]) { at += 1 } }
    /// The end, or a comment.
    var isAtEnd: Bool {
      if at >= line.count || line[at] == UInt8(ascii: "#") { return true }
      return line[at] == UInt8(ascii: "/") && at + 1 < line.count && line[at + 1] == UInt8(ascii: "/")
    }
    skipSpace()
    if isAtEnd { return .success(nil) }
    let isWrite: Bool
    switch line[at] {
    case UInt8(ascii: "R"), UInt8(ascii: "r"): isWrite = false
    case UInt8(ascii: "W"), UInt8(ascii: "w"): isWrite = true
    default: return .failure(Fault(column: at, message: "a request must start with R or W"))
    }
    at += 1
    guard at < line.count, isSpace(line[at]) else {
      return .failure(Fault(column: at, message: "no space and address after R or W"))
    }
    skipSpace()
    let first = at
    var base: UInt64 = 10
    if at + 1 < line.count, line[at] == UInt8(ascii: "0"), line[at + 1] | 0x20 == UInt8(ascii: "x") {
      base = 16
      at += 2
    }
    let digits = at
    var value: UInt64 = 0
    while at < line.count, let digit = hexDigit(line[at]), digit < base {
      let (scaled, overflow) = value.multipliedReportingOverflow(by: base)
      let (sum, carry) = scaled.addingReportingOverflow(digit)
      guard !overflow, !carry, sum <= UInt64(Int.max) else {
        return .failure(Fault(column: first, message: "the address is above \(Int.max)"))
      }
      value = sum
      at += 1
    }
    guard at > digits else { return .failure(Fault(column: first, message: "no address after R or W")) }
    guard at == line.count || isSpace(line[at]) || isAtEnd else {
      return .failure(Fault(column: at, message: "the address holds a character that is no digit"))
    }
    skipSpace()
    guard isAtEnd else { return .failure(Fault(column: at, message: "something follows the address")) }
    return .success(DRAMTraceEntry(Int(value), isWrite: isWrite))
  }

  private static func hexDigit(_ byte: UInt8) -> UInt64? {
    switch byte {
    case 48...57: return UInt64(byte - 48)
    case 65...70: return UInt64(byte - 55)
    case 97...102: return UInt64(byte - 87)
    default: return nil
    }
  }
}
