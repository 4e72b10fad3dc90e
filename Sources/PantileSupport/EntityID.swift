/// A dense index into an arena, typed by what it points at.
public protocol EntityID: Hashable, Comparable, Sendable, BitwiseCopyable, CustomStringConvertible {
  var index: Int32 { get }
  init(index: Int32)
}

extension EntityID {
  @inlinable public init(_ index: Int) { self.init(index: Int32(index)) }
  @inlinable public var offset: Int { Int(index) }
  @inlinable public static func < (a: Self, b: Self) -> Bool { a.index < b.index }
  public var description: String { "\(Self.self)(\(index))" }
}
