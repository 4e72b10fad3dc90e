import PantileEngines
import PantileProgram

/// Which engine owns the read and write ports of the scratchpad's banks.
///
/// A port that an engine owns is no obstacle to the next command of the same engine: the engine's own timing keeps its
/// accesses apart. The port is free for others when the last of these commands has let it go.
package struct BankPorts {
  private var readsTaken: UInt64 = 0
  private var writesTaken: UInt64 = 0
  /// What each queue owns.
  private var readsOf: [UInt64]
  private var writesOf: [UInt64]
  /// The ports of each command of a queue that has not let them go, in no order: a port is free when none lists it.
  private var readHolds: [[UInt64]]
  private var writeHolds: [[UInt64]]

  package init(queues: Int) {
    readsOf = [UInt64](repeating: 0, count: queues)
    writesOf = [UInt64](repeating: 0, count: queues)
    readHolds = [[UInt64]](repeating: [], count: queues)
    writeHolds = [[UInt64]](repeating: [], count: queues)
  }

  /// Whether no other queue owns any of these ports.
  package func areFree(reads: UInt64, writes: UInt64, for queue: Int) -> Bool {
    (readsTaken & ~readsOf[queue]) & reads == 0 && (writesTaken & ~writesOf[queue]) & writes == 0
  }

  /// - Precondition: `areFree`.
  package mutating func take(reads: UInt64, writes: UInt64, for queue: Int) {
    readsTaken |= reads
    writesTaken |= writes
    readsOf[queue] |= reads
    writesOf[queue] |= writes
    if reads != 0 { readHolds[queue].append(reads) }
    if writes != 0 { writeHolds[queue].append(writes) }
  }

  /// - Precondition: `reads` is what one `take` took.
  package mutating func release(reads: UInt64, of queue: Int) {
    let freed = Self.drop(reads, from: &readHolds[queue])
    readsTaken &= ~freed
    readsOf[queue] &= ~freed
  }

  /// - Precondition: `writes` is what one `take` took.
  package mutating func release(writes: UInt64, of queue: Int) {
    let freed = Self.drop(writes, from: &writeHolds[queue])
    writesTaken &= ~freed
    writesOf[queue] &= ~freed
  }

  /// Takes one hold of these ports off a list; returns those that no other of the list has.
  private static func drop(_ mask: UInt64, from holds: inout [UInt64]) -> UInt64 {
    var others: UInt64 = 0
    var place = -1
    for index in holds.indices {
      if place < 0, holds[index] == mask { place = index } else { others |= holds[index] }
    }
    if place >= 0 {
      holds[place] = holds[holds.count - 1]
      holds.removeLast()
    }
    return mask & ~others
  }

  /// The banks of a byte range, as a mask; banks are equal blocks of the memory.
  package static func mask(_ range: Range<Int>?, bankBytes: Int) -> UInt64 {
    guard let range else { return 0 }
    let first = range.lowerBound / bankBytes
    let last = (range.upperBound - 1) / bankBytes
    let ones: UInt64 = last - first >= 63 ? .max : (1 << UInt64(last - first + 1)) - 1
    return ones << UInt64(first)
  }
}
