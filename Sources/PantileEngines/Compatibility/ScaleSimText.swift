import PantileSupport

/// Lines of a file of SCALE-Sim's, with what is wrong with them.
///
/// Works on bytes: a carriage return and a line feed are one character, and names may hold anything.
struct ScaleSimText {
  struct Line {
    /// Counts from 1.
    var number: Int
    /// Without the line end and spaces around.
    var text: String
    /// As in the file, for the caret line.
    var raw: String
  }

  let path: String
  /// Lines that are neither blank nor comments, which start with `#` or `;`.
  let lines: [Line]
  private(set) var problems: [Diagnostic] = []

  init(_ text: String, path: String) {
    self.path = path
    var bytes = Array(text.utf8)[...]
    // Spreadsheets write a byte order mark.
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
    var found: [Line] = []
    for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
      let raw = line.last == 0x0D ? line.dropLast() : line
      let text = ScaleSimText.trimmed(raw)
      if text.isEmpty || text.utf8.first == 0x23 || text.utf8.first == 0x3B { continue }
      found.append(Line(number: index + 1, text: text, raw: String(decoding: raw, as: UTF8.self)))
    }
    lines = found
  }

  /// The fields between commas, without spaces around and without empty ones at the end.
  static func fields(_ text: String) -> [String] {
    var fields = text.utf8.split(separator: 0x2C, omittingEmptySubsequences: false).map { trimmed($0) }
    while fields.last == "" { fields.removeLast() }
    return fields
  }

  /// Text without white space around.
  static func trimmed(_ bytes: some BidirectionalCollection<UInt8>) -> String {
    let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
    guard let first = bytes.firstIndex(where: { !isSpace($0) }), let last = bytes.lastIndex(where: { !isSpace($0) })
    else { return "" }
    return String(decoding: bytes[first...last], as: UTF8.self)
  }

  mutating func fail(_ code: String, _ message: String, at line: Line?, hint: String? = nil) {
    problems.append(diagnostic(code, message, at: line, hint: hint))
  }

  mutating func add(_ diagnostics: [Diagnostic]) { problems += diagnostics }

  func location(_ line: Line?) -> SourceLocation {
    .file(path: path, line: line?.number ?? 1, column: 1)
  }

  func diagnostic(
    _ code: String, _ message: String, at line: Line?, severity: Diagnostic.Severity = .error, hint: String? = nil
  ) -> Diagnostic {
    // A caret line of a damaged file may be very long.
    let quoted = line.flatMap { $0.raw.utf8.count <= 200 ? $0.raw : nil }
    return Diagnostic(
      code, message, at: location(line), severity: severity, hint: hint, sourceLine: quoted)
  }

  /// - Throws: everything that `fail` and `add` were told.
  func check() throws(DiagnosticError) {
    if !problems.isEmpty { throw DiagnosticError(problems) }
  }
}
