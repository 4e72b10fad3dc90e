import PantileProblem
import PantileSolve
import PantileSupport

/// A way to solve a `ScheduleProblem`.
public final class ScheduleMethod: Sendable {
  public let name: String
  public let summary: String
  /// True for methods that need a tile buffer, false for those that need whole tensors, nil for those that take both.
  package let streams: Bool?
  package let find: @Sendable (borrowing SchedulePlanner) throws(DiagnosticError) -> ScheduleCandidate?

  init(
    _ name: String, _ summary: String, streams: Bool? = false,
    find: @escaping @Sendable (borrowing SchedulePlanner) throws(DiagnosticError) -> ScheduleCandidate?
  ) {
    self.name = name
    self.summary = summary
    self.streams = streams
    self.find = find
  }
}

/// How much work planning may be, and what it may change. Limits are counts, never seconds.
public struct ScheduleOptions: Sendable {
  public enum Order: String, Hashable, Sendable, CaseIterable {
    /// Any order that the graph allows.
    case free
    /// The order in which the problem lists its ops.
    case `default`
  }

  /// How far a search is.
  public struct Progress: Sendable {
    public var phase: String
    /// Bytes of the best plan; nil before there is one.
    public var incumbent: Int?
    public var bound: Int
    public var states: Int
  }

  public var order: Order
  /// States that the exact search may expand; fewer where they have very many children.
  public var stateBudget: Int
  /// States of equal depth that the beam keeps.
  public var beamWidth: Int
  /// Steps of ops that annealing may run, over all orders that it tries.
  public var annealingBudget: Int
  /// Branch-and-bound nodes of each integer program.
  public var nodeBudget: Int
  /// Down-sets and values that the bound of the search may remember.
  public var boundBudget: Int
  /// Told now and then.
  public var progress: (@Sendable (Progress) -> Void)?

  public init(
    order: Order = .free, stateBudget: Int = 400_000, beamWidth: Int = 200, annealingBudget: Int = 120_000_000,
    nodeBudget: Int = 20_000, boundBudget: Int = 1_000_000, progress: (@Sendable (Progress) -> Void)? = nil
  ) {
    self.order = order
    self.stateBudget = stateBudget
    self.beamWidth = beamWidth
    self.annealingBudget = annealingBudget
    self.nodeBudget = nodeBudget
    self.boundBudget = boundBudget
    self.progress = progress
  }
}

/// A schedule with the proof of its bound, or why there is none.
public enum ScheduleOutcome: Sendable {
  case solved(ScheduleSolution, proof: ScheduleProof)
  /// No schedule exists; the text names the op, its tensors and the bytes that are short.
  case infeasible(String)
  /// The budget ended before a schedule was found, or the method is not made for problems of this size.
  case inconclusive(String)

  public var solution: ScheduleSolution? {
    if case .solved(let solution, _) = self { return solution }
    return nil
  }
}

/// Why no schedule costs less than a bound.
public enum ScheduleProof: Hashable, Sendable {
  /// Bytes are never negative.
  case nothingMoves
  /// The gap program of the solution's order, with a certificate for each of its parts; without one a part counts with its least value.
  case gapProgram([BoundCertificate?])
  /// The must-live covering program, for every order.
  case covering(BoundCertificate)
  /// The relaxation of the search at its start, for every order.
  case relaxation(bound: Int)
  /// The best-first search: nothing cheaper was left below the bound when it ended, having expanded so many states within its budgets.
  case search(states: Int, limit: Int, boundBudget: Int)

  /// `certificate` for proofs that are checked in whole numbers from their own text, else what is re-run.
  public var name: String {
    switch self {
    case .nothingMoves: return "bytes are never negative"
    case .gapProgram: return "gap program"
    case .covering: return "must-live covering"
    case .relaxation: return "relaxed eviction"
    case .search: return "search"
    }
  }

  /// Checks the proof of a bound anew: certificates in whole numbers against the model built afresh from the problem, searches by running
  /// them again.
  ///
  /// - Throws: `bad-certificate`, `wrong-bound`.
  public func check(_ problem: ScheduleProblem, _ solution: ScheduleSolution) throws(DiagnosticError) {
    let index = ScheduleIndex(problem)
    func require(_ bound: Int) throws(DiagnosticError) {
      if bound < solution.lowerBound {
        throw DiagnosticError(
          "wrong-bound", "'\(problem.name)': the proof shows \(bound) bytes, stated are \(solution.lowerBound)")
      }
    }
    switch self {
    case .nothingMoves: try require(0)
    case .gapProgram(let certificates):
      guard let gapModel = GapTable(index, order: index.order(of: solution)).model() else {
        throw DiagnosticError("wrong-bound", "'\(problem.name)': the order of the solution does not fit")
      }
      let parts = gapModel.model.components()
      guard parts.count == certificates.count else {
        throw DiagnosticError(
          "wrong-bound", "'\(problem.name)': \(certificates.count) certificates for \(parts.count) parts")
      }
      var bound = Int(gapModel.model.objectiveConstant)
      for (part, certificate) in zip(parts, certificates) {
        try certificate?.check(part.model)
        bound += certificate?.signedBound ?? part.model.leastObjective
      }
      try require(bound)
    case .covering(let certificate):
      guard let model = CoveringBound(index).model() else { return try require(0) }
      try certificate.check(model)
      try require(certificate.signedBound)
    case .relaxation:
      let search = ScheduleSearch(index, boundBudget: .max)
      if let start = search.start() { try require(search.estimates[start]) }
    case .search(let states, let limit, let boundBudget):
      let search = ScheduleSearch(index, boundBudget: boundBudget)
      try require(search.bestFirst(below: limit, budget: states).lowerBound)
    }
  }
}

extension BoundCertificate {
  /// The bound in whole bytes, rounded up.
  var signedBound: Int {
    guard let bound else { return 0 }
    // Division rounds towards zero, which is up below zero.
    return bound.numerator > 0
      ? saturatingCeilDivide(bound.numerator, bound.denominator) : bound.numerator / bound.denominator
  }
}

extension ScheduleIndex {
  /// The solution's order as this index numbers ops, views left out.
  func order(of solution: ScheduleSolution) -> [Int] {
    var number = [Int?](repeating: nil, count: problem.ops.count)
    for (own, op) in ops.enumerated() { number[op.origin] = own }
    return solution.order.compactMap { number[$0] }
  }
}

extension ScheduleProblem {
  /// Every way to solve this kind of problem.
  public static let methods: [ScheduleMethod] = [
    .auto, .exact, .beam, .gap, .streaming, .cosma, .belady, .greedy, .tflite,
  ]

  /// The schedule by one method, verified by replay before it is returned.
  ///
  /// - Throws: what `check()` throws; `wrong-method` when the method cannot take the problem; `solver-fault`.
  public func plan(
    _ method: ScheduleMethod = .auto, _ options: ScheduleOptions = ScheduleOptions()
  ) throws(DiagnosticError) -> ScheduleOutcome {
    try check()
    if let streams = method.streams, streams != (tileBytes != nil) {
      throw DiagnosticError(
        "wrong-method",
        streams
          ? "method '\(method.name)' streams operands through a tile buffer, and none is given"
          : "method '\(method.name)' keeps operands whole, and a tile buffer is given",
        hint: streams ? "give --tile-buffer 32KiB" : "leave --tile-buffer out, or take auto or streaming")
    }
    let planner = SchedulePlanner(self, options)
    if let obstacle = planner.obstacle { return .infeasible(obstacle) }
    guard let candidate = try method.find(planner) else {
      return .inconclusive("method '\(method.name)' found no schedule within its budget")
    }
    return try planner.finish(candidate, method: method.name)
  }
}
