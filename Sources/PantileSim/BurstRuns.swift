/// The bursts of a transfer, in order, as runs of neighbours.
package struct BurstRuns {
  package struct Run: BitwiseCopyable {
    /// The number of its first burst: the address over the burst's bytes.
    package var first: Int
    package var count: Int
    package var isWrite: Bool
  }

  private var runs: [Run] = []
  /// Bursts of all runs.
  package private(set) var count = 0

  package init() {}

  package var runCount: Int { runs.count }
  package subscript(_ index: Int) -> Run { runs[index] }

  /// Adds neighbours behind those that are there.
  package mutating func append(_ bursts: Range<Int>, isWrite: Bool) {
    guard !bursts.isEmpty else { return }
    count += bursts.count
    if let last = runs.last, last.isWrite == isWrite, last.first + last.count == bursts.lowerBound {
      runs[runs.count - 1].count += bursts.count
    } else {
      runs.append(Run(first: bursts.lowerBound, count: bursts.count, isWrite: isWrite))
    }
  }

  /// Forgets all and keeps the room.
  package mutating func removeAll() {
    runs.removeAll(keepingCapacity: true)
    count = 0
  }
}
