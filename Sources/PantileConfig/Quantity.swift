/// A number with its unit as written: `256 KiB`, `19.2 GB/s`, `100 cycles`, `96/5 B/cycle`.
struct Quantity {
  var number: Ratio
  /// Empty when no unit was written.
  var unit: String

  enum Failure: Error {
    case notANumber
    case tooLarge
  }

  /// Splits and reads `text`: an optional sign, digits with optional `_`, an optional fraction (`.5`), an optional
  /// denominator (`/5`), optional space, the unit.
  init(_ text: String) throws(Failure) {
    var rest = text.utf8[...]
    func skipSpace() { while rest.first == UInt8(ascii: " ") { rest.removeFirst() } }
    func isDigit(_ byte: UInt8?) -> Bool { byte.map { $0 >= 48 && $0 <= 57 } ?? false }

    skipSpace()
    var isNegative = false
    if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") {
      isNegative = rest.removeFirst() == UInt8(ascii: "-")
    }
    guard isDigit(rest.first) else { throw .notANumber }
    var mantissa = 0
    func readDigits() throws(Failure) -> Int {
      var digits = 0
      while let byte = rest.first, isDigit(byte) || (byte == UInt8(ascii: "_") && isDigit(rest.dropFirst().first)) {
        rest.removeFirst()
        if byte == UInt8(ascii: "_") { continue }
        let (scaled, overflow) = mantissa.multipliedReportingOverflow(by: 10)
        let (sum, carry) = scaled.addingReportingOverflow(Int(byte - 48))
        guard !overflow, !carry else { throw .tooLarge }
        mantissa = sum
        digits += 1
      }
      return digits
    }
    _ = try readDigits()
    var denominator = 1
    if rest.first == UInt8(ascii: "."), isDigit(rest.dropFirst().first) {
      rest.removeFirst()
      for _ in 0..<(try readDigits()) {
        let (scaled, overflow) = denominator.multipliedReportingOverflow(by: 10)
        guard !overflow else { throw .tooLarge }
        denominator = scaled
      }
    }
    if rest.first == UInt8(ascii: "/"), isDigit(rest.dropFirst().first) {
      rest.removeFirst()
      let numerator = mantissa
      mantissa = 0
      _ = try readDigits()
      guard mantissa > 0, denominator == 1 else { throw .notANumber }
      denominator = mantissa
      mantissa = numerator
    }
    number = Ratio(isNegative ? -mantissa : mantissa, over: denominator)
    skipSpace()
    while rest.last == UInt8(ascii: " ") { rest.removeLast() }
    guard let unit = String(rest) else { throw .notANumber }
    // Letters, then `/` and letters at most; `1e9` or `16x` is not a number followed by a unit that anyone knows.
    self.unit = unit
  }
}

/// The units of one kind of quantity, as factors to the base unit.
struct UnitTable {
  /// What the quantity is, for messages: `a size`, `a clock rate`.
  var noun: String
  var example: String
  var factors: [(unit: String, factor: Ratio)]

  func factor(of unit: String) -> Ratio? { factors.first { $0.unit == unit }?.factor }

  var names: [String] { factors.map(\.unit) }

  static let bytes = UnitTable(
    noun: "a size", example: "256 KiB",
    factors: [
      ("B", Ratio(1)), ("KiB", Ratio(1 << 10)), ("MiB", Ratio(1 << 20)), ("GiB", Ratio(1 << 30)),
      ("TiB", Ratio(1 << 40)), ("kB", Ratio(1_000)), ("MB", Ratio(1_000_000)), ("GB", Ratio(1_000_000_000)),
    ])
  static let hertz = UnitTable(
    noun: "a clock rate", example: "1 GHz",
    factors: [("Hz", Ratio(1)), ("kHz", Ratio(1_000)), ("MHz", Ratio(1_000_000)), ("GHz", Ratio(1_000_000_000))])
  static let cycles = UnitTable(
    noun: "a time", example: "100 cycles", factors: [("cycles", Ratio(1)), ("cycle", Ratio(1))])
  /// Seconds; made cycles by the clock.
  static let seconds = UnitTable(
    noun: "a time", example: "100 ns",
    factors: [
      ("ps", Ratio(1, over: 1_000_000_000_000)), ("ns", Ratio(1, over: 1_000_000_000)),
      ("us", Ratio(1, over: 1_000_000)),
      ("ms", Ratio(1, over: 1_000)),
    ])
  static let bytesPerCycle = UnitTable(
    noun: "a bandwidth", example: "16 B/cycle", factors: [("B/cycle", Ratio(1)), ("KiB/cycle", Ratio(1 << 10))])
  /// Bytes per second; made bytes per cycle by the clock.
  static let bytesPerSecond = UnitTable(
    noun: "a bandwidth", example: "19.2 GB/s",
    factors: [
      ("B/s", Ratio(1)), ("kB/s", Ratio(1_000)), ("MB/s", Ratio(1_000_000)), ("GB/s", Ratio(1_000_000_000)),
      ("TB/s", Ratio(1_000_000_000_000)), ("KiB/s", Ratio(1 << 10)), ("MiB/s", Ratio(1 << 20)),
      ("GiB/s", Ratio(1 << 30)), ("TiB/s", Ratio(1 << 40)),
    ])
}

/// The value of a plain number or of a number with any known unit, in the unit's base: bytes, hertz, cycles, seconds, bytes
/// per cycle, bytes per second. Nil when the text is no such thing.
///
/// For comparing settings with each other; it does not say whether the unit fits a field.
public func baseUnitValue(of text: String) -> Ratio? {
  guard let quantity = try? Quantity(text) else { return nil }
  if quantity.unit.isEmpty { return quantity.number }
  let tables: [UnitTable] = [.bytes, .hertz, .cycles, .seconds, .bytesPerCycle, .bytesPerSecond]
  guard let factor = tables.lazy.compactMap({ $0.factor(of: quantity.unit) }).first else { return nil }
  return quantity.number.multiplied(by: factor)
}

/// A size in bytes as people write it: `1605632`, `512KiB`, `1.5 MiB`. Nil when the text is no whole number of bytes, or negative.
public func byteCount(of text: String) -> Int? {
  guard let quantity = try? Quantity(text) else { return nil }
  let factor = quantity.unit.isEmpty ? Ratio(1) : UnitTable.bytes.factor(of: quantity.unit)
  guard let bytes = factor.flatMap({ quantity.number.multiplied(by: $0) })?.whole, bytes >= 0 else { return nil }
  return bytes
}
