import PantileTensor

/// acc[m][n] (+)= Σ over kept weights of A[m][group position]·value, wrapping in 32 bits, straight on compressed operands.
func compressedProduct(
  _ extents: TileExtents, _ pattern: NMPattern, _ operands: ArrayOperands, accumulate: Bool
) {
  guard let indices = operands.indices else { preconditionFailure("weights sparse \(pattern) need indices") }
  let (m, k, n) = (extents.m, extents.k, extents.n)
  let stored = k / pattern.group * pattern.kept
  for i in 0..<m {
    let out = operands.accumulators + i * operands.accumulatorStride
    if !accumulate { for j in 0..<n { out[j] = 0 } }
    let a = operands.a + i * k
    for l in 0..<stored {
      let group = a + l / pattern.kept * pattern.group
      let b = operands.b + l * n
      let index = indices + l * n
      for j in 0..<n { out[j] &+= Int32(group[Int(index[j])]) &* Int32(b[j]) }
    }
  }
}
