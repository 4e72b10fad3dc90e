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
  /// Choices among tensors that are alike, for each plan.
  private static let choiceLimit = 4

  /// The candidate's plan with addresses, else a plan that is as cheap as the cuts allow.
  func addresses(_ candidate: ScheduleCandidate) throws(DiagnosticError) -> Addresses {
    let table = GapTable(index, order: candidate.order)
    if problem.tileBytes == nil || table.alikeTensors().isEmpty {
      return try addresses(table, candidate, countsAlike: false, rounds: Self.roundLimit)
    }
    // Counts lead to near plans soon; names are exact, and found slowly, so they have to be as good as the candidate.
    let counted = try addresses(table, candidate, countsAlike: true, rounds: Self.roundLimit)
    if case .placed(let parts) = counted, parts.cost <= candidate.cost { return counted }
    let named = try addresses(
      table, candidate, countsAlike: false, rounds: Self.equalRoundLimit, costLimit: candidate.cost)
    if case .placed = named { return named }
    return counted
  }

  /// - Parameter costLimit: Give up, as if the rounds were over, when plans cost more.
  private func addresses(
    _ table: GapTable, _ candidate: ScheduleCandidate, countsAlike: Bool, rounds: Int, costLimit: Int = .max
  ) throws(DiagnosticError) -> Addresses {
    var kept = candidate.kept
    var gapModel: ReplacementModel?
    for _ in 0..<rounds where table.cost(kept) <= costLimit {
      let (parts, conflict) = try assemble(table, &kept, gapModel)
      if let parts { return .placed(parts) }
      if !conflict.isEmpty {
        if gapModel == nil { gapModel = table.model(countsAlike: countsAlike) }
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

  /// Addresses for a plan or for another that differs in nothing but which of the tensors that are alike stay. Without any, the conflict of
  /// the first; `kept` is the plan that belongs to either.
  private func assemble(
    _ table: GapTable, _ kept: inout [Bool], _ gapModel: ReplacementModel?
  ) throws(DiagnosticError) -> (parts: ScheduleAssembly.Parts?, conflict: [Int]) {
    var conflict: [Int] = []
    for choice in 0..<Self.choiceLimit {
      var plan = kept
      if choice > 0 {
        guard let gapModel, !gapModel.counts.isEmpty else { break }
        plan = gapModel.kept(gapModel.point(kept), attempt: choice)
      }
      let assembly = try table.assemble(plan) { (packing) throws(DiagnosticError) in try packing.packOrRefute() }
      switch assembly {
      case .placed(let parts):
        kept = plan
        return (parts, [])
      case .conflict(let gaps): if choice == 0 { conflict = gaps }
      }
    }
    return (nil, conflict)
  }
}
