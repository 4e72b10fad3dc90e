import PantileTensor

extension Reference {
  /// The weights that an N:M pattern keeps, as truth values: the largest magnitudes of each group along `axis`, of equal ones
  /// the lower index; with `isTransposable` the best mask that holds the pattern along axes 0 and 1.
  ///
  /// **Shape** `w: [A, B, …] -> [A, B, …]`; a NaN counts as 0.
  public static func patternMask(
    _ w: HostTensor, pattern: NMPattern, axis: Int, isTransposable: Bool
  ) -> HostTensor {
    let magnitudes = w.converted(to: .f64).values(as: Double.self).map { $0.isNaN ? 0 : $0.magnitude }
    let mask =
      isTransposable
      ? blocksMask(magnitudes, w.shape, pattern) : groupsMask(magnitudes, w.shape, pattern, axis)
    return HostTensor(shape: w.shape, elementType: .i1, values: mask)
  }

  private static func groupsMask(
    _ magnitudes: [Double], _ shape: [Int], _ pattern: NMPattern, _ axis: Int
  ) -> [UInt8] {
    let length = shape[axis]
    let step = shape[(axis + 1)...].reduce(1, *)
    var mask = [UInt8](repeating: 0, count: magnitudes.count)
    for line in 0..<(magnitudes.count / max(1, length)) {
      let base = line / step * length * step + line % step
      for first in stride(from: 0, to: length, by: pattern.group) {
        let places = (first..<min(first + pattern.group, length)).map { base + $0 * step }
        // A stable rank: larger ones before, and of equal ones those of lower index.
        for (index, place) in places.enumerated() {
          let before = places.enumerated().count { other, candidate in
            magnitudes[candidate] > magnitudes[place] || magnitudes[candidate] == magnitudes[place] && other < index
          }
          if before < pattern.kept { mask[place] = 1 }
        }
      }
    }
    return mask
  }

  private static func blocksMask(_ magnitudes: [Double], _ shape: [Int], _ pattern: NMPattern) -> [UInt8] {
    let inner = shape.dropFirst(2).reduce(1, *)
    let (rows, columns, side) = (shape[0], shape[1], pattern.group)
    var mask = [UInt8](repeating: 0, count: magnitudes.count)
    for tap in 0..<inner {
      for row in stride(from: 0, to: rows, by: side) {
        for column in stride(from: 0, to: columns, by: side) {
          var block = [Double](repeating: 0, count: side * side)
          for r in row..<min(row + side, rows) {
            for c in column..<min(column + side, columns) {
              block[(r - row) * side + c - column] = magnitudes[(r * columns + c) * inner + tap]
            }
          }
          let kept = BlockMatching.mask(block, side: side, kept: pattern.kept)
          for r in row..<min(row + side, rows) {
            for c in column..<min(column + side, columns) where kept[(r - row) * side + c - column] {
              mask[(r * columns + c) * inner + tap] = 1
            }
          }
        }
      }
    }
    return mask
  }
}

/// The heaviest choice of `kept` cells in each row and column of a square block: a flow of least cost, grown path by path.
///
/// **Source** Ford, Fulkerson, "Flows in networks", 1962; shortest paths by Bellman and Ford, so that costs may be negative.
enum BlockMatching {
  /// - Parameter weights: `[side][side]`, not negative.
  /// - Returns: `[side][side]`; the same input gives the same mask, also where several are best.
  static func mask(_ weights: [Double], side: Int, kept: Int) -> [Bool] {
    if kept == side { return weights.map { _ in true } }
    var isKept = [Bool](repeating: false, count: side * side)
    // Shares of the largest, so that the margin below means the same for all blocks.
    let largest = weights.max() ?? 0
    let weights = weights.map { largest > 0 && largest.isFinite ? $0 / largest : ($0 == largest ? 1 : 0) }
    var rowUse = [Int](repeating: 0, count: side)
    var columnUse = [Int](repeating: 0, count: side)
    for _ in 0..<(side * kept) {
      // Nodes: rows 0 ..< side, columns side ..< 2·side. A free cell leads to its column, a kept one back to its row.
      var cost = [Double](repeating: .infinity, count: 2 * side)
      var from = [Int](repeating: -1, count: 2 * side)
      for row in 0..<side where rowUse[row] < kept { cost[row] = 0 }
      var isChanging = true
      var rounds = 0
      while isChanging, rounds < 2 * side {
        isChanging = false
        rounds += 1
        for row in 0..<side {
          for column in 0..<side {
            let cell = row * side + column
            if isKept[cell] {
              let next = cost[side + column] + weights[cell]
              // The margin keeps rounding from turning in circles.
              if next < cost[row] - 1e-12 { (cost[row], from[row], isChanging) = (next, side + column, true) }
            } else {
              let next = cost[row] - weights[cell]
              if next < cost[side + column] - 1e-12 {
                (cost[side + column], from[side + column], isChanging) = (next, row, true)
              }
            }
          }
        }
      }
      var best: Int?
      for column in 0..<side where columnUse[column] < kept && cost[side + column] < .infinity {
        if best.map({ cost[side + column] < cost[side + $0] }) ?? true { best = column }
      }
      guard let end = best else { preconditionFailure("a block of \(side) has no \(kept) cells a line") }
      columnUse[end] += 1
      var node = side + end
      while from[node] >= 0 {
        let previous = from[node]
        let cell = node >= side ? previous * side + node - side : node * side + previous - side
        isKept[cell].toggle()
        node = previous
      }
      rowUse[node] += 1
    }
    return isKept
  }
}
