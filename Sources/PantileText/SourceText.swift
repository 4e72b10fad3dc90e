import PantileSupport

/// The bytes of one text file and the way from a byte offset to line and column.
public struct SourceText: Sendable {
  /// The path as diagnostics print it; `-` for standard input.
  public let path: String
  let bytes: [UInt8]
  private let lineStarts: [Int]

  public init(_ text: String, path: String) {
    self.init(bytes: Array(text.utf8), path: path)
  }

  public init(bytes: [UInt8], path: String) {
    self.path = path
    self.bytes = bytes
    var starts = [0]
    bytes.withUnsafeBufferPointer { buffer in
      for index in buffer.indices where buffer[index] == 0x0A { starts.append(index + 1) }
    }
    self.lineStarts = starts
  }

  /// Line and column of a byte offset, both from 1; columns count UTF-8 bytes.
  public func location(at offset: Int) -> SourceLocation {
    let line = lineIndex(of: offset)
    return .file(path: path, line: line + 1, column: offset - lineStarts[line] + 1)
  }

  /// The line that holds `offset`, without its line end, cut to 400 bytes so that blobs do not flood a terminal.
  func excerpt(at offset: Int) -> String {
    let line = lineIndex(of: offset)
    var end = lineStarts[line]
    while end < bytes.count, bytes[end] != 0x0A, end - lineStarts[line] < 400 { end += 1 }
    if end > lineStarts[line], bytes[end - 1] == 0x0D { end -= 1 }
    return String(decoding: bytes[lineStarts[line]..<end], as: UTF8.self)
  }

  /// An error about a place in this text, with its line for the caret.
  public func error(_ code: String, _ message: String, at offset: Int, hint: String? = nil) -> DiagnosticError {
    let offset = min(max(0, offset), bytes.count)
    return DiagnosticError(code, message, at: location(at: offset), hint: hint, sourceLine: excerpt(at: offset))
  }

  func lineStart(_ number: Int) -> Int? {
    lineStarts.indices.contains(number - 1) ? lineStarts[number - 1] : nil
  }

  private func lineIndex(of offset: Int) -> Int {
    var low = 0
    var high = lineStarts.count - 1
    while low < high {
      let middle = (low + high + 1) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle - 1 }
    }
    return low
  }
}

extension SourceText {
  /// A line by its number from 1, without its line end, cut to 400 bytes; nil when there is none.
  public func line(_ number: Int) -> String? { lineStart(number).map(excerpt) }

  /// The diagnostic with the line of its place, when that is in this text.
  public func quoting(_ diagnostic: Diagnostic) -> Diagnostic {
    var result = diagnostic
    if diagnostic.sourceLine == nil, let place = diagnostic.location.filePosition, place.path == path {
      result.sourceLine = line(place.line)
    }
    return result
  }
}
