import PantileSupport
import PantileText

extension PackingProblem {
  /// Reads buffers from the format of MiniMalloc: a header that names the columns in any order, then one buffer a line.
  ///
  /// Columns are `id`, `lower`, `upper` (the buffer lives in steps `lower ..< upper`) and `size`; `alignment` may be there, and an
  /// `offset` of an earlier solution is passed over. Buffers with gaps in their lifetime are refused.
  ///
  /// - Throws: `bad-csv` for each line that is not such a buffer; what `check()` throws.
  public init(miniMallocCSV text: String, path: String, capacity: Int) throws(DiagnosticError) {
    let source = SourceText(text, path: path)
    var errors: [Diagnostic] = []
    func fail(_ line: Int, _ message: String, hint: String? = nil) {
      errors.append(
        source.quoting(
          Diagnostic("bad-csv", message, at: .file(path: path, line: line, column: 1), hint: hint)))
    }
    var columns: [String: Int] = [:]
    var columnCount = 0
    var lineOfName: [String: Int] = [:]
    var buffers: [Buffer] = []
    var number = 0
    // By bytes, since a carriage return and a line feed are one character.
    for bytes in text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false) {
      number += 1
      let fields = bytes.split(separator: 0x2C, omittingEmptySubsequences: false).map { field in
        String(decoding: field.drop { $0 == 0x20 || $0 == 0x09 }.trimmedEnd, as: UTF8.self)
      }
      if fields.count == 1, fields[0].isEmpty { continue }
      if columnCount == 0 {
        columnCount = fields.count
        for (index, name) in fields.enumerated() {
          if name == "gaps" {
            fail(
              number, "column 'gaps' is not supported: a buffer has one lifetime", hint: "split buffers at their gaps")
          } else if !Self.csvColumns.contains(name) {
            fail(
              number, "unknown column '\(name)'",
              hint: nearestName(to: name, among: Self.csvColumns).map { "did you mean '\($0)'?" })
          } else if columns.updateValue(index, forKey: name) != nil {
            fail(number, "column '\(name)' is there twice")
          }
        }
        for name in ["id", "lower", "upper", "size"] where columns[name] == nil {
          fail(number, "column '\(name)' is missing")
        }
        if !errors.isEmpty { throw DiagnosticError(errors) }
        continue
      }
      if fields.count != columnCount {
        fail(number, "\(fields.count) fields, the header has \(columnCount) columns")
        continue
      }
      let before = errors.count
      func integer(_ column: String, atLeast least: Int) -> Int {
        guard let index = columns[column] else { return least }
        guard let value = Int(fields[index]) else {
          fail(number, "'\(column)' is '\(fields[index])', not an integer of 64 bits")
          return least
        }
        if value < least || !ProblemLimit.holds(value) {
          fail(number, "'\(column)' is \(value), not within \(least) to \(ProblemLimit.amount)")
        }
        return value
      }
      let name = columns["id"].map { fields[$0] } ?? ""
      if name.isEmpty { fail(number, "'id' is empty") }
      if let first = lineOfName.updateValue(number, forKey: name) {
        fail(number, "'id' \(name) is already on line \(first)")
      }
      let start = integer("lower", atLeast: -ProblemLimit.amount)
      let end = integer("upper", atLeast: -ProblemLimit.amount)
      let size = integer("size", atLeast: 0)
      let alignment = integer("alignment", atLeast: 1)
      if errors.count == before, end < start { fail(number, "'upper' \(end) is below 'lower' \(start)") }
      if errors.count == before {
        buffers.append(Buffer(name, start: start, end: end, size: size, alignment: alignment))
      }
    }
    if columnCount == 0 { fail(1, "the file is empty", hint: "the first line is 'id,lower,upper,size'") }
    if !errors.isEmpty { throw DiagnosticError(errors) }
    self.init(name: path, buffers: buffers, capacity: capacity)
    try check()
  }

  /// The buffers in the format of MiniMalloc, with their offsets in a last column; without a solution only the buffers.
  /// Bank groups, fixed offsets and ties have no column.
  ///
  /// **Precondition** The solution has one offset a buffer.
  public func csv(_ solution: PackingSolution? = nil) -> String {
    precondition(solution.map { $0.offsets.count == buffers.count } ?? true, "the solution is of another problem")
    let hasAlignment = buffers.contains { $0.alignment != 1 }
    var text = "id,lower,upper,size\(hasAlignment ? ",alignment" : "")\(solution == nil ? "" : ",offset")\n"
    for (index, buffer) in buffers.enumerated() {
      text += "\(buffer.name),\(buffer.start),\(buffer.end),\(buffer.size)"
      if hasAlignment { text += ",\(buffer.alignment)" }
      if let solution { text += ",\(solution.offsets[index])" }
      text += "\n"
    }
    return text
  }

  private static let csvColumns = ["id", "lower", "upper", "size", "alignment", "offset"]
}

extension Substring.UTF8View.SubSequence {
  /// Without spaces, tabs and carriage returns at the end.
  fileprivate var trimmedEnd: Self {
    var end = endIndex
    while end > startIndex {
      let before = index(before: end)
      guard [0x20, 0x09, 0x0D].contains(self[before]) else { break }
      end = before
    }
    return self[startIndex..<end]
  }
}
