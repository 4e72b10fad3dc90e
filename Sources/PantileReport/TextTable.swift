/// A table in plain text: columns as wide as their widest cell, two spaces between, numbers to the right.
package struct TextTable {
  package enum Alignment { case left, right }

  private var columns: [(title: String, alignment: Alignment)]
  private var rows: [[String]] = []

  package init(_ columns: [(String, Alignment)]) { self.columns = columns.map { (title: $0.0, alignment: $0.1) } }

  /// - Precondition: one cell a column.
  package mutating func add(_ cells: [String]) {
    precondition(cells.count == columns.count, "a row of \(cells.count) cells in a table of \(columns.count) columns")
    rows.append(cells)
  }

  /// All lines, each ended by a newline, no spaces at line ends.
  package var text: String {
    let widths = columns.indices.map { column in
      max(columns[column].title.count, rows.map { $0[column].count }.max() ?? 0)
    }
    func line(_ cells: [String]) -> String {
      var result = ""
      for (column, cell) in cells.enumerated() {
        if column > 0 { result += "  " }
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        result += columns[column].alignment == .left ? cell + padding : padding + cell
      }
      while result.last == " " { result.removeLast() }
      return result + "\n"
    }
    return line(columns.map(\.title)) + rows.map(line).joined()
  }
}
