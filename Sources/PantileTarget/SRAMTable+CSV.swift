import Foundation
import PantileSupport

func logarithm(_ value: Double) -> Double { Foundation.log(value) }
func exponential(_ value: Double) -> Double { Foundation.exp(value) }

extension SRAMTable {
  /// The points of one node and cell type in a CSV file with the columns `tech_nm, cell_type, size_bytes, width_bits,
  /// banks, read_pj, write_pj, leakage_mw_total, area_mm2, cycle_ns`; further columns are ignored, `#` starts a comment line.
  /// - Throws: `missing-key` for a column, `wrong-type` for a cell, `wrong-value` when no row matches.
  static func points(csv text: String, path: String, node: Int, cells: String) throws(DiagnosticError) -> [Point] {
    var header: [Substring]?
    var columns: [String: Int] = [:]
    var points: [Point] = []
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let line = line.last == "\r" ? line.dropLast() : line
      if line.isEmpty || line.first == "#" { continue }
      let values = line.split(separator: ",", omittingEmptySubsequences: false)
      let location = SourceLocation.file(path: path, line: number + 1, column: 1)
      if header == nil {
        header = values
        for (index, name) in values.enumerated() { columns[String(name)] = index }
        for name in requiredColumns where columns[name] == nil {
          throw DiagnosticError("missing-key", "the table has no column '\(name)'", at: location)
        }
        continue
      }
      func cell(_ name: String) throws(DiagnosticError) -> Substring {
        // Every required column is in the map: checked with the header.
        guard let index = columns[name], index < values.count else {
          throw DiagnosticError(
            "wrong-type", "the row has \(values.count) cells, the header \(header?.count ?? 0)", at: location)
        }
        return values[index]
      }
      func figure(_ name: String) throws(DiagnosticError) -> Double {
        guard let value = Double(try cell(name)), value.isFinite, value > 0 else {
          throw DiagnosticError(
            "wrong-type", "\(name) must be a positive number, found '\(try cell(name))'", at: location)
        }
        return value
      }
      func count(_ name: String) throws(DiagnosticError) -> Int {
        guard let value = Int(try cell(name)), value > 0 else {
          throw DiagnosticError(
            "wrong-type", "\(name) must be a positive count, found '\(try cell(name))'", at: location)
        }
        return value
      }
      guard try count("tech_nm") == node, try cell("cell_type") == cells else { continue }
      points.append(
        Point(
          size: try count("size_bytes"), width: try count("width_bits"), banks: try count("banks"),
          readEnergy: Picojoules(try figure("read_pj")), writeEnergy: Picojoules(try figure("write_pj")),
          leakage: try figure("leakage_mw_total"), area: try figure("area_mm2"), cycleTime: try figure("cycle_ns")))
    }
    guard !points.isEmpty else {
      throw DiagnosticError(
        "wrong-value", "the table has no row for \(node) nm and cells '\(cells)'",
        at: .file(path: path, line: 1, column: 1))
    }
    return points
  }

  private static let requiredColumns = [
    "tech_nm", "cell_type", "size_bytes", "width_bits", "banks", "read_pj", "write_pj", "leakage_mw_total", "area_mm2",
    "cycle_ns",
  ]
}
