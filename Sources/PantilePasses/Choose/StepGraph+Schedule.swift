import PantilePlan
import PantileProblem
import PantileSupport

extension StepGraph {
  /// The order of the steps as a problem of whole storages: what to run when, so that the fewest bytes leave the scratchpad.
  ///
  /// A storage that several steps write in parts is as many tensors.
  func scheduleProblem(scratchpadBytes: Int) -> ScheduleProblem {
    var tensors: [ScheduleProblem.Tensor] = []
    var partsOf = storages.map { _ in [Int]() }
    var written: [Int] = []
    var writers = storages.map { _ in 0 }
    for step in steps { writers[self.tensors[step.write].storage] += 1 }
    for (storage, own) in storages.enumerated() where writers[storage] == 0 {
      partsOf[storage] = [tensors.count]
      tensors.append(ScheduleProblem.Tensor(own.name, bytes: own.bytes, kind: .input))
    }
    for step in steps {
      let storage = self.tensors[step.write].storage
      let own = storages[storage]
      written.append(tensors.count)
      partsOf[storage].append(tensors.count)
      tensors.append(
        ScheduleProblem.Tensor(
          own.name, bytes: own.bytes / writers[storage], kind: own.kind == .output ? .output : .activation))
    }
    let ops = steps.indices.map { number in
      ScheduleProblem.Op(
        steps[number].name,
        inputs: Set(steps[number].reads.map { self.tensors[$0].storage }).sorted().flatMap { partsOf[$0] }
          .filter { $0 != written[number] }, outputs: [written[number]])
    }
    return ScheduleProblem(
      name: name, memories: [.init("spad", capacity: scratchpadBytes)], tensors: tensors, ops: ops)
  }

  /// The graph with its steps in an order of fewer bytes off chip; nil when none is found soon, or when the graph is no such problem: steps
  /// that read a storage before all of its parts are written cannot be told apart.
  ///
  /// Storages count whole, also those that the choice of tilings will stream: a second candidate for whoever judges plans.
  public func reordered(on machine: PlanningMachine) -> StepGraph? {
    let problem = scheduleProblem(scratchpadBytes: machine.scratchpadBytes)
    guard let order = try? problem.cheaperOrder(stepBudget: Self.annealingSteps) else { return nil }
    var graph = self
    graph.steps = order.map { steps[$0] }
    return graph
  }

  /// A tenth of a second.
  private static let annealingSteps = 2_000_000
}
