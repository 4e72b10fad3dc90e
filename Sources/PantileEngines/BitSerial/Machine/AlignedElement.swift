/// One element's dot product in floating point: d lanes, each a signed power of two times a float16, are aligned to the largest exponent of the
/// cycle, rounded there, added as whole numbers, and the sum is added to an accumulator of 24 significant bits.
///
/// **Source** Chen et al., "BitMoD", HPCA 2025, section on the processing element: exponents are added and compared, significands of
/// 11 bits are shifted right with 3 guard bits and rounded to nearest, ties to even.
///
/// **Accuracy** bit for bit the RTL twin `Targets/rtl/bitserial/aligned_element.sv`. In a cycle whose largest exponent is E, a lane that is
/// shifted is off by at most half of the last guard bit, 2^(E-14); the largest is not. An addition is off by at most 2^-24 of its result, and
/// exact below the normal range.
public struct AlignedElement: Sendable {
  /// Bits below a float16's last that a shifted significand keeps.
  public static let guardBits = 3
  /// Significant bits of a float16, the hidden one among them; of the accumulator.
  static let significandBits = 11

  public private(set) var sum: Float = 0
  /// No more than this is lost so far.
  public private(set) var bound: Double = 0

  public init() {}

  /// Adds a cycle's terms.
  ///
  /// - Parameter terms: of each lane that has one: the activation, the power of two, and whether the term is negative.
  public mutating func add(_ terms: some Collection<(activation: Float16, power: Int, isNegative: Bool)>) {
    var largest = Int.min
    for term in terms where term.activation != 0 {
      largest = max(largest, AlignedElement.exponent(term.activation) + term.power)
    }
    guard largest > Int.min else { return }
    var total = 0
    var shifted = 0
    for term in terms where term.activation != 0 {
      let distance = largest - AlignedElement.exponent(term.activation) - term.power
      let significand = AlignedElement.significand(term.activation) << AlignedElement.guardBits
      let aligned = AlignedElement.rounded(significand, by: distance)
      if distance > AlignedElement.guardBits { shifted += 1 }
      total += (term.activation.sign == .minus) != term.isNegative ? -aligned : aligned
    }
    // The last guard bit's weight: 2^(E - 10 - guard bits).
    let unit = largest - (AlignedElement.significandBits - 1) - AlignedElement.guardBits
    sum += Float(sign: .plus, exponent: unit, significand: Float(total))
    bound += Double(shifted) * Double(sign: .plus, exponent: unit - 1, significand: 1)
    bound += Double(sum.magnitude) * 0x1p-24
  }

  /// The exponent of a float16's first significand bit; subnormal ones have that of the smallest normal.
  private static func exponent(_ value: Float16) -> Int { max(Int(value.exponentBitPattern), 1) - 15 }

  private static func significand(_ value: Float16) -> Int {
    Int(value.significandBitPattern) | (value.exponentBitPattern == 0 ? 0 : 1 << (significandBits - 1))
  }

  /// A whole number by 2^distance, to the nearest, ties to even.
  private static func rounded(_ value: Int, by distance: Int) -> Int {
    guard distance > 0 else { return value }
    guard distance < Int.bitWidth - 2 else { return 0 }
    let kept = value >> distance
    let rest = value - kept << distance
    let half = 1 << (distance - 1)
    return rest > half || (rest == half && kept & 1 == 1) ? kept + 1 : kept
  }
}
