/// Requests that wait before the banks, in order of arrival, in a ring of fixed size.
struct DRAMQueue: ~Copyable {
  struct Item: BitwiseCopyable {
    var request: Int32
    var bank: Int32
  }

  private(set) var count = 0
  /// As many of the oldest items are known to find no room at their banks.
  var blocked = 0
  let capacity: Int
  private let items: FixedBuffer<Item>
  private var head = 0
  private let mask: Int

  init(capacity: Int) {
    self.capacity = capacity
    var size = 1
    while size < capacity { size *= 2 }
    items = FixedBuffer(repeating: Item(request: -1, bank: -1), count: size)
    mask = size - 1
  }

  var hasRoom: Bool { count < capacity }

  /// The item of age `index`, 0 the oldest.
  @inline(__always) subscript(index: Int) -> Item { items[(head &+ index) & mask] }

  mutating func append(_ item: Item) {
    items[(head &+ count) & mask] = item
    count += 1
  }

  /// Takes an item out; older ones move up, since it is mostly one of the oldest.
  mutating func remove(at index: Int) {
    var place = index
    while place > 0 {
      items[(head &+ place) & mask] = items[(head &+ place &- 1) & mask]
      place -= 1
    }
    head = (head &+ 1) & mask
    count -= 1
  }
}
