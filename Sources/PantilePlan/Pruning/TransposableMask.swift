import PantileSolve
import PantileSupport

/// A mask that holds an N:M pattern along both sides of a matrix, so that forward and backward products read the same weights.
///
/// In each M x M block exactly N of each row and N of each column stay, with the greatest sum of magnitudes: a b-matching, whose linear
/// program has whole-numbered vertices, so GLPK's simplex ends at an exact optimum.
///
/// **Source** Hubara et al., "Accelerated Sparse Neural Training: A Provable and Efficient Method to Find N:M Transposable Masks",
/// NeurIPS 2021.
public enum TransposableMask {
  /// - Parameters:
  ///   - magnitudes: [rows][columns], not negative and finite.
  ///   - kept: N of the pattern; `group`: M.
  /// - Returns: [rows][columns]; blocks at the edges are filled up with zeros, which may be kept.
  /// - Throws: what GLPK's guard throws.
  public static func mask(
    _ magnitudes: [Double], rows: Int, columns: Int, kept: Int, group: Int
  ) throws(DiagnosticError) -> [Bool] {
    precondition(magnitudes.count == rows * columns, "\(magnitudes.count) magnitudes of [\(rows), \(columns)]")
    let side = group
    var result = [Bool](repeating: false, count: rows * columns)
    for row in stride(from: 0, to: rows, by: side) {
      for column in stride(from: 0, to: columns, by: side) {
        var block = [Double](repeating: 0, count: side * side)
        for r in row..<min(row + side, rows) {
          for c in column..<min(column + side, columns) {
            block[(r - row) * side + c - column] = magnitudes[r * columns + c]
          }
        }
        let mask = try blockMask(block, kept: kept, side: side)
        for r in row..<min(row + side, rows) {
          for c in column..<min(column + side, columns) {
            result[r * columns + c] = mask[(r - row) * side + c - column]
          }
        }
      }
    }
    return result
  }

  /// The best mask of one block [M][M].
  private static func blockMask(_ block: [Double], kept: Int, side: Int) throws(DiagnosticError) -> [Bool] {
    guard kept < side else { return [Bool](repeating: true, count: side * side) }
    let largest = block.max() ?? 0
    guard largest > 0 else { return (0..<side * side).map { ($0 % side + $0 / side) % side < kept } }
    var model = LinearModel(.maximise)
    let variables = block.enumerated().map { index, magnitude in
      model.addVariable("x\(index)", lower: 0, upper: 1, isInteger: true, objective: magnitude / largest)
    }
    for line in 0..<side {
      model.addEquality("row\(line)", Double(kept), (0..<side).map { .init(1, variables[line * side + $0]) })
      model.addEquality("column\(line)", Double(kept), (0..<side).map { .init(1, variables[$0 * side + line]) })
    }
    var solution = try model.solve(.init(relaxed: true))
    let isWhole = solution.values.count == block.count && solution.values.allSatisfy { abs($0 - $0.rounded()) < 1e-6 }
    // Simplex ends at vertices; should rounding ever leave one, branching settles it.
    if !isWhole { solution = try model.solve() }
    guard solution.values.count == block.count else {
      throw DiagnosticError("solver-fault", "no \(kept):\(side) mask of a block of \(side)x\(side) was found")
    }
    return solution.values.map { $0 > 0.5 }
  }
}
