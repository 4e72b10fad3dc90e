/// A list of trivially copyable elements for the inside of a search: grows, is read and written in place without the checks of an array
/// held by a class. The class that makes it calls `deallocate()` when it ends.
///
/// **Precondition** Indices are below `count`; checked in debug builds only.
struct GrowingBuffer<Element: BitwiseCopyable> {
  /// Behind a pointer, so that a class can hold the list as a constant: no access to it is checked for exclusivity.
  private struct Header {
    var base: UnsafeMutablePointer<Element>
    var count: Int
    var capacity: Int
  }
  private let header: UnsafeMutablePointer<Header>

  init(capacity: Int = 64) {
    header = .allocate(capacity: 1)
    header.initialize(to: Header(base: .allocate(capacity: max(1, capacity)), count: 0, capacity: max(1, capacity)))
  }

  func deallocate() {
    base.deallocate()
    header.deallocate()
  }

  var base: UnsafeMutablePointer<Element> { @inline(__always) get { header.pointee.base } }
  var count: Int { @inline(__always) get { header.pointee.count } }

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

  @inline(__always)
  func append(_ element: Element) {
    if header.pointee.count == header.pointee.capacity { grow(to: count + 1) }
    base[count] = element
    header.pointee.count += 1
  }

  /// Appends `extra` copies and returns where they begin.
  @inline(__always)
  func append(repeating element: Element, count extra: Int) -> Int {
    if count + extra > header.pointee.capacity { grow(to: count + extra) }
    for index in count..<(count + extra) { base[index] = element }
    header.pointee.count += extra
    return count - extra
  }

  func removeLast(_ number: Int = 1) { header.pointee.count -= number }

  @inline(never)
  private func grow(to least: Int) {
    let larger = max(least, header.pointee.capacity * 2)
    let moved = UnsafeMutablePointer<Element>.allocate(capacity: larger)
    moved.update(from: base, count: count)
    base.deallocate()
    header.pointee.base = moved
    header.pointee.capacity = larger
  }
}

/// Sets of small numbers as words of bits.
enum Bits {
  @inline(__always)
  static func words(for count: Int) -> Int { max(1, (count + 63) >> 6) }

  @inline(__always)
  static func has(_ set: UnsafePointer<UInt64>, _ index: Int) -> Bool { set[index >> 6] >> UInt64(index & 63) & 1 != 0 }

  @inline(__always)
  static func insert(_ set: UnsafeMutablePointer<UInt64>, _ index: Int) { set[index >> 6] |= 1 << UInt64(index & 63) }

  @inline(__always)
  static func remove(_ set: UnsafeMutablePointer<UInt64>, _ index: Int) {
    set[index >> 6] &= ~(1 << UInt64(index & 63))
  }

  @inline(__always)
  static func isSubset(_ a: UnsafePointer<UInt64>, of b: UnsafePointer<UInt64>, words: Int) -> Bool {
    for word in 0..<words where a[word] & ~b[word] != 0 { return false }
    return true
  }

  /// Calls with each member, ascending.
  @inline(__always)
  static func forEach(_ set: UnsafePointer<UInt64>, words: Int, _ body: (Int) -> Void) {
    for word in 0..<words {
      var rest = set[word]
      while rest != 0 {
        body(word << 6 + rest.trailingZeroBitCount)
        rest &= rest &- 1
      }
    }
  }

  @inline(__always)
  static func count(_ set: UnsafePointer<UInt64>, words: Int) -> Int {
    var total = 0
    for word in 0..<words { total += set[word].nonzeroBitCount }
    return total
  }
}

/// Distinct bit sets, numbered in the order in which they came.
///
/// Owns its memory: open addressing over words that stand one after another.
final class SetTable {
  let words: Int
  let storage: GrowingBuffer<UInt64>
  var count: Int { storage.count / words }
  private var slots: UnsafeMutablePointer<Int32>
  private var mask: Int

  init(words: Int) {
    self.words = words
    storage = GrowingBuffer(capacity: words * 1024)
    mask = 2047
    slots = .allocate(capacity: mask + 1)
    slots.initialize(repeating: -1, count: mask + 1)
  }

  deinit {
    storage.deallocate()
    slots.deallocate()
  }

  @inline(__always)
  func pointer(_ id: Int) -> UnsafePointer<UInt64> { UnsafePointer(storage.base + id * words) }

  private func hash(_ set: UnsafePointer<UInt64>) -> Int {
    var h: UInt64 = 0x243F_6A88_85A3_08D3
    for word in 0..<words {
      h ^= set[word]
      h = h &* 0x9E37_79B9_7F4A_7C15
      h ^= h >> 32
    }
    return Int(truncatingIfNeeded: h)
  }

  /// The number of the set, which must not lie in the table's own memory.
  func intern(_ set: UnsafePointer<UInt64>) -> (id: Int, isNew: Bool) {
    var slot = hash(set) & mask
    while slots[slot] >= 0 {
      let id = Int(slots[slot])
      let known = storage.base + id * words
      var equal = true
      for word in 0..<words where known[word] != set[word] {
        equal = false
        break
      }
      if equal { return (id, false) }
      slot = (slot + 1) & mask
    }
    let id = count
    slots[slot] = Int32(id)
    let begin = storage.append(repeating: 0, count: words)
    for word in 0..<words { storage.base[begin + word] = set[word] }
    if count * 2 > mask { rehash() }
    return (id, true)
  }

  private func rehash() {
    slots.deallocate()
    mask = mask * 2 + 1
    slots = .allocate(capacity: mask + 1)
    slots.initialize(repeating: -1, count: mask + 1)
    for id in 0..<count {
      var slot = hash(pointer(id)) & mask
      while slots[slot] >= 0 { slot = (slot + 1) & mask }
      slots[slot] = Int32(id)
    }
  }
}
