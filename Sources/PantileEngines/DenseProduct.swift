/// acc[m][n] (+)= Σ_k A[m][k]·B[k][n] on int8 operands, wrapping in 32 bits: the meaning of every dense array command.
///
/// Operands are widened into panels of pairs along k, so that the inner loop multiplies eight 16-bit lanes and adds neighbours,
/// which is one instruction on x86-64 and exact: the sum of two int8 products fits in 32 bits.
func denseProduct(_ extents: TileExtents, _ operands: ArrayOperands, accumulate: Bool) {
  let (m, k, n) = (extents.m, extents.k, extents.n)
  if m < 3 || n < 4 {
    narrowProduct(extents, operands, accumulate: accumulate)
    return
  }
  let pairs = (k + 1) / 2
  let columnBlocks = (n + 7) / 8
  // B: [block of 8 columns][pair][column][2]; A: [pair][4 rows][2], one block of rows at a time.
  let panelB = Plane<Int16>(columnBlocks * pairs * 16)
  let panelA = Plane<Int16>(pairs * 8)
  for block in 0..<columnBlocks {
    packColumns(operands.b, k: k, n: n, from: block * 8, to: panelB.base + block * pairs * 16)
  }
  var tile = (
    SIMD8<Int32>.zero, SIMD8<Int32>.zero, SIMD8<Int32>.zero, SIMD8<Int32>.zero
  )
  for row in stride(from: 0, to: m, by: 4) {
    let rows = min(4, m - row)
    packRows(operands.a + row * k, rows: rows, k: k, to: panelA.base)
    for block in 0..<columnBlocks {
      multiplyPanels(panelA.base, panelB.base + block * pairs * 16, pairs, &tile)
      let columns = min(8, n - block * 8)
      withUnsafeBytes(of: &tile) { bytes in
        let values = bytes.assumingMemoryBound(to: Int32.self)
        for r in 0..<rows {
          let out = operands.accumulators + (row + r) * operands.accumulatorStride + block * 8
          if accumulate {
            for c in 0..<columns { out[c] &+= values[r * 8 + c] }
          } else {
            for c in 0..<columns { out[c] = values[r * 8 + c] }
          }
        }
      }
    }
  }
}

/// One block of four rows by eight columns.
@inline(__always) private func multiplyPanels(
  _ a: UnsafePointer<Int16>, _ b: UnsafePointer<Int16>, _ pairs: Int,
  _ tile: inout (SIMD8<Int32>, SIMD8<Int32>, SIMD8<Int32>, SIMD8<Int32>)
) {
  var (c00, c01) = (SIMD4<Int32>.zero, SIMD4<Int32>.zero)
  var (c10, c11) = (SIMD4<Int32>.zero, SIMD4<Int32>.zero)
  var (c20, c21) = (SIMD4<Int32>.zero, SIMD4<Int32>.zero)
  var (c30, c31) = (SIMD4<Int32>.zero, SIMD4<Int32>.zero)
  let rawA = UnsafeRawPointer(a)
  let rawB = UnsafeRawPointer(b)
  for pair in 0..<pairs {
    let b0 = (rawB + pair * 32).loadUnaligned(as: SIMD8<Int16>.self)
    let b1 = (rawB + pair * 32 + 16).loadUnaligned(as: SIMD8<Int16>.self)
    let a0 = broadcastPair(rawA + pair * 16)
    c00 &+= multiplyPairs(a0, b0)
    c01 &+= multiplyPairs(a0, b1)
    let a1 = broadcastPair(rawA + pair * 16 + 4)
    c10 &+= multiplyPairs(a1, b0)
    c11 &+= multiplyPairs(a1, b1)
    let a2 = broadcastPair(rawA + pair * 16 + 8)
    c20 &+= multiplyPairs(a2, b0)
    c21 &+= multiplyPairs(a2, b1)
    let a3 = broadcastPair(rawA + pair * 16 + 12)
    c30 &+= multiplyPairs(a3, b0)
    c31 &+= multiplyPairs(a3, b1)
  }
  tile = (
    SIMD8(lowHalf: c00, highHalf: c01), SIMD8(lowHalf: c10, highHalf: c11), SIMD8(lowHalf: c20, highHalf: c21),
    SIMD8(lowHalf: c30, highHalf: c31)
  )
}

/// The pair of 16-bit values at an address, four times.
@inline(__always) private func broadcastPair(_ address: UnsafeRawPointer) -> SIMD8<Int16> {
  unsafeBitCast(SIMD4<Int32>(repeating: address.loadUnaligned(as: Int32.self)), to: SIMD8<Int16>.self)
}

/// Widens up to eight columns of B from column `first` into [pair][8][2], zero beyond the edges.
private func packColumns(
  _ b: UnsafePointer<Int8>, k: Int, n: Int, from first: Int, to panel: UnsafeMutablePointer<Int16>
) {
  let columns = min(8, n - first)
  for row in 0..<k {
    let source = b + row * n + first
    let target = panel + (row / 2) * 16 + row % 2
    if columns == 8 {
      for c in 0..<8 { target[c * 2] = Int16(source[c]) }
    } else {
      for c in 0..<columns { target[c * 2] = Int16(source[c]) }
    }
  }
}

/// Widens up to four rows of A into [pair][4][2]; absent rows keep what stood there, their sums are not used.
private func packRows(_ a: UnsafePointer<Int8>, rows: Int, k: Int, to panel: UnsafeMutablePointer<Int16>) {
  for r in 0..<rows {
    let source = a + r * k
    for pair in 0..<k / 2 {
      panel[pair * 8 + r * 2] = Int16(source[pair * 2])
      panel[pair * 8 + r * 2 + 1] = Int16(source[pair * 2 + 1])
    }
    if k % 2 == 1 { panel[k / 2 * 8 + r * 2] = Int16(source[k - 1]) }
  }
}

/// The plain loop, for shapes too narrow for panels.
private func narrowProduct(_ extents: TileExtents, _ operands: ArrayOperands, accumulate: Bool) {
  let (k, n) = (extents.k, extents.n)
  for i in 0..<extents.m {
    let out = operands.accumulators + i * operands.accumulatorStride
    if !accumulate { out.update(repeating: 0, count: n) }
    let a = operands.a + i * k
    for l in 0..<k {
      let value = Int16(a[l])
      let b = operands.b + l * n
      for j in 0..<n { out[j] &+= Int32(value &* Int16(b[j])) }
    }
  }
}
