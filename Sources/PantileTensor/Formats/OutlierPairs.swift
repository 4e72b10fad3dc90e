import PantileSupport

/// OliVe's outlier-victim pairs: of two neighbours, one may give up its value so that the other can be large.
///
/// Codes have four bits. Two codes that are both normal are two normal values. The mark, code 1000, says that its owner
/// is a victim, worth 0, and that its neighbour is an outlier: an abfloat `sign, e (2 bits), f (1 bit)` worth `(2 + f)
/// 2^(e + bias)`, whose codes with `e = f = 0` stand for nothing.
///
/// **Source** Guo et al., "OliVe: Accelerating Large Language Models via Hardware-friendly Outlier-Victim Pair
/// Quantization", ISCA 2023, sections III and IV.
public struct OutlierPairs: Sendable {
  /// The code of a victim.
  public static let mark = 8

  /// Codes of values that are no outliers; the mark has no value in it.
  public let normal: ElementCode
  /// Added to the exponent of outliers.
  public let bias: Int

  init(normal: ElementCode, bias: Int) {
    self.normal = normal
    self.bias = bias
  }

  /// The largest normal magnitude; beyond it a value is an outlier.
  public var threshold: Double { normal.largestMagnitude() }

  /// The value of an outlier's code; nil for the two codes that stand for nothing.
  public func outlier(_ code: Int) -> Double? {
    let magnitude = code & 7
    guard magnitude != 0 else { return nil }
    let value = Double((2 + (magnitude & 1)) << ((magnitude >> 1) + bias))
    return code & 8 == 0 ? value : -value
  }

  /// Both values of a pair of codes.
  /// - Throws: `code-range`, `unused-code`.
  public func values(_ first: Int, _ second: Int) throws(DiagnosticError) -> (Double, Double) {
    guard first != Self.mark || second != Self.mark else { throw unused(first, second) }
    if second == Self.mark || first == Self.mark {
      let code = second == Self.mark ? first : second
      guard (0..<16).contains(code) else {
        throw DiagnosticError("code-range", "code \(code) of \(normal.name) is outside 0 ... 15")
      }
      guard let value = outlier(code) else { throw unused(first, second) }
      return second == Self.mark ? (value, 0) : (0, value)
    }
    return (try normal.value(of: first), try normal.value(of: second))
  }

  /// The codes of two values: where one is beyond the threshold, the larger in magnitude becomes the outlier (the first
  /// of equals) and saturates, the other the victim.
  /// - Throws: `no-nan`.
  public func codes(_ first: Double, _ second: Double) throws(DiagnosticError) -> (Int, Int) {
    if first.isNaN || second.isNaN { _ = try normal.code(of: .nan) }
    guard max(abs(first), abs(second)) > threshold else {
      return (try normal.code(of: first), try normal.code(of: second))
    }
    return abs(first) >= abs(second)
      ? (outlierCode(first), Self.mark) : (Self.mark, outlierCode(second))
  }

  /// The nearest outlier, the smaller magnitude of two that are as near.
  private func outlierCode(_ value: Double) -> Int {
    var best = 1
    for code in 2..<8 {
      guard let candidate = outlier(code), let current = outlier(best) else { continue }
      if abs(abs(value) - candidate) < abs(abs(value) - current) { best = code }
    }
    // An infinity is as far from all: the largest.
    if value.isInfinite { best = 7 }
    return value.sign == .minus ? best | 8 : best
  }

  private func unused(_ first: Int, _ second: Int) -> DiagnosticError {
    DiagnosticError(
      "unused-code",
      "codes \(ElementCode.binary(first, 4)) \(ElementCode.binary(second, 4)) of \(normal.name) stand for no pair",
      hint: "encoding never makes them; the data are damaged or of another format")
  }
}

extension NumberFormat {
  private static func olive(_ name: String, _ values: [CodeValue], bias: Int, _ summary: String)
    -> NumberFormat
  {
    let code = ElementCode.table(name: name, bits: 4, values)
    return NumberFormat(
      name, summary, source: "Guo et al., \"OliVe\", ISCA 2023, sections III and IV", code: code,
      scheme: ScaleScheme(.real(bits: 16), per: .channel),
      dequantisation: "a decoder a pair at the array's edge: exponent and integer",
      notes: [
        "Code 1000 marks the victim of a pair; its neighbour is then an abfloat E2M1.",
        "Of two outliers in a pair the smaller becomes 0.",
      ], pairs: OutlierPairs(normal: code, bias: bias))
  }

  static let oliveInt4 = olive(
    "olive-int4", (0..<16).map { $0 == 8 ? .unused : .number(Double($0 < 8 ? $0 : $0 - 16)) },
    bias: 2,
    "int4 in pairs, -7 ... 7, outliers 12 ... 96 in place of a neighbour")

  static let oliveFlint4 = olive(
    "olive-flint4", Flint.signed(bits: 4).enumerated().map { $0 == 8 ? .unused : $1 }, bias: 3,
    "flint4 in pairs, -16 ... 16, outliers 24 ... 192 in place of a neighbour")
}
