/// A binary heap of events, ordered by cycle and then by insertion, so that equal cycles never depend on the heap.
struct EventQueue {
  struct Event: BitwiseCopyable {
    enum Kind: UInt8, BitwiseCopyable {
      /// `a` tokens of channel `b` become visible.
      case token
      /// Queue `a` may try to issue.
      case wake
      /// Queue `a` releases the bank ports in `mask` (reads or, when `b` is 1, writes).
      case release
    }

    var time: Int
    var order: Int
    var mask: UInt64
    var a: Int32
    var b: Int32
    var kind: Kind
  }

  private var heap: [Event] = []
  private var inserted = 0

  var isEmpty: Bool { heap.isEmpty }
  var nextTime: Int? { heap.first?.time }

  mutating func add(_ kind: Event.Kind, at time: Int, _ a: Int, _ b: Int = 0, mask: UInt64 = 0) {
    inserted += 1
    var index = heap.count
    let event = Event(time: time, order: inserted, mask: mask, a: Int32(a), b: Int32(b), kind: kind)
    heap.append(event)
    while index > 0 {
      let parent = (index - 1) / 2
      guard Self.before(event, heap[parent]) else { break }
      heap[index] = heap[parent]
      index = parent
    }
    heap[index] = event
  }

  mutating func pop() -> Event {
    let first = heap[0]
    let last = heap.removeLast()
    if heap.isEmpty { return first }
    var index = 0
    while true {
      var child = 2 * index + 1
      if child >= heap.count { break }
      if child + 1 < heap.count, Self.before(heap[child + 1], heap[child]) { child += 1 }
      guard Self.before(heap[child], last) else { break }
      heap[index] = heap[child]
      index = child
    }
    heap[index] = last
    return first
  }

  private static func before(_ a: Event, _ b: Event) -> Bool { a.time != b.time ? a.time < b.time : a.order < b.order }
}
