import ArgumentParser
import Foundation
import Pantile

/// `pantile plan --memories`: a step over several memories.
extension PlanCommand {
  func planMemories(_ file: String) throws {
    try refuseSingleMemoryOptions()
    let methods = HierarchyProblem.methods
    guard let method = methods.first(where: { $0.name == method }) else {
      throw DiagnosticError(
        "unknown-method", "there is no method '\(method)' for several memories",
        hint: (nearestName(to: method, among: methods.map(\.name)).map { "did you mean '\($0)'? " } ?? "")
          + "known: \(methods.map(\.name).joined(separator: ", "))")
    }
    let hierarchy = try MemoryHierarchy.load(file)
    let problem = try hierarchy.problem(try stepGraph(), objective: objective.flatMap { .init(rawValue: $0.rawValue) })
    var options = HierarchyOptions(order: order == .free ? .free : .default)
    if let budget { options.nodeBudget = budget }
    let outcome = try problem.plan(method, options)
    let report = HierarchyReport(
      input: input, memories: file, method: method.name, problem: problem, outcome: outcome)
    var files = OutputFiles()
    if let json {
      // User and system time of the process, in thousandths of a second.
      files.add(report.json(version: pantileVersion, cpuSeconds: (PhaseClock.now() * 1000).rounded() / 1000), to: json)
    }
    if json != "-" { files.add(report.text(), to: "-") }
    try files.write()
    if let reason = report.reason {
      Terminal.writeError("\(report.status): \(reason)\n")
      throw ExitCode.answerIsNo
    }
  }

  private func stepGraph() throws(DiagnosticError) -> HierarchyProblem.Graph {
    let path = graphPath ?? input
    if (path as NSString).pathExtension == "json" {
      if !grad.isEmpty || dtypeBytes != nil {
        throw DiagnosticError(
          "option-conflict", "--grad and --dtype-bytes are for models, and '\(input)' is graph JSON")
      }
      return try HierarchyProblem.read(graphJSON: try AtomicFile.read(path), path: path)
    }
    if (path as NSString).pathExtension == "csv" {
      throw DiagnosticError(
        "option-conflict", "'\(input)' lists buffers without ops, --memories plans for ops",
        hint: "give a model or graph JSON")
    }
    let model = try models.load(input, root: root.folder)
    return try model.stepGraph(grad: grad.isEmpty ? nil : grad, floatBytes: dtypeBytes)
  }

  /// Options whose meaning is one memory's.
  private func refuseSingleMemoryOptions() throws(DiagnosticError) {
    let given: [(String, Bool)] = [
      ("--capacity", capacity != nil), ("--tile-buffer", tileBuffer != nil), ("--minimise", minimise),
      ("--with-weights", withWeights), ("--solution", solution != nil), ("--picture", picture != nil),
      ("--certificate", certificate != nil),
    ]
    for (option, isGiven) in given where isGiven {
      throw DiagnosticError(
        "option-conflict", "\(option) is for plans of one memory", hint: "leave it out, or leave --memories out")
    }
  }
}
