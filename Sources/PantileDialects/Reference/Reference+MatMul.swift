import PantileTensor

extension Reference {
  /// Batched matrix product with numpy's rules: leading dimensions broadcast, a 1-D operand is a row or a column.
  ///
  /// **Shape** `a: [..., M, K], b: [..., K, N] -> [..., M, N]`, each optionally transposed in its last two dimensions.
  ///
  /// Floats sum `k` ascending in `Float` (`f64` in `Double`). Integers: `(a − zero point)·(b − zero point)` in 32 bits, the result is `i32`.
  public static func matmul(
    _ a: HostTensor, _ b: HostTensor, transposeA: Bool = false, transposeB: Bool = false, inputZeroPoint: Int = 0,
    weightZeroPoint: Int = 0
  ) -> HostTensor {
    var left = a
    var right = b
    if a.shape.count == 1 { left = a.reshaped(to: [1, a.shape[0]]) }
    if b.shape.count == 1 { right = b.reshaped(to: [b.shape[0], 1]) }
    // One matrix on the right: the batch dimensions of the left are further rows.
    let leading = Array(left.shape.dropLast(2))
    let isShared = right.shape.dropLast(2).allSatisfy { $0 == 1 } && right.shape.count <= left.shape.count
    let flattens = isShared && !transposeA && leading.reduce(1, *) > 1
    let rows = left.shape[left.shape.count - 2]
    if flattens { left = left.reshaped(to: [leading.reduce(1, *) * rows, left.shape[left.shape.count - 1]]) }
    let swapLeft = transposeA && a.shape.count > 1
    let swapRight = transposeB && b.shape.count > 1
    let product: HostTensor
    if a.elementType == .f64 {
      product = wideMatmul(left, right, swapLeft, swapRight)
    } else if a.elementType.isFloat {
      product = batched(
        left.converted(to: .f32), right.converted(to: .f32), swapLeft, swapRight, terms: Int.max, isInteger: false
      ).converted(to: a.elementType)
    } else {
      guard let terms = exactFloatTerms(largest(a, inputZeroPoint), largest(b, weightZeroPoint)) else {
        preconditionFailure("integer matmul of \(a.elementType) and \(b.elementType)")
      }
      product = batched(
        centred(left, zeroPoint: inputZeroPoint), centred(right, zeroPoint: weightZeroPoint), swapLeft, swapRight,
        terms: terms, isInteger: true)
    }
    var shape = product.shape
    if flattens { shape = leading + [rows, shape[shape.count - 1]] }
    if b.shape.count == 1 { shape.removeLast() }
    if a.shape.count == 1 { shape.remove(at: shape.count - (b.shape.count == 1 ? 1 : 2)) }
    return product.reshaped(to: shape)
  }

  /// `x·wᵀ + bias`.
  ///
  /// **Shape** `x: [..., K], w: [N, K], bias: [N] -> [..., N]`; order and integer rule as `matmul`, the bias comes last.
  public static func fullyConnected(
    _ x: HostTensor, _ w: HostTensor, bias: HostTensor?, inputZeroPoint: Int = 0
  ) -> HostTensor {
    let product = matmul(x, w, transposeB: true, inputZeroPoint: inputZeroPoint)
    guard let bias else { return product }
    return binary(.add, product, bias.converted(to: product.elementType))
  }

  private static func batched(
    _ a: HostTensor, _ b: HostTensor, _ transposeA: Bool, _ transposeB: Bool, terms: Int, isInteger: Bool
  ) -> HostTensor {
    let rank = a.shape.count
    let m = a.shape[rank - (transposeA ? 1 : 2)]
    let k = a.shape[rank - (transposeA ? 2 : 1)]
    let n = b.shape[b.shape.count - (transposeB ? 2 : 1)]
    precondition(b.shape[b.shape.count - (transposeB ? 1 : 2)] == k, "matmul of \(a.shape) and \(b.shape)")
    guard let batch = HostTensor.broadcastShape(Array(a.shape.dropLast(2)), Array(b.shape.dropLast(2))) else {
      preconditionFailure("matmul of \(a.shape) and \(b.shape)")
    }
    // Rows of A must be contiguous for the kernel.
    let left = transposeA ? a.transposed(Array(0..<(rank - 2)) + [rank - 1, rank - 2]) : a
    let leftBatches = batchOffsets(a.shape, batch, m * k)
    let rightBatches = batchOffsets(b.shape, batch, k * n)
    let shape = batch + [m, n]
    func multiply(
      _ store: (borrowing ContractionTile, _ offset: Int, _ rows: Int, _ columns: Int, _ isFirst: Bool) -> Void
    ) {
      left.withValues(as: Float.self) { left in
        b.withValues(as: Float.self) { right in
          guard let a = left.baseAddress, let b = right.baseAddress, m * n > 0 else { return }
          let tile = ContractionTile()
          let panel = ContractionPanel(k: k)
          for (index, (leftOffset, rightOffset)) in zip(leftBatches, rightBatches).enumerated() {
            for column in stride(from: 0, to: n, by: ContractionTile.columns) {
              let columns = min(ContractionTile.columns, n - column)
              for j in 0..<columns {
                let source = b + rightOffset + (transposeB ? (column + j) * k : column + j)
                let step = transposeB ? 1 : n
                for i in 0..<k { panel.scalars[i * ContractionTile.columns + j] = source[i * step] }
              }
              for row in stride(from: 0, to: m, by: ContractionTile.rows) {
                let rows = min(ContractionTile.rows, m - row)
                var start = 0
                repeat {
                  let end = k - start <= terms ? k : start + terms
                  tile.run(
                    a: a + leftOffset + row * k, rowStride: k, rowCount: rows, panel: UnsafePointer(panel.vectors),
                    k: start..<end)
                  store(tile, (index * m + row) * n + column, rows, columns, start == 0)
                  start = end
                } while start < k
              }
            }
          }
        }
      }
    }
    if isInteger {
      return HostTensor(shape: shape, elementType: .i32) { (output: UnsafeMutableBufferPointer<Int32>) in
        multiply { tile, offset, rows, columns, isFirst in
          for row in 0..<rows {
            let sums = tile.sums[row]
            for j in 0..<columns {
              let position = offset + row * n + j
              output[position] = (isFirst ? 0 : output[position]) &+ Int32(sums[j])
            }
          }
        }
      }
    }
    return HostTensor(shape: shape, elementType: .f32) { (output: UnsafeMutableBufferPointer<Float>) in
      multiply { tile, offset, rows, columns, _ in
        for row in 0..<rows {
          let sums = tile.sums[row]
          for j in 0..<columns { output[offset + row * n + j] = sums[j] }
        }
      }
    }
  }

  /// The element offset of each broadcast batch index in an operand of `shape`.
  static func batchOffsets(_ shape: [Int], _ batch: [Int], _ matrix: Int) -> [Int] {
    let strides = HostTensor.broadcastStrides(of: Array(shape.dropLast(2)), to: batch).map { $0 * matrix }
    var result: [Int] = []
    var index = [Int](repeating: 0, count: batch.count)
    for _ in 0..<batch.reduce(1, *) {
      result.append(zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 })
      var axis = batch.count - 1
      while axis >= 0 {
        index[axis] += 1
        if index[axis] < batch[axis] { break }
        index[axis] = 0
        axis -= 1
      }
    }
    return result
  }
}
