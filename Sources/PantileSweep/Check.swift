import Foundation
import PantileReport
import PantileSupport
import Synchronization

/// Runs a suite and compares it with its golden file.
public struct Check: Sendable {
  /// What the evaluation of a case gives.
  public struct Measurement: Sendable {
    public var report: RunReport
    /// One digest a layer over its commands, in layer order.
    public var schedules: [String]

    public init(report: RunReport, schedules: [String]) {
      self.report = report
      self.schedules = schedules
    }
  }

  /// Compiles and runs one case. Called from several threads at once.
  public typealias Evaluate = @Sendable (CheckSuite.Case) throws(DiagnosticError) -> Measurement

  /// One figure that is not as expected.
  public struct Difference: Hashable, Sendable {
    /// Nil for a figure of the whole run.
    public var layer: String?
    /// `cycles`, `schedule`, `action array.mac.int8`, `layers`.
    public var quantity: String
    /// Nil where there was, or is, nothing.
    public var expected: String?
    public var found: String?

    /// Whether a number that should be small grew.
    public var isWorse: Bool {
      guard let old = expected.flatMap({ Int($0) }), let new = found.flatMap({ Int($0) }) else { return false }
      return new > old
    }
  }

  /// One case: its differences, or why it could not be run.
  public struct CaseResult: Sendable {
    public var name: String
    public var differences: [Difference]
    public var failure: DiagnosticError?

    public var isAsExpected: Bool { differences.isEmpty && failure == nil }
  }

  /// The answer of a suite.
  public struct Result: Sendable {
    public var suite: String
    public var cases: [CaseResult]
    /// What was measured; without the cases that could not be run.
    public var measured: Golden

    /// Whether anything moved or failed; the command then exits with 1.
    public var hasRegressed: Bool { !cases.allSatisfy(\.isAsExpected) }
  }

  public var suite: CheckSuite
  public var workers: Int

  public init(suite: CheckSuite, workers: Int = ProcessInfo.processInfo.activeProcessorCount) {
    self.suite = suite
    self.workers = workers
  }

  /// Runs all cases, in parallel, and compares them with `golden`.
  ///
  /// Any difference counts: figures are exact, so what moved was moved. A case that the golden file lacks, or that it has
  /// and the suite no longer, is a difference too.
  public func run(against golden: Golden, evaluate: @escaping Evaluate) -> Result {
    let results = measure(evaluate)
    var cases: [CaseResult] = []
    var entries: [Golden.Entry] = []
    for (item, result) in zip(suite.cases, results) {
      switch result {
      case .failure(let error): cases.append(CaseResult(name: item.name, differences: [], failure: error))
      case .success(let entry):
        entries.append(entry)
        let expected = golden.entries.first { $0.name == item.name }
        cases.append(CaseResult(name: item.name, differences: Check.differences(from: expected, to: entry)))
      }
    }
    for entry in golden.entries where !suite.cases.contains(where: { $0.name == entry.name }) {
      cases.append(
        CaseResult(
          name: entry.name,
          differences: [Difference(layer: nil, quantity: "case", expected: "in the golden file", found: nil)]))
    }
    return Result(suite: suite.name, cases: cases, measured: Golden(entries: entries))
  }

  /// Reads the golden file at `goldenPath` (a missing one expects nothing), runs all cases and compares. With `bless` the
  /// file is then replaced by what was measured.
  /// - Throws: `wrong-golden`; with `bless` also the failures of cases (nothing is written then) and `cannot-write`.
  public func run(
    goldenPath: String, bless: Bool = false, evaluate: @escaping Evaluate
  ) throws(DiagnosticError) -> Result {
    var golden = Golden(entries: [])
    if FileManager.default.fileExists(atPath: goldenPath) {
      do {
        golden = try Golden(text: AtomicFile.readText(goldenPath), path: goldenPath)
      } catch  where bless {
        // A broken file is what blessing replaces.
      }
    }
    let result = run(against: golden, evaluate: evaluate)
    if bless {
      let failures = result.cases.compactMap(\.failure).flatMap(\.diagnostics)
      if !failures.isEmpty { throw DiagnosticError(failures) }
      try AtomicFile.write(result.measured.text, to: goldenPath)
    }
    return result
  }

  private func measure(_ evaluate: @escaping Evaluate) -> [Swift.Result<Golden.Entry, DiagnosticError>] {
    let cases = suite.cases
    let found = JobResults<Swift.Result<Golden.Entry, DiagnosticError>>(count: cases.count)
    runInParallel(count: cases.count, workers: workers) { job in
      do throws(DiagnosticError) {
        let measurement = try evaluate(cases[job])
        found.set(
          job,
          .success(
            Golden.Entry(name: cases[job].name, report: measurement.report, schedules: measurement.schedules)))
      } catch {
        found.set(job, .failure(error))
      }
      return true
    }
    return found.all
  }

  /// Everything that differs, whole-run figures first, then layer by layer.
  static func differences(from expected: Golden.Entry?, to found: Golden.Entry) -> [Difference] {
    guard let expected else {
      return [Difference(layer: nil, quantity: "case", expected: nil, found: "not in the golden file")]
    }
    var result: [Difference] = []
    func compare(_ a: NamedAmounts<Int>, _ b: NamedAmounts<Int>, layer: String?, prefix: String) {
      let names = Array(Set(a.items.map(\.name) + b.items.map(\.name))).sorted()
      for name in names {
        let old = a.items.first { $0.name == name }?.amount
        let new = b.items.first { $0.name == name }?.amount
        guard old != new else { continue }
        result.append(
          Difference(
            layer: layer, quantity: prefix + name, expected: old.map { "\($0)" }, found: new.map { "\($0)" }))
      }
    }
    compare(expected.figures, found.figures, layer: nil, prefix: "")
    compare(expected.actions, found.actions, layer: nil, prefix: "action ")
    let names = (expected.layers.map(\.name), found.layers.map(\.name))
    guard names.0 == names.1 else {
      for name in names.0 where !names.1.contains(name) {
        result.append(Difference(layer: name, quantity: "layer", expected: "present", found: nil))
      }
      for name in names.1 where !names.0.contains(name) {
        result.append(Difference(layer: name, quantity: "layer", expected: nil, found: "present"))
      }
      if result.allSatisfy({ $0.quantity != "layer" }) {
        result.append(
          Difference(layer: nil, quantity: "order of layers", expected: "as in the golden file", found: "other"))
      }
      return result
    }
    for (old, new) in zip(expected.layers, found.layers) {
      compare(old.figures, new.figures, layer: new.name, prefix: "")
      if old.schedule != new.schedule {
        result.append(
          Difference(layer: new.name, quantity: "schedule", expected: old.schedule, found: new.schedule))
      }
    }
    return result
  }
}

extension Check.Result {
  /// For a terminal: one line a case, below it what moved, with the layer and the quantity; at most `limit` lines a case.
  public func text(limit: Int = 40) -> String {
    var text = ""
    for item in cases {
      if let failure = item.failure {
        text += "FAIL  \(item.name)\n"
        for line in failure.rendered.split(separator: "\n") { text += "      \(line)\n" }
        continue
      }
      text += item.isAsExpected ? "same  \(item.name)\n" : "DIFF  \(item.name)\n"
      for difference in item.differences.prefix(limit) { text += "      \(difference.text)\n" }
      if item.differences.count > limit {
        text += "      and \(item.differences.count - limit) further differences\n"
      }
    }
    let moved = cases.filter { !$0.isAsExpected }.count
    text += "suite \(suite): \(cases.count - moved) of \(cases.count) cases as expected\n"
    if moved > 0 { text += "if the change is meant, run again with --bless and say why in the commit\n" }
    return text
  }
}

extension Check.Difference {
  /// `layer '/conv1/Conv': cycles 1234 -> 1300 (+5.3 %)`.
  public var text: String {
    var text = layer.map { "layer '\($0)': " } ?? ""
    text += "\(quantity) \(expected ?? "-") -> \(found ?? "-")"
    if let old = expected.flatMap({ Int($0) }), let new = found.flatMap({ Int($0) }), old > 0 {
      let tenths = Int((Double(new - old) / Double(old) * 1000).rounded())
      text += " (\(tenths < 0 ? "-" : "+")\(abs(tenths) / 10).\(abs(tenths) % 10) %)"
    }
    return text
  }
}
