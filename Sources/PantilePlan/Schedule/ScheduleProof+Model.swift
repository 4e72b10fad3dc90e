import PantileProblem
import PantileSolve
import PantileSupport

extension ScheduleProof {
  /// The certificate and the model that it belongs to, for checkers that are not ours; nil for proofs without one.
  ///
  /// - Precondition: the proof is of `solution`, and `solution` of `problem`.
  public func certified(
    _ problem: ScheduleProblem, _ solution: ScheduleSolution
  ) -> (model: LinearModel, certificate: BoundCertificate)? {
    let index = ScheduleIndex(problem)
    switch self {
    case .gapProgram(let certificate):
      return GapTable(index, order: index.order(of: solution)).model().map { ($0.model, certificate) }
    case .covering(let certificate): return CoveringBound(index).model().map { ($0, certificate) }
    case .nothingMoves, .relaxation, .search: return nil
    }
  }
}
