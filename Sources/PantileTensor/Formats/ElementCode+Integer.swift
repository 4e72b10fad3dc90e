extension ElementCode {
  /// Whole multiples of a step.
  struct IntegerRule: Sendable {
    var bits: Int
    var isSigned: Bool
    /// The least and the greatest multiple that encoding makes.
    var range: ClosedRange<Int>
    /// A power of two.
    var step = 1.0
    /// Whether codes outside `range` have a value nevertheless.
    var decodesAll = false
  }

  /// Two's complement (or unsigned) multiples of a step, rounded to nearest with ties to even, saturated to the range.
  static func integer(name: String, _ rule: IntegerRule) -> ElementCode {
    ElementCode(
      name: name, bits: rule.bits, rounding: "to nearest, ties to even; saturates",
      decode: { code, _ in
        let number = rule.isSigned && code >> (rule.bits - 1) == 1 ? code - (1 << rule.bits) : code
        return rule.range.contains(number) || rule.decodesAll
          ? .number(Double(number) * rule.step) : .unused
      },
      nearest: { value, _ in
        let multiple = (value / rule.step).rounded(.toNearestOrEven)
        let limited = min(
          max(multiple, Double(rule.range.lowerBound)), Double(rule.range.upperBound))
        return Int(limited) & ((1 << rule.bits) - 1)
      },
      overflows: { value, _ in
        let multiple = (value / rule.step).rounded(.toNearestOrEven)
        return multiple < Double(rule.range.lowerBound) || multiple > Double(rule.range.upperBound)
      })
  }
}
