/// A small repeatable random number generator; the state is one 64-bit word.
///
/// **Source** Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
public struct SplitMix64: RandomNumberGenerator, Sendable {
  public var state: UInt64

  public init(seed: UInt64) { state = seed }

  @inlinable public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A number in `0 ..< bound`. Slightly biased for huge bounds, which no caller here has.
  @inlinable public mutating func next(below bound: Int) -> Int {
    precondition(bound > 0, "next(below:) needs a positive bound")
    return Int(next() >> 1) % bound
  }

  /// A double in `[0, 1)` from the upper 24 bits, as the weight rule of model descriptions wants it.
  @inlinable public mutating func nextUnit24() -> Double { Double(next() >> 40) / 16_777_216.0 }
}
