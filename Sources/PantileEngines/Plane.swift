/// An owned flat array of plain values for the register-transfer models: zeroed, not copyable, unchecked in release.
struct Plane<Element: BitwiseCopyable & FixedWidthInteger>: ~Copyable {
  let base: UnsafeMutablePointer<Element>
  let count: Int

  init(_ count: Int, repeating value: Element = 0) {
    self.base = .allocate(capacity: max(1, count))
    self.count = count
    base.initialize(repeating: value, count: max(1, count))
  }

  /// The values of lists, one behind the other.
  init(joining lists: some Sequence<[Element]>) {
    count = lists.reduce(0) { $0 + $1.count }
    base = .allocate(capacity: max(1, count))
    var next = base
    for list in lists {
      next.initialize(from: list, count: list.count)
      next += list.count
    }
  }

  deinit { base.deallocate() }

  subscript(_ index: Int) -> Element {
    @inline(__always) get {
      assert(index >= 0 && index < count)
      return base[index]
    }
    @inline(__always) nonmutating set {
      assert(index >= 0 && index < count)
      base[index] = newValue
    }
  }

  /// Moves `length` elements from `source` to `target`; the ranges may overlap.
  @inline(__always) func move(from source: Int, to target: Int, count length: Int) {
    assert(source >= 0 && target >= 0 && max(source, target) + length <= count)
    (base + target).update(from: base + source, count: length)
  }
}

extension Plane where Element == Int16 {
  /// The bytes of lists, one behind the other, each as a word of 16 bits.
  init(widening lists: [[Int8]]) {
    self.init(lists.reduce(0) { $0 + $1.count })
    var next = base
    for list in lists {
      list.withUnsafeBufferPointer { bytes in
        for index in 0..<bytes.count { next[index] = Int16(bytes[index]) }
      }
      next += list.count
    }
  }
}
