import PantileSupport

/// The codes of a number format: what each stands for, and which one a value gets.
///
/// Codes are the low `bits` of an integer. Some formats read a code in several ways, and keep beside the codes which
/// one holds (BitMoD's special values): those have more than one selector.
public struct ElementCode: Sendable {
  /// What becomes of finite values beyond the largest, and of infinities.
  public enum Overflow: String, CaseIterable, Hashable, Sendable {
    /// The largest value of that sign.
    case saturate
    /// Infinity, or NaN where the format has no infinity.
    case special
  }

  /// The format's name, for messages.
  public let name: String
  /// Bits of a code, 1 to 16.
  public let bits: Int
  /// Names of the ways to read a code; one empty name where there is no choice.
  public let selectors: [String]
  /// How a value between two codes, or beyond all, is treated; for people.
  public let rounding: String

  private let decode: @Sendable (_ code: Int, _ selector: Int) -> CodeValue
  /// The code of a finite value, saturated.
  private let nearest: @Sendable (_ value: Double, _ selector: Int) -> Int
  /// Whether the finite value rounds to something beyond the largest.
  private let overflows: @Sendable (_ value: Double, _ selector: Int) -> Bool
  /// Whether values beyond the largest wrap around, so that infinities have no code.
  private let wraps: Bool
  private let specials: Specials

  /// Codes that are no numbers, by sign; nil where there is none.
  struct Specials: Sendable {
    var infinity: (@Sendable (FloatingPointSign) -> Int)?
    var nan: (@Sendable (FloatingPointSign) -> Int)?
  }

  /// - Precondition: 1 to 16 bits, at least one selector.
  init(
    name: String, bits: Int, selectors: [String] = [""], rounding: String,
    specials: Specials = Specials(),
    decode: @escaping @Sendable (Int, Int) -> CodeValue,
    nearest: @escaping @Sendable (Double, Int) -> Int,
    overflows: @escaping @Sendable (Double, Int) -> Bool, wraps: Bool = false
  ) {
    precondition(
      (1...16).contains(bits) && !selectors.isEmpty,
      "codes of \(bits) bits, \(selectors.count) selectors")
    self.name = name
    self.bits = bits
    self.selectors = selectors
    self.rounding = rounding
    self.specials = specials
    self.decode = decode
    self.nearest = nearest
    self.overflows = overflows
    self.wraps = wraps
  }

  /// The number of codes.
  public var count: Int { 1 << bits }
  public var hasInfinity: Bool { specials.infinity != nil }
  public var hasNaN: Bool { specials.nan != nil }

  /// What a code stands for.
  /// - Precondition: a code of the format, one of its selectors.
  public func meaning(of code: Int, selector: Int = 0) -> CodeValue {
    precondition(
      code >= 0 && code < count && selectors.indices.contains(selector),
      "code \(code), selector \(selector)")
    return decode(code, selector)
  }

  /// The value of a code.
  /// - Throws: `code-range` when it has more bits than the format, `unused-code` when it stands for nothing.
  public func value(of code: Int, selector: Int = 0) throws(DiagnosticError) -> Double {
    guard code >= 0, code < count else {
      throw DiagnosticError("code-range", "code \(code) of \(name) is outside 0 ... \(count - 1)")
    }
    guard let value = meaning(of: code, selector: selector).double else {
      throw DiagnosticError(
        "unused-code", "code \(Self.binary(code, bits)) of \(name) stands for no value",
        hint: "encoding never makes it; the data are damaged or of another format")
    }
    return value
  }

  /// The code of a value.
  ///
  /// - Parameter overflow: what becomes of values that round beyond the largest one.
  /// - Throws: `no-nan`, `no-infinity` when the format has no code for it.
  public func code(
    of value: Double, selector: Int = 0, overflow: Overflow = .saturate
  ) throws(DiagnosticError) -> Int {
    if value.isNaN {
      guard let nan = specials.nan else {
        throw DiagnosticError(
          "no-nan", "\(name) has no code for NaN", hint: "replace NaN before quantising")
      }
      return nan(value.sign)
    }
    if value.isFinite, overflow == .saturate || !overflows(value, selector) {
      return nearest(value, selector)
    }
    if overflow == .saturate, !wraps {
      return nearest(
        value.sign == .minus ? -.greatestFiniteMagnitude : .greatestFiniteMagnitude, selector)
    }
    if let infinity = specials.infinity { return infinity(value.sign) }
    if let nan = specials.nan { return nan(value.sign) }
    throw DiagnosticError(
      "no-infinity",
      "\(value) is beyond the largest value of \(name), which has neither infinity nor NaN",
      hint: wraps ? "wrapping needs a finite value" : "let it saturate")
  }

  /// All finite values with their codes, ascending; of codes with equal values the first, so that negative zero is left
  /// out.
  public func numbers(selector: Int = 0) -> [(value: Double, code: Int)] {
    var numbers: [(value: Double, code: Int)] = []
    for code in 0..<count {
      if case .number(let value) = meaning(of: code, selector: selector) {
        numbers.append((value, code))
      }
    }
    numbers.sort { ($0.value, $0.code) < ($1.value, $1.code) }
    var result: [(value: Double, code: Int)] = []
    for number in numbers where result.last?.value != number.value { result.append(number) }
    return result
  }

  /// The largest magnitude that encoding makes.
  public func largestMagnitude(selector: Int = 0) -> Double {
    guard !wraps else { return numbers(selector: selector).reduce(0) { max($0, abs($1.value)) } }
    return [Double.greatestFiniteMagnitude, -.greatestFiniteMagnitude].reduce(0) { largest, value in
      max(largest, abs(meaning(of: nearest(value, selector), selector: selector).double ?? 0))
    }
  }

  /// `0101` of a code.
  public static func binary(_ code: Int, _ bits: Int) -> String {
    let digits = String(code, radix: 2)
    return String(repeating: "0", count: max(0, bits - digits.count)) + digits
  }
}
