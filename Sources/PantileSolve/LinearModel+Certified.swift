import PantileSupport

/// What a certified solve found, and its proof.
public struct CertifiedSolution: Sendable {
  /// Optimal only when the certificate, checked in whole numbers, reaches the objective of the values exactly.
  public var solution: LinearSolution
  /// Proves `solution.bound`, or that there is no point; nil when nothing is proven.
  public var certificate: BoundCertificate?
}

extension LinearModel {
  /// Solves a model whose numbers are all whole, by our own branch and bound over GLPK's relaxations, and proves the bound.
  ///
  /// Integer variables should have bounds, and the objective should be on integer variables: only then can bounds be rounded up.
  /// `options.relaxed` is ignored. A search that ends early by its budgets or by cancellation returns the best point so far and
  /// proves the bound it has.
  /// - Parameter incumbent: a known point, from which the search starts.
  /// - Throws: `bad-linear-model`, `not-whole` for the model; `wrong-solution` for an incumbent that violates it; `solver-fault`
  ///   when GLPK cannot even build it; `bad-certificate` when our own proof fails its check, which is a defect.
  public func solveCertified(
    _ options: Options = Options(), incumbent: [Double]? = nil
  ) throws(DiagnosticError) -> CertifiedSolution {
    let whole = try WholeModel(self)
    guard var search = BranchAndBound(whole, options) else {
      throw DiagnosticError("solver-fault", "GLPK cannot build the model")
    }
    if let incumbent {
      try verify(incumbent)
      search.offer(incumbent)
    }
    search.solveRoot()
    if search.isUnbounded { return CertifiedSolution(solution: try unproven(options), certificate: nil) }
    search.search(nodes: 1_000)
    if options.nodeBudget > 1_000, !search.isClosed, whole.isInteger.contains(true), !isCancelled(options) {
      // A hard one: GLPK's own search may have the better point.
      var limits = options
      limits.nodeBudget = min(options.nodeBudget, 300)
      limits.relaxed = false
      if let found = try? solve(limits), found.hasValues { search.offer(found.values) }
    }
    search.search(nodes: .max)
    return try result(search)
  }

  /// A certificate of the best lower bound within the budgets (upper bound when maximised), without looking for a point.
  ///
  /// - Parameter target: stop as soon as this objective is proven to be unbeatable.
  /// - Throws: as `solveCertified`.
  public func proveBound(_ options: Options = Options(), target: Int? = nil) throws(DiagnosticError)
    -> BoundCertificate?
  {
    let whole = try WholeModel(self)
    guard var search = BranchAndBound(whole, options, target: target) else {
      throw DiagnosticError("solver-fault", "GLPK cannot build the model")
    }
    search.solveRoot()
    search.search(nodes: .max)
    return try result(search).certificate
  }

  /// GLPK's answer for a model whose relaxation has no bound; nothing about it can be proven.
  private func unproven(_ options: Options) throws(DiagnosticError) -> LinearSolution {
    var limits = options
    limits.relaxed = false
    var solution = try solve(limits)
    solution.bound = direction == .minimise ? -.infinity : .infinity
    switch solution.status {
    case .optimal, .feasible: solution.status = .feasible(gap: .infinity)
    case .infeasible: solution.status = .budgetExhausted
    case .unbounded, .budgetExhausted: break
    }
    return solution
  }

  private func isCancelled(_ options: Options) -> Bool {
    options.cancellation?.isCancelled == true || Cancellation.isAllCancelled
  }

  private func result(_ search: borrowing BranchAndBound) throws(DiagnosticError) -> CertifiedSolution {
    let whole = search.model
    var solution = LinearSolution(
      status: .budgetExhausted, values: [], objective: 0, bound: direction == .minimise ? -.infinity : .infinity,
      relaxation: 0, duals: [], nodes: search.nodeCount)
    let sign = whole.isMaximised ? -1.0 : 1.0
    solution.relaxation = sign * (search.relaxation.map { $0 * Double(whole.unit) + Double(whole.constant) } ?? 0)
    solution.duals = zip(search.rootDuals, whole.rows).map { sign * $0 * Double(whole.unit) / Double($1.divisor) }
    let certificate = search.bound.flatMap { search.certificate(of: $0) }
    try certificate?.check(whole)
    if let bound = certificate?.bound { solution.bound = bound.value }
    if let incumbent = search.incumbent {
      solution.values = incumbent.point.map(Double.init)
      solution.objective = objective(at: solution.values)
      if certificate != nil, search.bound == incumbent.grains {
        solution.status = .optimal
      } else {
        solution.status = .feasible(gap: (solution.objective - solution.bound).magnitude)
      }
    } else if certificate != nil, search.bound == .max {
      solution.status = .infeasible
    }
    // A better point with fractions, whose objective no certificate can equal exactly.
    if solution.status != .infeasible, let near = search.nearPoint, (try? verify(near.values)) != nil {
      let objective = objective(at: near.values)
      if !solution.hasValues || sign * objective < sign * solution.objective {
        solution.values = near.values
        solution.objective = objective
        solution.status = .feasible(gap: (objective - solution.bound).magnitude)
      }
    }
    return CertifiedSolution(solution: solution, certificate: certificate)
  }
}
