import PantileProblem
import PantileSolve
import PantileSupport

/// An order and a replacement plan that fit by bytes, and what is known of how good they are.
package struct ScheduleCandidate {
  var order: [Int]
  var kept: [Bool]
  package var cost: Int
  package var lowerBound: Int
  /// True when the bound is for this order only.
  var isFixedOrder: Bool
  var proof: ScheduleProof
  var states: Int
}

/// One planning run: the index of the problem, the options, and the steps that methods share.
package struct SchedulePlanner {
  let problem: ScheduleProblem
  let index: ScheduleIndex
  let options: ScheduleOptions

  package init(_ problem: ScheduleProblem, _ options: ScheduleOptions) {
    self.problem = problem
    self.options = options
    index = ScheduleIndex(problem)
  }

  var defaultOrder: [Int] { Array(index.ops.indices) }

  /// Why no schedule exists, by the room of single ops; nil when each fits.
  var obstacle: String? {
    if problem.tileBytes == nil { return index.obstacle() }
    return GapTable(index, order: defaultOrder).streamingObstacle()
  }

  func report(_ phase: String, incumbent: Int?, bound: Int, states: Int) {
    options.progress?(.init(phase: phase, incumbent: incumbent, bound: bound, states: states))
  }

  var solverOptions: LinearModel.Options { LinearModel.Options(nodeBudget: options.nodeBudget) }

  // MARK: A fixed order

  /// Any plan for an order, cheaply: the better of two rules.
  func quickPlan(_ table: GapTable) -> [Bool]? {
    if problem.tileBytes != nil { return table.streamingPlan(nil) }
    let plans = [ReplacementRule.farthestUse, .cheapest].compactMap { table.replace(by: $0) }
    return plans.min { table.cost($0) < table.cost($1) }
  }

  /// The best plan for an order, by the gap program, with its certificate.
  ///
  /// - Parameter start: A plan that fits, if one is known.
  func solveOrder(_ order: [Int], start: [Bool]? = nil) throws(DiagnosticError) -> ScheduleCandidate? {
    let table = GapTable(index, order: order)
    var known = start ?? quickPlan(table)
    if let plan = known, table.cost(plan) == 0 {
      return ScheduleCandidate(
        order: order, kept: plan, cost: 0, lowerBound: 0, isFixedOrder: false, proof: .nothingMoves, states: 0)
    }
    guard let gapModel = table.model() else { return nil }
    if problem.tileBytes != nil, start == nil { known = try relaxedPlan(table, gapModel) }
    let solved = try solve(gapModel, start: known)
    if let plan = solved.kept, known.map({ table.cost(plan) < table.cost($0) }) ?? true { known = plan }
    guard let plan = known else { return nil }
    return ScheduleCandidate(
      order: order, kept: plan, cost: table.cost(plan), lowerBound: min(solved.bound, table.cost(plan)),
      isFixedOrder: true, proof: .gapProgram(solved.certificates), states: solved.nodes)
  }

  /// A streaming plan that follows the linear relaxation.
  private func relaxedPlan(_ table: GapTable, _ gapModel: ReplacementModel) throws(DiagnosticError) -> [Bool] {
    var options = solverOptions
    options.relaxed = true
    let relaxation = try gapModel.model.solve(options)
    guard relaxation.hasValues else { return table.streamingPlan(nil) }
    return table.streamingPlan(gapModel.shares(relaxation.values))
  }

  /// The best plan of a model and the bound that certificates of its parts prove; no plan when the budget ended before one was found.
  func solve(
    _ gapModel: ReplacementModel, start: [Bool]?
  ) throws(DiagnosticError) -> (kept: [Bool]?, bound: Int, certificates: [BoundCertificate?], nodes: Int) {
    let point = start.map { gapModel.point($0) }
    var values = point ?? Array(repeating: 0, count: gapModel.model.variableCount)
    var isComplete = true
    var bound = Int(gapModel.model.objectiveConstant)
    var certificates: [BoundCertificate?] = []
    var nodes = 0
    for part in gapModel.model.components() {
      var limits = solverOptions
      // Nodes of a large program cost more; so it gets fewer, and the gap is reported.
      limits.nodeBudget = min(
        limits.nodeBudget, max(4, 8_000_000 / (part.model.variableCount * part.model.rowCount + 1)))
      let solved = try part.model.solveCertified(
        limits, incumbent: point.map { known in part.variables.map { known[$0.index] } })
      nodes += solved.solution.nodes
      if solved.solution.hasValues {
        for (variable, value) in zip(part.variables, solved.solution.values) { values[variable.index] = value }
      } else if point == nil {
        isComplete = false
      }
      certificates.append(solved.certificate)
      bound += solved.certificate?.signedBound ?? part.model.leastObjective
    }
    return (isComplete ? gapModel.kept(values) : nil, max(0, bound), certificates, nodes)
  }

  // MARK: Free order

  /// The must-live covering bound with its certificate.
  package func covering() throws(DiagnosticError) -> (bound: Int, proof: ScheduleProof) {
    guard let model = CoveringBound(index).model() else { return (0, .nothingMoves) }
    var options = solverOptions
    options.nodeBudget = min(options.nodeBudget, 2_000)
    guard let certificate = try model.proveBound(options) else { return (0, .nothingMoves) }
    return (certificate.signedBound, .covering(certificate))
  }

  /// The plan that a search's state stands for.
  func candidate(_ search: borrowing ScheduleSearch, _ goal: Int) -> ScheduleCandidate {
    let (order, leaving) = search.path(to: goal)
    let table = GapTable(index, order: order)
    var kept = Array(repeating: true, count: table.gaps.count)
    for (step, tensors) in leaving.enumerated() {
      for tensor in tensors {
        // An operand that leaves at its op gives its place to a result.
        let isOperand = index.ops[order[step]].inputs.contains(tensor)
        guard
          let gap = table.gaps(of: tensor).first(where: { number in
            let gap = table.gaps[number]
            return isOperand ? gap.first == step : gap.first < step && step < gap.last
          })
        else { preconditionFailure("tensor \(tensor) leaves at step \(step), between no uses") }
        kept[gap] = false
      }
    }
    precondition(table.fits(kept), "a state of the search does not fit")
    return ScheduleCandidate(
      order: order, kept: kept, cost: table.cost(kept), lowerBound: 0, isFixedOrder: false, proof: .nothingMoves,
      states: 0)
  }

  // MARK: Addresses

  /// Addresses, the replay, and the status.
  func finish(_ candidate: ScheduleCandidate, method: String) throws(DiagnosticError) -> ScheduleOutcome {
    let parts: ScheduleAssembly.Parts
    switch try addresses(candidate) {
    case .placed(let found): parts = found
    case .impossible(let reason): return .infeasible(reason)
    case .budgetExhausted: return .inconclusive("no addresses were found within the budget")
    }
    let gap = parts.cost - candidate.lowerBound
    let solution = ScheduleSolution(
      order: parts.order, spills: parts.spills, fetches: parts.fetches, placements: parts.placements,
      workspaces: parts.workspaces, cost: parts.cost, lowerBound: candidate.lowerBound, boundName: candidate.proof.name,
      isFixedOrder: candidate.isFixedOrder, status: gap == 0 ? .optimal : .feasible(gap: gap), method: method,
      states: candidate.states)
    try problem.verify(solution)
    return .solved(solution, proof: candidate.proof)
  }
}

extension GapTable {
  /// Why not even streaming makes an op fit; nil when it does.
  func streamingObstacle() -> String? {
    let problem = index.problem
    for (memory, capacity) in index.capacities.enumerated() where capacity < 0 {
      let name = problem.memories[memory].name
      return "pinned tensors and the tile buffer need \(-capacity) bytes more than '\(name)' has"
    }
    for op in index.ops {
      for (memory, capacity) in index.capacities.enumerated() {
        let fixed = Set(op.inputs + op.outputs).filter {
          index.tensors[$0].memory == memory && (index.tensors[$0].origin == nil || index.tensors[$0].isPinned)
        }
        let need = fixed.reduce(0) { $0 + index.tensors[$1].bytes }
        if need > capacity {
          return
            "op \(op.origin) '\(problem.ops[op.origin].name)' needs \(need) bytes of workspace and pinned tensors in "
            + "'\(problem.memories[memory].name)': \(need - capacity) bytes more than the \(capacity) that it has"
        }
      }
    }
    return nil
  }
}
