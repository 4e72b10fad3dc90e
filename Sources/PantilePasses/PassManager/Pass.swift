import PantileIR
import PantileSupport

/// A rewriting of modules as a definition value: options, documentation, timing and bisection derive from it.
///
/// A pass gets a valid module and leaves a valid one; all edits go through the run's `RewriteContext`.
public final class Pass: Sendable {
  /// What a pass looks at, so that a pipeline cannot nest it wrongly.
  public enum Scope: String, Sendable {
    case module = "builtin.module"
    /// Each function on its own.
    case function = "func.func"
  }

  /// Another pass that has to stand on one side of this one when both are in a pipeline, and why.
  public struct Ordering: Hashable, Sendable {
    public var pass: String
    public var reason: String

    public init(_ pass: String, because reason: String) {
      self.pass = pass
      self.reason = reason
    }
  }

  /// Kebab-case, as pipelines spell it.
  public let name: String
  /// One line for tables.
  public let summary: String
  /// What it requires and guarantees, and text before and after; Markdown.
  public let documentation: String
  public let scope: Scope
  /// Whether the result is right without it; bisection leaves out these alone.
  public let isOptional: Bool
  public let options: [PassOption]
  /// Passes that must come earlier, when present.
  public let after: [Ordering]
  /// Passes that must come later, when present.
  public let before: [Ordering]
  private let parseAndRun: @Sendable (inout PassRun, [PassOptionText]) throws(DiagnosticError) -> Void
  private let parse: @Sendable ([PassOptionText]) throws(DiagnosticError) -> Void

  public init<Options: PassOptions>(
    _ name: String, summary: String, documentation: String = "", scope: Scope = .function, isOptional: Bool = true,
    after: [Ordering] = [], before: [Ordering] = [], options: Options.Type,
    run: @escaping @Sendable (inout PassRun, Options) throws(DiagnosticError) -> Void
  ) {
    self.name = name
    self.summary = summary
    self.documentation = documentation
    self.scope = scope
    self.isOptional = isOptional
    self.options = Options.fields.map(\.description)
    self.after = after
    self.before = before
    parse = { texts throws(DiagnosticError) in _ = try Options(texts, pass: name) }
    parseAndRun = { context, texts throws(DiagnosticError) in
      try run(&context, try Options(texts, pass: name))
    }
  }

  /// A pass without options.
  public convenience init(
    _ name: String, summary: String, documentation: String = "", scope: Scope = .function, isOptional: Bool = true,
    after: [Ordering] = [], before: [Ordering] = [],
    run: @escaping @Sendable (inout PassRun) throws(DiagnosticError) -> Void
  ) {
    self.init(
      name, summary: summary, documentation: documentation, scope: scope, isOptional: isOptional, after: after,
      before: before, options: NoPassOptions.self
    ) { context, _ throws(DiagnosticError) in try run(&context) }
  }

  /// Checks option texts without running.
  /// - Throws: `unknown-option`, `option-value`, all at once.
  public func check(_ texts: [PassOptionText]) throws(DiagnosticError) { try parse(texts) }

  /// Runs the pass.
  /// - Throws: `unknown-option`, `option-value`, and what the pass throws.
  public func run(_ context: inout PassRun, _ texts: [PassOptionText] = []) throws(DiagnosticError) {
    try parseAndRun(&context, texts)
  }
}

/// What a pass works on: the module, side inputs and results, remarks.
public struct PassRun: Sendable {
  public var rewrite: RewriteContext
  /// Side inputs such as calibration data, and side results such as reports.
  public var artifacts: PassArtifacts
  /// Warnings and notes, in order.
  public var diagnostics: [Diagnostic] = []

  public init(_ module: Module, registry: DialectRegistry, artifacts: PassArtifacts = PassArtifacts()) {
    rewrite = RewriteContext(module, registry: registry)
    self.artifacts = artifacts
  }

  public var module: Module { rewrite.module }

  /// The functions that have a body, in order.
  public var functions: [OpID] { module.functions.filter { module.body(of: $0) != nil } }

  /// Adds a remark.
  public mutating func remark(
    _ code: String, _ message: String, at location: SourceLocation = .unknown,
    severity: Diagnostic.Severity = .note, hint: String? = nil
  ) {
    diagnostics.append(Diagnostic(code, message, at: location, severity: severity, hint: hint))
  }
}

/// Values that travel beside a module through a pipeline, one of each type.
public struct PassArtifacts: Sendable {
  private var values: [ObjectIdentifier: any Sendable] = [:]

  public init() {}

  /// The value of a type; assigning nil removes it.
  public subscript<Value: Sendable>(_ type: Value.Type) -> Value? {
    get { values[ObjectIdentifier(type)] as? Value }
    set { values[ObjectIdentifier(type)] = newValue }
  }
}
