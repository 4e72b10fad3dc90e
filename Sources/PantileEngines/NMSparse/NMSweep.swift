/// Row sweeps of the N:M register-transfer models: each PE selects one of the activations that it holds.
///
/// Weights stand as words with the value in the low half: one instruction multiplies the halves of four words and adds each pair, so a
/// selected activation is loaded with its neighbour, which meets the zero. Lines of activations have a place to spare for that.
enum NMSweep {
  /// A weight as the word that a sweep takes.
  @inline(__always) static func word(_ weight: Int16) -> Int32 { Int32(UInt16(bitPattern: weight)) }

  /// The weight of a word.
  @inline(__always) static func weight(_ word: Int32) -> Int16 { Int16(truncatingIfNeeded: word) }

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

  /// Products of four PEs; `places` count from `a`.
  /// - Parameter zero: zeros that the compiler does not know of: it would take the loaded words apart again, which costs half the speed.
  @inline(__always) private static func products(
    _ a: UnsafeRawPointer, _ places: UnsafeMutablePointer<Int32>, _ w: UnsafeRawPointer, _ zero: SIMD8<Int16>
  ) -> SIMD4<Int32> {
    let held = SIMD4(
      a.loadUnaligned(fromByteOffset: Int(places[0]) &* 2, as: Int32.self),
      a.loadUnaligned(fromByteOffset: Int(places[1]) &* 2, as: Int32.self),
      a.loadUnaligned(fromByteOffset: Int(places[2]) &* 2, as: Int32.self),
      a.loadUnaligned(fromByteOffset: Int(places[3]) &* 2, as: Int32.self))
    return multiplyPairs(unsafeBitCast(held, to: SIMD8<Int16>.self) ^ zero, w.loadUnaligned(as: SIMD8<Int16>.self))
  }

  /// sum[c] = above[c] + a[select[c]]·w[c]
  @inline(__always) static func multiplyAdd(
    _ a: UnsafeMutablePointer<Int16>, _ select: UnsafeMutablePointer<Int32>, _ w: UnsafeMutablePointer<Int32>,
    _ above: UnsafeMutablePointer<Int32>, _ sum: UnsafeMutablePointer<Int32>, _ chunks: Range<Int>, _ zero: SIMD8<Int16>
  ) {
    let (a, w) = (UnsafeRawPointer(a), UnsafeRawPointer(w))
    let (above, sum) = (UnsafeRawPointer(above), UnsafeMutableRawPointer(sum))
    var quad = chunks.lowerBound &* 2
    let end = chunks.upperBound &* 2
    while quad < end {
      let old = above.loadUnaligned(fromByteOffset: quad &* 16, as: SIMD4<Int32>.self)
      let product = products(a, select + quad &* 4, w + quad &* 16, zero)
      sum.storeBytes(of: old &+ product, toByteOffset: quad &* 16, as: SIMD4<Int32>.self)
      quad &+= 1
    }
  }

  /// product[c] = a[select[c]]·w[c]
  @inline(__always) static func multiply(
    _ a: UnsafeMutablePointer<Int16>, _ select: UnsafeMutablePointer<Int32>, _ w: UnsafeMutablePointer<Int32>,
    _ product: UnsafeMutablePointer<Int32>, _ chunks: Range<Int>, _ zero: SIMD8<Int16>
  ) {
    let (a, w, product) = (UnsafeRawPointer(a), UnsafeRawPointer(w), UnsafeMutableRawPointer(product))
    var quad = chunks.lowerBound &* 2
    let end = chunks.upperBound &* 2
    while quad < end {
      product.storeBytes(
        of: products(a, select + quad &* 4, w + quad &* 16, zero), toByteOffset: quad &* 16, as: SIMD4<Int32>.self)
      quad &+= 1
    }
  }
}
