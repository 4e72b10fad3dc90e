/// Requests that wait before the banks, in order of arrival, in a ring of fixed size.
///
/// It remembers which of the oldest found no room at their banks, so that nobody asks them again before a bank makes room.
struct DRAMQueue: ~Copyable {
  struct Item: BitwiseCopyable {
    var request: Int32
    var bank: Int32
  }

  private(set) var count = 0
  let capacity: Int
  private let items: FixedBuffer<Item>
  private var head = 0
  private let mask: Int
  /// As many of the oldest have full banks, but for one place at `freedBank`.
  private var blocked = 0
  /// -1 when no bank has made room since.
  private var freedBank: Int32 = -1

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

  /// Forgets all items.
  mutating func removeAll() {
    count = 0
    head = 0
    forgetRoom()
  }

  /// Asks every item again.
  mutating func forgetRoom() {
    blocked = 0
    freedBank = -1
  }

  /// Says that a bank has a place more.
  @inline(__always) mutating func noteRoom(at bank: Int) {
    if freedBank < 0 {
      freedBank = Int32(bank)
    } else {
      freedBank = -1
      blocked = 0
    }
  }

  /// The oldest item whose bank holds fewer than `bankQueue` requests; -1 when there is none.
  mutating func oldestMovable(_ banks: borrowing FixedBuffer<DRAMChannel.Bank>, _ bankQueue: Int) -> Int {
    if freedBank >= 0 {
      if banks[Int(freedBank)].count < bankQueue {
        for index in 0..<blocked where self[index].bank == freedBank { return index }
      }
      freedBank = -1
    }
    while blocked < count {
      if banks[Int(self[blocked].bank)].count < bankQueue { return blocked }
      blocked += 1
    }
    return -1
  }

  /// Takes the item out that `oldestMovable` named; its place at the bank is filled then. Older ones move up, since it is mostly
  /// one of the oldest.
  mutating func take(at index: Int) {
    if index < blocked {
      blocked -= 1
      freedBank = -1
    }
    var place = index
    while place > 0 {
      items[(head &+ place) & mask] = items[(head &+ place &- 1) & mask]
      place -= 1
    }
    head = (head &+ 1) & mask
    count -= 1
  }
}
