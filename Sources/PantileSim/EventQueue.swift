/// The events of a timing run, ordered by cycle and then by insertion.
struct EventQueue {
  struct Event: Timed, BitwiseCopyable {
    enum Kind: UInt8, BitwiseCopyable {
      /// `a` tokens of channel `b` become visible.
      case token
      /// Queue `a` may try to issue.
      case wake
      /// Queue `a` releases the bank ports in `mask` (reads or, when `b` is 1, writes).
      case release
    }

    var time: Int
    var mask: UInt64
    var a: Int32
    var b: Int32
    var kind: Kind
    var order = 0
  }

  private var heap = TimeHeap<Event>()

  var nextTime: Int? { heap.first?.time }

  mutating func add(_ kind: Event.Kind, at time: Int, _ a: Int, _ b: Int = 0, mask: UInt64 = 0) {
    heap.push(Event(time: time, mask: mask, a: Int32(a), b: Int32(b), kind: kind))
  }

  mutating func pop() -> Event { heap.pop() }
}
