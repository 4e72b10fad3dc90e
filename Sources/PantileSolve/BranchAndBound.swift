import PantileSupport

/// Branch and bound on a whole model that keeps the proof of every node. GLPK solves the relaxations; whatever it says, the bounds here
/// are those of whole multipliers, computed exactly.
///
/// Deterministic: nodes in order of bound, then of age; no clock, no hashing in any choice.
struct BranchAndBound: ~Copyable {
  /// A node of the tree; the root is number 0.
  struct Node {
    var parent: Int
    /// The bound that this node adds to its parent's; -1 at the root.
    var column: Int
    var isUpper: Bool
    var value: Int
    /// In grains; `.max` when the box is empty.
    var bound: Int128
    /// Shows the bound; -1 when nothing does.
    var proof: Int
    var children: (left: Int, right: Int)?
    var split: (column: Int, value: Int) = (-1, 0)
    /// Objective of the relaxation of the parent, and how far its point is from this node's bound; NaN when there is none.
    var parentObjective = Double.nan
    var distance = 1.0
  }

  /// Parts of a unit of the objective in which bounds are kept: whole units when the objective is whole.
  let grains: Int128
  let model: WholeModel
  let options: LinearModel.Options
  var cuts: [BoundCertificate.Cut] = []
  var proofs: [BoundCertificate.Proof] = []
  /// The rows of the model and of all cuts.
  var rows: [WholeModel.Row]
  var nodes: [Node] = []
  var open: [Int] = []
  var session: RelaxationSession
  /// For each row of the session, its number in `rows`.
  var sessionRows: [Int]
  /// Pseudo-costs: objective lost per unit of rounding down and up.
  var loss: [(down: Double, downCount: Int, up: Double, upCount: Int)]

  /// The best point so far and its objective in grains.
  private(set) var incumbent: (point: [Int], grains: Int128)?
  /// The best point of the relaxations whose integer variables alone are whole; nothing exact is known of it.
  private(set) var nearPoint: (values: [Double], objective: Double)?
  /// Bounds at or above need no further work.
  var cutoff: Int128 { min(incumbent?.grains ?? .max, target) }
  /// A bound that is good enough, in grains.
  private let target: Int128
  var nodeCount = 0
  private(set) var relaxation: Double?
  var rootDuals: [Double] = []
  private(set) var isUnbounded = false

  /// Nil when GLPK cannot build the model.
  init?(_ model: WholeModel, _ options: LinearModel.Options, target: Int? = nil) {
    guard let session = RelaxationSession(model) else { return nil }
    self.session = session
    self.model = model
    self.options = options
    let grains: Int128 = model.hasWholeObjective ? 1 : 1 << 20
    self.grains = grains
    self.target =
      target.map {
        let sum = (model.isMaximised ? -Int128($0) : Int128($0)) - Int128(model.constant)
        // Grains and the target are small numbers of 20 and 65 bits.
        return ceilQuotient(sum * grains, Int128(model.unit))
      } ?? .max
    rows = model.rows
    sessionRows = Array(model.rows.indices)
    loss = Array(repeating: (0, 0, 0, 0), count: model.columnCount)
  }

  /// Takes a point if it is whole, feasible and better.
  mutating func offer(_ point: [Int]) {
    guard let units = model.units(at: point) else { return }
    let scaled = units.multipliedReportingOverflow(by: grains)
    if !scaled.overflow, scaled.partialValue < incumbent?.grains ?? .max { incumbent = (point, scaled.partialValue) }
  }

  /// As `offer`; a point of which only the integer variables are whole is kept aside.
  mutating func offer(_ values: [Double]) {
    if let point = model.wholePoint(values) { return offer(point) }
    let objective = zip(values, model.objective).reduce(0) { $0 + $1.0 * Double($1.1) }
    if objective < nearPoint?.objective ?? .infinity, model.isNearlyWhole(values) {
      nearPoint = (zip(values, model.isInteger).map { $1 ? $0.rounded() : $0 }, objective)
    }
  }

  /// No point is better than this many grains; `.max` when there is none at all, nil while nothing is known.
  var bound: Int128? {
    var least = cutoff
    for node in nodes where node.children == nil { least = min(least, node.proof < 0 ? .min : node.bound) }
    return nodes.isEmpty || least == .min ? nil : least
  }

  var isClosed: Bool { !nodes.isEmpty && open.isEmpty }

  var canGoOn: Bool {
    nodeCount < max(1, options.nodeBudget) && session.iterations < options.iterationBudget
      && options.cancellation?.isCancelled != true && !Cancellation.isAllCancelled
  }

  /// Goes on for some nodes at most.
  mutating func search(nodes limit: Int) {
    let end = nodeCount.addingReportingOverflow(limit)
    var next: Int?
    while canGoOn, end.overflow || nodeCount < end.partialValue {
      guard let number = next ?? bestOpen() else { return }
      next = nil
      if nodes[number].bound >= cutoff {
        close(number)
        continue
      }
      var box = box(of: number)
      guard let values = relax(number, &box, isRoot: false) else { continue }
      branch(number, box, values)
      // Down into the child on the side of the rounding, while its bound is as good as any.
      if let children = nodes[number].children {
        let (column, value) = nodes[number].split
        next = values.indices.contains(column) && values[column] > Double(value) + 0.5 ? children.right : children.left
      }
    }
  }

  /// Rounds multipliers of the session's rows.
  var rounding: ProofRounding { ProofRounding(rows: sessionRows.map { rows[$0] }, objective: model.objective) }

  func bestOpen() -> Int? {
    var best: Int?
    for number in open where best.map({ nodes[number].bound < nodes[$0].bound }) ?? true { best = number }
    return best
  }

  mutating func close(_ number: Int) {
    if let place = open.lastIndex(of: number) { open.remove(at: place) }
  }

  func box(of number: Int) -> WholeModel.Box {
    var box = model.box
    var number = number
    while nodes[number].column >= 0 {
      let node = nodes[number]
      if node.isUpper {
        box.upper[node.column] = min(box.upper[node.column] ?? node.value, node.value)
      } else {
        box.lower[node.column] = max(box.lower[node.column] ?? node.value, node.value)
      }
      number = node.parent
    }
    return box
  }

  /// Solves a node's relaxation and keeps what it proves. Nil when the node is closed, else the point of the relaxation, which is empty
  /// when GLPK gave none.
  mutating func relax(_ number: Int, _ box: inout WholeModel.Box, isRoot: Bool) -> [Double]? {
    nodeCount += 1
    let outcome = session.solve(
      box, iterationBudget: options.iterationBudget - session.iterations, cancellation: options.cancellation)
    var values: [Double] = []
    switch outcome {
    case .infeasible:
      var ray = session.hasRay ? rounding.ray(session.multipliers, in: box) : nil
      if ray == nil { ray = elasticRay(box) }
      if let ray {
        keep(ray, .max, at: number)
        close(number)
        return nil
      }
    case .optimal:
      values = session.values
      let objective = session.objective
      if isRoot {
        relaxation = objective
        rootDuals = session.multipliers
      }
      learn(number, objective)
      let slack = 1e-6 * max(1, objective.magnitude)
      let target = model.hasWholeObjective ? (objective - slack).rounded(.up) - 1 + 1e-6 : objective - slack * 1e-3
      if let result = rounding.dual(session.multipliers, in: box, target: target) {
        keep(result, inGrains(result), at: number)
      }
      offer(values)
    case .unbounded: if isRoot { isUnbounded = true }
    case .budget:
      if let result = rounding.dual(session.multipliers, in: box, target: .infinity) {
        keep(result, inGrains(result), at: number)
      }
      return nil
    case .failed: break
    }
    if nodes[number].bound >= cutoff {
      close(number)
      return nil
    }
    return values
  }

  func inGrains(_ result: ProofRounding.Result) -> Int128 {
    let denominator = Int128(result.proof.denominator)
    if model.hasWholeObjective { return ceilQuotient(result.units, denominator) }
    let scaled = result.units.multipliedReportingOverflow(by: grains)
    return scaled.overflow ? .min : floorQuotient(scaled.partialValue, denominator)
  }

  /// Keeps a proof when it shows more than the node had.
  mutating func keep(_ result: ProofRounding.Result, _ bound: Int128, at number: Int) {
    if bound == .min || (nodes[number].proof >= 0 && bound <= nodes[number].bound) { return }
    nodes[number].bound = bound
    nodes[number].proof = proofs.count
    var proof = result.proof
    for index in proof.rows.indices { proof.rows[index] = sessionRows[proof.rows[index]] }
    proofs.append(proof)
  }

  /// The combination of rows behind an infeasible box, from a relaxation whose rows may be missed at a price.
  func elasticRay(_ box: WholeModel.Box) -> ProofRounding.Result? {
    var elastic = LinearModel()
    for column in box.lower.indices {
      _ = elastic.addVariable(
        "", lower: box.lower[column].map(Double.init) ?? -.infinity,
        upper: box.upper[column].map(Double.init) ?? .infinity)
    }
    for row in rounding.rows {
      var terms = row.terms.map { LinearModel.Term(Double($0.coefficient), .init(index: $0.column)) }
      if row.lower != nil { terms.append(.init(1, elastic.addVariable("", objective: 1))) }
      if row.upper != nil { terms.append(.init(-1, elastic.addVariable("", objective: 1))) }
      elastic.addRow(
        "", lower: row.lower.map(Double.init) ?? -.infinity, upper: row.upper.map(Double.init) ?? .infinity, terms)
    }
    let limits = LinearModel.Options(
      iterationBudget: max(0, options.iterationBudget - session.iterations), relaxed: true,
      cancellation: options.cancellation)
    guard let solution = try? elastic.solve(limits), solution.status == .optimal else { return nil }
    return rounding.ray(solution.duals, in: box)
  }

  /// Splits a node on an integer variable; closes nothing. A node whose integer variables are all fixed stays as it is, closed for want
  /// of a choice.
  mutating func branch(_ number: Int, _ box: WholeModel.Box, _ values: [Double]) {
    close(number)
    let objective = values.isEmpty ? .nan : zip(values, model.objective).reduce(0) { $0 + $1.0 * Double($1.1) }
    guard let (column, value) = choice(number, box, values, objective) else { return }
    nodes[number].split = (column, value)
    let first = nodes.count
    nodes[number].children = (first, first + 1)
    for isUpper in [true, false] {
      nodes.append(
        Node(
          parent: number, column: column, isUpper: isUpper, value: isUpper ? value : value + 1,
          bound: nodes[number].bound, proof: nodes[number].proof, parentObjective: objective,
          distance: values.isEmpty ? 1 : max(1e-3, (values[column] - Double(isUpper ? value : value + 1)).magnitude)))
    }
    open.append(first)
    open.append(first + 1)
  }
}
