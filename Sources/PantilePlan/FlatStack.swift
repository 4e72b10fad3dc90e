/// A stack of plain elements inside one search. It grows by doubling and never shrinks; the owner calls `deallocate()`.
struct FlatStack<Element: BitwiseCopyable> {
  private var buffer: UnsafeMutableBufferPointer<Element>
  private(set) var count = 0

  init(capacity: Int = 64) { buffer = .allocate(capacity: max(1, capacity)) }

  func deallocate() { buffer.deallocate() }

  subscript(_ index: Int) -> Element {
    @inline(__always) get { buffer[index] }
    @inline(__always) nonmutating set { buffer[index] = newValue }
  }

  @inline(__always) mutating func push(_ element: Element) {
    if count == buffer.count { grow() }
    buffer.initializeElement(at: count, to: element)
    count &+= 1
  }

  /// Forgets the elements above the first `count`.
  @inline(__always) mutating func trim(to count: Int) { self.count = count }

  private mutating func grow() {
    let larger = UnsafeMutableBufferPointer<Element>.allocate(capacity: buffer.count * 2)
    _ = larger.initialize(fromContentsOf: buffer)
    buffer.deallocate()
    buffer = larger
  }
}
