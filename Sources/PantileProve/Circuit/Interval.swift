/// Bounds of results from bounds of arguments.
enum Interval {
  static func signed(_ width: Int) -> ClosedRange<Int> { -(1 << (width - 1))...(1 << (width - 1)) - 1 }
  static func unsigned(_ width: Int) -> ClosedRange<Int> { 0...(1 << width) - 1 }

  /// - Precondition: not empty.
  static func hull(_ values: [Int]) -> ClosedRange<Int> {
    var (low, high) = (values[0], values[0])
    for value in values.dropFirst() {
      low = min(low, value)
      high = max(high, value)
    }
    return low...high
  }

  /// `Int.min` and `Int.max` stand for all numbers beyond, so that bounds are never wrong.
  static func sum(_ a: ClosedRange<Int>, _ b: ClosedRange<Int>) -> ClosedRange<Int> {
    sum(a.lowerBound, b.lowerBound, beyond: .min)...sum(a.upperBound, b.upperBound, beyond: .max)
  }

  private static func sum(_ a: Int, _ b: Int, beyond: Int) -> Int {
    if a == beyond || b == beyond { return beyond }
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? (a < 0 ? .min : .max) : sum
  }

  static func product(_ a: ClosedRange<Int>, _ b: ClosedRange<Int>) -> ClosedRange<Int> {
    let p = product(a.lowerBound, b.lowerBound)
    let q = product(a.lowerBound, b.upperBound)
    let r = product(a.upperBound, b.lowerBound)
    let s = product(a.upperBound, b.upperBound)
    return min(min(p, q), min(r, s))...max(max(p, q), max(r, s))
  }

  private static func product(_ a: Int, _ b: Int) -> Int {
    if a == 0 || b == 0 { return 0 }
    let isBeyond = a == .min || a == .max || b == .min || b == .max
    let (product, overflow) = a.multipliedReportingOverflow(by: b)
    return isBeyond || overflow ? ((a < 0) == (b < 0) ? .max : .min) : product
  }

  static func floorDivide(_ a: ClosedRange<Int>, _ divisor: Int) -> ClosedRange<Int> {
    floorDivide(a.lowerBound, divisor)...floorDivide(a.upperBound, divisor)
  }

  /// - Precondition: a positive divisor.
  static func floorDivide(_ value: Int, _ divisor: Int) -> Int {
    if value == .min || value == .max { return value }
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }

  /// Of an arithmetic shift; `amounts` in 0 ... 62.
  static func shiftRight(_ a: ClosedRange<Int>, _ amounts: ClosedRange<Int>) -> ClosedRange<Int> {
    let ends = [amounts.lowerBound, amounts.upperBound]
    return hull([a.lowerBound, a.upperBound].flatMap { end in ends.map { floorDivide(end, 1 << $0) } })
  }

  /// Of and, or, xor: what numbers of as many bits can be.
  static func bitwise(_ isAnd: Bool, _ a: ClosedRange<Int>, _ b: ClosedRange<Int>) -> ClosedRange<Int> {
    if isAnd, a.lowerBound >= 0, b.lowerBound >= 0 { return 0...min(a.upperBound, b.upperBound) }
    func bits(_ value: Int) -> Int { Int.bitWidth - (value < 0 ? ~value : value).leadingZeroBitCount }
    let width = max(max(bits(a.lowerBound), bits(a.upperBound)), max(bits(b.lowerBound), bits(b.upperBound)))
    let top = width >= 63 ? Int.max : (1 << width) - 1
    return (a.lowerBound >= 0 && b.lowerBound >= 0 ? 0 : ~top)...top
  }
}
