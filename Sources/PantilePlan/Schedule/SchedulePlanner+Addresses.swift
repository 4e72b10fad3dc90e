import PantileProblem
import PantileSolve
import PantileSupport

/// Addresses for a plan that fits by bytes, and for other plans when it has none: logic-based Benders decomposition.
extension SchedulePlanner {
  enum Addresses {
    case placed(ScheduleAssembly.Parts)
    case impossible(String)
    case budgetExhausted
  }

  /// Plans whose addresses are looked for, and those of them that must be as cheap as the candidate.
  private static let roundLimit = 200
  private static let equalRoundLimit = 40

  /// The candidate's plan with addresses, else a plan that is as cheap as the cuts allow.
  func addresses(_ candidate: ScheduleCandidate) throws(DiagnosticError) -> Addresses {
    let table = GapTable(index, order: candidate.order)
    guard problem.tileBytes != nil, !table.alikeTensors().isEmpty, let counted = table.model() else {
      return try addresses(table, candidate, rounds: Self.roundLimit)
    }
    // Counts lead to near plans soon; names are exact, and found slowly, so they have to be as good as the candidate.
    let near = try addresses(table, candidate, counted: counted, countsAlike: true, rounds: Self.roundLimit)
    if case .placed(let parts) = near, parts.cost <= candidate.cost { return near }
    let named = try addresses(
      table, candidate, counted: counted, rounds: Self.equalRoundLimit, costLimit: candidate.cost)
    if case .placed = named { return named }
    return near
  }

  /// - Parameters:
  ///   - counted: The model that counts tensors that are alike, if there are any: others of them may stay.
  ///   - countsAlike: Cut that model rather than the one that names all tensors.
  ///   - costLimit: Give up, as if the rounds were over, when plans cost more.
  private func addresses(
    _ table: GapTable, _ candidate: ScheduleCandidate, counted: ReplacementModel? = nil, countsAlike: Bool = false,
    rounds: Int, costLimit: Int = .max
  ) throws(DiagnosticError) -> Addresses {
    var kept = candidate.kept
    var gapModel = countsAlike ? counted : nil
    for _ in 0..<rounds where table.cost(kept) <= costLimit {
      let (parts, conflict) = try assemble(table, kept, counted)
      if let parts { return .placed(parts) }
      if !conflict.isEmpty {
        if gapModel == nil { gapModel = table.model(countsAlike: false) }
        if var cut = gapModel, cut.forbid(conflict) {
          gapModel = cut
          if let plan = try solve(cut, start: nil).kept {
            kept = plan
            continue
          }
        }
      }
      // Nothing to cut by, or no plan left: give up the stay that takes the most room for the longest.
      let stays = table.gaps.indices.filter {
        kept[$0] && table.gaps[$0].matters && index.tensors[table.gaps[$0].tensor].bytes > 0
      }
      guard
        let victim = stays.max(by: { a, b in
          let (x, y) = (table.gaps[a], table.gaps[b])
          return (x.last - x.first, index.tensors[x.tensor].bytes, -a) < (
            y.last - y.first, index.tensors[y.tensor].bytes, -b
          )
        })
      else { return .impossible("the operands of some op have no addresses side by side") }
      kept[victim] = false
    }
    return .budgetExhausted
  }

  /// Addresses for a plan or for another of its cost that differs in nothing but which of the tensors that are alike stay; without any, the
  /// conflict of the first.
  private func assemble(
    _ table: GapTable, _ kept: [Bool], _ counted: ReplacementModel?
  ) throws(DiagnosticError) -> (parts: ScheduleAssembly.Parts?, conflict: [Int]) {
    func pack(_ plan: [Bool], explains: Bool) throws(DiagnosticError) -> ScheduleAssembly {
      try table.assemble(plan) { (packing) throws(DiagnosticError) in try packing.packOrRefute(explains: explains) }
    }
    if let counted {
      if case .placed(let parts) = try pack(kept, explains: false) { return (parts, []) }
      let point = counted.point(kept)
      let room = table.room(beside: counted.kept(point))
      for choice in ReplacementModel.MemberChoice.others {
        let plan = counted.kept(point, choice, room: room)
        if plan == kept || table.cost(plan) > table.cost(kept) { continue }
        if case .placed(let parts) = try pack(plan, explains: false) { return (parts, []) }
      }
    }
    switch try pack(kept, explains: true) {
    case .placed(let parts): return (parts, [])
    case .conflict(let gaps): return (nil, gaps)
    }
  }
}
