/// FNV-1a with 64 bits: the same on every machine and in every run, unlike `Hasher`.
///
/// **Source** Fowler, Noll, Vo; parameters of the 64-bit variant.
public struct StableHash: Sendable {
  public private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

  public init() {}

  @inlinable public mutating func combine<S: Sequence>(bytes: S) where S.Element == UInt8 {
    for byte in bytes { combine(byte: byte) }
  }

  public mutating func combine(byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }

  /// Mixes a whole buffer in without a call per byte.
  public mutating func combine(buffer: UnsafeRawBufferPointer) {
    var state = value
    for byte in buffer { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
    value = state
  }

  /// Length first, so that `"ab","c"` and `"a","bc"` differ.
  public mutating func combine(_ text: String) {
    combine(text.utf8.count)
    combine(bytes: text.utf8)
  }

  public mutating func combine(_ number: Int) {
    withUnsafeBytes(of: UInt64(bitPattern: Int64(number)).littleEndian) { combine(bytes: $0) }
  }

  /// Sixteen hexadecimal digits.
  public var hexadecimal: String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// The hash of the UTF-8 bytes alone (no length), as the weight rule of model descriptions wants it.
  public static func fnv1a(_ text: String) -> UInt64 {
    var hash = StableHash()
    hash.combine(bytes: text.utf8)
    return hash.value
  }
}
