import PantileProblem
import PantileSolve
import PantileSupport

extension PackingMethod {
  /// Beyond this many buffers the SMT method gives up at once.
  static let smtBufferLimit = 40

  /// Decides whether a small problem fits its capacity at all, by linear integer arithmetic. Says yes with addresses, or no with the
  /// buffers that cannot be together.
  public static let smt = PackingMethod("smt", "decides small problems (up to 40 buffers) by Z3") {
    (problem) throws(DiagnosticError) in
    try problem.check()
    guard problem.buffers.count <= smtBufferLimit else { return .unsolved(.budgetExhausted, height: Int.max) }
    var query = SMTQuery()
    // The offset in units of the alignment.
    let units = problem.buffers.indices.map { SMTInt.variable("u\($0)") }
    func offset(_ index: Int) -> SMTInt { problem.buffers[index].alignment * units[index] }
    for (index, buffer) in problem.buffers.enumerated() {
      let top = offset(index) + buffer.size
      query.require(SMTBool.all([units[index] >= 0, top <= problem.capacity]), named: "'\(buffer.name)'")
      if let fixed = buffer.fixedOffset { query.require(offset(index) == fixed, named: "'\(buffer.name)' fixed") }
    }
    for a in problem.buffers.indices {
      for b in problem.buffers.indices where b > a && problem.buffers[a].overlapsInTime(problem.buffers[b]) {
        query.require(
          (offset(a) + problem.buffers[a].size <= offset(b)) || (offset(b) + problem.buffers[b].size <= offset(a)),
          named: "'\(problem.buffers[a].name)' and '\(problem.buffers[b].name)'")
      }
    }
    switch try query.solve() {
    case .satisfiable(let model):
      let offsets = problem.buffers.indices.map { problem.buffers[$0].alignment * (model.integer("u\($0)") ?? 0) }
      let height = zip(problem.buffers, offsets).map { $1 + $0.size }.max() ?? 0
      let bound = problem.heightBound
      let solution = PackingSolution(
        offsets: offsets, height: height, bankConflicts: problem.bankConflicts(offsets: offsets),
        status: height == bound ? .optimal : .feasible(gap: height - bound), lowerBound: bound, method: "smt")
      try problem.verify(solution)
      return .solved(solution)
    case .unsatisfiable(let core):
      let shown = core.prefix(6).joined(separator: ", ")
      return .unsolved(
        .infeasible(binding: "\(shown)\(core.count > 6 ? ", …" : "") cannot be within \(problem.capacity) bytes"),
        height: problem.heightBound)
    case .unknown: return .unsolved(.budgetExhausted, height: Int.max)
    }
  }
}
