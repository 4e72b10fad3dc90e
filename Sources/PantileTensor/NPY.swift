import Foundation
import PantileSupport

/// The `.npy` array file of numpy: versions 1, 2 and 3 are read, version 1 (2 for long headers) is written.
///
/// **Source** NumPy Enhancement Proposal 1 and `numpy.lib.format`. `bf16` has no numpy type: it is written as two raw bytes
/// (`V2`), as the common bfloat16 extension does. `i4` is written as `i1` of numpy, that is int8.
public enum NPY {
  /// Reads a file.
  /// - Throws: `cannot-read`, `npy-format` (no array file, or damaged), `npy-type` (a dtype that we do not have).
  public static func read(_ path: String) throws(DiagnosticError) -> HostTensor {
    try parse(try AtomicFile.read(path), name: path)
  }

  /// Writes a file, whole or not at all.
  /// - Throws: `cannot-write`.
  public static func write(_ tensor: HostTensor, to path: String) throws(DiagnosticError) {
    try AtomicFile.write(data(of: tensor), to: path)
  }

  /// The bytes of an array file.
  public static func data(of tensor: HostTensor) -> Data {
    let extents = tensor.shape.map(String.init).joined(separator: ", ")
    let tuple = tensor.shape.count == 1 ? "(\(extents),)" : "(\(extents))"
    var header = "{'descr': '\(descriptor(of: tensor.elementType))', 'fortran_order': False, 'shape': \(tuple), }"
    // Magic, version and length come first; data starts on a multiple of 64.
    let version: UInt8 = header.utf8.count + 64 < 65536 ? 1 : 2
    let prefix = version == 1 ? 10 : 12
    header += String(repeating: " ", count: (64 - (prefix + header.utf8.count + 1) % 64) % 64) + "\n"
    var result = Data([0x93] + Array("NUMPY".utf8) + [version, 0])
    let length = UInt32(header.utf8.count)
    for byte in 0..<(version == 1 ? 2 : 4) { result.append(UInt8(truncatingIfNeeded: length >> UInt32(8 * byte))) }
    result.append(contentsOf: header.utf8)
    tensor.withUnsafeBytes { result.append(contentsOf: $0) }
    return result
  }

  /// Reads an array from the bytes of a file; `name` is used in messages.
  /// - Throws: `npy-format`, `npy-type`.
  public static func parse(_ data: Data, name: String) throws(DiagnosticError) -> HostTensor {
    let bytes = [UInt8](data)
    guard bytes.count >= 10, bytes[0] == 0x93, Array(bytes[1..<6]) == Array("NUMPY".utf8) else {
      throw DiagnosticError("npy-format", "'\(name)' is not an .npy file", hint: "write it with numpy.save")
    }
    guard (1...3).contains(bytes[6]) else {
      throw damaged(name, "unknown version \(bytes[6]).\(bytes[7])")
    }
    let lengthBytes = bytes[6] == 1 ? 2 : 4
    guard bytes.count >= 8 + lengthBytes else { throw damaged(name, "the header is cut off") }
    let length = (0..<lengthBytes).reduce(0) { $0 | Int(bytes[8 + $1]) << (8 * $1) }
    let start = 8 + lengthBytes + length
    guard start <= bytes.count else { throw damaged(name, "the header is cut off") }
    let text = String(decoding: bytes[(8 + lengthBytes)..<start], as: UTF8.self)
    let header = try NPYHeader(text, name: name)
    let (elementType, isBigEndian) = try elementType(of: header.descriptor, name: name)
    var count = 1
    for extent in header.shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow, product <= Int.max / 8 else { throw damaged(name, "shape \(header.shape) is too large") }
      count = product
    }
    let size = elementType.storageBytes
    guard bytes.count - start == count * size else {
      throw damaged(
        name,
        "shape \(header.shape) of \(elementType) needs \(count * size) bytes but \(bytes.count - start) follow the header"
      )
    }
    var payload = Array(bytes[start...])
    if isBigEndian, size > 1 {
      for first in stride(from: 0, to: payload.count, by: size) { payload[first..<(first + size)].reverse() }
    }
    if elementType == .i1 { payload = payload.map { $0 == 0 ? 0 : 1 } }
    let stored = header.isFortranOrder ? Array(header.shape.reversed()) : header.shape
    let tensor = payload.withUnsafeBytes { HostTensor(shape: stored, elementType: elementType, bytes: $0) }
    return header.isFortranOrder ? tensor.transposed(Array(stored.indices.reversed())) : tensor
  }

  private static func descriptor(of type: ElementType) -> String {
    switch type {
    case .f32: return "<f4"
    case .f16: return "<f2"
    case .bf16: return "<V2"
    case .f64: return "<f8"
    case .i1: return "|b1"
    case .i4, .i8: return "|i1"
    case .i16: return "<i2"
    case .i32: return "<i4"
    case .i64: return "<i8"
    case .ui8: return "|u1"
    case .ui16: return "<u2"
    case .ui32: return "<u4"
    case .ui64: return "<u8"
    }
  }

  private static func elementType(
    of descriptor: String, name: String
  ) throws(DiagnosticError) -> (ElementType, isBigEndian: Bool) {
    for type in ElementType.allCases where type != .i4 {
      let own = self.descriptor(of: type)
      guard descriptor.dropFirst() == own.dropFirst(), let order = descriptor.first else { continue }
      switch order {
      case "<", "=": return (type, false)
      case "|" where type.storageBytes == 1 || type == .bf16: return (type, false)
      case ">": return (type, true)
      default: break
      }
    }
    throw DiagnosticError(
      "npy-type", "'\(name)' has elements of type '\(descriptor)', which is not supported",
      hint: "convert it with numpy's astype to float32 or an integer type")
  }

  fileprivate static func damaged(_ name: String, _ reason: String) -> DiagnosticError {
    DiagnosticError("npy-format", "'\(name)' is a damaged .npy file: \(reason)")
  }
}

/// The dictionary in the header of an array file: a Python literal with three keys in any order.
private struct NPYHeader {
  var descriptor = ""
  var isFortranOrder = false
  var shape: [Int] = []

  init(_ text: String, name: String) throws(DiagnosticError) {
    guard let descriptor = Self.quoted(after: "descr", in: text) else {
      throw NPY.damaged(name, "no simple 'descr' in the header")
    }
    guard let order = Self.value(after: "fortran_order", in: text) else {
      throw NPY.damaged(name, "no 'fortran_order' in the header")
    }
    guard let tuple = Self.value(after: "shape", in: text), tuple.first == "(", let end = tuple.firstIndex(of: ")")
    else {
      throw NPY.damaged(name, "no 'shape' in the header")
    }
    self.descriptor = descriptor
    if order.hasPrefix("True") {
      isFortranOrder = true
    } else if !order.hasPrefix("False") {
      throw NPY.damaged(name, "'fortran_order' is neither True nor False")
    }
    for part in tuple[tuple.index(after: tuple.startIndex)..<end].split(separator: ",") {
      let digits = part.filter { $0 != " " }
      if digits.isEmpty { continue }
      // Python 2 wrote long integers with an L.
      guard let extent = Int(digits.hasSuffix("L") ? digits.dropLast() : digits[...]), extent >= 0 else {
        throw NPY.damaged(name, "'\(part)' is not an extent")
      }
      shape.append(extent)
    }
  }

  /// The text after `'key':`, without leading spaces.
  private static func value(after key: String, in text: String) -> Substring? {
    for quote in ["'", "\""] {
      guard let place = text.range(of: "\(quote)\(key)\(quote)") else { continue }
      let rest = text[place.upperBound...].drop { $0 == " " }
      guard rest.first == ":" else { return nil }
      return rest.dropFirst().drop { $0 == " " }
    }
    return nil
  }

  private static func quoted(after key: String, in text: String) -> String? {
    guard let rest = value(after: key, in: text), let quote = rest.first, quote == "'" || quote == "\"" else {
      return nil
    }
    let inner = rest.dropFirst()
    guard let end = inner.firstIndex(of: quote) else { return nil }
    return String(inner[..<end])
  }
}
