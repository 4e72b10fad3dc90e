extension BranchAndBound {
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
    var rounds = 0
    var stalled = 0
    while let point = values, !point.isEmpty, rounds < 30, stalled < 4, canGoOn, options.cuts != .none {
      rounds += 1
      let before = session.objective
      if !addCuts(at: point) { break }
      values = relax(0, &box, isRoot: false)
      stalled = session.objective - before < 1e-3 * max(1, before.magnitude) * 0.1 ? stalled + 1 : 0
    }
    if let point = values {
      if !point.isEmpty { dropSlackCuts(at: point) }
      branch(0, box, point)
    }
  }

  /// Adds what the point violates: covers, roundings of single rows and, when allowed, Gomory's.
  private mutating func addCuts(at point: [Double]) -> Bool {
    var added = 0
    for cover in CoverSeparation(model: model).cuts(at: point) where added < 50 {
      if add(.cover(cover)) { added += 1 }
    }
    if options.cuts == .all {
      let current = sessionRows.map { rows[$0] }
      let separation = RoundingSeparation(model: model, rows: current, point: point)
      var found: [RoundingSeparation.Found] = []
      for row in model.rows.indices {
        if let cut = separation.single(row) { found.append(cut) }
      }
      // Gomory's of the most fractional basic variables.
      let fractional = point.indices.filter {
        model.isInteger[$0] && (point[$0] - point[$0].rounded()).magnitude > 0.01
      }.sorted {
        let (a, b) = ((point[$0] - point[$0].rounded()).magnitude, (point[$1] - point[$1].rounded()).magnitude)
        return a != b ? a > b : $0 < $1
      }
      for column in fractional.prefix(40) {
        if let multipliers = session.tableauRow(column), let cut = separation.combined(multipliers) {
          found.append(cut)
        }
      }
      for (_, cut) in found.enumerated().sorted(by: {
        $0.element.depth != $1.element.depth ? $0.element.depth > $1.element.depth : $0.offset < $1.offset
      }).prefix(60) {
        var rounding = cut.cut
        for index in rounding.rows.indices { rounding.rows[index] = sessionRows[rounding.rows[index]] }
        if add(.rounding(rounding)) { added += 1 }
      }
    }
    return added > 0
  }

  /// Adds a cut to the list and to the session, unless its row is there already.
  private mutating func add(_ cut: BoundCertificate.Cut) -> Bool {
    guard let row = model.row(of: cut, rows), !row.terms.isEmpty else { return false }
    let isKnown = rows[model.rows.count...].contains { known in
      known.upper == row.upper && known.terms.elementsEqual(row.terms, by: ==)
    }
    if isKnown || !session.add(row) { return false }
    sessionRows.append(rows.count)
    rows.append(row)
    cuts.append(cut)
    return true
  }

  /// Starts a new session with the cuts alone that the point touches: the others only slow each node down.
  private mutating func dropSlackCuts(at point: [Double]) {
    let kept = sessionRows.filter { number in
      if number < model.rows.count { return true }
      let sum = rows[number].terms.reduce(0) { $0 + Double($1.coefficient) * point[$1.column] }
      return Double(rows[number].upper ?? .max) - sum <= 1e-6 * max(1, sum.magnitude)
    }
    if kept.count == sessionRows.count { return }
    guard var fresh = RelaxationSession(model) else { return }
    for number in kept where number >= model.rows.count {
      if !fresh.add(rows[number]) { return }
    }
    fresh.iterations = session.iterations
    session = fresh
    sessionRows = kept
  }
}
