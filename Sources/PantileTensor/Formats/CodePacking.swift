import PantileSupport

/// How codes lie in memory.
public enum CodePacking: String, CaseIterable, Hashable, Sendable {
  /// Fields of the code's bits from the low bits of each byte upward, the first code lowest; rows padded with zero bits
  /// to bytes.
  case fields
  /// Five codes of three values in a byte: the first counts 1, the next 3, 9, 27, 81. The last byte of a row is filled
  /// up with zeros.
  case baseThree = "base-3"
  /// Codes of six bits as two planes of a row: first the low 4 bits of all codes, two a byte, then the high 2 bits,
  /// four a byte, so that loads of whole bytes stay aligned.
  ///
  /// **Source** Wu et al., "ZeroQuant(4+2)", arXiv 2312.08583, section 4.
  case splitPlanes = "4+2"

  /// Bits that a row of codes takes, padding included.
  public func rowBits(rowLength: Int, bits: Int) -> Int {
    switch self {
    case .fields: (rowLength * bits + 7) / 8 * 8
    case .baseThree: (rowLength + 4) / 5 * 8
    case .splitPlanes: ((rowLength + 1) / 2 + (rowLength + 3) / 4) * 8
    }
  }

  /// Packs rows of `rowLength` codes.
  /// - Precondition: the count is a multiple of the row length; `baseThree` takes codes of two bits, `splitPlanes` of
  /// six.
  /// - Throws: `code-range` with the first code that does not fit.
  public func pack(_ codes: [Int], rowLength: Int, bits: Int) throws(DiagnosticError) -> [UInt8] {
    check(rowLength, bits)
    precondition(codes.count % rowLength == 0, "\(codes.count) codes in rows of \(rowLength)")
    let limit = self == .baseThree ? 3 : 1 << bits
    if let position = codes.firstIndex(where: { $0 < 0 || $0 >= limit }) {
      throw DiagnosticError(
        "code-range",
        "code \(codes[position]) at position \(position) is outside 0 ... \(limit - 1)")
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(codes.count / rowLength * rowBits(rowLength: rowLength, bits: bits) / 8)
    for start in stride(from: 0, to: codes.count, by: rowLength) {
      let row = codes[start..<start + rowLength]
      switch self {
      case .fields: CodePacking.append(row, bits: bits, to: &bytes)
      case .baseThree:
        for group in stride(from: row.startIndex, to: row.endIndex, by: 5) {
          var (byte, weight) = (0, 1)
          for code in row[group..<min(group + 5, row.endIndex)] {
            byte += code * weight
            weight *= 3
          }
          bytes.append(UInt8(byte))
        }
      case .splitPlanes:
        CodePacking.append(row.map { $0 & 15 }[...], bits: 4, to: &bytes)
        CodePacking.append(row.map { $0 >> 4 }[...], bits: 2, to: &bytes)
      }
    }
    return bytes
  }

  /// The codes again.
  /// - Precondition: as for packing.
  /// - Throws: `packed-size` when the bytes are not those of `rows` rows, `code-range` for a byte that no five codes
  /// make.
  public func unpack(_ bytes: [UInt8], rows: Int, rowLength: Int, bits: Int) throws(DiagnosticError)
    -> [Int]
  {
    check(rowLength, bits)
    let rowBytes = rowBits(rowLength: rowLength, bits: bits) / 8
    guard bytes.count == rows * rowBytes else {
      throw DiagnosticError(
        "packed-size",
        "\(bytes.count) bytes, but \(rows) rows of \(rowLength) codes of \(bits) bits take \(rows * rowBytes)"
      )
    }
    var codes: [Int] = []
    codes.reserveCapacity(rows * rowLength)
    for row in 0..<rows {
      let slice = bytes[row * rowBytes..<(row + 1) * rowBytes]
      switch self {
      case .fields: codes += CodePacking.fields(slice, count: rowLength, bits: bits)
      case .baseThree:
        for (index, byte) in slice.enumerated() {
          guard byte < 243 else {
            throw DiagnosticError(
              "code-range", "byte \(byte) in row \(row) stands for no five codes of three values")
          }
          var rest = Int(byte)
          for _ in 0..<min(5, rowLength - index * 5) {
            codes.append(rest % 3)
            rest /= 3
          }
        }
      case .splitPlanes:
        let lowBytes = (rowLength + 1) / 2
        let low = CodePacking.fields(slice.prefix(lowBytes), count: rowLength, bits: 4)
        let high = CodePacking.fields(slice.dropFirst(lowBytes), count: rowLength, bits: 2)
        codes += zip(low, high).map { $0 | $1 << 4 }
      }
    }
    return codes
  }

  private func check(_ rowLength: Int, _ bits: Int) {
    precondition(
      rowLength > 0 && (1...16).contains(bits), "rows of \(rowLength) codes of \(bits) bits")
    precondition(self != .baseThree || bits == 2, "base-3 packing of codes of \(bits) bits")
    precondition(self != .splitPlanes || bits == 6, "4+2 packing of codes of \(bits) bits")
  }

  private static func append(_ codes: ArraySlice<Int>, bits: Int, to bytes: inout [UInt8]) {
    var (pending, count) = (0, 0)
    for code in codes {
      pending |= code << count
      count += bits
      while count >= 8 {
        bytes.append(UInt8(truncatingIfNeeded: pending))
        pending >>= 8
        count -= 8
      }
    }
    if count > 0 { bytes.append(UInt8(truncatingIfNeeded: pending)) }
  }

  private static func fields(_ bytes: ArraySlice<UInt8>, count: Int, bits: Int) -> [Int] {
    var (pending, held, next) = (0, 0, bytes.startIndex)
    return (0..<count).map { _ in
      while held < bits {
        pending |= Int(bytes[next]) << held
        held += 8
        next += 1
      }
      let code = pending & ((1 << bits) - 1)
      pending >>= bits
      held -= bits
      return code
    }
  }
}
