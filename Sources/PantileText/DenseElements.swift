/// The value of `dense<…> : tensor<…>`: little-endian bytes of the elements in row-major order, or of one element that
/// stands for all (a splat).
///
/// Element sizes: integers and index the next whole power-of-two bytes (i1 and i4 take one byte), floats their width.
public struct DenseElements: Hashable, Sendable {
  public let type: TypeSyntax
  public let isSplat: Bool
  public let bytes: [UInt8]

  /// - Precondition: `bytes` holds one element (splat) or as many as the type's shape has.
  /// Equal elements become a splat, so that equality does not depend on the spelling.
  public init(type: TypeSyntax, isSplat: Bool, bytes: [UInt8]) {
    self.type = type
    let size = type.elementType.flatMap(DenseElements.byteCount) ?? 1
    if !isSplat, bytes.count >= size, (size..<bytes.count).allSatisfy({ bytes[$0] == bytes[$0 - size] }) {
      self.isSplat = true
      self.bytes = Array(bytes[0..<size])
    } else {
      self.isSplat = isSplat
      self.bytes = bytes
    }
  }

  /// A one-dimensional i64 tensor.
  public static func integers(_ values: [Int]) -> DenseElements {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(values.count * 8)
    for value in values { appendLittleEndian(UInt64(bitPattern: Int64(value)), byteCount: 8, to: &bytes) }
    return DenseElements(type: .tensor([values.count], .i64), isSplat: false, bytes: bytes)
  }

  /// The element type of the tensor or vector.
  public var element: TypeSyntax { type.elementType ?? .none }

  /// The dimensions of the tensor or vector.
  public var shape: [Int] { type.staticShape ?? [] }

  /// The number of elements of the shape.
  public var count: Int { DenseElements.elementCount(shape) ?? 0 }

  /// Bytes that one element takes.
  public var elementByteCount: Int { DenseElements.byteCount(of: element) ?? 1 }

  /// All elements written out: the splat repeated.
  public var expandedBytes: [UInt8] {
    guard isSplat else { return bytes }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count * count)
    for _ in 0..<count { result.append(contentsOf: bytes) }
    return result
  }

  /// The values of an integer tensor, sign-extended for signless and signed types; nil for other element types.
  public var integers: [Int]? {
    let signed: Bool
    switch element {
    case .integer(let width, let signedness) where width <= 64: signed = signedness != .unsigned && width > 1
    case .index: signed = true
    default: return nil
    }
    let size = elementByteCount
    let one = { (index: Int) -> Int in
      let word = readLittleEndian(bytes, at: index * size, byteCount: size)
      guard signed, size < 8 else { return Int(Int64(bitPattern: word)) }
      let shift = UInt64(64 - size * 8)
      return Int(Int64(bitPattern: word << shift) >> Int64(shift))
    }
    return isSplat ? Array(repeating: one(0), count: count) : (0..<count).map(one)
  }

  /// Bytes of one scalar in a dense blob; nil for types that have no such storage here.
  public static func byteCount(of type: TypeSyntax) -> Int? {
    switch type {
    case .integer(let width, _):
      switch width {
      case 1...8: return 1
      case 9...16: return 2
      case 17...32: return 4
      case 33...64: return 8
      default: return nil
      }
    case .index: return 8
    case .float:
      guard let width = type.bitWidth, width <= 64, width != 19 else { return nil }
      return (width + 7) / 8
    default: return nil
    }
  }

  /// The product of the dimensions; nil when it does not fit an Int.
  public static func elementCount(_ shape: [Int]) -> Int? {
    var count = 1
    for dimension in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
      if overflow || product < 0 { return nil }
      count = product
    }
    return count
  }
}

extension TypeSyntax {
  /// The element type of a tensor, vector, memref or complex.
  public var elementType: TypeSyntax? {
    switch self {
    case .tensor(_, let element, _), .unrankedTensor(let element), .memref(_, let element, _),
      .vector(_, _, let element), .complex(let element):
      return element
    case .integer, .float, .index, .none, .function, .tuple, .dialect: return nil
    }
  }

  /// The dimensions of a ranked shaped type when all are known.
  public var staticShape: [Int]? {
    switch self {
    case .tensor(let shape, _, _), .memref(let shape, _, _):
      var result: [Int] = []
      for dimension in shape {
        guard let dimension else { return nil }
        result.append(dimension)
      }
      return result
    case .vector(let shape, _, _): return shape
    case .integer, .float, .index, .none, .unrankedTensor, .function, .tuple, .complex, .dialect: return nil
    }
  }
}

func appendLittleEndian(_ word: UInt64, byteCount: Int, to bytes: inout [UInt8]) {
  for index in 0..<byteCount { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * index))) }
}

func readLittleEndian(_ bytes: [UInt8], at offset: Int, byteCount: Int) -> UInt64 {
  var word: UInt64 = 0
  for index in 0..<byteCount { word |= UInt64(bytes[offset + index]) << UInt64(8 * index) }
  return word
}
