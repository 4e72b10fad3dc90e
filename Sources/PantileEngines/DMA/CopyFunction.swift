import PantileProgram
import PantileSupport

/// The meaning of `dma.copy`: elements in list order from one memory to another, padding filled in on the way.
public enum CopyFunction {
  /// - Precondition: both sides list the same number of elements of the same width, a multiple of 8 bits.
  public static func run(
    from source: ResolvedAccess, in sourceImage: MemoryImage, to destination: ResolvedAccess,
    in destinationImage: MemoryImage, scratch: inout CopyScratch
  ) {
    let width = Int(source.elementBits)
    precondition(width % 8 == 0, "copies move whole bytes, not elements of \(width) bits")
    let size = width / 8
    scratch.reserve(source.elementCount * size)
    let buffer = scratch.pointer
    let pad = UInt64(bitPattern: Int64(source.padValue)).littleEndian
    let sourceBase = UnsafeRawPointer(sourceImage.bytes.baseAddress!)  // never empty: see MemoryImage.init
    let sourceStride = source.innerStride
    source.forEachRun { first, address, count in
      let target = buffer + first * size
      guard let address else {
        withUnsafeBytes(of: pad) { bytes in
          if size == 1 {
            memset(target, bytes[0], count)
          } else {
            for i in 0..<count { target.advanced(by: i * size).copyMemory(from: bytes.baseAddress!, byteCount: size) }
          }
        }
        return
      }
      sourceImage.checkRange(address, count, sourceStride, width)
      if sourceStride == width {
        target.copyMemory(from: sourceBase + (address >> 3), byteCount: count * size)
      } else {
        for i in 0..<count {
          target.advanced(by: i * size).copyMemory(
            from: sourceBase + ((address + i * sourceStride) >> 3), byteCount: size)
        }
      }
    }
    let destinationBase = destinationImage.bytes.baseAddress!  // never empty: see MemoryImage.init
    let destinationStride = destination.innerStride
    destination.forEachRun { first, address, count in
      guard let address else { return }
      destinationImage.checkRange(address, count, destinationStride, width)
      let from = UnsafeRawPointer(buffer + first * size)
      if destinationStride == width {
        (destinationBase + (address >> 3)).copyMemory(from: from, byteCount: count * size)
      } else {
        for i in 0..<count {
          (destinationBase + ((address + i * destinationStride) >> 3)).copyMemory(
            from: from + i * size, byteCount: size)
        }
      }
    }
  }

  private static func memset(_ target: UnsafeMutableRawPointer, _ value: UInt8, _ count: Int) {
    target.initializeMemory(as: UInt8.self, repeating: value, count: count)
  }
}

/// A buffer that grows to the largest copy.
public struct CopyScratch: ~Copyable {
  private var storage: UnsafeMutableRawBufferPointer = .allocate(byteCount: 4096, alignment: 64)

  public init() {}

  deinit { storage.deallocate() }

  mutating func reserve(_ count: Int) {
    guard count > storage.count else { return }
    storage.deallocate()
    storage = .allocate(byteCount: count * 2, alignment: 64)
  }

  var pointer: UnsafeMutableRawPointer { storage.baseAddress! }  // allocated with at least 4096 bytes
}
