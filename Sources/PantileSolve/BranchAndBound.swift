import PantileSupport

/// Branch and bound on a whole model that keeps the proof of every node. GLPK solves the relaxations; whatever it says, the bounds here
/// are those of whole multipliers, computed exactly.
///
/// Deterministic: nodes in order of bound, then of age; no clock, no hashing in any choice.
struct BranchAndBound: ~Copyable {
  /// A node of the tree; the root is number 0.
  private struct Node {
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
  }

  /// Parts of a unit of the objective in which bounds are kept: whole units when the objective is whole.
  let grains: Int128
  let model: WholeModel
  private let options: LinearModel.Options
  private(set) var cuts: [BoundCertificate.Cut] = []
  private(set) var proofs: [BoundCertificate.Proof] = []
  private var rounding: ProofRounding
  private var nodes: [Node] = []
  private var open: [Int] = []
  private var session: RelaxationSession
  /// Pseudo-costs: objective lost per unit of rounding down and up.
  private var loss: [(down: Double, downCount: Int, up: Double, upCount: Int)]

  /// The best point so far and its objective in grains.
  private(set) var incumbent: (point: [Int], grains: Int128)?
  /// The best point of the relaxations whose integer variables alone are whole; nothing exact is known of it.
  private(set) var nearPoint: (values: [Double], objective: Double)?
  /// Bounds at or above need no further work.
  private var cutoff: Int128 { min(incumbent?.grains ?? .max, target) }
  /// A bound that is good enough, in grains.
  private let target: Int128
  private(set) var nodeCount = 0
  private(set) var relaxation: Double?
  private(set) var rootDuals: [Double] = []
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
    rounding = ProofRounding(rows: model.rows, objective: model.objective)
    loss = Array(repeating: (0, 0, 0, 0), count: model.columnCount)
  }

  /// Takes a point if it is whole, feasible and better.
  mutating func offer(_ point: [Int]) {
    guard let units = model.units(at: point) else { return }
    let scaled = units.multipliedReportingOverflow(by: grains)
    if !scaled.overflow, scaled.partialValue < incumbent?.grains ?? .max { incumbent = (point, scaled.partialValue) }
  }

  /// No point is better than this many grains; `.max` when there is none at all, nil while nothing is known.
  var bound: Int128? {
    var least = cutoff
    for node in nodes where node.children == nil { least = min(least, node.proof < 0 ? .min : node.bound) }
    return nodes.isEmpty || least == .min ? nil : least
  }

  var isClosed: Bool { !nodes.isEmpty && open.isEmpty }

  private var canGoOn: Bool {
    nodeCount < max(1, options.nodeBudget) && session.iterations < options.iterationBudget
      && options.cancellation?.isCancelled != true && !Cancellation.isAllCancelled
  }

  /// The root: relaxation and rounds of cuts.
  mutating func solveRoot() {
    nodes.append(Node(parent: -1, column: -1, isUpper: false, value: 0, bound: .min, proof: -1))
    // Rounding a row's bounds inwards may have crossed them, which GLPK does not take.
    if let row = model.rows.firstIndex(where: { row in row.lower.map { $0 > row.upper ?? $0 } ?? false }) {
      proofs.append(.init(denominator: 0, rows: [row, row], multipliers: [1, -1]))
      nodes[0].proof = 0
      nodes[0].bound = .max
      return
    }
    open = [0]
    var box = model.box
    var values = relax(0, &box, isRoot: true)
    let separation = CoverSeparation(model: model)
    var known: Set<BoundCertificate.Cut> = []
    var rounds = 0
    while let point = values, !point.isEmpty, rounds < 20, !open.isEmpty, canGoOn, options.cuts != .none {
      rounds += 1
      var added = 0
      for cut in separation.cuts(at: point) where added < 50 && known.insert(cut).inserted {
        guard let row = model.row(of: cut) else { continue }
        let before = session.rowCount
        session.add(row)
        if session.rowCount == before { continue }
        cuts.append(cut)
        rounding = ProofRounding(rows: rounding.rows + [row], objective: model.objective)
        added += 1
      }
      if added == 0 { break }
      let before = nodes[0].bound
      values = relax(0, &box, isRoot: false)
      if nodes[0].bound == before, rounds >= 5 { break }
    }
    if let values { branch(0, box, values) }
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

  private func bestOpen() -> Int? {
    var best: Int?
    for number in open where best.map({ nodes[number].bound < nodes[$0].bound }) ?? true { best = number }
    return best
  }

  private mutating func close(_ number: Int) {
    if let place = open.lastIndex(of: number) { open.remove(at: place) }
  }

  private func box(of number: Int) -> WholeModel.Box {
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
  private mutating func relax(_ number: Int, _ box: inout WholeModel.Box, isRoot: Bool) -> [Double]? {
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
      let slack = 1e-6 * max(1, objective.magnitude)
      let target = model.hasWholeObjective ? (objective - slack).rounded(.up) - 1 + 1e-6 : objective - slack * 1e-3
      if let result = rounding.dual(session.multipliers, in: box, target: target) {
        keep(result, inGrains(result), at: number)
      }
      if let point = model.wholePoint(values) {
        offer(point)
      } else if objective < nearPoint?.objective ?? .infinity, model.isNearlyWhole(values) {
        nearPoint = (zip(values, model.isInteger).map { $1 ? $0.rounded() : $0 }, objective)
      }
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

  private func inGrains(_ result: ProofRounding.Result) -> Int128 {
    let denominator = Int128(result.proof.denominator)
    if model.hasWholeObjective { return ceilQuotient(result.units, denominator) }
    let scaled = result.units.multipliedReportingOverflow(by: grains)
    return scaled.overflow ? .min : floorQuotient(scaled.partialValue, denominator)
  }

  /// Keeps a proof when it shows more than the node had.
  private mutating func keep(_ result: ProofRounding.Result, _ bound: Int128, at number: Int) {
    if bound == .min || (nodes[number].proof >= 0 && bound <= nodes[number].bound) { return }
    nodes[number].bound = bound
    nodes[number].proof = proofs.count
    proofs.append(result.proof)
  }

  /// The combination of rows behind an infeasible box, from a relaxation whose rows may be missed at a price.
  private func elasticRay(_ box: WholeModel.Box) -> ProofRounding.Result? {
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
  private mutating func branch(_ number: Int, _ box: WholeModel.Box, _ values: [Double]) {
    close(number)
    guard let (column, value) = choice(box, values) else { return }
    nodes[number].split = (column, value)
    let first = nodes.count
    nodes[number].children = (first, first + 1)
    for isUpper in [true, false] {
      nodes.append(
        Node(
          parent: number, column: column, isUpper: isUpper, value: isUpper ? value : value + 1,
          bound: nodes[number].bound, proof: nodes[number].proof))
    }
    open.append(first)
    open.append(first + 1)
  }

  /// The variable to branch on and where: the fractional one whose two sides lose most, else any that is not fixed.
  private func choice(_ box: WholeModel.Box, _ values: [Double]) -> (column: Int, value: Int)? {
    var best: (column: Int, value: Int)?
    var bestScore = -1.0
    var spare: (column: Int, value: Int)?
    for column in box.lower.indices where model.isInteger[column] {
      let (low, high) = (box.lower[column], box.upper[column])
      if let low, low == high { continue }
      let value = values.isEmpty ? Double(low ?? high ?? 0) : values[column]
      guard value.magnitude < 0x1p52 else { continue }
      var floor = Int(value.rounded(.down))
      let fraction = value - value.rounded(.down)
      if let high { floor = min(floor, high - 1) }
      if let low { floor = max(floor, low) }
      if fraction < 1e-6 || fraction > 1 - 1e-6 {
        if spare == nil {
          var split = Int(value.rounded())
          if let high { split = min(split, high - 1) }
          if let low { split = max(split, low) }
          spare = (column, split)
        }
        continue
      }
      let estimate = Double(model.objective[column].magnitude) + 1
      let entry = loss[column]
      let down = (entry.downCount > 0 ? entry.down / Double(entry.downCount) : estimate) * fraction
      let up = (entry.upCount > 0 ? entry.up / Double(entry.upCount) : estimate) * (1 - fraction)
      let score = max(down, 1e-6) * max(up, 1e-6)
      if score > bestScore {
        bestScore = score
        best = (column, floor)
      }
    }
    return best ?? spare
  }

  /// The tree as a certificate of this bound, without the parts that are not needed for it.
  func certificate(of bound: Int128) -> BoundCertificate? {
    var ratio: BoundCertificate.Ratio?
    if bound != .max {
      let top = Exact(Int128(model.unit)) * Exact(bound) + Exact(Int128(model.constant)) * Exact(grains)
      guard let value = top.value, let numerator = Int(exactly: model.isMaximised ? -value : value) else { return nil }
      let divisor = max(1, greatestCommonDivisor(numerator, Int(grains)))
      ratio = .init(numerator / divisor, over: Int(grains) / divisor)
    }
    var certificate = BoundCertificate(bound: ratio, proofs: [], tree: [])
    var proofNumber: [Int: Int] = [:]
    var cutNumber: [Int: Int] = [:]
    var stack = [0]
    while let number = stack.popLast() {
      let node = nodes[number]
      if node.proof < 0 || node.bound < bound, let children = node.children {
        certificate.tree.append(.branch(column: node.split.column, value: node.split.value))
        stack.append(children.right)
        stack.append(children.left)
        continue
      }
      if node.proof < 0 { return nil }
      if let known = proofNumber[node.proof] {
        certificate.tree.append(.leaf(known))
        continue
      }
      var proof = proofs[node.proof]
      for index in proof.rows.indices where proof.rows[index] >= model.rows.count {
        let old = proof.rows[index] - model.rows.count
        if cutNumber[old] == nil {
          cutNumber[old] = certificate.cuts.count
          certificate.cuts.append(cuts[old])
        }
        proof.rows[index] = model.rows.count + (cutNumber[old] ?? 0)
      }
      proofNumber[node.proof] = certificate.proofs.count
      certificate.tree.append(.leaf(certificate.proofs.count))
      certificate.proofs.append(proof)
    }
    return certificate
  }
}
