import PantileProblem
import PantileSupport

extension HierarchyPlanner {
  /// Orders to plan for: that of the problem, and those that `ScheduleProblem`'s beam finds for each memory that can be written and does
  /// not hold everything.
  func candidateOrders() -> [[Int]] {
    var orders = [Array(problem.ops.indices)]
    if options.order == .default || problem.ops.count < 2 { return orders }
    let all = problem.buffers.reduce(0) { saturatingAdd($0, $1.bytes) }
    let method = ScheduleProblem.methods.first { $0.name == "beam" }
    // A candidate is all that is wanted, so annealing is short.
    let limits = ScheduleOptions(annealingBudget: 10_000_000)
    for memory in problem.memories where !memory.isReadOnly && memory.capacity < all {
      var question = singleMemory(capacity: memory.capacity)
      question.memories[0].capacity = max(memory.capacity, question.largestFootprint())
      // What this planner cannot do leaves the order of the problem.
      guard let method, let solution = (try? question.plan(method, limits))?.solution else { continue }
      let order = runnable(solution.order)
      if !orders.contains(order) { orders.append(order) }
    }
    return orders
  }

  /// The graph with one memory over a store that is large enough. An update makes a new tensor in the place of the old one.
  private func singleMemory(capacity: Int) -> ScheduleProblem {
    var tensors: [ScheduleProblem.Tensor] = []
    var current = problem.buffers.indices.map { $0 }
    for buffer in problem.buffers {
      let kind: ScheduleProblem.Tensor.Kind
      switch buffer.kind {
      case .input: kind = .input
      case .weight, .frozen, .state: kind = .weight
      case .activation, .saved, .gradient, .workspace: kind = .activation
      case .output: kind = .output
      }
      tensors.append(.init(buffer.name, bytes: buffer.bytes, kind: kind))
    }
    var ops: [ScheduleProblem.Op] = []
    for it in problem.ops {
      let inputs = (it.reads + it.updates).map { current[$0] }
      var outputs = it.writes.map { current[$0] }
      var pairs: [ScheduleProblem.InPlacePair] = []
      for buffer in it.updates {
        let own = problem.buffers[buffer]
        tensors.append(.init(own.name, bytes: own.bytes, kind: own.kind.persists ? .variable : .activation))
        pairs.append(.init(input: current[buffer], output: tensors.count - 1))
        outputs.append(tensors.count - 1)
        current[buffer] = tensors.count - 1
      }
      ops.append(.init(it.name, inputs: inputs, outputs: outputs, inPlace: pairs))
    }
    return ScheduleProblem(
      name: problem.name, memories: [.init("spad", capacity: capacity)], tensors: tensors, ops: ops)
  }

  /// An order with ops moved behind those that they need.
  private func runnable(_ order: [Int]) -> [Int] {
    let before = problem.predecessors
    var isDone = [Bool](repeating: false, count: order.count)
    var left = order
    var result: [Int] = []
    while let place = left.firstIndex(where: { before[$0].allSatisfy { isDone[$0] } }) {
      isDone[left[place]] = true
      result.append(left.remove(at: place))
    }
    return result
  }
}
