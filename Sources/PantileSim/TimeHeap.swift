/// Something with a time, in a heap of such things.
protocol Timed {
  var time: Int { get }
  /// How many were pushed before it; the heap sets it.
  var order: Int { get set }
}

/// A binary heap by time and then by insertion, so that equal times never depend on the heap.
struct TimeHeap<Element: Timed & BitwiseCopyable> {
  private var elements: [Element] = []
  private var pushed = 0

  /// The earliest; nil when there is none.
  var first: Element? { elements.first }

  /// All of them, by time and insertion.
  var sorted: [Element] { elements.sorted { Self.before($0, $1) } }

  mutating func removeAll() { elements.removeAll(keepingCapacity: true) }

  mutating func push(_ new: Element) {
    var element = new
    element.order = pushed
    pushed += 1
    elements.append(element)
    elements.withUnsafeMutableBufferPointer { elements in
      var index = elements.count - 1
      while index > 0 {
        let parent = (index - 1) / 2
        guard Self.before(element, elements[parent]) else { break }
        elements[index] = elements[parent]
        index = parent
      }
      elements[index] = element
    }
  }

  /// - Precondition: not empty.
  mutating func pop() -> Element {
    let last = elements.removeLast()
    if elements.isEmpty { return last }
    return elements.withUnsafeMutableBufferPointer { elements in
      let first = elements[0]
      var index = 0
      while true {
        var child = 2 * index + 1
        if child >= elements.count { break }
        if child + 1 < elements.count, Self.before(elements[child + 1], elements[child]) { child += 1 }
        guard Self.before(elements[child], last) else { break }
        elements[index] = elements[child]
        index = child
      }
      elements[index] = last
      return first
    }
  }

  private static func before(_ a: Element, _ b: Element) -> Bool {
    a.time != b.time ? a.time < b.time : a.order < b.order
  }
}
