import PantileSupport

/// Numbers as people read them; the JSON form keeps the exact ones.
package enum Format {
  /// `1,234,567`.
  package static func grouped(_ value: Int) -> String {
    let digits = Array(String(value.magnitude))
    var result = value < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { result.append(",") }
      result.append(digit)
    }
    return result
  }

  /// A fixed number of decimals, rounded half away from zero; `-0.0` is written `0.0`.
  package static func fixed(_ value: Double, _ decimals: Int) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
    var scale = 1
    for _ in 0..<decimals { scale *= 10 }
    let scaled = Int((abs(value) * Double(scale)).rounded(.toNearestOrAwayFromZero))
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard decimals > 0 else { return "\(sign)\(scaled)" }
    let fraction = String(scaled % scale)
    return "\(sign)\(scaled / scale)." + String(repeating: "0", count: decimals - fraction.count) + fraction
  }

  /// `12.3 %` of a share 0 ... 1.
  package static func percent(_ share: Double) -> String { fixed(share * 100, 1) + " %" }

  /// Three or four digits and a prefix: `12.3 uJ`.
  package static func energy(picojoules: Double) -> String {
    scaled(picojoules, [("pJ", 1), ("nJ", 1e3), ("uJ", 1e6), ("mJ", 1e9), ("J", 1e12)])
  }

  /// `12.3 us`.
  package static func time(seconds: Double) -> String {
    scaled(seconds * 1e9, [("ns", 1), ("us", 1e3), ("ms", 1e6), ("s", 1e9)])
  }

  /// `1 GHz`, `800 MHz`.
  package static func clock(hertz: Double) -> String {
    for (unit, factor) in [("GHz", 1e9), ("MHz", 1e6), ("kHz", 1e3)] where hertz >= factor {
      let value = hertz / factor
      return (value == value.rounded() ? fixed(value, 0) : fixed(value, 2)) + " " + unit
    }
    return fixed(hertz, 0) + " Hz"
  }

  /// `1.5 KiB`.
  package static func bytes(_ count: Int) -> String { Bytes(count).description }

  /// `12.3 k`, `1.82 G`: a count with a decimal prefix.
  package static func count(_ value: Int) -> String {
    value < 10_000
      ? "\(value)" : scaled(Double(value), [("", 1), ("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12)])
  }

  /// The text, or its head and tail with `…` between when it is longer than `width` characters.
  package static func shortened(_ text: String, to width: Int) -> String {
    guard text.count > width, width > 4 else { return text }
    // Names of one network differ at their ends more than at their starts.
    let tail = (width - 1) * 2 / 3
    return "\(text.prefix(width - 1 - tail))…\(text.suffix(tail))"
  }

  private static func scaled(_ value: Double, _ units: [(name: String, factor: Double)]) -> String {
    let unit = units.last { abs(value) >= $0.factor * 0.9995 } ?? units[0]
    let number = value / unit.factor
    let decimals = abs(number) >= 99.95 ? 0 : abs(number) >= 9.995 ? 1 : 2
    return unit.name.isEmpty ? fixed(number, decimals) : "\(fixed(number, decimals)) \(unit.name)"
  }
}
