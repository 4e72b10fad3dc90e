import Foundation
import PantileSupport
import PantileTensor

/// A matrix as whole numbers, as a bit-serial machine takes them: value = number · 2^-fractionBits, times a scale that stays outside.
public struct SerialNumbers: Sendable {
  /// [line][k].
  public var values: [Int16]
  public var lines: Int
  public var k: Int
  public var fractionBits: Int

  /// Most fraction bits that are tried.
  public static let mostFractionBits = 8

  /// Plain values, whole or in binary fractions.
  ///
  /// - Parameters:
  ///   - input: [lines][k].
  ///   - name: of the array, for messages.
  /// - Throws: `not-whole` with the place of the first value that is no multiple of 2^-8, or beyond 16 bits.
  public init(_ input: [Double], lines: Int, k: Int, name: String) throws(DiagnosticError) {
    self.lines = lines
    self.k = k
    fractionBits = 0
    for (index, value) in input.enumerated() {
      while fractionBits <= SerialNumbers.mostFractionBits, !SerialNumbers.isWhole(value, fractionBits) {
        fractionBits += 1
      }
      guard fractionBits <= SerialNumbers.mostFractionBits else {
        throw DiagnosticError(
          "not-whole", "\(name): value [\(index / k), \(index % k)] is \(value), which is no multiple of 2^-8",
          hint: "give codes, or quantise with --format NAME (pantile list formats)")
      }
    }
    let factor = Double(1 << fractionBits)
    values = []
    values.reserveCapacity(input.count)
    for (index, value) in input.enumerated() {
      guard abs(value * factor) <= Double(Int16.max) else {
        throw DiagnosticError(
          "not-whole",
          "\(name): value [\(index / k), \(index % k)] is \(value), \(value * factor) in steps of "
            + "2^-\(fractionBits), beyond 16 bits", hint: "give codes of at most 16 bits")
      }
      values.append(Int16(value * factor))
    }
  }

  private static func isWhole(_ value: Double, _ fractionBits: Int) -> Bool {
    let scaled = value * Double(1 << fractionBits)
    return scaled == scaled.rounded(.towardZero)
  }

  /// The element values of a quantised matrix, without scales.
  ///
  /// - Throws: `not-serial` where a code's value is no sum of few powers of two (NF4), or stands beside a zero point or a second code.
  public init(_ matrix: QuantisedMatrix) throws(DiagnosticError) {
    let format = matrix.format
    func refusal(_ reason: String) -> DiagnosticError {
      DiagnosticError(
        "not-serial", "\(format.name) has no term-serial form: \(reason)",
        hint: "take a symmetric integer, BitMoD, FP4 or power-of-two format")
    }
    guard matrix.zeroPoints.isEmpty else { throw refusal("its codes stand beside a zero point") }
    guard format.pairs == nil else { throw refusal("its codes are read in pairs") }
    let fraction: Int
    do {
      fraction = try SerialNumbers.numberRange(of: format).fractionBits
    } catch {
      throw refusal(error.diagnostics.first?.message ?? "its values are no whole numbers")
    }
    lines = matrix.rows
    k = matrix.columns
    fractionBits = fraction
    values = []
    values.reserveCapacity(matrix.codes.count)
    let group = matrix.groupSize
    let groups = ceilDiv(matrix.columns, group)
    for (index, code) in matrix.codes.enumerated() {
      let selector = matrix.selector(ofGroup: index / k * groups + index % k / group)
      let value = try format.code.value(of: code, selector: selector)
      values.append(Int16(value * Double(1 << fraction)))
    }
  }

  /// Fraction bits that make all values of a format whole, and the two's complement bits that hold those numbers.
  ///
  /// - Throws: `not-whole`.
  public static func numberRange(
    of format: NumberFormat
  ) throws(DiagnosticError) -> (fractionBits: Int, bits: Int) {
    let all = format.code.selectors.indices.flatMap { selector in
      format.code.numbers(selector: selector).map(\.value)
    }
    let numbers = try SerialNumbers(all, lines: 1, k: max(1, all.count), name: "values of \(format.name)")
    return (numbers.fractionBits, numbers.bits)
  }

  /// Fewest two's complement bits that hold all numbers, at least 1.
  public var bits: Int {
    let lowest = Int(values.min() ?? 0)
    let highest = Int(values.max() ?? 0)
    var bits = 1
    while lowest < -(1 << (bits - 1)) || highest >= 1 << (bits - 1) { bits += 1 }
    return bits
  }

  /// Checks that each number has a code.
  ///
  /// - Throws: `no-code` with the first number that has none.
  public func check(
    _ encoding: TermEncoding, bits: Int, allowsLowest: Bool, name: String
  ) throws(DiagnosticError) {
    for (index, value) in values.enumerated() {
      guard let reason = encoding.refusal(of: Int(value), bits: bits, allowsLowest: allowsLowest) else { continue }
      let fraction = fractionBits == 0 ? "" : " (in steps of 2^-\(fractionBits))"
      throw DiagnosticError(
        "no-code",
        "\(name): number [\(index / k), \(index % k)] is \(value)\(fraction), which has no "
          + "\(encoding.rawValue) code: \(reason)",
        hint: encoding == .lod2
          ? "take another --encoding, or a format of at most two terms" : "change --weight-bits, or quantise narrower")
    }
  }
}

extension TermEncoding {
  /// What an element that knows Booth and two leading ones takes for a format: the fewest cycles of a step, of equals the fewest terms
  /// over the format's numbers, then Booth.
  ///
  /// **Source** Chen et al., "BitMoD", HPCA 2025: the unified element recodes integers and splits floating-point codes.
  /// - Throws: `not-whole`.
  public static func cheapest(for format: NumberFormat) throws(DiagnosticError) -> TermEncoding {
    let range = try SerialNumbers.numberRange(of: format)
    let factor = Double(1 << range.fractionBits)
    let numbers = format.code.selectors.indices.flatMap { selector in
      format.code.numbers(selector: selector).map { Int($0.value * factor) }
    }
    guard numbers.allSatisfy({ lod2.refusal(of: $0, bits: range.bits, allowsLowest: false) == nil }) else {
      return booth
    }
    func cost(_ encoding: TermEncoding) -> (Int, Int) {
      (
        encoding.fixedTerms(bits: range.bits),
        numbers.reduce(0) { $0 + encoding.terms($1, bits: range.bits).count }
      )
    }
    return cost(lod2) < cost(booth) ? lod2 : booth
  }
}

/// Weights for those who have only shapes: seeded normal values.
///
/// Their lock-step means are within about a tenth of those of trained networks; heavy tails are not.
public enum GaussianWeights {
  /// Standard normal values in order, two from each pair of draws (Box and Muller, 1958).
  public static func values(count: Int, seed: UInt64) -> [Double] {
    var random = SplitMix64(seed: seed)
    var result: [Double] = []
    result.reserveCapacity(count + 1)
    while result.count < count {
      // 53 bits in (0, 1]: the logarithm is finite.
      let u = (Double(random.next() >> 11) + 1) / 9_007_199_254_740_992
      let v = Double(random.next() >> 11) / 9_007_199_254_740_992
      let radius = (-2 * log(u)).squareRoot()
      result.append(radius * cos(2 * .pi * v))
      result.append(radius * sin(2 * .pi * v))
    }
    if result.count > count { result.removeLast() }
    return result
  }
}
