import PantileEngines
import PantileProgram

/// Which engine owns the read and write ports of the scratchpad's banks.
///
/// A port that an engine owns is no obstacle to the next command of the same engine: the engine's own timing keeps its
/// accesses apart. The port is free for others when the last of these commands has let it go.
package struct BankPorts {
  private static let banks = 64

  private var readsTaken: UInt64 = 0
  private var writesTaken: UInt64 = 0
  /// What each queue owns.
  private var readsOf: [UInt64]
  private var writesOf: [UInt64]
  /// Commands of the owner that hold each port.
  private var readHolds = [Int32](repeating: 0, count: banks)
  private var writeHolds = [Int32](repeating: 0, count: banks)

  package init(queues: Int) {
    readsOf = [UInt64](repeating: 0, count: queues)
    writesOf = [UInt64](repeating: 0, count: queues)
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
    Self.add(1, reads, &readHolds)
    Self.add(1, writes, &writeHolds)
  }

  package mutating func release(reads: UInt64, of queue: Int) {
    let freed = Self.add(-1, reads, &readHolds)
    readsTaken &= ~freed
    readsOf[queue] &= ~freed
  }

  package mutating func release(writes: UInt64, of queue: Int) {
    let freed = Self.add(-1, writes, &writeHolds)
    writesTaken &= ~freed
    writesOf[queue] &= ~freed
  }

  /// Changes the holds of all banks in `mask`; returns those that nobody holds any more.
  @discardableResult
  private static func add(_ change: Int32, _ mask: UInt64, _ holds: inout [Int32]) -> UInt64 {
    var rest = mask
    var freed: UInt64 = 0
    while rest != 0 {
      let bank = rest.trailingZeroBitCount
      holds[bank] += change
      if holds[bank] == 0 { freed |= 1 << UInt64(bank) }
      rest &= rest - 1
    }
    return freed
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
