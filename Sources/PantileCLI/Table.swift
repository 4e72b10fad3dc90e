/// Columns of text, padded with spaces.
enum Table {
  /// Lines with a header; columns whose cells are all numbers are aligned to the right.
  static func text(_ header: [String], _ rows: [[String]]) -> String {
    let all = [header] + rows
    let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    let isNumber = header.indices.map { column in
      !rows.isEmpty && rows.allSatisfy { $0[column].allSatisfy { $0.isNumber || "-,. %".contains($0) } }
    }
    return all.map { row in
      let cells = row.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - row[column].count)
        return isNumber[column] ? padding + row[column] : row[column] + padding
      }
      var line = cells.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line + "\n"
    }.joined()
  }

  /// `1,234,567`.
  static func grouped(_ value: Int) -> String {
    let digits = Array(String(value.magnitude))
    var result = value < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { result.append(",") }
      result.append(digit)
    }
    return result
  }

  /// `12.3 %` of a share.
  static func percent(_ share: Double) -> String {
    let tenths = Int((share * 1000).rounded())
    return "\(tenths / 10).\(abs(tenths) % 10) %"
  }

  /// `-9.3 %`: how far a value is from another, as a share of that one.
  static func signedPercent(_ value: Int, against reference: Int) -> String {
    let share = (Double(value) - Double(reference)) / Double(reference)
    return (share <= -0.0005 ? "-" : "") + percent(abs(share))
  }

  /// `1.234` of picojoules, in microjoules.
  static func microjoules(picojoules: Double) -> String {
    let thousandths = Int((picojoules / 1000).rounded())
    let fraction = String(thousandths % 1000)
    return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
  }
}
