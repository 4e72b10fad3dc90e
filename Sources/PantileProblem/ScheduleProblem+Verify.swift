import PantileSupport

extension ScheduleProblem {
  /// Replays a solution step by step on memories whose every byte has an owner; knows nothing of how it was found.
  ///
  /// Bytes between which no placement begins or ends share a cell, so that the replay stays exact and affordable.
  ///
  /// - Precondition: `check()` passes.
  /// - Throws: `wrong-schedule` for each fault: ops missing, repeated or out of order; operands that are not there; bytes that
  ///   overlap, leave the memory or move; transfers without a reason or a copy; sums and bounds that do not fit.
  public func verify(_ solution: ScheduleSolution) throws(DiagnosticError) {
    var replay = ScheduleReplay(self, solution)
    replay.run()
    if !replay.errors.isEmpty { throw DiagnosticError(replay.errors) }
  }
}

/// One replay of a schedule.
private struct ScheduleReplay {
  let problem: ScheduleProblem
  let solution: ScheduleSolution
  let parts: PartMap
  let producers: [Int?]
  var errors: [Diagnostic] = []

  /// Where cells begin in each memory, ascending: every offset at which something begins or ends.
  private var edges: [[Int]] = []
  /// The owner of each cell, memory by memory: a tensor, `freeCell`, or below it a workspace.
  private var cells: [[Int32]] = []
  private static let freeCell: Int32 = -1
  private static let workspaceCell: Int32 = -2

  /// The placement of each tensor that is on chip.
  private var current: [Int?]
  private var hasCopy: [Bool]
  private var wasOnChip: [Bool]
  private var isMade: [Bool]
  /// No op makes it, and a first fetch is compulsory.
  private let comesFromOffChip: [Bool]
  private var usesLeft: [Int]

  init(_ problem: ScheduleProblem, _ solution: ScheduleSolution) {
    self.problem = problem
    self.solution = solution
    parts = PartMap(problem)
    producers = problem.producers
    current = Array(repeating: nil, count: problem.tensors.count)
    wasOnChip = Array(repeating: false, count: problem.tensors.count)
    isMade = producers.map { $0 == nil }
    let (parts, producers) = (parts, producers)
    comesFromOffChip = problem.tensors.indices.map { !parts.leafIsMade($0, problem, producers) }
    hasCopy = comesFromOffChip
    usesLeft = Array(repeating: 0, count: problem.tensors.count)
    for op in problem.ops where op.role == .compute {
      for tensor in Set(op.inputs.flatMap { parts.leaves(of: $0) }) { usesLeft[tensor] += 1 }
    }
  }

  private mutating func fail(_ message: String) {
    if errors.count < 20 { errors.append(Diagnostic("wrong-schedule", "'\(problem.name)': \(message)")) }
  }

  private func name(_ tensor: Int) -> String { "tensor \(tensor) '\(problem.tensors[tensor].name)'" }

  /// A tensor that must end off chip: itself, or the whole that it is a part of.
  private func mustEndOffChip() -> [Bool] {
    var must = problem.tensors.indices.map { tensor in
      switch problem.tensors[tensor].kind {
      case .output, .variable, .state: return producers[tensor] != nil
      case .input, .weight, .activation: return false
      }
    }
    for tensor in problem.tensors.indices where must[tensor] {
      for leaf in parts.leaves(of: tensor) { must[leaf] = true }
    }
    return must
  }

  mutating func run() {
    guard sizesFit() else { return }
    var position = [Int?](repeating: nil, count: problem.ops.count)
    for (step, op) in solution.order.enumerated() {
      if position[op] != nil { fail("op \(op) '\(problem.ops[op].name)' runs twice") }
      position[op] = step
    }
    for (op, step) in position.enumerated() where step == nil { fail("op \(op) '\(problem.ops[op].name)' never runs") }
    guard errors.isEmpty else { return }
    makeCells()
    let must = mustEndOffChip()
    let starts = Dictionary(grouping: solution.placements.indices) { solution.placements[$0].from }
    let ends = Dictionary(grouping: solution.placements.indices) { solution.placements[$0].to }
    let spills = Dictionary(grouping: solution.spills) { $0.step }
    let fetches = Dictionary(grouping: solution.fetches) { $0.step }
    let workspaces = Dictionary(grouping: solution.workspaces) { $0.op }
    for step in solution.order.indices {
      for spill in spills[step] ?? [] where !spill.isStreamed { write(spill.tensor, step) }
      for placement in ends[step] ?? [] { release(placement) }
      let op = solution.order[step]
      let fetched = Set((fetches[step] ?? []).filter { !$0.isStreamed }.map(\.tensor))
      if fetched.count != (fetches[step] ?? []).count(where: { !$0.isStreamed }) { fail("step \(step) fetches twice") }
      for placement in starts[step] ?? [] { begin(placement, step, op, fetched) }
      for tensor in fetched.sorted() where current[tensor].map({ solution.placements[$0].from != step }) ?? true {
        fail("step \(step) fetches \(name(tensor)), which does not come to be there at that step")
      }
      runOp(
        op, step, streamed: (fetches[step] ?? []).filter(\.isStreamed).map(\.tensor),
        stored: (spills[step] ?? []).filter(\.isStreamed).map(\.tensor), must: must, workspaces[op] ?? [])
    }
    for transfer in solution.spills + solution.fetches where !solution.order.indices.contains(transfer.step) {
      fail("\(name(transfer.tensor)) moves at step \(transfer.step) of \(solution.order.count)")
    }
    checkSums()
  }

  /// Numbers in range, so that the replay cannot trap.
  private mutating func sizesFit() -> Bool {
    for op in solution.order where !problem.ops.indices.contains(op) { fail("there is no op \(op)") }
    for transfer in solution.spills + solution.fetches where !problem.tensors.indices.contains(transfer.tensor) {
      fail("there is no tensor \(transfer.tensor)")
    }
    for placement in solution.placements {
      guard problem.tensors.indices.contains(placement.tensor) else {
        fail("there is no tensor \(placement.tensor)")
        continue
      }
      let tensor = problem.tensors[placement.tensor]
      if parts.isWhole(placement.tensor) { fail("\(name(placement.tensor)) is a view and has a place of its own") }
      if placement.from < 0 || placement.to > solution.order.count || placement.from >= placement.to {
        fail("\(name(placement.tensor)) is placed in steps \(placement.from) ..< \(placement.to)")
      }
      let tile = tensor.memory == 0 ? problem.tileBytes ?? 0 : 0
      let top = saturatingAdd(placement.offset, tensor.bytes)
      let capacity = problem.memories[tensor.memory].capacity - tile
      if placement.offset < 0 || top > capacity {
        fail("\(name(placement.tensor)) is at \(placement.offset) ..< \(top), there are \(capacity) bytes")
      }
      if placement.offset % tensor.alignment != 0 {
        fail("\(name(placement.tensor)) at \(placement.offset) is not aligned to \(tensor.alignment)")
      }
      if let fixed = tensor.fixedOffset, fixed != placement.offset {
        fail("\(name(placement.tensor)) is at \(placement.offset), fixed at \(fixed)")
      }
    }
    for workspace in solution.workspaces {
      guard problem.ops.indices.contains(workspace.op), problem.memories.indices.contains(workspace.memory) else {
        fail("there is no op \(workspace.op) with workspace in memory \(workspace.memory)")
        continue
      }
      let tile = workspace.memory == 0 ? problem.tileBytes ?? 0 : 0
      let top = saturatingAdd(workspace.offset, problem.ops[workspace.op].workspace(in: workspace.memory))
      let capacity = problem.memories[workspace.memory].capacity - tile
      if workspace.offset < 0 || top > capacity {
        fail("the workspace of op \(workspace.op) is at \(workspace.offset) ..< \(top), there are \(capacity) bytes")
      }
    }
    return errors.isEmpty
  }

  private mutating func makeCells() {
    var sets = problem.memories.map { _ in Set<Int>() }
    for placement in solution.placements {
      let tensor = problem.tensors[placement.tensor]
      sets[tensor.memory].formUnion([placement.offset, placement.offset + tensor.bytes])
    }
    for workspace in solution.workspaces {
      let bytes = problem.ops[workspace.op].workspace(in: workspace.memory)
      sets[workspace.memory].formUnion([workspace.offset, workspace.offset + bytes])
    }
    edges = sets.map { $0.sorted() }
    cells = edges.map { Array(repeating: Self.freeCell, count: max(0, $0.count - 1)) }
  }

  /// The cells of some bytes; they begin and end at edges.
  private func cells(of bytes: Int, at offset: Int, in memory: Int) -> Range<Int> {
    func position(_ edge: Int) -> Int {
      var (low, high) = (0, edges[memory].count)
      while low < high {
        let middle = (low + high) / 2
        if edges[memory][middle] < edge { low = middle + 1 } else { high = middle }
      }
      return low
    }
    return position(offset)..<position(offset + bytes)
  }

  private func range(_ placement: Int) -> (memory: Int, cells: Range<Int>) {
    let place = solution.placements[placement]
    let tensor = problem.tensors[place.tensor]
    return (tensor.memory, cells(of: tensor.bytes, at: place.offset, in: tensor.memory))
  }

  // MARK: Transfers

  /// A spill of a tensor that is on chip until this step.
  private mutating func write(_ tensor: Int, _ step: Int) {
    guard let placement = current[tensor], solution.placements[placement].from < step else {
      return fail("step \(step) spills \(name(tensor)), which is not on chip before it")
    }
    if hasCopy[tensor] { fail("step \(step) spills \(name(tensor)), which has a copy off chip") }
    requireIntact(placement, "spills", step)
    hasCopy[tensor] = true
  }

  private mutating func release(_ placement: Int) {
    let tensor = solution.placements[placement].tensor
    guard current[tensor] == placement else { return }
    current[tensor] = nil
    let (memory, range) = range(placement)
    for cell in range where cells[memory][cell] == Int32(tensor) { cells[memory][cell] = Self.freeCell }
    if problem.tensors[tensor].isPinned { fail("\(name(tensor)) is pinned and leaves its memory") }
  }

  private mutating func begin(_ placement: Int, _ step: Int, _ op: Int, _ fetched: Set<Int>) {
    let tensor = solution.placements[placement].tensor
    if current[tensor] != nil { return fail("\(name(tensor)) is placed twice at step \(step)") }
    let isResult =
      problem.ops[op].role == .compute
      && problem.ops[op].outputs.contains { parts.leaves(of: $0).contains(tensor) }
    if isResult {
      if fetched.contains(tensor) { fail("step \(step) fetches its own result, \(name(tensor))") }
    } else if fetched.contains(tensor) {
      if !hasCopy[tensor] { fail("step \(step) fetches \(name(tensor)), which has no copy off chip") }
      if comesFromOffChip[tensor], !wasOnChip[tensor] {
        fail("step \(step) counts the first fetch of \(name(tensor)), which is compulsory")
      }
    } else if comesFromOffChip[tensor], !wasOnChip[tensor] {
      // The compulsory fetch.
    } else {
      fail("\(name(tensor)) is on chip from step \(step) on, is not made there, and is not fetched")
    }
    wasOnChip[tensor] = true
    current[tensor] = placement
    let (memory, range) = range(placement)
    let partner = isResult ? problem.ops[op].inPlace.first { $0.output == tensor }?.input : nil
    for cell in range {
      let owner = cells[memory][cell]
      if owner != Self.freeCell, !mayReplace(Int(owner), partner, placement, step) {
        let other = owner < 0 ? "a workspace" : name(Int(owner))
        return fail("step \(step): \(name(tensor)) is placed over \(other) at \(edges[memory][cell])")
      }
    }
    pending.append(placement)
  }

  /// Placements of this step whose cells are taken over once the op has read its operands.
  private var pending: [Int] = []

  /// True for an operand whose stay ends with this step and whose place an in-place result takes.
  private func mayReplace(_ owner: Int, _ partner: Int?, _ placement: Int, _ step: Int) -> Bool {
    guard let partner, owner == partner, let theirs = current[partner] else { return false }
    return solution.placements[theirs].to == step + 1
      && solution.placements[theirs].offset == solution.placements[placement].offset
  }

  private mutating func requireIntact(_ placement: Int, _ verb: String, _ step: Int) {
    let (memory, range) = range(placement)
    let tensor = solution.placements[placement].tensor
    for cell in range where cells[memory][cell] != Int32(tensor) {
      return fail("step \(step) \(verb) \(name(tensor)), whose byte \(edges[memory][cell]) is overwritten")
    }
  }

  // MARK: Ops

  private mutating func runOp(
    _ index: Int, _ step: Int, streamed: [Int], stored: [Int], must: [Bool],
    _ workspaces: [ScheduleSolution.WorkspacePlacement]
  ) {
    let op = problem.ops[index]
    for tensor in op.inputs where !isMade[tensor] {
      fail("step \(step) runs op \(index) '\(op.name)' before \(name(tensor)) is made")
    }
    for tensor in op.outputs { isMade[tensor] = true }
    if (!streamed.isEmpty || !stored.isEmpty) && problem.tileBytes == nil {
      fail("step \(step) streams, and the problem has no tile buffer")
    }
    if Set(streamed).count != streamed.count || Set(stored).count != stored.count {
      fail("step \(step) streams a tensor twice")
    }
    // What arrives from off chip is there before the op; results overwrite their operands only afterwards.
    let results = Set(op.role == .compute ? op.outputs.flatMap { parts.leaves(of: $0) } : [])
    let arriving = pending
    for placement in arriving where !results.contains(solution.placements[placement].tensor) {
      own(placement, step, op)
    }
    guard op.role == .compute else {
      if !streamed.isEmpty || !stored.isEmpty { fail("step \(step) streams and runs a view") }
      pending = []
      return
    }
    for tensor in Set(op.inputs.flatMap { parts.leaves(of: $0) }).sorted() {
      usesLeft[tensor] -= 1
      if let placement = current[tensor] {
        if streamed.contains(tensor) { fail("step \(step) streams \(name(tensor)), which is on chip") }
        requireIntact(placement, "reads", step)
      } else if problem.tileBytes == nil {
        fail("step \(step) reads \(name(tensor)), which is not on chip")
      } else if streamed.contains(tensor) {
        if !hasCopy[tensor] { fail("step \(step) streams \(name(tensor)), which has no copy off chip") }
        if comesFromOffChip[tensor], !wasOnChip[tensor] {
          fail("step \(step) counts the first read of \(name(tensor)), which is compulsory")
        }
        wasOnChip[tensor] = true
      } else if comesFromOffChip[tensor], !wasOnChip[tensor] {
        wasOnChip[tensor] = true
      } else {
        fail("step \(step) reads \(name(tensor)), which is neither on chip nor streamed")
      }
    }
    for tensor in streamed where !op.inputs.contains(where: { parts.leaves(of: $0).contains(tensor) }) {
      fail("step \(step) streams \(name(tensor)), which op \(index) does not read")
    }
    for whole in op.inputs + op.outputs where parts.isWhole(whole) { requireSideBySide(whole, step) }
    for memory in problem.memories.indices where op.workspace(in: memory) > 0 {
      let own = workspaces.filter { $0.memory == memory }
      guard own.count == 1, let place = own.first else {
        fail("the workspace of op \(index) '\(op.name)' has \(own.count) places")
        continue
      }
      let range = cells(of: op.workspace(in: memory), at: place.offset, in: memory)
      for cell in range where cells[memory][cell] != Self.freeCell {
        fail("step \(step): the workspace is over \(name(Int(cells[memory][cell]))) at \(edges[memory][cell])")
        break
      }
      for cell in range { cells[memory][cell] = Self.workspaceCell }
    }
    for placement in arriving where results.contains(solution.placements[placement].tensor) { own(placement, step, op) }
    pending = []
    for tensor in results.sorted() {
      if must[tensor] { hasCopy[tensor] = true }
      if current[tensor] != nil {
        if stored.contains(tensor) { fail("step \(step) streams out \(name(tensor)), which is on chip") }
      } else if problem.tileBytes == nil {
        fail("step \(step) makes \(name(tensor)), which has no place")
      } else if stored.contains(tensor) {
        if must[tensor] { fail("step \(step) spills \(name(tensor)), whose write is compulsory") }
        hasCopy[tensor] = true
      } else if !must[tensor] && usesLeft[tensor] > 0 {
        fail("step \(step) makes \(name(tensor)), which is neither on chip nor streamed out")
      }
    }
    for tensor in stored where !results.contains(tensor) {
      fail("step \(step) streams out \(name(tensor)), which op \(index) does not make")
    }
    for memory in cells.indices where op.workspace(in: memory) > 0 {
      for cell in cells[memory].indices where cells[memory][cell] == Self.workspaceCell {
        cells[memory][cell] = Self.freeCell
      }
    }
  }

  private mutating func own(_ placement: Int, _ step: Int, _ op: ScheduleProblem.Op) {
    let (memory, range) = range(placement)
    let tensor = solution.placements[placement].tensor
    let partner = op.inPlace.first { $0.output == tensor }?.input
    for cell in range {
      let owner = cells[memory][cell]
      // An in-place operand has been read; anything else came to be here within the same step.
      if owner != Self.freeCell, owner != Int32(tensor), !mayReplace(Int(owner), partner, placement, step) {
        return fail("\(name(tensor)) is placed over \(owner < 0 ? "a workspace" : name(Int(owner)))")
      }
      cells[memory][cell] = Int32(tensor)
    }
  }

  /// The parts of a whole that is used as one tensor must follow one another, unless some are streamed.
  private mutating func requireSideBySide(_ whole: Int, _ step: Int) {
    let leaves = parts.leaves(of: whole)
    let places = leaves.map { current[$0].map { solution.placements[$0].offset } }
    for (index, pair) in zip(places, places.dropFirst()).enumerated() {
      guard let first = pair.0, let second = pair.1 else { continue }
      if first + problem.tensors[leaves[index]].bytes != second {
        fail("step \(step) uses \(name(whole)), whose parts \(leaves[index]) and \(leaves[index + 1]) are apart")
      }
    }
  }

  // MARK: Sums

  private mutating func checkSums() {
    for tensor in problem.tensors.indices where problem.tensors[tensor].isPinned && !parts.isWhole(tensor) {
      if current[tensor].map({ solution.placements[$0].to == solution.order.count }) != true,
        !solution.order.isEmpty
      {
        fail("\(name(tensor)) is pinned and not there to the end")
      } else if comesFromOffChip[tensor], let placement = current[tensor], solution.placements[placement].from != 0 {
        fail("\(name(tensor)) is pinned and comes only at step \(solution.placements[placement].from)")
      }
    }
    let cost = (solution.spills + solution.fetches).reduce(0) { saturatingAdd($0, problem.tensors[$1.tensor].bytes) }
    if cost != solution.cost { fail("\(cost) bytes move, stated are \(solution.cost)") }
    if solution.lowerBound < 0 || solution.lowerBound > cost {
      fail("the cost \(cost) is below the bound \(solution.lowerBound)")
    }
    switch solution.status {
    case .optimal: if solution.lowerBound != cost { fail("is called optimal at a bound of \(solution.lowerBound)") }
    case .feasible(let gap): if gap != cost - solution.lowerBound || gap == 0 { fail("states gap \(gap)") }
    case .infeasible, .budgetExhausted: fail("has status '\(solution.status)' and a solution")
    }
  }
}

extension PartMap {
  /// True for a part of a split whose whole is made by an op: it has no first fetch of its own.
  func leafIsMade(_ tensor: Int, _ problem: ScheduleProblem, _ producers: [Int?]) -> Bool {
    guard let maker = producers[tensor], problem.ops[maker].role == .splitView else { return producers[tensor] != nil }
    return problem.ops[maker].inputs.contains { leafIsMade($0, problem, producers) }
  }
}
