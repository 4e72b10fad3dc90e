import PantileSupport

/// A real factor as an integer multiplier and a right shift, and the one rounding rule of integer networks.
///
/// `y = clamp(((x − inputZeroPoint)·multiplier + 2^(shift−1)) >> shift + zeroPoint, min, max)` in 64-bit two's complement
/// with an arithmetic shift, which rounds halves toward +infinity.
public struct Requantisation: Hashable, Sendable, BitwiseCopyable {
  /// 0, or in `2^30 ..< 2^31`.
  public let multiplier: Int32
  /// In `1 ... 62`.
  public let shift: Int

  /// - Precondition: multiplier not negative, shift in `1 ... 62`.
  public init(multiplier: Int32, shift: Int) {
    precondition(multiplier >= 0 && (1...62).contains(shift), "requantisation \(multiplier) >> \(shift)")
    self.multiplier = multiplier
    self.shift = shift
  }

  /// The nearest multiplier and shift of a real factor.
  ///
  /// Factors below 2^-32 become 0, which is exact: half of one output step is out of reach of a 32-bit input.
  /// - Throws: `requantise-factor` when the factor is negative, not finite, or 2^30 and more.
  /// - Note: **Accuracy** relative error of the factor at most 2^-31.
  public init(factor: Double) throws(DiagnosticError) {
    guard factor.isFinite, factor >= 0, factor < 0x1p30 else { throw Self.unusableFactor(factor) }
    guard factor >= 0x1p-32 else {
      self.init(multiplier: 0, shift: 62)
      return
    }
    // factor = significand · 2^exponent with significand in [1, 2); the scaled significand is exact in a double.
    var scaled = (factor.significand * 0x1p30).rounded(.toNearestOrEven)
    var shift = 30 - Int(factor.exponent)
    if scaled == 0x1p31 {
      scaled = 0x1p30
      shift -= 1
    }
    // Only a factor that rounds up to 2^30 gets here with shift 0.
    guard shift >= 1 else { throw Self.unusableFactor(factor) }
    self.init(multiplier: Int32(scaled), shift: shift)
  }

  /// Two factors over one common shift, for the sum of two differently scaled operands; the larger one is normalised.
  /// - Throws: `requantise-factor` as `init(factor:)`.
  public static func pair(
    _ a: Double, _ b: Double
  ) throws(DiagnosticError) -> (a: Int32, b: Int32, shift: Int) {
    guard a.isFinite, b.isFinite, a >= 0, b >= 0 else { throw unusableFactor(a.isFinite && a >= 0 ? b : a) }
    let large = try Requantisation(factor: max(a, b))
    let scale = Double(sign: .plus, exponent: large.shift, significand: 1)
    let small = Int32((min(a, b) * scale).rounded(.toNearestOrEven).clamped(to: 0...Double(large.multiplier)))
    return a >= b ? (large.multiplier, small, large.shift) : (small, large.multiplier, large.shift)
  }

  /// The factor that multiplier and shift stand for.
  public var factor: Double { Double(sign: .plus, exponent: -shift, significand: 1) * Double(multiplier) }

  /// `(value·multiplier + 2^(shift−1)) >> shift`, in 64 bits.
  @inlinable public func scaled(_ value: Int) -> Int {
    (value &* Int(multiplier) &+ (1 << (shift &- 1))) >> shift
  }

  /// The whole rule.
  @inlinable public func apply(
    _ value: Int, inputZeroPoint: Int, zeroPoint: Int, minimum: Int, maximum: Int
  ) -> Int {
    min(max(scaled(value &- inputZeroPoint) &+ zeroPoint, minimum), maximum)
  }

  private static func unusableFactor(_ factor: Double) -> DiagnosticError {
    DiagnosticError(
      "requantise-factor", "requantisation factor \(factor) is not in 0 ..< 2^30",
      hint: "check the scales of the quantised tensors around this operation")
  }
}

extension Double {
  fileprivate func clamped(to range: ClosedRange<Double>) -> Double {
    min(max(self, range.lowerBound), range.upperBound)
  }
}
