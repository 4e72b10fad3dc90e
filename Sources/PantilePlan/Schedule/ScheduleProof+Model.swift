import PantileProblem
import PantileSolve
import PantileSupport

extension ScheduleProof {
  /// Models whose bounds add up to the proven bound, with a certificate each.
  public struct CertifiedParts: Sendable {
    /// What the bound is before the parts add theirs: the constant, and the least values of parts without a certificate.
    public var constant: Int
    public var parts: [(model: LinearModel, certificate: BoundCertificate)]
  }

  /// The certificates and the models that they belong to, for checkers that are not ours; nil for proofs without any.
  ///
  /// - Precondition: the proof is of `solution`, and `solution` of `problem`.
  public func certified(_ problem: ScheduleProblem, _ solution: ScheduleSolution) -> CertifiedParts? {
    let index = ScheduleIndex(problem)
    switch self {
    case .gapProgram(let certificates):
      guard let gapModel = GapTable(index, order: index.order(of: solution)).model() else { return nil }
      var result = CertifiedParts(constant: Int(gapModel.model.objectiveConstant), parts: [])
      for (part, certificate) in zip(gapModel.model.components(), certificates) {
        if let certificate {
          result.parts.append((part.model, certificate))
        } else {
          result.constant += part.model.leastObjective
        }
      }
      return result
    case .covering(let certificate):
      return CoveringBound(index).model().map { CertifiedParts(constant: 0, parts: [($0, certificate)]) }
    case .nothingMoves, .relaxation, .search: return nil
    }
  }
}
