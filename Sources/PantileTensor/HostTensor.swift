import PantileSupport

/// A dense tensor in host memory: row-major, little-endian, copy-on-write.
///
/// `i1` and `i4` elements take one byte each (0 or 1; the signed value), `bf16` elements are 16-bit patterns.
public struct HostTensor: Sendable {
  /// Extents, outermost first; an empty shape is a scalar with one element.
  public internal(set) var shape: [Int]
  public internal(set) var elementType: ElementType
  var storage: TensorStorage

  /// All zeros.
  /// - Precondition: no negative extent, and the size in bytes fits in `Int`.
  public init(shape: [Int], elementType: ElementType) {
    self.init(
      shape: shape, elementType: elementType,
      storage: TensorStorage(zeroed: Self.count(of: shape) * elementType.storageBytes))
  }

  /// The values in row-major order.
  /// - Precondition: as many values as the shape has elements.
  public init<T: TensorScalar>(shape: [Int], values: [T]) {
    self.init(shape: shape, elementType: T.elementType, values: values)
  }

  /// The values in row-major order, with an element type that `T` stores (`i4` in `Int8`, `i1` in `UInt8`, `bf16` in `UInt16`).
  /// - Precondition: as many values as the shape has elements.
  public init<T: TensorScalar>(shape: [Int], elementType: ElementType, values: [T]) {
    precondition(values.count == Self.count(of: shape), "\(values.count) values for shape \(shape)")
    precondition(T.storedTypes.contains(elementType), "\(T.self) does not store \(elementType)")
    self.init(
      shape: shape, elementType: elementType,
      storage: TensorStorage(uninitialized: values.count * elementType.storageBytes))
    values.withUnsafeBytes { source in
      UnsafeMutableRawBufferPointer(start: storage.base, count: storage.byteCount).copyMemory(from: source)
    }
  }

  /// A scalar.
  public init<T: TensorScalar>(scalar: T) { self.init(shape: [], values: [scalar]) }

  /// Raw little-endian elements.
  /// - Precondition: the byte count is that of the shape.
  public init(shape: [Int], elementType: ElementType, bytes: UnsafeRawBufferPointer) {
    let byteCount = Self.count(of: shape) * elementType.storageBytes
    precondition(bytes.count == byteCount, "\(bytes.count) bytes for \(elementType) of shape \(shape)")
    self.init(shape: shape, elementType: elementType, storage: TensorStorage(uninitialized: byteCount))
    UnsafeMutableRawBufferPointer(start: storage.base, count: byteCount).copyMemory(from: bytes)
  }

  /// A part of a mapped file; nothing is copied when the offset suits the element's alignment.
  /// - Precondition: the range lies in the file.
  public init(shape: [Int], elementType: ElementType, file: MappedFile, offset: Int) {
    let mapped = TensorStorage(
      file: file, offset: offset, byteCount: Self.count(of: shape) * elementType.storageBytes)
    self.init(
      shape: shape, elementType: elementType,
      storage: offset % elementType.storageBytes == 0 ? mapped : mapped.copy())
  }

  /// Memory of unspecified contents that `fill` writes completely.
  public init<T: TensorScalar>(
    shape: [Int], elementType: ElementType, fill: (UnsafeMutableBufferPointer<T>) -> Void
  ) {
    precondition(T.storedTypes.contains(elementType), "\(T.self) does not store \(elementType)")
    let count = Self.count(of: shape)
    self.init(
      shape: shape, elementType: elementType, storage: TensorStorage(uninitialized: count * elementType.storageBytes))
    let pointer = storage.base.bindMemory(to: T.self, capacity: count)
    fill(UnsafeMutableBufferPointer(start: pointer, count: count))
  }

  init(shape: [Int], elementType: ElementType, storage: TensorStorage) {
    self.shape = shape
    self.elementType = elementType
    self.storage = storage
  }

  /// The number of elements.
  public var count: Int { Self.count(of: shape) }

  /// The bytes in host memory.
  public var byteCount: Int { storage.byteCount }

  /// The elements in one innermost row step of each dimension; `strides[rank - 1]` is 1.
  public var strides: [Int] { Self.strides(of: shape) }

  /// The product of the extents.
  public static func count(of shape: [Int]) -> Int { shape.reduce(1, *) }

  /// Row-major strides in elements.
  public static func strides(of shape: [Int]) -> [Int] {
    var result = [Int](repeating: 1, count: shape.count)
    for axis in stride(from: shape.count - 2, through: 0, by: -1) { result[axis] = result[axis + 1] * shape[axis + 1] }
    return result
  }

  /// The elements as a typed buffer, valid during the call.
  /// - Precondition: `T` stores the element type.
  public func withValues<T: TensorScalar, R, E: Error>(
    as type: T.Type, _ body: (UnsafeBufferPointer<T>) throws(E) -> R
  ) throws(E) -> R {
    precondition(T.storedTypes.contains(elementType), "a tensor of \(elementType) read as \(T.self)")
    defer { withExtendedLifetime(storage) {} }
    let count = self.count
    return try body(
      UnsafeBufferPointer(start: UnsafePointer(storage.base.bindMemory(to: T.self, capacity: count)), count: count))
  }

  /// The elements as a typed buffer for writing, valid during the call; copies first when shared.
  /// - Precondition: `T` stores the element type.
  public mutating func withMutableValues<T: TensorScalar, R, E: Error>(
    as type: T.Type, _ body: (UnsafeMutableBufferPointer<T>) throws(E) -> R
  ) throws(E) -> R {
    precondition(T.storedTypes.contains(elementType), "a tensor of \(elementType) written as \(T.self)")
    makeUnique()
    let count = self.count
    return try body(
      UnsafeMutableBufferPointer(start: storage.base.bindMemory(to: T.self, capacity: count), count: count))
  }

  /// The raw little-endian bytes, valid during the call.
  public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
    defer { withExtendedLifetime(storage) {} }
    return try body(UnsafeRawBufferPointer(start: storage.base, count: storage.byteCount))
  }

  /// The raw little-endian bytes for writing; copies first when shared.
  public mutating func withUnsafeMutableBytes<R, E: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    makeUnique()
    return try body(UnsafeMutableRawBufferPointer(start: storage.base, count: storage.byteCount))
  }

  /// The elements as an array.
  /// - Precondition: `T` stores the element type.
  public func values<T: TensorScalar>(as type: T.Type) -> [T] { withValues(as: type) { Array($0) } }

  private mutating func makeUnique() {
    if !storage.isWritable || !isKnownUniquelyReferenced(&storage) { storage = storage.copy() }
  }
}

extension HostTensor: Equatable {
  /// Same shape, element type and bits (so NaN equals the same NaN and `-0.0` differs from `0.0`).
  public static func == (a: HostTensor, b: HostTensor) -> Bool {
    guard a.shape == b.shape, a.elementType == b.elementType else { return false }
    if a.storage === b.storage { return true }
    return a.withUnsafeBytes { first in b.withUnsafeBytes { second in first.elementsEqual(second) } }
  }
}

extension HostTensor: CustomStringConvertible {
  /// Type and the first values: `2x3xf32 [0.0, 1.0, …]`.
  public var description: String {
    let type = (shape.map(String.init) + [elementType.rawValue]).joined(separator: "x")
    let head = (0..<min(count, 8)).map { elementType.isFloat ? "\(double(at: $0))" : "\(integer(at: $0))" }
    return "\(type) [\(head.joined(separator: ", "))\(count > 8 ? ", …" : "")]"
  }
}
