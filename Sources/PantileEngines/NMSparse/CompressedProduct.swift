import PantileTensor

/// acc[m][n] (+)= Σ over kept weights of A[m][group position]·value, wrapping in 32 bits, straight on compressed operands.
///
/// Sixteen rows of A stand transposed and widened, so that a kept weight multiplies one contiguous vector wherever its index
/// points; kept weights go in pairs, as in `denseProduct`.
/// - Precondition: every index is below the group length.
func compressedProduct(
  _ extents: TileExtents, _ pattern: NMPattern, _ operands: ArrayOperands, accumulate: Bool
) {
  guard let indices = operands.indices else { preconditionFailure("weights sparse \(pattern) need indices") }
  let (m, k, n) = (extents.m, extents.k, extents.n)
  if m < 4 {
    narrowProduct(extents, pattern, operands, indices, accumulate: accumulate)
    return
  }
  let kept = k / pattern.group * pattern.kept
  let pairs = (kept + 1) / 2
  // Weights of a column: [column][pair] two values, and the rows of A that they meet. A lone last weight pairs with a zero.
  let values = Plane<Int16>(n * pairs * 2)
  let positions = Plane<Int32>(n * pairs * 2)
  for slot in 0..<kept {
    let group = slot / pattern.kept * pattern.group
    for column in 0..<n {
      let index = Int(indices[slot * n + column])
      precondition(index < pattern.group, "index \(index) in a group of \(pattern.group)")
      values.base[column * pairs * 2 + slot] = Int16(operands.b[slot * n + column])
      positions.base[column * pairs * 2 + slot] = Int32(truncatingIfNeeded: group + index)
    }
  }
  let panel = Plane<Int16>(k * 16)
  for row in stride(from: 0, to: m, by: 16) {
    let rows = min(16, m - row)
    for r in 0..<rows {
      let source = operands.a + (row + r) * k
      for l in 0..<k { panel.base[l * 16 + r] = Int16(source[l]) }
    }
    for column in 0..<n {
      let sums = multiplyColumn(
        panel.base, values.base + column * pairs * 2, positions.base + column * pairs * 2, pairs)
      let out = operands.accumulators + row * operands.accumulatorStride + column
      for r in 0..<rows {
        let at = r * operands.accumulatorStride
        out[at] = accumulate ? out[at] &+ sums[r] : sums[r]
      }
    }
  }
}

/// Sixteen rows by one column of kept weights.
@inline(__always) private func multiplyColumn(
  _ panel: UnsafePointer<Int16>, _ values: UnsafePointer<Int16>, _ positions: UnsafePointer<Int32>, _ pairs: Int
) -> SIMD16<Int32> {
  var (s0, s1, s2, s3) = (SIMD4<Int32>.zero, SIMD4<Int32>.zero, SIMD4<Int32>.zero, SIMD4<Int32>.zero)
  let raw = UnsafeRawPointer(panel)
  let rawValues = UnsafeRawPointer(values)
  for pair in 0..<pairs {
    let weights = unsafeBitCast(
      SIMD4<Int32>(repeating: rawValues.loadUnaligned(fromByteOffset: pair * 4, as: Int32.self)),
      to: SIMD8<Int16>.self)
    let x = raw + Int(positions[pair * 2]) * 32
    let y = raw + Int(positions[pair * 2 + 1]) * 32
    let x0 = x.loadUnaligned(as: SIMD8<Int16>.self)
    let x1 = x.loadUnaligned(fromByteOffset: 16, as: SIMD8<Int16>.self)
    let y0 = y.loadUnaligned(as: SIMD8<Int16>.self)
    let y1 = y.loadUnaligned(fromByteOffset: 16, as: SIMD8<Int16>.self)
    s0 &+= multiplyPairs(zip(x0.lowHalf, y0.lowHalf), weights)
    s1 &+= multiplyPairs(zip(x0.highHalf, y0.highHalf), weights)
    s2 &+= multiplyPairs(zip(x1.lowHalf, y1.lowHalf), weights)
    s3 &+= multiplyPairs(zip(x1.highHalf, y1.highHalf), weights)
  }
  return SIMD16(
    lowHalf: SIMD8(lowHalf: s0, highHalf: s1), highHalf: SIMD8(lowHalf: s2, highHalf: s3))
}

/// The plain loop, for too few rows to fill a vector.
private func narrowProduct(
  _ extents: TileExtents, _ pattern: NMPattern, _ operands: ArrayOperands, _ indices: UnsafePointer<UInt8>,
  accumulate: Bool
) {
  let (k, n) = (extents.k, extents.n)
  let kept = k / pattern.group * pattern.kept
  for i in 0..<extents.m {
    let out = operands.accumulators + i * operands.accumulatorStride
    if !accumulate { out.update(repeating: 0, count: n) }
    for slot in 0..<kept {
      let group = operands.a + i * k + slot / pattern.kept * pattern.group
      let (b, index) = (operands.b + slot * n, indices + slot * n)
      for j in 0..<n {
        precondition(Int(index[j]) < pattern.group, "index \(index[j]) in a group of \(pattern.group)")
        out[j] &+= Int32(group[Int(index[j])]) &* Int32(b[j])
      }
    }
  }
}

/// x0 y0 x1 y1 ...
@inline(__always) private func zip(_ x: SIMD4<Int16>, _ y: SIMD4<Int16>) -> SIMD8<Int16> {
  var result = SIMD8<Int16>.zero
  result.evenHalf = x
  result.oddHalf = y
  return result
}
