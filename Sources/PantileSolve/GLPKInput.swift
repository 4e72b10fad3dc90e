import CGuard

/// A model as the flat arrays that the guard takes.
struct GLPKInput {
  var lower: [Double]
  var upper: [Double]
  var objective: [Double]
  var isInteger: [UInt8]
  var rowLower: [Double]
  var rowUpper: [Double]
  /// Entries count from 1; the first of each is unused.
  var entryRow: [Int32] = [0]
  var entryColumn: [Int32] = [0]
  var entryValue: [Double] = [0]
  var isMaximised = false

  /// Calls with pointers that are valid during the call.
  func withModel<Result>(_ body: (inout cguard_model) -> Result) -> Result {
    lower.withUnsafeBufferPointer { lower in
      upper.withUnsafeBufferPointer { upper in
        objective.withUnsafeBufferPointer { objective in
          isInteger.withUnsafeBufferPointer { isInteger in
            rowLower.withUnsafeBufferPointer { rowLower in
              rowUpper.withUnsafeBufferPointer { rowUpper in
                entryRow.withUnsafeBufferPointer { entryRow in
                  entryColumn.withUnsafeBufferPointer { entryColumn in
                    entryValue.withUnsafeBufferPointer { entryValue in
                      var model = cguard_model()
                      model.columns = Int32(clamping: lower.count)
                      model.rows = Int32(clamping: rowLower.count)
                      model.entries = Int32(clamping: entryValue.count - 1)
                      model.maximise = isMaximised ? 1 : 0
                      model.column_lower = lower.baseAddress
                      model.column_upper = upper.baseAddress
                      model.objective = objective.baseAddress
                      model.is_integer = isInteger.baseAddress
                      model.row_lower = rowLower.baseAddress
                      model.row_upper = rowUpper.baseAddress
                      model.entry_row = entryRow.baseAddress
                      model.entry_column = entryColumn.baseAddress
                      model.entry_value = entryValue.baseAddress
                      return body(&model)
                    }
                  }
                }
              }
            }
          }
        }
      }
    }
  }
}

extension cguard_result {
  /// What GLPK said, on one line.
  var text: String {
    let text = withUnsafeBytes(of: message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    return text.isEmpty ? "code \(code)" : text.split(whereSeparator: \.isNewline).joined(separator: " ")
  }
}
