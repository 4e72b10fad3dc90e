/// Accesses that later ones may still race with, found by the pages of memory that they touch.
///
/// A memory has pages of several sizes, each four times the last; an access stands in the one or two pages of the smallest size that
/// hold it. A tile of a few channels of every pixel touches a whole tensor: with small pages alone it would stand in hundreds of lists.
struct AccessRecords {
  struct Record {
    /// The touched bytes.
    var low: Int
    var high: Int
    /// Number of the command in its queue.
    var sequence: Int
    var queue: Int32
    /// Index of the command as written.
    var command: Int32
    /// 0 = write, 1 + i = read of operand i.
    var point: Int8
    /// Every byte of the range is touched.
    var isDense: Bool

    /// The entry of a clock that speaks of the access.
    var clock: Int { Int(queue) * HazardChecker.points + Int(point) }
  }

  /// What an engine interlocks between its own commands.
  enum Interlocks {
    case none
    /// Writes stay in order.
    case writes
    /// A command ends before the next begins.
    case all
  }

  /// What a new access is compared by.
  private struct Comparison {
    let record: Record
    let access: ResolvedAccess
    let interlocks: Interlocks
    let knowledge: [Int]
    /// Where the row of the new access's queue begins.
    let row: Int
  }

  /// A record on a page, with all that orders it: most of a page's records lie beside a new access or are known to it, and are passed
  /// over without a look elsewhere.
  private struct Entry: BitwiseCopyable {
    var low: Int
    var high: Int
    var sequence: Int
    var clock: Int32
    /// Of `accesses` and `commands`.
    var slot: Int32

    func meets(_ record: Record) -> Bool { low < record.high && record.low < high }
  }

  /// The pages of one size of one memory.
  private struct Level {
    let shift: Int
    /// Records by page, oldest first.
    var pages: [[Entry]]
    /// One bit a page: whether it has records.
    var occupied: [UInt64]
    /// Entries of all pages.
    var count = 0

    init(shift: Int, pageCount: Int) {
      self.shift = shift
      pages = [[Entry]](repeating: [], count: pageCount)
      occupied = [UInt64](repeating: 0, count: (pageCount + 63) / 64)
    }

    /// The first page from `page` on that has records; the number of pages when none has.
    func nextOccupied(from page: Int) -> Int {
      guard page < pages.count else { return pages.count }
      var word = page >> 6
      var bits = occupied[word] & ~0 << UInt64(page & 63)
      while bits == 0 {
        word += 1
        if word == occupied.count { return pages.count }
        bits = occupied[word]
      }
      return word * 64 + bits.trailingZeroBitCount
    }

    mutating func append(_ entry: Entry, to page: Int) {
      pages[page].append(entry)
      occupied[page >> 6] |= 1 << UInt64(page & 63)
      count += 1
    }

    /// Puts a page's list back, of which so many entries were taken off.
    mutating func restore(_ list: inout [Entry], page: Int, removed: Int) {
      swap(&list, &pages[page])
      count -= removed
      if pages[page].isEmpty { occupied[page >> 6] &= ~(1 << UInt64(page & 63)) }
    }
  }

  /// The writes, or the reads, of one memory, smallest pages first.
  private typealias Levels = [Level]

  /// What makes two reads candidates for being the same one again.
  private struct ReadKey: Hashable {
    var low: Int
    var high: Int
    var clock: Int32
    var command: Int32
  }

  // By memory; apart, because reads race with writes only.
  private var writes: [Levels]
  private var reads: [Levels]
  /// The kept read of a key. Tiles read the same elements trip after trip: the newest stands for all.
  private var knownReads: [ReadKey: Int32] = [:]
  // By slot.
  private var accesses: [ResolvedAccess] = []
  private var commands: [Int32] = []
  private var freeSlots: [Int32] = []
  private var liveCount = 0
  private var pruneAt: Int
  /// Fewer are not worth a look.
  private let leastPruned: Int

  /// Pages of a memory are at most this many.
  private static let mostPages = 1 << 12

  /// - Parameters:
  ///   - sizes: of each memory, in bytes, and the least page size as a power of two.
  ///   - leastPruned: live accesses above which `wantsPruning`.
  init(memories sizes: [(bytes: Int, shift: Int)], pruningAbove leastPruned: Int) {
    self.leastPruned = leastPruned
    pruneAt = leastPruned
    writes = sizes.map { size in
      var shift = size.shift
      while size.bytes >> shift >= Self.mostPages { shift += 1 }
      var levels: Levels = []
      while true {
        let pageCount = size.bytes >> shift + 1
        levels.append(Level(shift: shift, pageCount: pageCount))
        // Two pages hold every access.
        if pageCount <= 2 { return levels }
        shift += 2
      }
    }
    reads = writes
  }

  /// Compares a new access with those before it, forgets what it covers, and keeps it.
  ///
  /// - Parameters:
  ///   - knowledge: by queue and clock, the commands that are known to be complete.
  ///   - row: where that of the new access's queue begins.
  /// - Precondition: the range lies inside the memory.
  mutating func add(
    _ new: Record, _ access: ResolvedAccess, memory: Int, interlocks: Interlocks, _ knowledge: [Int], row: Int,
    onRace: (Record) -> Void
  ) {
    let comparison = Comparison(record: new, access: access, interlocks: interlocks, knowledge: knowledge, row: row)
    // Taken out, so that they and the records can change at once.
    var levels: Levels = []
    swap(&levels, &writes[memory])
    compareAll(&levels, comparison, onRace)
    if new.point == 0 {
      let slot = keep(new, access)
      Self.list(slot, new, in: &levels)
      swap(&levels, &writes[memory])
      swap(&levels, &reads[memory])
      compareAll(&levels, comparison, onRace)
      swap(&levels, &reads[memory])
      return
    }
    swap(&levels, &writes[memory])
    let key = ReadKey(low: new.low, high: new.high, clock: Int32(new.clock), command: new.command)
    if let known = knownReads[key], accesses[Int(known)].sameElements(as: access) {
      swap(&levels, &reads[memory])
      Self.renew(known, new, in: &levels)
      swap(&levels, &reads[memory])
      return
    }
    let slot = keep(new, access)
    knownReads[key] = slot
    swap(&levels, &reads[memory])
    Self.list(slot, new, in: &levels)
    swap(&levels, &reads[memory])
  }

  private mutating func keep(_ new: Record, _ access: ResolvedAccess) -> Int32 {
    liveCount += 1
    if let free = freeSlots.popLast() {
      accesses[Int(free)] = access
      commands[Int(free)] = new.command
      return free
    }
    accesses.append(access)
    commands.append(new.command)
    return Int32(accesses.count - 1)
  }

  /// The smallest pages of which one or two hold a record.
  private static func pages(of record: Record, in levels: Levels) -> (level: Int, first: Int, last: Int) {
    var level = 0
    while true {
      let shift = levels[level].shift
      let first = record.low >> shift
      let last = (record.high - 1) >> shift
      if last - first <= 1 { return (level, first, last) }
      level += 1
    }
  }

  private static func list(_ slot: Int32, _ record: Record, in levels: inout Levels) {
    let (level, first, last) = pages(of: record, in: levels)
    let entry = Entry(
      low: record.low, high: record.high, sequence: record.sequence, clock: Int32(record.clock), slot: slot)
    for page in first...last { levels[level].append(entry, to: page) }
  }

  /// Lets a listed read be one of the new one's command.
  private static func renew(_ slot: Int32, _ new: Record, in levels: inout Levels) {
    let (level, first, last) = pages(of: new, in: levels)
    for page in first...last {
      guard let position = levels[level].pages[page].lastIndex(where: { $0.slot == slot }) else {
        preconditionFailure("a kept read stands in the pages of its range")
      }
      levels[level].pages[page][position].sequence = new.sequence
    }
  }

  /// Compares with all records of some levels that meet the new one's range, and takes those that it covers off the lists.
  private mutating func compareAll(
    _ levels: inout Levels, _ comparison: borrowing Comparison, _ onRace: (Record) -> Void
  ) {
    let new = comparison.record
    for level in levels.indices where levels[level].count > 0 {
      let shift = levels[level].shift
      let first = new.low >> shift
      let last = (new.high - 1) >> shift
      var list: [Entry] = []
      var page = levels[level].nextOccupied(from: first)
      while page <= last {
        swap(&list, &levels[level].pages[page])
        var kept = 0
        for position in list.indices {
          let entry = list[position]
          if entry.meets(new) {
            if isOrdered(entry, comparison) {
              // All pages of what is covered are walked over, the last one last.
              if new.point == 0, covers(entry, comparison) {
                if page == (entry.high - 1) >> shift { free(entry) }
                continue
              }
            } else if page == max(first, entry.low >> shift), accesses[Int(entry.slot)].meets(comparison.access) {
              // A pair is compared on the first page that both touch.
              onRace(record(of: entry))
            }
          }
          if kept < position { list[kept] = entry }
          kept += 1
        }
        let removed = list.count - kept
        if removed > 0 { list.removeLast(removed) }
        levels[level].restore(&list, page: page, removed: removed)
        page = levels[level].nextOccupied(from: page + 1)
      }
    }
  }

  private func isOrdered(_ old: Entry, _ comparison: borrowing Comparison) -> Bool {
    let new = comparison.record
    if comparison.knowledge[comparison.row + Int(old.clock)] > old.sequence { return true }
    guard Int(old.clock) / HazardChecker.points == Int(new.queue) else { return false }
    if old.sequence == new.sequence { return true }
    switch comparison.interlocks {
    case .all: return true
    case .writes: return new.point == 0 && Int(old.clock) % HazardChecker.points == 0
    case .none: return false
    }
  }

  /// Whether every byte of the old access is one of the new.
  private func covers(_ old: Entry, _ comparison: borrowing Comparison) -> Bool {
    let new = comparison.record
    if new.isDense, new.low <= old.low, new.high >= old.high { return true }
    return new.low == old.low && new.high == old.high
      && accesses[Int(old.slot)].sameElements(as: comparison.access)
  }

  private func record(of entry: Entry) -> Record {
    let (queue, point) = Int(entry.clock).quotientAndRemainder(dividingBy: HazardChecker.points)
    return Record(
      low: entry.low, high: entry.high, sequence: entry.sequence, queue: Int32(queue),
      command: commands[Int(entry.slot)], point: Int8(point), isDense: false)
  }

  /// Forgets an access that stands on no page any more.
  private mutating func free(_ entry: Entry) {
    liveCount -= 1
    freeSlots.append(entry.slot)
    guard Int(entry.clock) % HazardChecker.points != 0 else { return }
    let key = ReadKey(low: entry.low, high: entry.high, clock: entry.clock, command: commands[Int(entry.slot)])
    if knownReads[key] == entry.slot { knownReads[key] = nil }
  }

  /// Whether so many accesses are kept that it pays to look for those that nothing can race with any more.
  var wantsPruning: Bool { liveCount > pruneAt }

  /// Forgets accesses that every queue with work left will know to be complete: `floor` by clock.
  mutating func prune(below floor: [Int]) {
    var levels: Levels = []
    for memory in writes.indices {
      swap(&levels, &writes[memory])
      prune(&levels, below: floor)
      swap(&levels, &writes[memory])
      swap(&levels, &reads[memory])
      prune(&levels, below: floor)
      swap(&levels, &reads[memory])
    }
    pruneAt = max(leastPruned, liveCount * 2)
  }

  private mutating func prune(_ levels: inout Levels, below floor: [Int]) {
    for level in levels.indices where levels[level].count > 0 {
      let shift = levels[level].shift
      var list: [Entry] = []
      var page = levels[level].nextOccupied(from: 0)
      while page < levels[level].pages.count {
        swap(&list, &levels[level].pages[page])
        var kept = 0
        for position in list.indices {
          let entry = list[position]
          if floor[Int(entry.clock)] > entry.sequence {
            if page == (entry.high - 1) >> shift { free(entry) }
            continue
          }
          if kept < position { list[kept] = entry }
          kept += 1
        }
        let removed = list.count - kept
        if removed > 0 { list.removeLast(removed) }
        levels[level].restore(&list, page: page, removed: removed)
        page = levels[level].nextOccupied(from: page + 1)
      }
    }
  }
}

extension ResolvedAccess {
  /// Whether both list the same elements of the same memory in the same order.
  func sameElements(as other: ResolvedAccess) -> Bool {
    guard
      memory == other.memory, baseBits == other.baseBits, elementBits == other.elementBits, dimCount == other.dimCount,
      boundCount == other.boundCount
    else { return false }
    for d in 0..<Int(dimCount) where counts[d] != other.counts[d] || strides[d] != other.strides[d] { return false }
    for b in 0..<Int(boundCount) {
      if boundOffsets[b] != other.boundOffsets[b] || boundLimits[b] != other.boundLimits[b] { return false }
      for d in 0..<Int(dimCount) where coefficient(bound: b, dim: d) != other.coefficient(bound: b, dim: d) {
        return false
      }
    }
    return true
  }

  /// Whether both touch a common byte.
  func meets(_ other: ResolvedAccess) -> Bool {
    let left = byteRuns.sorted { $0.lowerBound < $1.lowerBound }
    let right = other.byteRuns.sorted { $0.lowerBound < $1.lowerBound }
    var i = 0
    var j = 0
    while i < left.count, j < right.count {
      if left[i].upperBound <= right[j].lowerBound {
        i += 1
      } else if right[j].upperBound <= left[i].lowerBound {
        j += 1
      } else {
        return true
      }
    }
    return false
  }
}
