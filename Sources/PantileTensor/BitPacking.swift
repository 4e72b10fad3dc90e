import PantileSupport

/// Signed fields of 1 to 8 bits, packed from the low bits of each byte upward, each row padded with zero bits to whole bytes.
public enum BitPacking {
  /// The bytes of one packed row.
  public static func rowBytes(rowLength: Int, bits: Int) -> Int { (rowLength * bits + 7) / 8 }

  /// Packs rows of `rowLength` values.
  /// - Precondition: bits in 1 ... 8; the count is a multiple of the row length.
  /// - Throws: `field-range` with the first value outside `-2^(bits-1) ..< 2^(bits-1)`.
  public static func pack(_ values: [Int8], rowLength: Int, bits: Int) throws(DiagnosticError) -> [UInt8] {
    precondition((1...8).contains(bits), "fields of \(bits) bits")
    precondition(rowLength > 0 && values.count % rowLength == 0, "\(values.count) values in rows of \(rowLength)")
    let stride = rowBytes(rowLength: rowLength, bits: bits)
    let range = -(1 << (bits - 1))...((1 << (bits - 1)) - 1)
    let mask = UInt16(truncatingIfNeeded: (1 << bits) - 1)
    var result = [UInt8](repeating: 0, count: values.count / rowLength * stride)
    for (position, value) in values.enumerated() {
      guard range.contains(Int(value)) else {
        throw DiagnosticError(
          "field-range",
          "value \(value) at position \(position) does not fit in \(bits) bits (\(range.lowerBound) ... \(range.upperBound))"
        )
      }
      let bit = position % rowLength * bits
      let byte = position / rowLength * stride + bit / 8
      let field = (UInt16(UInt8(bitPattern: value)) & mask) << UInt16(bit % 8)
      result[byte] |= UInt8(truncatingIfNeeded: field)
      if field > 0xFF { result[byte + 1] |= UInt8(truncatingIfNeeded: field >> 8) }
    }
    return result
  }

  /// The values again, sign-extended.
  /// - Precondition: bits in 1 ... 8; `bytes` holds `rows` packed rows.
  public static func unpack(_ bytes: [UInt8], rows: Int, rowLength: Int, bits: Int) -> [Int8] {
    precondition((1...8).contains(bits), "fields of \(bits) bits")
    let stride = rowBytes(rowLength: rowLength, bits: bits)
    precondition(bytes.count == rows * stride, "\(bytes.count) bytes for \(rows) rows of \(stride) bytes")
    var result = [Int8](repeating: 0, count: rows * rowLength)
    for row in 0..<rows {
      for column in 0..<rowLength {
        let bit = column * bits
        let byte = row * stride + bit / 8
        var field = UInt16(bytes[byte])
        if bit % 8 + bits > 8 { field |= UInt16(bytes[byte + 1]) << 8 }
        let up = UInt8(truncatingIfNeeded: field >> UInt16(bit % 8)) << UInt8(8 - bits)
        result[row * rowLength + column] = Int8(bitPattern: up) >> Int8(8 - bits)
      }
    }
    return result
  }
}
