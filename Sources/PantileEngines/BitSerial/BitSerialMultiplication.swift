/// How the elements of a bit-serial array multiply.
///
/// **Source** serial weights: Chen et al., "BitMoD", HPCA 2025; serial activations: Judd et al., "Stripes: Bit-Serial Deep Neural Network
/// Computing", MICRO 2016, and Albericio et al., "Bit-Pragmatic Deep Neural Network Computing", MICRO 2017; bricks: Sharma et al.,
/// "Bit Fusion", ISCA 2018.
public enum BitSerialMultiplication: String, CaseIterable, Hashable, Sendable {
  /// A weight is taken a term a cycle; activations stand still.
  case serialWeight = "serial-weight"
  /// An activation is taken a term a cycle; weights stand still.
  case serialActivation = "serial-activation"
  /// Nothing is serial: multipliers of 2 by 2 bits make as many products a cycle as they are enough for, operands rounded up to 2, 4 or
  /// 8 bits.
  case bricks

  /// What an element does for one format.
  struct Rate: Hashable, Sendable {
    /// Products of a group, which an element takes together.
    var lanes: Int
    /// Cycles of a group.
    var cycles: Int
    /// Multipliers of an element: single-bit ones, or bricks.
    var units: Int
    /// Cycles of one of them that a product takes; `lanes * cost = units * cycles`.
    var cost: Int
  }

  /// Bricks of a product of 8 by 8 bits.
  static let bricksOfBytes = 16

  /// Bricks along an operand: of 2, 4 or 8 bits.
  static func bricks(bits: Int) -> Int { bits <= 2 ? 1 : bits <= 4 ? 2 : 4 }
}

extension BitSerialOptions {
  /// What an element does for a format.
  func rate(_ format: ContractionFormat) -> BitSerialMultiplication.Rate {
    switch multiplication {
    case .serialWeight:
      let terms = encoding.fixedTerms(bits: format.weightBits)
      return .init(lanes: dotWidth, cycles: terms, units: dotWidth, cost: terms)
    case .serialActivation:
      let terms = encoding.fixedTerms(bits: format.activationBits)
      return .init(lanes: dotWidth, cycles: terms, units: dotWidth, cost: terms)
    case .bricks:
      let units = dotWidth * BitSerialMultiplication.bricksOfBytes
      let cost =
        BitSerialMultiplication.bricks(bits: format.activationBits)
        * BitSerialMultiplication.bricks(bits: format.weightBits)
      return .init(lanes: units / cost, cycles: 1, units: units, cost: cost)
    }
  }

  /// Multipliers of an element.
  var units: Int {
    multiplication == .bricks ? dotWidth * BitSerialMultiplication.bricksOfBytes : dotWidth
  }
}
