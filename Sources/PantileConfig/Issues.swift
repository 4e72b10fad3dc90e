import PantileSupport

/// Collects the diagnostics of one phase so that all independent errors are reported at once.
public final class Issues {
  /// What was found, in the order of discovery.
  public private(set) var found: [Diagnostic] = []

  /// The diagnostics kept; further ones are counted only, so that a hostile file cannot print without end.
  private let limit: Int
  private var suppressed = 0

  public init(limit: Int = 100) { self.limit = limit }

  /// Takes one diagnostic in.
  public func add(_ diagnostic: Diagnostic) {
    if found.count < limit { found.append(diagnostic) } else { suppressed += 1 }
  }

  /// Takes one error in; the place and its source line come from `node`.
  public func add(_ code: String, _ message: String, at node: ConfigNode, hint: String? = nil) {
    add(Diagnostic(code, message, at: node.location, hint: hint, sourceLine: node.sourceLine))
  }

  /// Takes all diagnostics of an error in.
  public func add(_ error: DiagnosticError) {
    for diagnostic in error.diagnostics { add(diagnostic) }
  }

  /// Whether anything was found.
  public var isEmpty: Bool { found.isEmpty }

  /// Stops the phase when anything was found. Diagnostics are sorted by their place in the file.
  /// - Throws: everything found.
  public func check() throws(DiagnosticError) {
    guard !found.isEmpty else { return }
    // Files in the order in which they came up, what has no place (overrides) behind them.
    var files: [String] = []
    for diagnostic in found {
      if let path = diagnostic.location.filePosition?.path, !files.contains(path) { files.append(path) }
    }
    func key(_ diagnostic: Diagnostic) -> (Int, Int, Int) {
      guard let place = diagnostic.location.filePosition else { return (files.count, 0, 0) }
      return (files.firstIndex(of: place.path) ?? 0, place.line, place.column)
    }
    var sorted = found.enumerated().sorted { a, b in
      let (left, right) = (key(a.element), key(b.element))
      return left == right ? a.offset < b.offset : left < right
    }.map(\.element)
    if suppressed > 0 {
      sorted.append(Diagnostic("too-many-errors", "\(suppressed) further errors are not shown"))
    }
    throw DiagnosticError(sorted)
  }
}
