/// The bytes behind a tensor: owned and 64-byte aligned, or a read-only part of a mapped file.
final class TensorStorage: @unchecked Sendable {
  // Sendable by hand: only a unique owner writes (copy on write in `HostTensor`).
  let base: UnsafeMutableRawPointer
  let byteCount: Int
  private let file: MappedFile?

  /// Zeroed memory.
  init(zeroed byteCount: Int) {
    self.byteCount = byteCount
    base = UnsafeMutableRawPointer.allocate(byteCount: max(byteCount, 1), alignment: 64)
    base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    file = nil
  }

  /// Memory of unspecified contents that the caller fills at once.
  init(uninitialized byteCount: Int) {
    self.byteCount = byteCount
    base = UnsafeMutableRawPointer.allocate(byteCount: max(byteCount, 1), alignment: 64)
    file = nil
  }

  /// - Precondition: the range lies in the file.
  init(file: MappedFile, offset: Int, byteCount: Int) {
    precondition(offset >= 0 && byteCount >= 0 && offset + byteCount <= file.byteCount, "range outside the mapped file")
    base = file.base + offset
    self.byteCount = byteCount
    self.file = file
  }

  var isWritable: Bool { file == nil }

  func copy() -> TensorStorage {
    let result = TensorStorage(uninitialized: byteCount)
    result.base.copyMemory(from: base, byteCount: byteCount)
    return result
  }

  deinit {
    if file == nil { base.deallocate() }
  }
}
