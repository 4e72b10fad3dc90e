import PantileProblem

/// A `ScheduleProblem` as searches want it: views seen through, repeated operands dropped, workspace as a tensor that dies at once,
/// everything by number in flat arrays.
///
/// Ops here are the compute ops in the problem's order; tensors are those with bytes of their own that some op touches, then workspaces.
package struct ScheduleIndex {
  struct Tensor {
    /// In the problem; nil for a workspace.
    var origin: Int?
    var bytes: Int
    var memory: Int
    /// The op that makes it; -1 for one that comes from off chip.
    var producer: Int
    /// Ops that read it, ascending in the default order.
    var consumers: [Int]
    /// It has a copy off chip as soon as it exists, so that its first departure costs a fetch only.
    var isBornCopied: Bool
    var isPinned: Bool
  }

  struct Op {
    /// In the problem.
    var origin: Int
    var inputs: [Int]
    var outputs: [Int]
    var inPlace: [(input: Int, output: Int)]
    /// Bytes that it needs in each memory: inputs, outputs, workspace, in-place pairs counted twice.
    var footprint: [Int]
  }

  let problem: ScheduleProblem
  let parts: PartMap
  private(set) var tensors: [Tensor] = []
  private(set) var ops: [Op] = []
  /// Capacity of each memory less what is pinned there from the start and the tile buffer.
  package private(set) var capacities: [Int]
  /// Direct predecessors of each op.
  private(set) var predecessors: [[Int]] = []
  private(set) var successors: [[Int]] = []
  /// Some order in which the ops can run.
  private(set) var topologicalOrder: [Int] = []
  /// The number here of a tensor of the problem, nil when no op touches it or it is a view.
  private(set) var numberOf: [Int?]

  /// - Precondition: `problem.check()` passes.
  package init(_ problem: ScheduleProblem) {
    self.problem = problem
    parts = PartMap(problem)
    numberOf = Array(repeating: nil, count: problem.tensors.count)
    capacities = problem.memories.map(\.capacity)
    if let tile = problem.tileBytes { capacities[0] -= tile }
    let producers = problem.producers
    let mustStore = problem.mustEndOffChip(parts: parts)
    var opNumber = [Int?](repeating: nil, count: problem.ops.count)
    for (index, op) in problem.ops.enumerated() where op.role == .compute {
      opNumber[index] = ops.count
      ops.append(Op(origin: index, inputs: [], outputs: [], inPlace: [], footprint: []))
    }
    for (index, op) in problem.ops.enumerated() {
      guard let number = opNumber[index] else { continue }
      for tensor in distinct(op.outputs.flatMap { parts.leaves(of: $0) }) {
        let own = self.number(tensor, mustStore: mustStore)
        tensors[own].producer = number
        ops[number].outputs.append(own)
      }
      for tensor in distinct(op.inputs.flatMap { parts.leaves(of: $0) }) {
        let own = self.number(tensor, mustStore: mustStore)
        if tensors[own].producer == -1 && !comesFromOffChip(tensor, producers) {
          // Made by a view only: impossible after check(), since leaves are made by compute ops or come from off chip.
          preconditionFailure("tensor \(tensor) has no maker")
        }
        tensors[own].consumers.append(number)
        ops[number].inputs.append(own)
      }
      for memory in problem.memories.indices where op.workspace(in: memory) > 0 {
        ops[number].outputs.append(tensors.count)
        tensors.append(
          Tensor(
            origin: nil, bytes: op.workspace(in: memory), memory: memory, producer: number, consumers: [],
            isBornCopied: false, isPinned: false))
      }
      ops[number].inPlace = op.inPlace.compactMap { pair in
        guard let input = numberOf[pair.input], let output = numberOf[pair.output] else { return nil }
        return (input, output)
      }
    }
    for tensor in problem.tensors.indices
    where problem.tensors[tensor].isPinned && comesFromOffChip(tensor, producers) && !parts.isWhole(tensor) {
      // There from the start to the end: only the room that is left matters.
      capacities[problem.tensors[tensor].memory] -= problem.tensors[tensor].bytes
      if let own = numberOf[tensor] {
        for op in ops.indices { ops[op].inputs.removeAll { $0 == own } }
        tensors[own].consumers = []
      }
    }
    topologicalOrder = Array(ops.indices)
    predecessors = ops.map { op in distinct(op.inputs.map { tensors[$0].producer }.filter { $0 >= 0 }).sorted() }
    successors = ops.map { _ in [] }
    for (op, before) in predecessors.enumerated() {
      for other in before { successors[other].append(op) }
    }
    for op in ops.indices {
      ops[op].footprint = capacities.indices.map { memory in
        (ops[op].inputs + ops[op].outputs).reduce(0) { $0 + (tensors[$1].memory == memory ? tensors[$1].bytes : 0) }
      }
    }
  }

  /// The same problem with further precedences between ops.
  fileprivate func adding(precedences: [(Int, Int)], in order: [Int]) -> ScheduleIndex {
    var copy = self
    copy.topologicalOrder = order
    for (before, after) in precedences where !copy.predecessors[after].contains(before) {
      copy.predecessors[after].append(before)
      copy.successors[before].append(after)
    }
    return copy
  }

  private func distinct(_ list: [Int]) -> [Int] {
    var seen = Set<Int>()
    return list.filter { seen.insert($0).inserted }
  }

  private func comesFromOffChip(_ tensor: Int, _ producers: [Int?]) -> Bool {
    guard let maker = producers[tensor] else { return true }
    guard problem.ops[maker].role == .splitView else { return false }
    return problem.ops[maker].inputs.contains { comesFromOffChip($0, producers) }
  }

  private mutating func number(_ tensor: Int, mustStore: [Bool]) -> Int {
    if let known = numberOf[tensor] { return known }
    let own = problem.tensors[tensor]
    numberOf[tensor] = tensors.count
    tensors.append(
      Tensor(
        origin: tensor, bytes: own.bytes, memory: own.memory, producer: -1, consumers: [], isBornCopied: false,
        isPinned: own.isPinned))
    tensors[tensors.count - 1].isBornCopied = mustStore[tensor] || comesFromOffChip(tensor, problem.producers)
    return tensors.count - 1
  }

  /// The problem's ops with views put right before they are needed, and the place there of each step of an order of the index's.
  func wholeOrder(_ order: [Int]) -> (order: [Int], place: [Int]) {
    let producers = problem.producers
    var isDone = Array(repeating: false, count: problem.ops.count)
    var whole: [Int] = []
    var place: [Int] = []
    func run(_ op: Int) {
      if isDone[op] { return }
      isDone[op] = true
      for tensor in problem.ops[op].inputs {
        if let maker = producers[tensor], problem.ops[maker].role != .compute { run(maker) }
      }
      whole.append(op)
    }
    for op in order {
      run(ops[op].origin)
      place.append(whole.count - 1)
    }
    for op in problem.ops.indices { run(op) }
    return (whole, place)
  }

  /// The smallest room that one op alone needs in a memory, in-place pairs sharing theirs.
  func leastFootprint(of op: Int, in memory: Int) -> Int {
    ops[op].inPlace.reduce(ops[op].footprint[memory]) { bytes, pair in
      tensors[pair.input].memory == memory ? bytes - min(tensors[pair.input].bytes, tensors[pair.output].bytes) : bytes
    }
  }

  /// For each op the pinned tensors that ops before it in every order have made, and that it does not touch: they are there while it runs.
  private func heldThrough() -> [[Int]] {
    var made = ops.map { _ in Set<Int>() }
    if !tensors.contains(where: { $0.isPinned && $0.producer >= 0 }) { return ops.map { _ in [] } }
    for op in topologicalOrder {
      for before in predecessors[op] {
        made[op].formUnion(made[before])
        made[op].formUnion(ops[before].outputs.filter { tensors[$0].isPinned })
      }
    }
    return ops.indices.map { op in made[op].subtracting(ops[op].inputs).subtracting(ops[op].outputs).sorted() }
  }

  /// Why no schedule of whole tensors exists; nil when each op fits by itself, with what is pinned by then.
  func obstacle() -> String? {
    for (memory, capacity) in capacities.enumerated() where capacity < 0 {
      let name = problem.memories[memory].name
      return "pinned tensors and the tile buffer need \(-capacity) bytes more than '\(name)' has"
    }
    let held = heldThrough()
    var worst: (op: Int, memory: Int, short: Int)?
    for op in ops.indices {
      for (memory, capacity) in capacities.enumerated() {
        let through = held[op].reduce(0) { $0 + (tensors[$1].memory == memory ? tensors[$1].bytes : 0) }
        let short = leastFootprint(of: op, in: memory) + through - capacity
        if short > worst?.short ?? 0 { worst = (op, memory, short) }
      }
    }
    guard let worst else { return nil }
    let op = ops[worst.op]
    let list = (op.inputs + op.outputs + held[worst.op]).filter { tensors[$0].memory == worst.memory }.map { tensor in
      "'\(tensors[tensor].origin.map { problem.tensors[$0].name } ?? "workspace")' (\(tensors[tensor].bytes))"
    }
    return "op \(op.origin) '\(problem.ops[op.origin].name)' needs \(list.joined(separator: ", ")) in "
      + "'\(problem.memories[worst.memory].name)' at once: \(worst.short) bytes more than the "
      + "\(capacities[worst.memory]) that it has"
  }
}

extension ScheduleProblem {
  /// Tensors whose bytes must be off chip at the end and are written for free: made outputs, variables and states, with their parts.
  func mustEndOffChip(parts: PartMap) -> [Bool] {
    let producers = producers
    var must = tensors.indices.map { tensor in
      switch tensors[tensor].kind {
      case .output, .variable, .state: return producers[tensor] != nil
      case .input, .weight, .activation: return false
      }
    }
    for tensor in tensors.indices where must[tensor] {
      for leaf in parts.leaves(of: tensor) { must[leaf] = true }
    }
    return must
  }
}

extension ScheduleIndex {
  /// The same problem with the order given except inside a window, whose ops may run in any order that the graph allows.
  func restricted(to order: [Int], free window: Range<Int>) -> ScheduleIndex {
    var extra: [(Int, Int)] = []
    for step in order.indices.dropFirst() where step <= window.lowerBound - 1 || step > window.upperBound {
      extra.append((order[step - 1], order[step]))
    }
    if window.lowerBound > 0 {
      for step in window { extra.append((order[window.lowerBound - 1], order[step])) }
    }
    if window.upperBound < order.count {
      for step in window { extra.append((order[step], order[window.upperBound])) }
    }
    return adding(precedences: extra, in: order)
  }
}
