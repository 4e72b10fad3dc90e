/// The tokens of one channel while a Program is checked: each carries what its producer knew.
struct ChannelState {
  private(set) var available: Int
  var hasOverflown = false

  /// Groups of tokens given together, as a ring; their clocks in `clocks`, `width` numbers a group.
  private var counts: [Int] = []
  private var clocks: [Int] = []
  private var head = 0
  private var used = 0
  /// Tokens that were there at the start know nothing.
  private var initialLeft: Int

  private var total: Int
  private var takenBefore = 0
  /// Takes that the producer may not know of yet: the consumer's command and its count, as a queue.
  private var takes: [(sequence: Int, count: Int)] = []
  private var takesHead = 0

  init(initial: Int, width: Int) {
    available = initial
    initialLeft = initial
    total = initial
    counts = [Int](repeating: 0, count: 4)
    clocks = [Int](repeating: 0, count: 4 * width)
  }

  /// Takes tokens, oldest first, and joins what they know into the row of the consumer.
  ///
  /// - Precondition: so many are available.
  mutating func take(_ count: Int, sequence: Int, into knowledge: inout [Int], row: Int, width: Int) {
    available -= count
    takes.append((sequence, count))
    var needed = count
    let initial = min(needed, initialLeft)
    initialLeft -= initial
    needed -= initial
    while needed > 0 {
      let taken = min(needed, counts[head])
      needed -= taken
      counts[head] -= taken
      let clock = head * width
      clocks.withUnsafeBufferPointer { clocks in
        knowledge.withUnsafeMutableBufferPointer { knowledge in
          for i in 0..<width where clocks[clock + i] > knowledge[row + i] { knowledge[row + i] = clocks[clock + i] }
        }
      }
      if counts[head] == 0 {
        head = head + 1 == counts.count ? 0 : head + 1
        used -= 1
      }
    }
  }

  /// Gives tokens with what the producer knows, and that its own command `sequence - 1` has reached `point` (nil: all
  /// points, the command is complete).
  ///
  /// - Parameter consumerIssued: commands of the consumer that have issued for certain.
  /// - Returns: the most tokens that the channel can hold after this, in any legal order.
  mutating func give(
    _ count: Int, knowledge: [Int], row: Int, width: Int, consumerIssued: Int, own: Int, point: Int?, sequence: Int
  ) -> Int {
    if used == counts.count { grow(width) }
    let tail = (head + used) % counts.count
    used += 1
    counts[tail] = count
    let clock = tail * width
    clocks.withUnsafeMutableBufferPointer { clocks in
      knowledge.withUnsafeBufferPointer { knowledge in
        for i in 0..<width { clocks[clock + i] = knowledge[row + i] }
      }
      if let point {
        clocks[clock + own + point] = sequence
      } else {
        for point in 0..<HazardChecker.points { clocks[clock + own + point] = sequence }
      }
    }
    available += count
    total += count
    while takesHead < takes.count, takes[takesHead].sequence < consumerIssued {
      takenBefore += takes[takesHead].count
      takesHead += 1
    }
    if takesHead > 64 {
      takes.removeFirst(takesHead)
      takesHead = 0
    }
    return total - takenBefore
  }

  private mutating func grow(_ width: Int) {
    let size = counts.count
    var newCounts = [Int](repeating: 0, count: size * 2)
    var newClocks = [Int](repeating: 0, count: size * 2 * width)
    for group in 0..<used {
      let old = (head + group) % size
      newCounts[group] = counts[old]
      for i in 0..<width { newClocks[group * width + i] = clocks[old * width + i] }
    }
    counts = newCounts
    clocks = newClocks
    head = 0
  }
}
