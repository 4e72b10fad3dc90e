import PantileSupport

extension PassPipeline {
  /// Parses a pipeline text.
  ///
  /// Passes are separated by commas; options stand in braces, separated by blanks; `builtin.module(…)`, `func.func(…)` and
  /// `any(…)` group. Option values with blanks or braces stand in quotes.
  /// - Throws: `pipeline-syntax`; `unknown-pass` with the nearest name; `pass-scope`; and the codes of `check()`.
  public init(parsing text: String, registry: [Pass] = PassRegistry.all) throws(DiagnosticError) {
    var parser = PipelineParser(text: text, registry: registry)
    try parser.parseList(anchor: nil)
    guard parser.isAtEnd else { throw parser.syntaxError("expected ',' or the end of the pipeline") }
    guard parser.diagnostics.isEmpty else { throw DiagnosticError(parser.diagnostics) }
    self.init(parser.steps)
    do throws(DiagnosticError) { try check() } catch {
      throw DiagnosticError(
        error.diagnostics.map { diagnostic in
          var diagnostic = diagnostic
          if diagnostic.location != .unknown { diagnostic.sourceLine = text }
          return diagnostic
        })
    }
  }
}

private struct PipelineParser {
  private let text: [UInt8]
  private let source: String
  private let passes: [Pass]
  private var position = 0
  private var depth = 0
  var steps: [PassPipeline.Step] = []
  var diagnostics: [Diagnostic] = []

  init(text: String, registry: [Pass]) {
    self.text = Array(text.utf8)
    source = text
    passes = registry
  }

  var isAtEnd: Bool {
    mutating get {
      skipBlanks()
      return position == text.count
    }
  }

  private func location(_ offset: Int) -> SourceLocation { .file(path: "<pipeline>", line: 1, column: offset + 1) }

  func syntaxError(_ message: String) -> DiagnosticError {
    DiagnosticError("pipeline-syntax", message, at: location(position), sourceLine: source)
  }

  private mutating func skipBlanks() {
    while position < text.count, text[position] <= UInt8(ascii: " ") { position += 1 }
  }

  private mutating func take(_ character: UInt8) -> Bool {
    skipBlanks()
    guard position < text.count, text[position] == character else { return false }
    position += 1
    return true
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
      || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
      || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
  }

  private mutating func name() -> (text: String, offset: Int) {
    skipBlanks()
    let start = position
    while position < text.count, Self.isNameByte(text[position]) { position += 1 }
    return (String(decoding: text[start..<position], as: UTF8.self), start)
  }

  mutating func parseList(anchor: Pass.Scope?) throws(DiagnosticError) {
    if isAtEnd { return }
    if position < text.count, text[position] == UInt8(ascii: ")") { return }
    repeat { try parseElement(anchor: anchor) } while take(UInt8(ascii: ","))
  }

  private mutating func parseElement(anchor: Pass.Scope?) throws(DiagnosticError) {
    let (name, offset) = self.name()
    guard !name.isEmpty else { throw syntaxError("expected a pass name") }
    if take(UInt8(ascii: "(")) {
      guard depth < 16 else { throw syntaxError("groups nest more than 16 deep") }
      let inner: Pass.Scope
      switch name {
      case "builtin.module" where anchor != .function: inner = .module
      case "func.func": inner = .function
      case "any": inner = anchor ?? .module
      default:
        throw DiagnosticError(
          "pipeline-syntax", "'\(name)' cannot hold passes here", at: location(offset),
          hint: "groups are builtin.module(…), func.func(…) and any(…)", sourceLine: source)
      }
      depth += 1
      try parseList(anchor: inner)
      depth -= 1
      guard take(UInt8(ascii: ")")) else { throw syntaxError("expected ')'") }
      return
    }
    let options = try parseOptions()
    guard let pass = passes.first(where: { $0.name == name }) else {
      let near = nearestName(to: name, among: passes.map(\.name)).map { "did you mean '\($0)'?" }
      diagnostics.append(
        Diagnostic(
          "unknown-pass", "no pass is called '\(name)'", at: location(offset),
          hint: near ?? "passes are \(passes.map(\.name).joined(separator: ", "))", sourceLine: source))
      return
    }
    if anchor == .function, pass.scope == .module {
      diagnostics.append(
        Diagnostic(
          "pass-scope", "pass '\(name)' works on whole modules and cannot stand in func.func(…)", at: location(offset),
          sourceLine: source))
    }
    steps.append(PassPipeline.Step(pass, options, at: location(offset)))
  }

  private mutating func parseOptions() throws(DiagnosticError) -> [PassOptionText] {
    guard take(UInt8(ascii: "{")) else { return [] }
    var options: [PassOptionText] = []
    while !take(UInt8(ascii: "}")) {
      let (name, offset) = self.name()
      guard !name.isEmpty else { throw syntaxError("expected an option name or '}'") }
      var value = ""
      if position < text.count, text[position] == UInt8(ascii: "=") {
        position += 1
        value = try parseValue()
      }
      options.append(PassOptionText(name, value, at: location(offset)))
    }
    return options
  }

  private mutating func parseValue() throws(DiagnosticError) -> String {
    let start = position
    if position < text.count, text[position] == UInt8(ascii: "\"") {
      position += 1
      while position < text.count, text[position] != UInt8(ascii: "\"") { position += 1 }
      guard position < text.count else { throw syntaxError("expected '\"'") }
      position += 1
      return String(decoding: text[(start + 1)..<(position - 1)], as: UTF8.self)
    }
    while position < text.count, text[position] > UInt8(ascii: " "), text[position] != UInt8(ascii: "}") {
      position += 1
    }
    return String(decoding: text[start..<position], as: UTF8.self)
  }
}
