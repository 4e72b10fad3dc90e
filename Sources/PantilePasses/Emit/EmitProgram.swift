import PantileProgram
import PantileSupport

/// Writes a planned network out as a Program for a machine.
///
/// - Parameter withImages: put the bytes of weights and constants in; without them the Program can be timed and proved, not run.
/// - Throws: `dram-too-small`; `no-memory`.
public func emitProgram(
  _ graph: StepGraph, _ plan: ExecutionPlan, on machine: PlanningMachine, modelHash: String, withImages: Bool = true
) throws(DiagnosticError) -> Program {
  let names = Emitter.Names(
    array: machine.array?.name, drain: machine.drain?.name, vector: machine.vector.name, load: machine.load.name,
    store: machine.store.name)
  var emitter = try Emitter(
    graph: graph, plan: plan, program: machine.makeProgram(name: graph.name, modelHash: modelHash), names: names,
    withImages: withImages, regionAlignment: machine.regionAlignment)
  return try emitter.emit()
}

extension ExecutionPlan {
  /// A plan that keeps nothing on chip between steps, with each step's buffers one after another from offset zero;
  /// for tests and as a last resort.
  public static func sequential(_ graph: StepGraph, _ choices: [StepChoice]) -> ExecutionPlan {
    var choices = choices
    var bases: [[String: Int]] = []
    var peak = 0
    for (index, step) in graph.steps.enumerated() {
      var next = 0
      var base: [String: Int] = [:]
      for buffer in step.buffers(choices[index], in: graph) {
        let slots = choices[index].slots[buffer.name] ?? 1
        choices[index].slots[buffer.name] = slots
        base[buffer.name] = next
        next += slots * buffer.slotBytes
      }
      peak = max(peak, next)
      bases.append(base)
    }
    return ExecutionPlan(
      choices: choices, residentBase: graph.storages.map { _ in nil }, bufferBase: bases, peakScratchpadBytes: peak,
      status: "feasible", gaps: [], method: "sequential")
  }
}
