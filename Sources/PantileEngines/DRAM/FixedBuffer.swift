/// Storage of fixed length inside one running model, read and written in place without the uniqueness checks of an array.
///
/// **Precondition** Indices are in range; checked in debug builds only, so callers index by counts of the buffer's making.
public struct FixedBuffer<Element: BitwiseCopyable>: ~Copyable {
  @usableFromInline let base: UnsafeMutablePointer<Element>
  public let count: Int

  public init(repeating element: Element, count: Int) {
    base = .allocate(capacity: max(1, count))
    base.initialize(repeating: element, count: count)
    self.count = count
  }

  public init(_ elements: [Element]) {
    base = .allocate(capacity: max(1, elements.count))
    for (index, element) in elements.enumerated() { (base + index).initialize(to: element) }
    count = elements.count
  }

  deinit { base.deallocate() }

  @inlinable public subscript(_ index: Int) -> Element {
    @inline(__always) _read {
      assert(index >= 0 && index < count)
      yield base[index]
    }
    @inline(__always) nonmutating _modify {
      assert(index >= 0 && index < count)
      yield &base[index]
    }
  }
}
