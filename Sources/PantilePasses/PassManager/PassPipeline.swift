import PantileSupport

/// Passes in order with their options; the value behind `--passes` texts.
///
/// **Example** `builtin.module(func.func(fold-constants{max-elements=4096},canonicalize),quantize{weight-bits=4})`, or
/// plainly `fold-constants,canonicalize,quantize`.
public struct PassPipeline: Sendable {
  public struct Step: Sendable {
    public var pass: Pass
    public var options: [PassOptionText]
    public var location: SourceLocation

    public init(_ pass: Pass, _ options: [PassOptionText] = [], at location: SourceLocation = .unknown) {
      self.pass = pass
      self.options = options
      self.location = location
    }

    /// A step with typed options.
    public init<Options: PassOptions>(_ pass: Pass, _ options: Options) { self.init(pass, options.texts) }
  }

  public var steps: [Step]

  public init(_ steps: [Step] = []) { self.steps = steps }

  /// Checks option texts and the declared order of passes.
  /// - Throws: `unknown-option`, `option-value`, `pass-order`; all at once.
  public func check() throws(DiagnosticError) {
    var diagnostics: [Diagnostic] = []
    for step in steps {
      do throws(DiagnosticError) { try step.pass.check(step.options) } catch { diagnostics += error.diagnostics }
    }
    for (index, step) in steps.enumerated() {
      // Only the first of several runs of a pass is bound: later ones clean up.
      guard !steps[..<index].contains(where: { $0.pass.name == step.pass.name }) else { continue }
      let earlier = Set(steps[..<index].map(\.pass.name))
      let later = Set(steps[(index + 1)...].map(\.pass.name))
      for rule in step.pass.after where later.contains(rule.pass) && !earlier.contains(rule.pass) {
        diagnostics.append(orderError(step, "must come after '\(rule.pass)': \(rule.reason)"))
      }
      for rule in step.pass.before where earlier.contains(rule.pass) {
        diagnostics.append(orderError(step, "must come before '\(rule.pass)': \(rule.reason)"))
      }
    }
    if !diagnostics.isEmpty { throw DiagnosticError(diagnostics) }
  }

  private func orderError(_ step: Step, _ message: String) -> Diagnostic {
    Diagnostic("pass-order", "pass '\(step.pass.name)' \(message)", at: step.location)
  }
}

extension PassPipeline: CustomStringConvertible {
  /// The text that parses to this pipeline; function passes are nested.
  public var description: String {
    var parts: [String] = []
    var nested: [String] = []
    func close() {
      if !nested.isEmpty { parts.append("func.func(\(nested.joined(separator: ",")))") }
      nested = []
    }
    for step in steps {
      switch step.pass.scope {
      case .function: nested.append(text(of: step))
      case .module:
        close()
        parts.append(text(of: step))
      }
    }
    close()
    return "builtin.module(\(parts.joined(separator: ",")))"
  }

  private func text(of step: Step) -> String {
    guard !step.options.isEmpty else { return step.pass.name }
    let options = step.options.map { option in
      let isPlain =
        !option.value.isEmpty && !option.value.contains { $0 == " " || $0 == "}" || $0 == "{" || $0 == "\"" }
      return "\(option.name)=\(isPlain ? option.value : "\"\(option.value)\"")"
    }
    return "\(step.pass.name){\(options.joined(separator: " "))}"
  }
}
