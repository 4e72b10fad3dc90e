import PantileProblem
import PantileSolve
import PantileSupport

extension PackingMethod {
  /// Beyond this many buffers the SMT method gives up at once.
  static let smtBufferLimit = 40

  /// Decides whether a small problem fits its capacity at all, by linear integer arithmetic. Says yes with addresses, or no with
  /// buffers that cannot be together: a second opinion that shares nothing with the search.
  public static let smt = PackingMethod("smt", "decides small problems (up to 40 buffers) by Z3") {
    (problem) throws(DiagnosticError) in
    try problem.check()
    guard problem.buffers.count <= smtBufferLimit else {
      return .unsolved(.budgetExhausted, height: Int.max, conflict: [])
    }
    let buffers = problem.buffers
    var query = SMTQuery()
    // The buffers of each assertion, by its name.
    var meaning: [String: (text: String, buffers: [Int])] = [:]
    func require(_ statement: SMTBool, _ text: String, _ members: [Int]) {
      let name = "assertion\(meaning.count)"
      meaning[name] = (text, members)
      query.require(statement, named: name)
    }
    // The offset in units of the alignment.
    let units = buffers.indices.map { SMTInt.variable("u\($0)") }
    func offset(_ index: Int) -> SMTInt { buffers[index].alignment * units[index] }
    for (index, buffer) in buffers.enumerated() {
      let top = offset(index) + buffer.size
      require(SMTBool.all([units[index] >= 0, top <= problem.capacity]), "'\(buffer.name)'", [index])
      if let fixed = buffer.fixedOffset { require(offset(index) == fixed, "'\(buffer.name)' fixed", [index]) }
      if let tie = buffer.tie {
        require(
          offset(index) == offset(tie.anchor) + tie.delta, "'\(buffer.name)' tied to '\(buffers[tie.anchor].name)'",
          [index, tie.anchor])
      }
    }
    for a in buffers.indices {
      for b in buffers.indices
      where b > a && buffers[a].overlapsInTime(buffers[b]) && !problem.mayOverlap(a, b) {
        require(
          (offset(a) + buffers[a].size <= offset(b)) || (offset(b) + buffers[b].size <= offset(a)),
          "'\(buffers[a].name)' and '\(buffers[b].name)'", [a, b])
      }
    }
    switch try query.solve() {
    case .satisfiable(let model):
      let offsets = buffers.indices.map { buffers[$0].alignment * (model.integer("u\($0)") ?? 0) }
      let solution = problem.solution(offsets, method: "smt")
      try problem.verify(solution)
      return .solved(solution)
    case .unsatisfiable(let core):
      let parts = core.compactMap { meaning[$0] }
      let shown = parts.prefix(6).map(\.text).joined(separator: ", ")
      return .unsolved(
        .infeasible(binding: "\(shown)\(parts.count > 6 ? ", …" : "") cannot be within \(problem.capacity) bytes"),
        height: problem.heightBound, conflict: Set(parts.flatMap(\.buffers)).sorted())
    case .unknown: return .unsolved(.budgetExhausted, height: Int.max, conflict: [])
    }
  }
}
