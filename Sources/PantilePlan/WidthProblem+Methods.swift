import PantileProblem
import PantileSolve
import PantileSupport

/// Limits of a search for bit widths, as counts.
public struct WidthOptions: Hashable, Sendable {
  /// Branch-and-bound nodes of the ILP.
  public var nodeBudget: Int

  public init(nodeBudget: Int = 20_000) { self.nodeBudget = nodeBudget }
}

/// By how much no assignment keeps a limit.
public struct WidthShortfall: Hashable, Sendable {
  public enum Limit: String, Hashable, Sendable { case storedBits, cycles }
  public var limit: Limit
  /// The least that is possible; of cycles under a limit of bits, the least that was proven.
  public var least: Int
  public var allowed: Int
  /// Both limits could be kept alone.
  public var isJoint: Bool

  public var excess: Int { least - allowed }
}

/// An assignment, or why there is none.
public struct WidthOutcome: Sendable {
  /// Nil when the limits cannot be kept, or the budget ended first.
  public var assignment: WidthAssignment?
  public var status: SolutionStatus
  /// Of an infeasible problem.
  public var shortfall: WidthShortfall?
  /// Proves the bound of the assignment in `model`, or that there is none; nil when nothing is proven by a tree.
  public var certificate: BoundCertificate?
  /// The integer program that the certificate speaks about.
  public var model: LinearModel
  /// Branch-and-bound nodes.
  public var nodes: Int
}

extension WidthProblem {
  /// The multiple-choice knapsack: a binary for each layer and width, one of each layer, one row for each limit.
  func linearModel() -> (model: LinearModel, variables: [[LinearModel.Variable]]) {
    var model = LinearModel()
    let variables = layers.enumerated().map { number, layer in
      layer.choices.map { model.addBinary("w.\(number).\($0.bits)", objective: Double($0.cost)) }
    }
    func terms(_ amount: (Choice) -> Int) -> [LinearModel.Term] {
      zip(layers, variables).flatMap { layer, own in
        zip(layer.choices, own).map { .init(Double(amount($0)), $1) }
      }
    }
    for (number, own) in variables.enumerated() {
      model.addEquality("choose.\(number)", 1, own.map { .init(1, $0) })
    }
    if let limit = storedBitsLimit { model.addRow("size", upper: Double(limit), terms(\.storedBits)) }
    if let limit = cycleLimit { model.addRow("cycles", upper: Double(limit), terms(\.cycles)) }
    return (model, variables)
  }

  /// The least-cost assignment, by branch and bound over GLPK's relaxations, with a bound that is proven in whole numbers.
  ///
  /// A greedy assignment starts the search. Among optimal ones the search takes one of least size, as far as the budget goes.
  /// - Throws: what `check()` throws; `solver-fault`.
  public func solve(_ options: WidthOptions = WidthOptions()) throws(DiagnosticError) -> WidthOutcome {
    try check()
    let (model, variables) = linearModel()
    if let shortfall = try shortfall(options) {
      let what = shortfall.limit == .storedBits ? "bits" : "cycles"
      return WidthOutcome(
        status: .infeasible(binding: "\(shortfall.least) \(what) at least, \(shortfall.allowed) allowed"),
        shortfall: shortfall, certificate: try model.proveBound(.init(nodeBudget: options.nodeBudget)), model: model,
        nodes: 0)
    }
    let limits = LinearModel.Options(nodeBudget: options.nodeBudget)
    let start = greedy()
    let result = try model.solveCertified(limits, incumbent: start.map { point($0, variables) })
    guard result.solution.hasValues else {
      return WidthOutcome(
        status: .budgetExhausted, certificate: result.certificate, model: model, nodes: result.solution.nodes)
    }
    let bound = max(0, result.certificate?.bound.map(ceiling) ?? 0)
    var nodes = result.solution.nodes
    var best = WidthAssignment(choices: choices(result.solution, variables), of: self, lowerBound: bound)
    if best.status == .optimal {
      var smaller = model
      for (layer, own) in zip(layers, variables) {
        for (choice, variable) in zip(layer.choices, own) {
          smaller.setObjective(variable, Double(choice.storedBits))
        }
      }
      smaller.addRow(
        "cost", upper: Double(best.cost),
        zip(layers, variables).flatMap { layer, own in zip(layer.choices, own).map { .init(Double($0.cost), $1) } })
      let second = try smaller.solveCertified(limits, incumbent: point(best.choices, variables))
      nodes += second.solution.nodes
      if second.solution.hasValues {
        best = WidthAssignment(choices: choices(second.solution, variables), of: self, lowerBound: bound)
      }
    }
    try verify(best)
    return WidthOutcome(
      assignment: best, status: best.status, certificate: result.certificate, model: model, nodes: nodes)
  }

  /// Why no assignment keeps the limits; nil when one does, or when that is not known within the budget.
  private func shortfall(_ options: WidthOptions) throws(DiagnosticError) -> WidthShortfall? {
    if let limit = storedBitsLimit {
      let least = layers.reduce(0) { $0 + ($1.choices.map(\.storedBits).min() ?? 0) }
      if least > limit { return WidthShortfall(limit: .storedBits, least: least, allowed: limit, isJoint: false) }
    }
    guard let limit = cycleLimit else { return nil }
    let least = layers.reduce(0) { $0 + ($1.choices.map(\.cycles).min() ?? 0) }
    if least > limit { return WidthShortfall(limit: .cycles, least: least, allowed: limit, isJoint: false) }
    if storedBitsLimit == nil || greedy() != nil { return nil }
    // Each limit can be kept alone: the least cycles under the limit of bits decide.
    var fastest = self
    fastest.cycleLimit = nil
    for layer in fastest.layers.indices {
      for choice in fastest.layers[layer].choices.indices {
        fastest.layers[layer].choices[choice].cost = layers[layer].choices[choice].cycles
      }
    }
    let found = try fastest.linearModel().model.solveCertified(.init(nodeBudget: options.nodeBudget))
    guard let bound = found.certificate?.bound.map(ceiling), bound > limit else { return nil }
    return WidthShortfall(limit: .cycles, least: bound, allowed: limit, isJoint: true)
  }

  /// The cheapest width of each layer, then the change that costs least for what it takes off the limits' excess, until they are kept.
  package func greedy() -> [Int]? {
    var chosen = layers.map { layer in
      layer.choices.indices.min { layer.choices[$0].cost < layer.choices[$1].cost } ?? 0
    }
    func excess(_ totals: (cost: Int, storedBits: Int, cycles: Int)) -> Double {
      func share(_ value: Int, _ limit: Int?) -> Double {
        limit.map { Double(max(0, value - $0)) / Double(max(1, $0)) } ?? 0
      }
      return share(totals.storedBits, storedBitsLimit) + share(totals.cycles, cycleLimit)
    }
    var totals = totals(of: chosen)
    // Each change lowers the excess, so none comes twice; the count is a guard against rounding.
    for _ in 0...layers.reduce(0, { $0 + $1.choices.count }) {
      if holds(totals) { return chosen }
      let now = excess(totals)
      var best: (layer: Int, choice: Int, price: Double, after: (cost: Int, storedBits: Int, cycles: Int))?
      for (layer, entry) in layers.enumerated() {
        let old = entry.choices[chosen[layer]]
        for (choice, new) in entry.choices.enumerated() where choice != chosen[layer] {
          let after = (
            cost: totals.cost - old.cost + new.cost, storedBits: totals.storedBits - old.storedBits + new.storedBits,
            cycles: totals.cycles - old.cycles + new.cycles
          )
          let gain = now - excess(after)
          guard gain > 0 else { continue }
          let price = Double(new.cost - old.cost) / gain
          if price < best?.price ?? .infinity { best = (layer, choice, price, after) }
        }
      }
      guard let best else { return nil }
      chosen[best.layer] = best.choice
      totals = best.after
    }
    return nil
  }

  private func point(_ choices: [Int], _ variables: [[LinearModel.Variable]]) -> [Double] {
    zip(choices, variables).flatMap { choice, own in own.indices.map { $0 == choice ? 1 : 0 } }
  }

  private func choices(_ solution: LinearSolution, _ variables: [[LinearModel.Variable]]) -> [Int] {
    // The equality of each layer holds, so one of its binaries is one.
    variables.map { own in own.firstIndex { solution[$0] > 0.5 } ?? 0 }
  }

  /// Costs are whole numbers, so the bound may be rounded up.
  private func ceiling(_ ratio: BoundCertificate.Ratio) -> Int {
    let down = ratio.numerator / ratio.denominator
    return down * ratio.denominator < ratio.numerator ? down + 1 : down
  }
}
