import PantileEngines
import PantileProgram

/// Who owns the read and write ports of the scratchpad's banks.
struct BankPorts {
  private(set) var readsTaken: UInt64 = 0
  private(set) var writesTaken: UInt64 = 0

  func areFree(reads: UInt64, writes: UInt64) -> Bool { readsTaken & reads == 0 && writesTaken & writes == 0 }

  mutating func take(reads: UInt64, writes: UInt64) {
    readsTaken |= reads
    writesTaken |= writes
  }

  mutating func release(reads: UInt64) { readsTaken &= ~reads }
  mutating func release(writes: UInt64) { writesTaken &= ~writes }

  /// The banks that an access touches, as a mask; banks are equal blocks of the memory.
  static func mask(_ access: ResolvedAccess, bankBytes: Int) -> UInt64 {
    guard let range = access.byteRange else { return 0 }
    let first = range.lowerBound / bankBytes
    let last = (range.upperBound - 1) / bankBytes
    let ones: UInt64 = last - first >= 63 ? .max : (1 << UInt64(last - first + 1)) - 1
    return ones << UInt64(first)
  }
}
