/// A message for the user about their input: what is wrong, where, which two things disagree, and what to do.
public struct Diagnostic: Error, Hashable, Sendable {
  public enum Severity: String, Hashable, Sendable { case error, warning, note }

  /// Stable kebab-case code such as `shape-mismatch`; tests match codes, not prose.
  public var code: String
  public var severity: Severity
  /// Lower case, no full stop, names both sides and the numbers.
  public var message: String
  public var location: SourceLocation
  public var notes: [Note]
  /// What to do about it, when we know.
  public var hint: String?
  /// The source line of `location`, when the text was at hand; rendered with a caret.
  public var sourceLine: String?

  /// Further information with a place of its own.
  public struct Note: Hashable, Sendable {
    public var message: String
    public var location: SourceLocation

    public init(_ message: String, at location: SourceLocation = .unknown) {
      self.message = message
      self.location = location
    }
  }

  public init(
    _ code: String, _ message: String, at location: SourceLocation = .unknown, severity: Severity = .error,
    notes: [Note] = [], hint: String? = nil, sourceLine: String? = nil
  ) {
    self.code = code
    self.severity = severity
    self.message = message
    self.location = location
    self.notes = notes
    self.hint = hint
    self.sourceLine = sourceLine
  }

  /// The text that the command line prints: location, severity, message and code, then caret line, notes and hint.
  public var rendered: String {
    var text = ""
    if location != .unknown { text += "\(location): " }
    text += "\(severity.rawValue): \(message) [\(code)]"
    if let sourceLine, let column = location.filePosition?.column {
      // Tabs are kept in the padding so that the caret stands under its column in any terminal.
      let padding = String(sourceLine.utf8.prefix(max(0, column - 1)).map { $0 == 9 ? "\t" : " " })
      text += "\n  \(sourceLine)\n  \(padding)^"
    }
    for note in notes {
      text += "\n  note: "
      if note.location != .unknown { text += "\(note.location): " }
      text += note.message
    }
    if let hint { text += "\n  hint: \(hint)" }
    return text
  }
}

/// One or more diagnostics that stopped a phase; all independent errors of the phase are inside.
public struct DiagnosticError: Error, Hashable, Sendable {
  public var diagnostics: [Diagnostic]

  /// - Precondition: at least one diagnostic.
  public init(_ diagnostics: [Diagnostic]) {
    precondition(!diagnostics.isEmpty, "a DiagnosticError needs a diagnostic")
    self.diagnostics = diagnostics
  }

  public init(_ diagnostic: Diagnostic) { self.diagnostics = [diagnostic] }

  public init(
    _ code: String, _ message: String, at location: SourceLocation = .unknown, notes: [Diagnostic.Note] = [],
    hint: String? = nil, sourceLine: String? = nil
  ) {
    self.init(
      Diagnostic(code, message, at: location, notes: notes, hint: hint, sourceLine: sourceLine))
  }

  /// All diagnostics as text, one after another.
  public var rendered: String { diagnostics.map(\.rendered).joined(separator: "\n") }

  /// The codes, in order; what tests compare.
  public var codes: [String] { diagnostics.map(\.code) }
}

extension DiagnosticError: CustomStringConvertible {
  public var description: String { rendered }
}
