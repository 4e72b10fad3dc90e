import PantileSupport

/// Values that follow from a name alone, for weights and inputs that are not shipped.
///
/// FNV-1a-64 of the UTF-8 name seeds splitmix64; each output `z` gives `u = (z >> 40) / 2^24`. Floats are `lo + u·(hi − lo)`
/// in double precision, rounded to the element type; integers are `floor(lo + u·(hi − lo + 1))`. Value `i` depends only on
/// the name and `i`.
public enum SeededValues {
  /// - Precondition: finite bounds; for integer types bounds within the type.
  public static func tensor(
    name: String, shape: [Int], elementType: ElementType, low: Double, high: Double
  ) -> HostTensor {
    var generator = SplitMix64(seed: StableHash.fnv1a(name))
    if elementType == .f32 {
      return HostTensor(shape: shape, elementType: .f32) { (output: UnsafeMutableBufferPointer<Float>) in
        for i in output.indices { output[i] = Float(low + generator.nextUnit24() * (high - low)) }
      }
    }
    if elementType.isFloat {
      let wide = HostTensor(shape: shape, elementType: .f64) { (output: UnsafeMutableBufferPointer<Double>) in
        for i in output.indices { output[i] = low + generator.nextUnit24() * (high - low) }
      }
      return wide.converted(to: elementType)
    }
    let wide = HostTensor(shape: shape, elementType: .i64) { (output: UnsafeMutableBufferPointer<Int64>) in
      for i in output.indices {
        output[i] = Int64((low + generator.nextUnit24() * (high - low + 1)).rounded(.down))
      }
    }
    return wide.converted(to: elementType)
  }
}
