/// The inner product kernel behind convolution and matrix multiplication.
///
/// Four rows of A meet a panel of eight columns of B: `tile[i][j] = Σ_k a[i][k]·panel[k][j]`, in `Float`, `k` ascending,
/// multiply and add rounded separately. The order of each sum is the index order, whatever the blocking.
struct ContractionTile: ~Copyable {
  static let columns = 8
  static let rows = 4

  /// `[rows][columns]`, written by `run`.
  let sums: UnsafeMutablePointer<SIMD8<Float>>

  init() { sums = .allocate(capacity: Self.rows) }
  deinit { sums.deallocate() }

  /// Rows `0 ..< rowCount` of A start at `a + i·rowStride`; the panel is `[k][columns]`.
  @inline(__always)
  func run(
    a: UnsafePointer<Float>, rowStride: Int, rowCount: Int, panel: UnsafePointer<SIMD8<Float>>, k: Range<Int>
  ) {
    if rowCount == Self.rows {
      var s0 = SIMD8<Float>.zero
      var s1 = SIMD8<Float>.zero
      var s2 = SIMD8<Float>.zero
      var s3 = SIMD8<Float>.zero
      let a1 = a + rowStride
      let a2 = a1 + rowStride
      let a3 = a2 + rowStride
      var i = k.lowerBound
      while i < k.upperBound {
        let x = panel[i]
        s0 += x * SIMD8(repeating: a[i])
        s1 += x * SIMD8(repeating: a1[i])
        s2 += x * SIMD8(repeating: a2[i])
        s3 += x * SIMD8(repeating: a3[i])
        i &+= 1
      }
      sums[0] = s0
      sums[1] = s1
      sums[2] = s2
      sums[3] = s3
    } else {
      for row in 0..<rowCount {
        let own = a + row &* rowStride
        var s = SIMD8<Float>.zero
        var i = k.lowerBound
        while i < k.upperBound {
          s += panel[i] * SIMD8(repeating: own[i])
          i &+= 1
        }
        sums[row] = s
      }
    }
  }
}

/// Scratch memory for one panel of B, freed with the value.
struct ContractionPanel: ~Copyable {
  let vectors: UnsafeMutablePointer<SIMD8<Float>>
  /// The same memory as `[k][columns]` floats.
  let scalars: UnsafeMutablePointer<Float>

  init(k: Int) {
    let raw = UnsafeMutableRawPointer.allocate(byteCount: max(k, 1) * 32, alignment: 64)
    raw.initializeMemory(as: UInt8.self, repeating: 0, count: max(k, 1) * 32)
    vectors = raw.assumingMemoryBound(to: SIMD8<Float>.self)
    scalars = raw.assumingMemoryBound(to: Float.self)
  }

  deinit { UnsafeMutableRawPointer(vectors).deallocate() }
}

/// How many products of integers of these magnitudes a `Float` sums without rounding (its integers are exact to 2^24), or
/// nil when not even one.
func exactFloatTerms(_ a: Int, _ b: Int) -> Int? {
  let (product, overflow) = a.multipliedReportingOverflow(by: b)
  guard !overflow, product <= 1 << 24, a <= 1 << 24, b <= 1 << 24 else { return nil }
  return product == 0 ? Int.max : (1 << 24) / product
}
