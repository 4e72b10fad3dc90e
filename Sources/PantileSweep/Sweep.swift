import Foundation
import PantileSupport
import PantileTarget
import Synchronization

/// Evaluates every point of a design space, in parallel, and never twice: finished points stand in a journal.
public struct Sweep: Sendable {
  /// The figures of the model on one chip. Called from several threads at once.
  public typealias Evaluate = @Sendable (Chip) throws(DiagnosticError) -> SweepMetrics

  /// How far a sweep is.
  public struct Progress: Sendable {
    public var done: Int
    public var total: Int
    /// Of `done`, taken from the journal.
    public var resumed: Int
    /// The point finished last; nil at the start.
    public var point: SweepSpec.Point?
    public var outcome: SweepOutcome?
  }

  public struct Options: Sendable {
    /// Points evaluated at once.
    public var workers: Int
    /// What each engine family understands, by name.
    public var schemas: [String: EngineSchema]
    /// A folder that holds `Targets`.
    public var root: String?
    /// Stands for everything outside spec and chip that decides results: hash of the model's bytes, version.
    public var inputsHash: String

    public init(
      workers: Int = ProcessInfo.processInfo.activeProcessorCount, schemas: [String: EngineSchema], root: String? = nil,
      inputsHash: String
    ) {
      self.workers = workers
      self.schemas = schemas
      self.root = root
      self.inputsHash = inputsHash
    }
  }

  public var spec: SweepSpec
  public var options: Options

  public init(spec: SweepSpec, options: Options) {
    self.spec = spec
    self.options = options
  }

  /// Runs what the journal at `journalPath` does not hold yet.
  ///
  /// The result does not depend on the number of workers, on the order in which points end, or on how often the sweep was
  /// killed in between. A point whose chip or model is refused is infeasible and keeps its diagnostic's code.
  /// - Throws: what is wrong with the base chip or the axes' keys, and the codes of the journal.
  public func run(
    journalPath: String, progress: @escaping @Sendable (Progress) -> Void = { _ in }, evaluate: @escaping Evaluate
  ) throws(DiagnosticError) -> SweepResult {
    let points = try spec.points()
    let base = try Chip.load(spec.chip, overrides: spec.settings, schemas: options.schemas, root: options.root)
    try checkKeys()
    var identity = StableHash()
    for text in [spec.hash, base.hash, base.energy.hash, options.inputsHash] { identity.combine(text) }
    let journal = try SweepJournal(path: journalPath, sweep: spec.name, identity: identity.hexadecimal)
    var outcomes: [SweepOutcome?] = points.map { journal.finished[$0.key] }
    let open = outcomes.indices.filter { outcomes[$0] == nil }
    let resumed = points.count - open.count
    progress(Progress(done: resumed, total: points.count, resumed: resumed, point: nil, outcome: nil))

    let shared = SharedOutcomes()
    runInParallel(count: open.count, workers: options.workers) { job in
      let point = points[open[job]]
      let outcome = outcome(of: point, evaluate)
      do throws(DiagnosticError) {
        try journal.append(point, outcome)
      } catch {
        shared.fail(error)
        return false
      }
      let done = shared.add(index: open[job], outcome)
      progress(
        Progress(done: resumed + done, total: points.count, resumed: resumed, point: point, outcome: outcome))
      return true
    }
    for (index, outcome) in try shared.take() { outcomes[index] = outcome }
    return SweepResult(
      spec: spec,
      outcomes: zip(points, outcomes).map { point, outcome in
        // Every open point was evaluated: nothing failed.
        guard let outcome else { preconditionFailure("point \(point.key) has no outcome") }
        return (point, outcome)
      }, resumedCount: resumed)
  }

  private func outcome(of point: SweepSpec.Point, _ evaluate: Evaluate) -> SweepOutcome {
    do throws(DiagnosticError) {
      let chip = try Chip.load(
        spec.chip, overrides: spec.settings + point.settings, schemas: options.schemas, root: options.root)
      return .done(try evaluate(chip))
    } catch {
      let first = error.diagnostics[0]
      return .infeasible(code: first.code, message: first.message)
    }
  }

  /// A key that no chip has is a mistake in the spec, not an infeasible point: it is found before anything runs.
  private func checkKeys() throws(DiagnosticError) {
    let wrong = [
      "unknown-key", "wrong-override", "wrong-type", "missing-unit", "wrong-unit", "unknown-value", "yaml-syntax",
    ]
    var found: [Diagnostic] = []
    for field in spec.axes.flatMap(\.fields) {
      for value in field.values {
        do throws(DiagnosticError) {
          _ = try Chip.load(
            spec.chip, overrides: spec.settings + ["\(field.key)=\(value)"], schemas: options.schemas,
            root: options.root)
        } catch {
          found += error.diagnostics.filter { wrong.contains($0.code) && !found.contains($0) }
        }
      }
    }
    if !found.isEmpty { throw DiagnosticError(found) }
  }
}

/// What the workers have found so far.
private final class SharedOutcomes: Sendable {
  private let state = Mutex<(found: [(index: Int, outcome: SweepOutcome)], error: DiagnosticError?)>(([], nil))

  /// The number of outcomes so far.
  func add(index: Int, _ outcome: SweepOutcome) -> Int {
    state.withLock {
      $0.found.append((index, outcome))
      return $0.found.count
    }
  }

  func fail(_ error: DiagnosticError) { state.withLock { $0.error = $0.error ?? error } }

  /// All outcomes.
  /// - Throws: the first failure.
  func take() throws(DiagnosticError) -> [(index: Int, outcome: SweepOutcome)] {
    let state = state.withLock { $0 }
    if let error = state.error { throw error }
    return state.found
  }
}
