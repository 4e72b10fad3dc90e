import PantileConfig
import PantileSupport

/// A condition between fields of a sweep: products of keys and numbers, compared: `engines.array0.rows * 4 <= 64`.
///
/// Numbers may have units and are compared in base units: `memories.spad.size >= 128 KiB`. `==` and `!=` also compare
/// words: `engines.array0.dataflow != os`.
public struct SweepCondition: Sendable {
  enum Comparison: String, CaseIterable {
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case greater = ">"
  }

  /// As written.
  public let text: String
  private let left: [String]
  private let comparison: Comparison
  private let right: [String]

  /// - Parameter keys: the fields that vary; anything else in the text must be a number or, for equality, a word.
  /// - Throws: `wrong-condition`.
  public init(_ text: String, keys: [String]) throws(DiagnosticError) {
    self.text = text
    var found: (comparison: Comparison, range: Range<String.Index>)?
    for comparison in Comparison.allCases where found == nil {
      if let range = SweepCondition.firstRange(of: comparison.rawValue, in: text) { found = (comparison, range) }
    }
    guard let found else {
      throw SweepCondition.wrong(text, "it compares nothing", "write for example \(keys.first ?? "key") <= 64")
    }
    comparison = found.comparison
    left = SweepCondition.factors(text[..<found.range.lowerBound])
    right = SweepCondition.factors(text[found.range.upperBound...])
    let isEquality = comparison == .equal || comparison == .notEqual
    for side in [left, right] {
      for factor in side where !keys.contains(factor) && baseUnitValue(of: factor) == nil {
        let isWord = isEquality && side.count == 1 && isConfigName(factor) && !factor.contains(".")
        guard isWord else {
          let nearest = nearestName(to: factor, among: keys).map { "did you mean '\($0)'?" }
          throw SweepCondition.wrong(
            text, "'\(factor)' is neither a varied field nor a number",
            nearest ?? "fields: \(keys.joined(separator: ", "))")
        }
      }
    }
    guard (left + right).contains(where: keys.contains) else {
      throw SweepCondition.wrong(text, "it names no varied field", "fields: \(keys.joined(separator: ", "))")
    }
  }

  /// Whether the condition holds for these values. Sides that are no numbers are only equal or not.
  public func holds(for values: [(key: String, value: String)]) -> Bool {
    func resolve(_ side: [String]) -> [String] {
      side.map { factor in values.first { $0.key == factor }?.value ?? factor }
    }
    let (a, b) = (resolve(left), resolve(right))
    if let x = SweepCondition.product(a), let y = SweepCondition.product(b) {
      let (p, q) = (x.multipliedFullWidth(y), y.multipliedFullWidth(x))
      let order = p == q ? 0 : p < q ? -1 : 1
      switch comparison {
      case .less: return order < 0
      case .lessOrEqual: return order <= 0
      case .equal: return order == 0
      case .notEqual: return order != 0
      case .greaterOrEqual: return order >= 0
      case .greater: return order > 0
      }
    }
    switch comparison {
    case .equal: return a == b
    case .notEqual: return a != b
    case .less, .lessOrEqual, .greaterOrEqual, .greater: return false
    }
  }

  private static func product(_ factors: [String]) -> Ratio? {
    var result = Ratio(1)
    for factor in factors {
      guard let value = baseUnitValue(of: factor), let next = result.multiplied(by: value) else { return nil }
      result = next
    }
    return result
  }

  private static func factors(_ side: Substring) -> [String] {
    side.split(separator: "*", omittingEmptySubsequences: false).map { part in
      String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
  }

  private static func firstRange(of sign: String, in text: String) -> Range<String.Index>? {
    var index = text.startIndex
    while index < text.endIndex {
      if text[index...].hasPrefix(sign) { return index..<text.index(index, offsetBy: sign.count) }
      index = text.index(after: index)
    }
    return nil
  }

  private static func wrong(_ text: String, _ reason: String, _ hint: String) -> DiagnosticError {
    DiagnosticError("wrong-condition", "condition '\(text)' is wrong: \(reason)", hint: hint)
  }
}

extension Ratio {
  /// The numerator over the common denominator with `other`, exactly: comparing two such values compares the ratios.
  fileprivate func multipliedFullWidth(_ other: Ratio) -> Int128 {
    Int128(numerator) * Int128(other.denominator)
  }
}
