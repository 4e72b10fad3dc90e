import PantilePlan
import PantileProblem
import PantileReport
import PantileSolve
import PantileSupport

extension ScheduleReport {
  /// What the bound rests on, as JSON; nil without a plan.
  ///
  /// For proofs by linear models `parts` holds models and certificates, whose bounds and `constant` add up to the bound, as
  /// `Scripts/check-certificate.py` reads them; other proofs are named with the figures that make them again.
  /// - Throws: `not-whole` for a model that has no text in whole numbers.
  public func certificate(version: String) throws(DiagnosticError) -> String? {
    guard case .solved(let solution, let proof) = outcome else { return nil }
    var entries: [OrderedJSON.Entry] = [
      .init("schema", .string("pantile.certificate/1")), .init("version", .string(version)),
      .init("input", .string(input)), .init("capacity_bytes", .integer(capacity)),
      .init("lower_bound_bytes", .integer(solution.lowerBound)), .init("bound", .string(proof.name)),
      .init("bound_order", .string(solution.isFixedOrder ? "this" : "any")),
      .init("order", solution.isFixedOrder ? .integers(solution.order.map { question.opIDs[$0] }) : .null),
    ]
    switch proof {
    case .nothingMoves, .gapProgram, .covering: break
    case .relaxation(let bound): entries.append(.init("relaxation_bytes", .integer(bound)))
    case .search(let states, let limit, let boundBudget):
      entries += [
        .init("states", .integer(states)), .init("below_bytes", limit == .max ? .null : .integer(limit)),
        .init("bound_budget", .integer(boundBudget)),
      ]
    }
    if let certified = proof.certified(problem, solution) {
      var parts: [OrderedJSON] = []
      for (model, certificate) in certified.parts {
        parts.append(
          .object([
            .init("model", .verbatim(try model.wholeText())), .init("certificate", .verbatim(certificate.text)),
          ]))
      }
      entries += [.init("constant", .integer(certified.constant)), .init("parts", .list(parts))]
    }
    return OrderedJSON.object(entries).text
  }
}
