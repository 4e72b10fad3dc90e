import Pantile

extension DocCommand {
  /// The number format of a name; nil when there is none.
  /// - Throws: `format-range` for a fixed-point format with too many bits.
  static func format(_ name: String) throws(DiagnosticError) -> NumberFormat? {
    if let format = NumberFormat.all.first(where: { $0.name == name }) { return format }
    return try FixedPoint(name: name).map(NumberFormat.fixedPoint)
  }

  /// Rules of a number format, and all its codes where they fit on a page.
  static func page(_ format: NumberFormat) -> String {
    let code = format.code
    var text = "# number format \(format.name)\n\n\(format.summary)\n\n"
    text += "bits of a code: \(code.bits)\n"
    text += "beside the codes: \(format.scheme)\n"
    text += "bits a weight: \(format.bitsPerWeight)\n"
    text += "packing: \(format.packing.rawValue)\n"
    text += "rounding: \(code.rounding)\n"
    text += "infinity: \(code.hasInfinity ? "yes" : "no"), NaN: \(code.hasNaN ? "yes" : "no")\n"
    text += "dequantisation: \(format.dequantisation)\n"
    text += "source: \(format.source)\n"
    if !format.notes.isEmpty {
      text += "\n"
      for note in format.notes { text += "- \(note)\n" }
    }
    guard code.bits <= 8 else { return text }
    let rows = (0..<code.count).map { number in
      [ElementCode.binary(number, code.bits)] + code.selectors.indices.map { value(number, $0, of: format) }
    }
    let header = ["code"] + code.selectors.map { $0.isEmpty ? "value" : $0 }
    return text + "\n" + Table.text(header, rows)
  }

  private static func value(_ code: Int, _ selector: Int, of format: NumberFormat) -> String {
    switch format.code.meaning(of: code, selector: selector) {
    case .number(let value): value == value.rounded() && abs(value) < 1e15 ? number(value) : "\(value)"
    case .infinity(.plus): "inf"
    case .infinity(.minus): "-inf"
    case .nan: "nan"
    case .unused: format.pairs != nil ? "victim" : "unused"
    }
  }

  /// `3`, `-0`.
  private static func number(_ value: Double) -> String { value == 0 && value.sign == .minus ? "-0" : "\(Int(value))" }
}
