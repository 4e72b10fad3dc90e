import PantileIR
import PantileSupport

/// Runs a pipeline over a module: verification, printing and timing between passes, bisection.
public struct PassManager: Sendable {
  public struct Options: Sendable {
    /// Verify the module before the first and after each pass.
    public var verifiesEach = true
    /// Names of passes after which `didPrint` gets the module; `all` stands for each.
    public var printAfter: [String] = []
    /// How many optional passes may still run; nil for all. Required passes always run.
    public var bisectLimit: Int?

    public init() {}
  }

  /// What happened to one step.
  public struct StepRecord: Sendable {
    public var pass: String
    /// Place in the pipeline, from 0.
    public var index: Int
    /// Left out by the bisection limit.
    public var isSkipped: Bool
    /// Edits that the pass made.
    public var changeCount: Int
    public var duration: Duration
  }

  public var pipeline: PassPipeline
  public var options: Options
  public var registry: DialectRegistry
  /// Called before each pass that runs.
  public var willRun: (@Sendable (String) -> Void)?
  /// Called after each pass, with its time: the timing hook.
  public var didRun: (@Sendable (StepRecord) -> Void)?
  /// Called with pass name and module after the passes of `printAfter`.
  public var didPrint: (@Sendable (String, Module) -> Void)?

  public init(_ pipeline: PassPipeline, registry: DialectRegistry, options: Options = Options()) {
    self.pipeline = pipeline
    self.registry = registry
    self.options = options
  }

  /// The module after all passes with side results, remarks and one record a step.
  public struct Outcome: Sendable {
    public var module: Module
    public var artifacts: PassArtifacts
    public var diagnostics: [Diagnostic]
    public var records: [StepRecord]
  }

  /// Runs all steps in order.
  /// - Throws: the codes of `PassPipeline.check()`; `unknown-pass` for a name in `printAfter`; what a pass throws; what the
  ///   verifier finds, with a note naming the pass after which it failed.
  public func run(
    _ module: Module, artifacts: PassArtifacts = PassArtifacts()
  ) throws(DiagnosticError) -> Outcome {
    try pipeline.check()
    try checkPrintNames()
    var context = PassRun(module, registry: registry, artifacts: artifacts)
    if options.verifiesEach { try module.verify(registry) }
    var records: [StepRecord] = []
    var optionalCount = 0
    let clock = ContinuousClock()
    for (index, step) in pipeline.steps.enumerated() {
      var record = StepRecord(pass: step.pass.name, index: index, isSkipped: false, changeCount: 0, duration: .zero)
      if step.pass.isOptional {
        optionalCount += 1
        record.isSkipped = options.bisectLimit.map { optionalCount > $0 } ?? false
      }
      if !record.isSkipped {
        willRun?(step.pass.name)
        let before = context.rewrite.changeCount
        let start = clock.now
        try step.pass.run(&context, step.options)
        record.duration = start.duration(to: clock.now)
        record.changeCount = context.rewrite.changeCount - before
        if options.verifiesEach, record.changeCount > 0 { try verify(context.module, after: step.pass.name) }
      }
      didRun?(record)
      records.append(record)
      if options.printAfter.contains(step.pass.name) || options.printAfter.contains("all") {
        didPrint?(step.pass.name, context.module)
      }
    }
    return Outcome(
      module: context.module, artifacts: context.artifacts, diagnostics: context.diagnostics, records: records)
  }

  private func verify(_ module: Module, after pass: String) throws(DiagnosticError) {
    do throws(DiagnosticError) { try module.verify(registry) } catch {
      throw DiagnosticError(
        error.diagnostics.map { diagnostic in
          var diagnostic = diagnostic
          diagnostic.notes.append(.init("the module is wrong after pass '\(pass)'"))
          return diagnostic
        })
    }
  }

  private func checkPrintNames() throws(DiagnosticError) {
    let known = pipeline.steps.map(\.pass.name) + ["all"]
    var diagnostics: [Diagnostic] = []
    for name in options.printAfter where !known.contains(name) {
      let near = nearestName(to: name, among: known).map { "did you mean '\($0)'?" }
      diagnostics.append(Diagnostic("unknown-pass", "no pass '\(name)' to print after", hint: near))
    }
    if !diagnostics.isEmpty { throw DiagnosticError(diagnostics) }
  }
}
