import PantileProgram
import PantileSupport

/// The bytes of one memory during a functional run, with the element transfers that address generators describe.
///
/// Owned by one run; addresses have been proved in bounds by the Program's verifier, and are checked again here in
/// whole runs, not per element.
public final class MemoryImage {
  /// Zero at start.
  public let bytes: UnsafeMutableRawBufferPointer

  public init(byteCount: Int) {
    bytes = .allocate(byteCount: max(64, byteCount), alignment: 64)
    bytes.initializeMemory(as: UInt8.self, repeating: 0)
  }

  deinit { bytes.deallocate() }

  func checkRange(_ bits: Int, _ count: Int, _ stride: Int, _ width: Int) {
    let last = bits + (count - 1) * stride
    precondition(
      min(bits, last) >= 0 && max(bits, last) + width <= bytes.count * 8,
      "address outside a memory of \(bytes.count) bytes: \(bits / 8)")
  }

  /// Elements as bytes, sign-extended from sub-byte fields: list order into `output`.
  /// - Precondition: elements of at most 8 bits.
  public func gather(_ access: ResolvedAccess, signed output: UnsafeMutablePointer<Int8>) {
    let width = Int(access.elementBits)
    let stride = access.innerStride
    let pad = Int8(truncatingIfNeeded: access.padValue)
    let base = UnsafeRawPointer(bytes.baseAddress!).assumingMemoryBound(to: Int8.self)  // never empty: see init
    access.forEachRun { first, address, count in
      guard let address else {
        (output + first).update(repeating: pad, count: count)
        return
      }
      checkRange(address, count, stride, width)
      if width == 8 {
        let source = base + (address >> 3)
        if stride == 8 {
          (output + first).update(from: source, count: count)
        } else {
          let step = stride >> 3
          for i in 0..<count { output[first + i] = source[i * step] }
        }
      } else {
        for i in 0..<count {
          let field = self.field(address + i * stride, width)
          output[first + i] = Int8(truncatingIfNeeded: (field << (64 - width)) >> (64 - width))
        }
      }
    }
  }

  /// Unsigned fields of at most 8 bits, as bytes.
  public func gather(_ access: ResolvedAccess, unsigned output: UnsafeMutablePointer<UInt8>) {
    let width = Int(access.elementBits)
    let stride = access.innerStride
    access.forEachRun { first, address, count in
      guard let address else {
        (output + first).update(repeating: UInt8(truncatingIfNeeded: access.padValue), count: count)
        return
      }
      checkRange(address, count, stride, width)
      for i in 0..<count {
        output[first + i] = UInt8(truncatingIfNeeded: self.field(address + i * stride, width) & ((1 << width) - 1))
      }
    }
  }

  /// Elements as 32-bit lanes: bytes sign-extended, 32-bit elements as they are.
  public func gather(_ access: ResolvedAccess, lanes output: UnsafeMutablePointer<Int32>) {
    let stride = access.innerStride
    let pad = Int32(truncatingIfNeeded: access.padValue)
    let start = UnsafeRawPointer(bytes.baseAddress!)  // never empty: see init
    if access.elementBits == 8 {
      let base = start.assumingMemoryBound(to: Int8.self)
      access.forEachRun { first, address, count in
        guard let address else {
          (output + first).update(repeating: pad, count: count)
          return
        }
        checkRange(address, count, stride, 8)
        let source = base + (address >> 3)
        let target = output + first
        if stride == 8 {
          for i in 0..<count { target[i] = Int32(source[i]) }
        } else if stride == 0 {
          target.update(repeating: Int32(source[0]), count: count)
        } else {
          let step = stride >> 3
          for i in 0..<count { target[i] = Int32(source[i &* step]) }
        }
      }
    } else {
      let base = start.assumingMemoryBound(to: Int32.self)
      access.forEachRun { first, address, count in
        guard let address else {
          (output + first).update(repeating: pad, count: count)
          return
        }
        checkRange(address, count, stride, 32)
        precondition(address & 31 == 0 && stride & 31 == 0, "32-bit element at unaligned bit address \(address)")
        let source = base + (address >> 5)
        let target = output + first
        if stride == 32 {
          target.update(from: source, count: count)
        } else if stride == 0 {
          target.update(repeating: source[0], count: count)
        } else {
          let step = stride >> 5
          for i in 0..<count { target[i] = source[i &* step] }
        }
      }
    }
  }

  /// Stores lanes as bytes (truncated) or 32-bit elements; elements outside the bounds are dropped.
  public func scatter(_ access: ResolvedAccess, lanes input: UnsafePointer<Int32>) {
    let stride = access.innerStride
    let start = bytes.baseAddress!  // never empty: see init
    if access.elementBits == 8 {
      let base = start.assumingMemoryBound(to: Int8.self)
      let step = stride >> 3
      access.forEachRun { first, address, count in
        guard let address else { return }
        checkRange(address, count, stride, 8)
        let target = base + (address >> 3)
        let source = input + first
        if step == 1 {
          for i in 0..<count { target[i] = Int8(truncatingIfNeeded: source[i]) }
        } else {
          for i in 0..<count { target[i &* step] = Int8(truncatingIfNeeded: source[i]) }
        }
      }
    } else {
      let base = start.assumingMemoryBound(to: Int32.self)
      let step = stride >> 5
      access.forEachRun { first, address, count in
        guard let address else { return }
        checkRange(address, count, stride, 32)
        precondition(address & 31 == 0 && stride & 31 == 0, "32-bit element at unaligned bit address \(address)")
        let target = base + (address >> 5)
        let source = input + first
        if step == 1 {
          target.update(from: source, count: count)
        } else {
          for i in 0..<count { target[i &* step] = source[i] }
        }
      }
    }
  }

  /// The two's complement field of `width` bits (at most 8) at a bit address, little-endian, upper bits undefined.
  private func field(_ address: Int, _ width: Int) -> Int {
    let byte = address >> 3
    var word = Int(bytes[byte])
    if (address & 7) + width > 8 { word |= Int(bytes[byte + 1]) << 8 }
    return word >> (address & 7)
  }
}
