import PantileProgram
import PantileSupport
import PantileTensor

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

  /// Elements as 32-bit lanes: bytes extended by their sign or by zeros, 16-bit floats widened, 32-bit elements as they are.
  ///
  /// Padding is given as it stands in a lane.
  public func gather(
    _ access: ResolvedAccess, lanes output: UnsafeMutablePointer<Int32>, as format: Kernel.Format
  ) {
    switch format {
    case .i8: gather(access, output, Int8.self) { Int32($0) }
    case .ui8: gather(access, output, UInt8.self) { Int32($0) }
    case .bf16: gather(access, output, UInt16.self) { Int32(bitPattern: UInt32($0) << 16) }
    case .f16:
      gather(access, output, UInt16.self) { Int32(bitPattern: Float(Float16(bitPattern: $0)).bitPattern) }
    case .i32, .f32: gather(access, output, Int32.self) { $0 }
    }
  }

  /// Elements of 16 bits as Float: list order into `output`. Padding is zero.
  /// - Precondition: `numbers` is no integer.
  public func gather(
    _ access: ResolvedAccess, floats output: UnsafeMutablePointer<Float>, as numbers: Contract.Numbers
  ) {
    precondition(access.padValue == 0, "16-bit floats are padded with \(access.padValue)")
    switch numbers {
    case .integer: preconditionFailure("integers are gathered as bytes")
    case .bf16: gather(access, output, UInt16.self) { BFloat16.value(of: $0) }
    case .f16: gather(access, output, UInt16.self) { Float(Float16(bitPattern: $0)) }
    }
  }

  /// Elements of a width, widened one by one; padding becomes the access's own value.
  @inline(__always) private func gather<Element: FixedWidthInteger, Lane: BitwiseCopyable>(
    _ access: ResolvedAccess, _ output: UnsafeMutablePointer<Lane>, _ type: Element.Type,
    _ widened: (Element) -> Lane
  ) {
    let width = Element.bitWidth
    precondition(access.elementBits == width, "\(access.elementBits)-bit elements read as \(width)-bit ones")
    let stride = access.innerStride
    let base = UnsafeRawPointer(bytes.baseAddress!).assumingMemoryBound(to: Element.self)  // never empty: see init
    var pad = Int32(truncatingIfNeeded: access.padValue)
    let padding = withUnsafeBytes(of: &pad) { $0.loadUnaligned(as: Lane.self) }
    access.forEachRun { first, address, count in
      guard let address else {
        (output + first).update(repeating: padding, count: count)
        return
      }
      checkRange(address, count, stride, width)
      precondition(
        address & (width - 1) == 0 && stride & (width - 1) == 0,
        "\(width)-bit element at unaligned bit address \(address)")
      let source = base + address / width
      let target = output + first
      if stride == width {
        for i in 0..<count { target[i] = widened(source[i]) }
      } else if stride == 0 {
        target.update(repeating: widened(source[0]), count: count)
      } else {
        let step = stride / width
        for i in 0..<count { target[i] = widened(source[i &* step]) }
      }
    }
  }

  /// Stores lanes: bytes truncated, 16-bit floats rounded to nearest even; elements outside the bounds are dropped.
  public func scatter(_ access: ResolvedAccess, lanes input: UnsafePointer<Int32>, as format: Kernel.Format) {
    switch format {
    case .i8, .ui8: scatter(access, input, Int8.self) { Int8(truncatingIfNeeded: $0) }
    case .bf16:
      scatter(access, input, UInt16.self) { BFloat16.bits(of: Float(bitPattern: UInt32(bitPattern: $0))) }
    case .f16:
      scatter(access, input, UInt16.self) { Float16(Float(bitPattern: UInt32(bitPattern: $0))).bitPattern }
    case .i32, .f32: scatter(access, input, Int32.self) { $0 }
    }
  }

  @inline(__always) private func scatter<Element: FixedWidthInteger>(
    _ access: ResolvedAccess, _ input: UnsafePointer<Int32>, _ type: Element.Type, _ narrowed: (Int32) -> Element
  ) {
    let width = Element.bitWidth
    precondition(access.elementBits == width, "\(width)-bit elements written as \(access.elementBits)-bit ones")
    let stride = access.innerStride
    let base = bytes.baseAddress!.assumingMemoryBound(to: Element.self)  // never empty: see init
    let step = stride / width
    access.forEachRun { first, address, count in
      guard let address else { return }
      checkRange(address, count, stride, width)
      precondition(
        address & (width - 1) == 0 && stride & (width - 1) == 0,
        "\(width)-bit element at unaligned bit address \(address)")
      let target = base + address / width
      let source = input + first
      if step == 1 {
        for i in 0..<count { target[i] = narrowed(source[i]) }
      } else {
        for i in 0..<count { target[i &* step] = narrowed(source[i]) }
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
