/// Row sweeps of the N:M register-transfer models: each PE selects one of the activations that it holds.
enum NMSweep {
  /// target[i] = source[i]
  @inline(__always) static func copy(
    _ source: UnsafeMutablePointer<Int16>, _ target: UnsafeMutablePointer<Int16>, _ count: Int
  ) {
    if count == 8 {
      UnsafeMutableRawPointer(target).storeBytes(
        of: UnsafeRawPointer(source).loadUnaligned(as: SIMD8<Int16>.self), as: SIMD8<Int16>.self)
      return
    }
    target.update(from: source, count: count)
  }

  /// The activations that eight PEs select; `places` count from `a`.
  @inline(__always) private static func selected(
    _ a: UnsafeMutablePointer<Int16>, _ places: UnsafeMutablePointer<Int32>
  ) -> SIMD8<Int16> {
    SIMD8(
      a[Int(places[0])], a[Int(places[1])], a[Int(places[2])], a[Int(places[3])], a[Int(places[4])],
      a[Int(places[5])], a[Int(places[6])], a[Int(places[7])])
  }

  /// sum[c] = above[c] + a[select[c]]·w[c]
  @inline(__always) static func multiplyAdd(
    _ a: UnsafeMutablePointer<Int16>, _ select: UnsafeMutablePointer<Int32>, _ w: UnsafeMutablePointer<Int16>,
    _ above: UnsafeMutablePointer<Int32>, _ sum: UnsafeMutablePointer<Int32>, _ chunks: Range<Int>
  ) {
    let w = UnsafeRawPointer(w)
    let (above, sum) = (UnsafeRawPointer(above), UnsafeMutableRawPointer(sum))
    var chunk = chunks.lowerBound
    while chunk < chunks.upperBound {
      let x = selected(a, select + chunk &* 8)
      let y = w.loadUnaligned(fromByteOffset: chunk &* 16, as: SIMD8<Int16>.self)
      let old = above.loadUnaligned(fromByteOffset: chunk &* 32, as: SIMD8<Int32>.self)
      sum.storeBytes(of: old &+ multiplyLanes(x, y), toByteOffset: chunk &* 32, as: SIMD8<Int32>.self)
      chunk &+= 1
    }
  }

  /// product[c] = a[select[c]]·w[c]
  @inline(__always) static func multiply(
    _ a: UnsafeMutablePointer<Int16>, _ select: UnsafeMutablePointer<Int32>, _ w: UnsafeMutablePointer<Int16>,
    _ product: UnsafeMutablePointer<Int32>, _ chunks: Range<Int>
  ) {
    let (w, product) = (UnsafeRawPointer(w), UnsafeMutableRawPointer(product))
    var chunk = chunks.lowerBound
    while chunk < chunks.upperBound {
      let x = selected(a, select + chunk &* 8)
      let y = w.loadUnaligned(fromByteOffset: chunk &* 16, as: SIMD8<Int16>.self)
      product.storeBytes(of: multiplyLanes(x, y), toByteOffset: chunk &* 32, as: SIMD8<Int32>.self)
      chunk &+= 1
    }
  }
}
