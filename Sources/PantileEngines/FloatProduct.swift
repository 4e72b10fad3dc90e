/// acc[m][n] (+)= Σ_k A[m][k]·B[k][n] on widened 16-bit floats: the meaning of a dense array command in bf16 or f16.
///
/// Products of two 16-bit floats are rounded to Float once (exact unless they leave Float's exponents); sums start at +0 and
/// run along k in order, one rounding each, for `chain` steps; each chain's sum is added to the accumulator, which the first chain of
/// an overwriting command sets. The chain is the array's: its rows where partial sums move down, the whole of k where they stay.
///
/// - Precondition: `chain > 0`.
func floatProduct(_ extents: TileExtents, _ operands: FloatOperands, chain: Int, accumulate: Bool) {
  precondition(chain > 0, "a chain of \(chain)")
  let (m, k, n) = (extents.m, extents.k, extents.n)
  let whole = n - n % 8
  for first in stride(from: 0, to: k, by: chain) {
    let end = min(k, first + chain)
    let adds = accumulate || first > 0
    for i in 0..<m {
      let a = operands.a + i * k
      let out = operands.accumulators + i * operands.accumulatorStride
      for j in stride(from: 0, to: whole, by: 8) {
        var sum = SIMD8<Float>.zero
        let column = UnsafeRawPointer(operands.b + j)
        for l in first..<end {
          let b = (column + l * n * MemoryLayout<Float>.stride).loadUnaligned(as: SIMD8<Float>.self)
          sum += SIMD8(repeating: a[l]) * b
        }
        let target = UnsafeMutableRawPointer(out + j)
        if adds { sum = target.loadUnaligned(as: SIMD8<Float>.self) + sum }
        target.storeBytes(of: sum, as: SIMD8<Float>.self)
      }
      for j in whole..<n {
        var sum: Float = 0
        for l in first..<end { sum += a[l] * operands.b[l * n + j] }
        out[j] = adds ? out[j] + sum : sum
      }
    }
  }
}
