import PantileReport
import PantileSim
import PantileSupport

extension Session {
  /// Why a compiled network, or one of its layers, takes the cycles that it takes, and what changes of the machine would do.
  ///
  /// - Throws: `unknown-layer`; what timing throws.
  public func explanation(
    of compiled: CompiledModel, layer name: String? = nil
  ) throws(DiagnosticError) -> Explanation {
    let timing = try simulator.time(compiled.program)
    let report = try report(of: compiled, timing: timing)
    var explanation = try Explanation.of(report, layer: name)
    let index = name.flatMap { name in report.layers.firstIndex { $0.name == name } }
    for change in MachineChange.all {
      guard let (machine, options) = change.changed(simulator.machine) else { continue }
      let changed = try TimingRun(compiled.program, on: machine, options: options).run()
      let cycles = index.map { changed.layers[$0].cycles } ?? changed.cycles
      let before = max(1, explanation.cycles)
      explanation.whatIfs.append(
        .init(change: change.name, cycles: cycles, relative: Double(cycles - explanation.cycles) / Double(before)))
    }
    explanation.whatIfs.sort { ($0.relative, $0.change) < ($1.relative, $1.change) }
    return explanation
  }
}

extension Explanation {
  /// The explanation of a report, or of one of its layers.
  /// - Throws: `unknown-layer` with the nearest name.
  public static func of(_ report: RunReport, layer name: String?) throws(DiagnosticError) -> Explanation {
    guard let name else { return Explanation(report) }
    guard let layer = report.layers.first(where: { $0.name == name }) else {
      let names = report.layers.map(\.name)
      throw DiagnosticError(
        "unknown-layer", "'\(report.model)' has no layer '\(name)'",
        hint: nearestName(to: name, among: names).map { "did you mean '\($0)'?" }
          ?? "its layers: \(names.prefix(12).joined(separator: ", "))")
    }
    return Explanation(report, layer: layer)
  }
}
