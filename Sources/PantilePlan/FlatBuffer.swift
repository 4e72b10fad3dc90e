/// A buffer of fixed length inside one search: elements are read and written in place, without the uniqueness and exclusivity
/// checks of an array held by a class. The class that makes it calls `deallocate()` when it ends.
///
/// **Precondition** Indices are in range; checked in debug builds only, so callers index by the buffer's own counts.
struct FlatBuffer<Element: BitwiseCopyable> {
  let buffer: UnsafeMutableBufferPointer<Element>

  init(_ elements: [Element]) {
    buffer = .allocate(capacity: elements.count)
    _ = buffer.initialize(from: elements)
  }

  init(repeating element: Element, count: Int) {
    buffer = .allocate(capacity: count)
    buffer.initialize(repeating: element)
  }

  func deallocate() { buffer.deallocate() }

  var count: Int { @inline(__always) get { buffer.count } }

  subscript(_ index: Int) -> Element {
    @inline(__always) get { buffer[index] }
    @inline(__always) nonmutating set { buffer[index] = newValue }
  }

  /// A copy.
  var array: [Element] { Array(buffer) }
}

/// Lists of small numbers, one after another, with the care of `FlatBuffer`.
struct FlatLists {
  private let starts: FlatBuffer<Int>
  private let items: FlatBuffer<Int32>

  init(_ lists: [[Int]]) {
    var starts = [0]
    for list in lists { starts.append(starts[starts.count - 1] + list.count) }
    self.starts = FlatBuffer(starts)
    items = FlatBuffer(lists.flatMap { $0.map(Int32.init) })
  }

  func deallocate() {
    starts.deallocate()
    items.deallocate()
  }

  subscript(_ list: Int) -> UnsafeBufferPointer<Int32> {
    @inline(__always) get {
      let first = starts[list]
      return UnsafeBufferPointer(rebasing: items.buffer[first..<starts[list + 1]])
    }
  }
}
