/// A count of clock cycles of one clock domain.
public struct Cycles: Hashable, Comparable, Sendable, BitwiseCopyable {
  public var count: Int
  @inlinable public init(_ count: Int) { self.count = count }
  @inlinable public static func < (a: Cycles, b: Cycles) -> Bool { a.count < b.count }
  @inlinable public static func + (a: Cycles, b: Cycles) -> Cycles { Cycles(a.count + b.count) }
  @inlinable public static func - (a: Cycles, b: Cycles) -> Cycles { Cycles(a.count - b.count) }
  @inlinable public static func += (a: inout Cycles, b: Cycles) { a.count += b.count }
  public static let zero = Cycles(0)
}

/// A count of bytes.
public struct Bytes: Hashable, Comparable, Sendable, BitwiseCopyable {
  public var count: Int
  @inlinable public init(_ count: Int) { self.count = count }
  @inlinable public static func < (a: Bytes, b: Bytes) -> Bool { a.count < b.count }
  @inlinable public static func + (a: Bytes, b: Bytes) -> Bytes { Bytes(a.count + b.count) }
  @inlinable public static func += (a: inout Bytes, b: Bytes) { a.count += b.count }
  public static let zero = Bytes(0)
}

extension Bytes: CustomStringConvertible {
  /// Binary units, at most one decimal: `512 B`, `1.5 KiB`, `44.6 MiB`.
  public var description: String {
    if count < 1024 { return "\(count) B" }
    for (unit, size) in [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)] where count < size << 10 || unit == "GiB"
    {
      let tenths = (count * 10 + size / 2) / size
      return tenths % 10 == 0 ? "\(tenths / 10) \(unit)" : "\(tenths / 10).\(tenths % 10) \(unit)"
    }
    preconditionFailure("unreachable: the last unit takes every count")
  }
}

/// A clock rate.
public struct Hertz: Hashable, Comparable, Sendable, BitwiseCopyable {
  public var value: Double
  @inlinable public init(_ value: Double) { self.value = value }
  @inlinable public static func < (a: Hertz, b: Hertz) -> Bool { a.value < b.value }
}

/// An amount of energy.
public struct Picojoules: Hashable, Comparable, Sendable, BitwiseCopyable {
  public var value: Double
  @inlinable public init(_ value: Double) { self.value = value }
  @inlinable public static func < (a: Picojoules, b: Picojoules) -> Bool { a.value < b.value }
  @inlinable public static func + (a: Picojoules, b: Picojoules) -> Picojoules { Picojoules(a.value + b.value) }
  @inlinable public static func += (a: inout Picojoules, b: Picojoules) { a.value += b.value }
  public static let zero = Picojoules(0)
}
