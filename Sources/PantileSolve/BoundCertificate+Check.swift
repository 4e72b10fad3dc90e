import PantileSupport

extension BoundCertificate {
  /// Checks the proof against the model, in whole numbers of 128 bits.
  ///
  /// - Throws: `bad-certificate` for a cut, leaf or tree that proves less than is claimed, and when a sum leaves 128 bits;
  ///   `bad-linear-model` and `not-whole` for a model that has no certificates.
  /// - Complexity: the entries of the rows of each proof used, and the number of variables for each leaf.
  public func check(_ model: LinearModel) throws(DiagnosticError) { try check(try WholeModel(model)) }

  func check(_ model: WholeModel) throws(DiagnosticError) {
    func fail(_ message: String) -> DiagnosticError { DiagnosticError("bad-certificate", message) }
    if let bound, bound.denominator < 1 { throw fail("the bound has denominator \(bound.denominator)") }
    var rows = model.rows
    for (index, cut) in cuts.enumerated() {
      guard let row = model.row(of: cut, rows) else { throw fail("cut \(index) does not follow") }
      rows.append(row)
    }
    var box = model.box
    // The branches above the current node, with what to restore.
    var path: [(column: Int, value: Int, old: Int?, isRight: Bool)] = []
    var reduced: (proof: Int, costs: ReducedCosts)?
    var position = 0
    while true {
      guard tree.indices.contains(position) else { throw fail("the tree ends after \(position) nodes, in a branch") }
      let node = tree[position]
      position += 1
      switch node {
      case .branch(let column, let value):
        guard model.isInteger.indices.contains(column), model.isInteger[column], value.magnitude <= WholeModel.limit
        else { throw fail("node \(position - 1) branches on variable \(column) at \(value)") }
        path.append((column, value, box.upper[column], false))
        box.upper[column] = min(box.upper[column] ?? value, value)
        continue
      case .leaf(let number):
        if box.isEmpty { break }
        guard proofs.indices.contains(number) else { throw fail("node \(position - 1) names proof \(number)") }
        if reduced?.proof != number {
          guard let costs = ReducedCosts(proofs[number], rows, model.objective) else {
            throw fail("proof \(number) uses a row that is not there, one without that bound, or leaves 128 bits")
          }
          reduced = (number, costs)
        }
        guard let costs = reduced?.costs, let units = costs.bound(in: box), proves(units, costs.denominator, model)
        else {
          throw fail("leaf \(position - 1) does not reach the bound")
        }
      }
      // To the right subtree of the nearest branch whose left one is done.
      while let last = path.last, last.isRight {
        box.lower[last.column] = last.old
        path.removeLast()
      }
      guard let last = path.popLast() else { break }
      box.upper[last.column] = last.old
      path.append((last.column, last.value, box.lower[last.column], true))
      box.lower[last.column] = max(box.lower[last.column] ?? last.value + 1, last.value + 1)
    }
    if position != tree.count { throw fail("\(tree.count - position) nodes follow the end of the tree") }
  }

  /// True when `units / denominator`, a bound in units of the objective, reaches the claim.
  private func proves(_ units: Int128, _ denominator: Int128, _ model: WholeModel) -> Bool {
    if denominator == 0 { return units > 0 }
    guard let bound else { return false }
    // As a minimised objective.
    let claim = model.isMaximised ? -Int128(bound.numerator) : Int128(bound.numerator)
    let whole = model.hasWholeObjective
    let (top, bottom) = whole ? (ceilQuotient(units, denominator), 1) : (units, denominator)
    // (unit * top + constant * bottom) * bound.denominator >= claim * bottom
    let sum = Exact(Int128(model.unit)) * Exact(top) + Exact(Int128(model.constant)) * Exact(bottom)
    let left = sum * Exact(Int128(bound.denominator))
    let right = Exact(claim) * Exact(bottom)
    guard let left = left.value, let right = right.value else { return false }
    return left >= right
  }
}

/// A whole number of 128 bits, or the knowledge that a sum or product did not fit.
struct Exact {
  var value: Int128?

  init(_ value: Int128?) { self.value = value }

  static func + (a: Exact, b: Exact) -> Exact {
    guard let x = a.value, let y = b.value else { return Exact(nil) }
    let (sum, overflow) = x.addingReportingOverflow(y)
    return Exact(overflow ? nil : sum)
  }

  static func * (a: Exact, b: Exact) -> Exact {
    guard let x = a.value, let y = b.value else { return Exact(nil) }
    let (product, overflow) = x.multipliedReportingOverflow(by: y)
    return Exact(overflow ? nil : product)
  }
}

/// `d = D * c - y * A` of a proof, and what its rows add to the bound.
struct ReducedCosts {
  let denominator: Int128
  let constant: Int128
  let costs: [Int128]

  /// Nil for a row or denominator that is not allowed, or an overflow.
  init?(_ proof: BoundCertificate.Proof, _ rows: [WholeModel.Row], _ objective: [Int]) {
    guard proof.denominator >= 0, proof.rows.count == proof.multipliers.count else { return nil }
    denominator = Int128(proof.denominator)
    var costs = objective.map { Int128(proof.denominator) &* Int128($0) }
    var constant: Int128 = 0
    for (index, multiplier) in zip(proof.rows, proof.multipliers) where multiplier != 0 {
      guard rows.indices.contains(index), let side = multiplier > 0 ? rows[index].lower : rows[index].upper else {
        return nil
      }
      // Factors of 64 bits: the product fits, the sum may not.
      let part = constant.addingReportingOverflow(Int128(multiplier) &* Int128(side))
      if part.overflow { return nil }
      constant = part.partialValue
      for (column, coefficient) in rows[index].terms {
        let cost = costs[column].subtractingReportingOverflow(Int128(multiplier) &* Int128(coefficient))
        if cost.overflow { return nil }
        costs[column] = cost.partialValue
      }
    }
    self.constant = constant
    self.costs = costs
  }

  /// `D` times a lower bound of the objective in a box; nil when there is none.
  func bound(in box: WholeModel.Box) -> Int128? {
    var total = constant
    for column in costs.indices {
      let cost = costs[column]
      if cost == 0 { continue }
      guard let side = cost > 0 ? box.lower[column] : box.upper[column] else { return nil }
      if side == 0 { continue }
      let product = cost.multipliedReportingOverflow(by: Int128(side))
      let sum = total.addingReportingOverflow(product.partialValue)
      if product.overflow || sum.overflow { return nil }
      total = sum.partialValue
    }
    return total
  }
}

extension WholeModel.Box {
  /// Some column has no value left.
  var isEmpty: Bool {
    for column in lower.indices {
      if let low = lower[column], let high = upper[column], low > high { return true }
    }
    return false
  }
}
