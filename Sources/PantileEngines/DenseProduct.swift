/// acc[m][n] (+)= Σ_k A[m][k]·B[k][n] on int8 operands, wrapping in 32 bits: the meaning of every dense array command.
func denseProduct(_ extents: TileExtents, _ operands: ArrayOperands, accumulate: Bool) {
  let (m, k, n) = (extents.m, extents.k, extents.n)
  for i in 0..<m {
    let out = operands.accumulators + i * operands.accumulatorStride
    if !accumulate { for j in 0..<n { out[j] = 0 } }
    let a = operands.a + i * k
    for l in 0..<k {
      let value = Int32(a[l])
      let b = operands.b + l * n
      for j in 0..<n { out[j] &+= value &* Int32(b[j]) }
    }
  }
}
