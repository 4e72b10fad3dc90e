import PantileProblem
import PantileSolve
import PantileSupport

/// The gap ILP of a schedule: binaries `x` say which gaps of a tensor's life it spends on chip, binaries `z` choose the alternative of
/// each step.
///
/// - Each step takes one `z`; a `z` exists per alternative and per set of its kept outputs that are stored as well, so that each
///   carries its exact step time and no time variable is needed.
/// - A consumer's `z` with the tensor in its signature is chosen exactly when the gap before it is kept; gaps are a prefix.
/// - Per step and memory, kept tensors and the working set fit the capacity; rows that cannot bind are left out.
///
/// Costs count from the fastest alternative of each step, so the objective is the excess over that sum.
struct GapModel {
  private(set) var model = LinearModel()
  /// What a `z` stands for.
  struct Option {
    var variable: LinearModel.Variable
    var step: Int
    var choice: Int
    var excess: Int
    var bytes: Int
  }
  private(set) var options: [Option] = []
  /// `x` of each tensor, gap by gap; empty for tensors that never stay.
  private(set) var gaps: [[LinearModel.Variable]]
  let base: Int

  init(_ index: ChoiceIndex) {
    let problem = index.problem
    base = index.independentBound
    gaps = problem.tensors.map { _ in [] }
    for tensor in index.wanted {
      for gap in problem.tensors[tensor].consumers.indices {
        gaps[tensor].append(model.addBinary("x.\(tensor).\(gap)"))
      }
      for gap in gaps[tensor].indices.dropFirst() {
        model.addRow(
          "prefix.\(tensor).\(gap)", upper: 0, [.init(1, gaps[tensor][gap]), .init(-1, gaps[tensor][gap - 1])])
      }
    }

    let none = Array(repeating: 0, count: problem.links.count)
    for step in problem.steps.indices {
      let fastest = problem.steps[step].alternatives.map { problem.cycles(of: $0, adding: none) }.min() ?? 0
      var chosen: [LinearModel.Term] = []
      var reading: [Int: [LinearModel.Term]] = [:]
      var writing: [Int: [LinearModel.Term]] = [:]
      var storing: [Int: [LinearModel.Term]] = [:]
      var room: [[LinearModel.Term]] = problem.memories.map { _ in [] }
      var largest = Array(repeating: 0, count: problem.memories.count)
      for group in index.groups[step] {
        let optional = group.writes.filter {
          problem.tensors[$0].kind != .output && problem.tensors[$0].consumers.count > 1
        }
        for mask in 0..<(1 << min(optional.count, 16)) {
          let stored = optional.indices.filter { mask >> $0 & 1 != 0 }.map { optional[$0] }
          var added = none
          for tensor in stored + group.writes.filter({ problem.tensors[$0].kind == .output }) {
            if let link = index.storeLink[tensor] {
              added[link] = saturatingAdd(added[link], problem.tensors[tensor].bytes)
            }
          }
          for tensor in group.reads
          where problem.tensors[tensor].producer == nil && problem.tensors[tensor].consumers.first == step {
            if let link = index.loadLink[tensor] {
              added[link] = saturatingAdd(added[link], problem.tensors[tensor].bytes)
            }
          }
          for choice in group.alternatives {
            let alternative = problem.steps[step].alternatives[choice]
            let excess = problem.cycles(of: alternative, adding: added) - fastest
            let bytes = zip(alternative.bytes, added).reduce(0) { saturatingAdd($0, saturatingAdd($1.0, $1.1)) }
            let z = model.addBinary("z.\(step).\(choice).\(mask)", objective: Double(excess))
            options.append(Option(variable: z, step: step, choice: choice, excess: excess, bytes: bytes))
            chosen.append(.init(1, z))
            for tensor in group.reads { reading[tensor, default: []].append(.init(1, z)) }
            for tensor in group.writes { writing[tensor, default: []].append(.init(1, z)) }
            for tensor in stored { storing[tensor, default: []].append(.init(1, z)) }
            for (memory, bytes) in alternative.workingSet.enumerated() where bytes > 0 {
              room[memory].append(.init(Double(bytes), z))
              largest[memory] = max(largest[memory], bytes)
            }
          }
        }
      }
      model.addEquality("choose.\(step)", 1, chosen)
      for tensor in index.consumed[step] where !gaps[tensor].isEmpty {
        // The step is among the consumers, so the position exists.
        let gap = problem.tensors[tensor].consumers.firstIndex(of: step) ?? 0
        model.addEquality("read.\(step).\(tensor)", 0, (reading[tensor] ?? []) + [.init(-1, gaps[tensor][gap])])
      }
      for tensor in index.produced[step] where !gaps[tensor].isEmpty {
        let list = gaps[tensor]
        model.addEquality("write.\(step).\(tensor)", 0, (writing[tensor] ?? []) + [.init(-1, list[0])])
        if problem.tensors[tensor].kind != .output, list.count > 1 {
          model.addEquality(
            "store.\(step).\(tensor)", 0,
            (storing[tensor] ?? []) + [.init(-1, list[0]), .init(1, list[list.count - 1])])
        }
      }
      for tensor in index.around[step] {
        let t = problem.tensors[tensor]
        // The first consumer at or after this step: while its gap is kept, the tensor is here.
        guard let gap = t.consumers.firstIndex(where: { $0 >= step }), t.bytes > 0 else { continue }
        room[index.memory[tensor]].append(.init(Double(t.bytes), gaps[tensor][gap]))
        largest[index.memory[tensor]] = saturatingAdd(largest[index.memory[tensor]], t.bytes)
      }
      for (memory, terms) in room.enumerated() where largest[memory] > problem.memories[memory].capacity {
        model.addRow("room.\(step).\(memory)", upper: Double(problem.memories[memory].capacity), terms)
      }
    }
  }

  /// At most this many cycles above the base.
  mutating func limit(excess: Int) {
    model.addRow(
      "limit", upper: Double(excess), options.filter { $0.excess > 0 }.map { .init(Double($0.excess), $0.variable) })
  }

  /// Replaces the objective by the bytes.
  mutating func minimiseBytes() {
    for option in options { model.setObjective(option.variable, Double(option.bytes)) }
  }

  /// Budgets that keep the work about the same for any size: a node and a pivot cost about as much as there are variables.
  func limits(nodeBudget: Int) -> LinearModel.Options {
    let size = max(1, model.variableCount)
    return .init(
      nodeBudget: min(nodeBudget, 100_000 / size), iterationBudget: max(1_000, 100_000_000 / size),
      cuts: size <= 1_000 ? .all : .cheap)
  }

  /// The kept counts of a solved model.
  func kept(_ solution: LinearSolution) -> [Int] { gaps.map { $0.count { solution[$0] > 0.5 } } }
}

extension ChoiceIndex {
  /// Solves the gap ILP for cycles, then for bytes at those cycles.
  ///
  /// - Parameter start: a known plan; the result is never worse, and its cycles cut the search.
  func gapILP(nodeBudget: Int, start: ChoiceSolution?) throws(DiagnosticError) -> ChoiceOutcome {
    // A model without variables is none; nothing to choose is what the dynamic program handles.
    if problem.steps.isEmpty { return dynamicProgram(stateLimit: 1).outcome }
    var gap = GapModel(self)
    // What a plan may cost at most; equality stays allowed, so that a proof of optimality is a plan again.
    if let start { gap.limit(excess: start.cycles - gap.base) }
    let limits = gap.limits(nodeBudget: nodeBudget)
    let first = try gap.model.solve(limits)
    // Costs are whole numbers, so the bound may be rounded up; the tolerance covers the solver's arithmetic.
    let scale = max(1, first.bound.magnitude)
    let proven = first.bound.isFinite ? Int((first.bound - 1e-7 * scale).rounded(.up)) : 0
    let bound = max(gap.base, saturatingAdd(gap.base, proven))
    var best = start
    switch first.status {
    case .infeasible:
      // With a start this can only be the limit's rounding; then the start is what is known.
      guard let start else { return .unsolved(.infeasible(binding: "no choice of kept tensors fits every step")) }
      return .solved(finish(start, bound: independentBound, name: "fastest alternatives"))
    case .budgetExhausted, .unbounded:
      guard let start else { return .unsolved(.budgetExhausted) }
      return .solved(finish(start, bound: bound, name: bound > gap.base ? "gap ILP's tree" : "fastest alternatives"))
    case .optimal, .feasible:
      if let found = complete(kept: gap.kept(first), method: "gap-ilp"),
        best.map({ (found.cycles, found.bytes) < ($0.cycles, $0.bytes) }) ?? true
      {
        best = found
      }
    }
    guard var result = best else { return .unsolved(.budgetExhausted) }
    if first.status == .optimal {
      gap.limit(excess: result.cycles - gap.base)
      gap.minimiseBytes()
    }
    if first.status == .optimal, let second = try? gap.model.solve(limits), second.hasValues,
      let found = complete(kept: gap.kept(second), method: "gap-ilp"),
      (found.cycles, found.bytes) < (result.cycles, result.bytes)
    {
      result = found
    }
    let name = first.status == .optimal ? "gap ILP" : bound > gap.base ? "gap ILP's tree" : "fastest alternatives"
    return .solved(finish(result, bound: bound, name: name))
  }

  /// The linear relaxation of the gap ILP, as cycles no plan of this problem can beat.
  func linearBound() throws(DiagnosticError) -> Int? {
    if problem.steps.isEmpty { return 0 }
    let gap = GapModel(self)
    let solution = try gap.model.solve(.init(iterationBudget: gap.limits(nodeBudget: 0).iterationBudget, relaxed: true))
    guard solution.status == .optimal else { return nil }
    let scale = max(1, solution.objective.magnitude)
    return saturatingAdd(gap.base, max(0, Int((solution.objective - 1e-7 * scale).rounded(.up))))
  }

  private func finish(_ solution: ChoiceSolution, bound: Int, name: String) -> ChoiceSolution {
    var result = solution
    result.lowerBound = min(bound, solution.cycles)
    result.boundName = name
    result.status =
      result.lowerBound == solution.cycles ? .optimal : .feasible(gap: solution.cycles - result.lowerBound)
    return result
  }
}
