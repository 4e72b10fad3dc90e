/// Four sums of two products each, of neighbouring 16-bit lanes: one instruction on x86-64.
///
/// The widening is written lane by lane: the standard library's initialiser is a generic loop whose specialisation may be emitted in
/// another object file and then be called instead of inlined, which costs a factor of four.
@inline(__always) func multiplyPairs(_ x: SIMD8<Int16>, _ y: SIMD8<Int16>) -> SIMD4<Int32> {
  let products = widened(x) &* widened(y)
  return products.evenHalf &+ products.oddHalf
}

@inline(__always) private func widened(_ x: SIMD8<Int16>) -> SIMD8<Int32> {
  SIMD8<Int32>(
    Int32(x[0]), Int32(x[1]), Int32(x[2]), Int32(x[3]), Int32(x[4]), Int32(x[5]), Int32(x[6]), Int32(x[7]))
}

/// Products of eight 16-bit lanes.
@inline(__always) func multiplyLanes(_ x: SIMD8<Int16>, _ y: SIMD8<Int16>) -> SIMD8<Int32> { widened(x) &* widened(y) }
