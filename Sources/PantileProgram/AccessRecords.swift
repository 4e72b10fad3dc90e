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
    var isDead = false
    /// Pages that still list the record.
    var pages: Int32 = 0
  }

  /// What an engine interlocks between its own commands.
  enum Interlocks {
    case none
    /// Writes stay in order.
    case writes
    /// A command ends before the next begins.
    case all
  }

  /// What the new access knows, and how to look at it closely.
  struct Comparison {
    let knowledge: [Int]
    let row: Int
    let interlocks: Interlocks
    let plan: AccessPlan
    let loops: LoopState
    /// Resolved when first needed.
    private var resolved: ResolvedAccess?

    init(knowledge: [Int], row: Int, interlocks: Interlocks, plan: AccessPlan, loops: LoopState) {
      self.knowledge = knowledge
      self.row = row
      self.interlocks = interlocks
      self.plan = plan
      self.loops = loops
    }

    mutating func access() -> ResolvedAccess {
      if let resolved { return resolved }
      let access = plan.resolved(at: loops)
      resolved = access
      return access
    }

    func isOrdered(_ old: Record, before new: Record) -> Bool {
      if old.queue == new.queue {
        if old.sequence == new.sequence { return true }
        switch interlocks {
        case .all: return true
        case .writes: if old.point == 0, new.point == 0 { return true }
        case .none: break
        }
      }
      return knowledge[row + Int(old.queue) * HazardChecker.points + Int(old.point)] > old.sequence
    }
  }

  /// A record on a page, with its range: most of a page's records lie beside a new access and are passed over without a look at them.
  private struct Entry {
    var low: Int
    var high: Int
    var slot: Int32
  }

  /// The pages of one size of one memory.
  private struct Level {
    let shift: Int
    /// Records by page.
    var pages: [[Entry]]
    /// Entries of all pages.
    var count = 0
  }

  /// The writes, or the reads, of one memory, smallest pages first.
  private typealias Levels = [Level]

  /// What makes two reads candidates for being the same one again.
  private struct ReadKey: Hashable {
    var low: Int
    var high: Int
    var queue: Int32
    var command: Int32
    var point: Int8

    init(_ record: Record) {
      low = record.low
      high = record.high
      queue = record.queue
      command = record.command
      point = record.point
    }
  }

  // By memory; apart, because reads race with writes only.
  private var writes: [Levels]
  private var reads: [Levels]
  /// The kept read of a key. Tiles read the same elements trip after trip: the newest stands for all.
  private var knownReads: [ReadKey: Int32] = [:]
  private var records: [Record] = []
  /// As `records`; apart, because it is seldom looked at.
  private var accesses: [ResolvedAccess] = []
  private var freeSlots: [Int32] = []
  private var liveCount = 0
  private var pruneAt: Int
  /// Fewer are not worth a look.
  private let leastPruned: Int

  /// Pages of a memory are at most this many.
  private static let mostPages = 1 << 16

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
        levels.append(Level(shift: shift, pages: [[Entry]](repeating: [], count: pageCount)))
        // Two pages hold every access.
        if pageCount <= 2 { return levels }
        shift += 2
      }
    }
    reads = writes
  }

  /// Compares a new access with those before it, forgets what it covers, and keeps it.
  ///
  /// - Precondition: the range lies inside the memory.
  mutating func add(_ new: Record, memory: Int, _ comparison: inout Comparison, onRace: (Record) -> Void) {
    // Taken out, so that they and the records can change at once.
    var levels: Levels = []
    swap(&levels, &writes[memory])
    compareAll(&levels, new, &comparison, onRace)
    if new.point == 0 {
      swap(&levels, &writes[memory])
      swap(&levels, &reads[memory])
      compareAll(&levels, new, &comparison, onRace)
      swap(&levels, &reads[memory])
      let slot = keep(new, &comparison)
      records[Int(slot)].pages = Self.list(slot, new, in: &writes[memory])
      return
    }
    swap(&levels, &writes[memory])
    let key = ReadKey(new)
    if let known = knownReads[key], accesses[Int(known)].sameElements(as: comparison.access()) {
      records[Int(known)].sequence = new.sequence
      return
    }
    let slot = keep(new, &comparison)
    knownReads[key] = slot
    records[Int(slot)].pages = Self.list(slot, new, in: &reads[memory])
  }

  private mutating func keep(_ new: Record, _ comparison: inout Comparison) -> Int32 {
    liveCount += 1
    if let free = freeSlots.popLast() {
      records[Int(free)] = new
      accesses[Int(free)] = comparison.access()
      return free
    }
    records.append(new)
    accesses.append(comparison.access())
    return Int32(records.count - 1)
  }

  /// Puts a record into the one or two smallest pages that hold it; returns how many.
  private static func list(_ slot: Int32, _ record: Record, in levels: inout Levels) -> Int32 {
    var level = 0
    while (record.high - 1) >> levels[level].shift - record.low >> levels[level].shift > 1 { level += 1 }
    let pages = (record.low >> levels[level].shift)...((record.high - 1) >> levels[level].shift)
    let entry = Entry(low: record.low, high: record.high, slot: slot)
    for page in pages { levels[level].pages[page].append(entry) }
    levels[level].count += pages.count
    return Int32(pages.count)
  }

  /// Compares with all records of some levels that meet the new one's range, and takes the dead ones among them off the lists.
  private mutating func compareAll(
    _ levels: inout Levels, _ new: Record, _ comparison: inout Comparison, _ onRace: (Record) -> Void
  ) {
    for level in levels.indices where levels[level].count > 0 {
      let shift = levels[level].shift
      let first = new.low >> shift
      var list: [Entry] = []
      for page in first...((new.high - 1) >> shift) where !levels[level].pages[page].isEmpty {
        swap(&list, &levels[level].pages[page])
        var dead = 0
        for position in list.indices {
          let entry = list[position]
          guard entry.low < new.high, new.low < entry.high else { continue }
          let candidate = Int(entry.slot)
          // A pair is compared on the first page that both touch.
          if !records[candidate].isDead, page == max(first, entry.low >> shift) {
            compare(candidate, new, &comparison, onRace)
          }
          if records[candidate].isDead { dead += 1 }
        }
        if dead > 0 { levels[level].count -= dropDead(&list) { $0.low < new.high && new.low < $0.high } }
        swap(&list, &levels[level].pages[page])
      }
    }
  }

  /// Takes the dead ones among those of a page that `isMeant` names off its list; returns how many.
  private mutating func dropDead(_ list: inout [Entry], where isMeant: (Entry) -> Bool) -> Int {
    let before = list.count
    list.removeAll { entry in
      let slot = Int(entry.slot)
      guard isMeant(entry), records[slot].isDead else { return false }
      records[slot].pages -= 1
      if records[slot].pages == 0 { freeSlots.append(entry.slot) }
      return true
    }
    return before - list.count
  }

  private mutating func compare(
    _ candidate: Int, _ new: Record, _ comparison: inout Comparison, _ onRace: (Record) -> Void
  ) {
    let old = records[candidate]
    if !comparison.isOrdered(old, before: new) {
      if accesses[candidate].meets(comparison.access()) { onRace(old) }
    } else if new.point == 0, covers(new, candidate, &comparison) {
      forget(candidate)
    }
  }

  /// Whether every byte of the candidate is one of the new access.
  private func covers(_ new: Record, _ candidate: Int, _ comparison: inout Comparison) -> Bool {
    let old = records[candidate]
    if new.isDense, new.low <= old.low, new.high >= old.high { return true }
    return new.low == old.low && new.high == old.high && accesses[candidate].sameElements(as: comparison.access())
  }

  private mutating func forget(_ index: Int) {
    records[index].isDead = true
    liveCount -= 1
    if records[index].point != 0 {
      let key = ReadKey(records[index])
      if knownReads[key] == Int32(index) { knownReads[key] = nil }
    }
  }

  /// Whether so many accesses are kept that it pays to look for those that nothing can race with any more.
  var wantsPruning: Bool { liveCount > pruneAt }

  /// Forgets accesses that every queue with work left knows to be complete: `floor` by queue and point.
  mutating func prune(below floor: [Int]) {
    for index in records.indices where !records[index].isDead {
      let record = records[index]
      if floor[Int(record.queue) * HazardChecker.points + Int(record.point)] > record.sequence { forget(index) }
    }
    var levels: Levels = []
    for memory in writes.indices {
      swap(&levels, &writes[memory])
      sweep(&levels)
      swap(&levels, &writes[memory])
      swap(&levels, &reads[memory])
      sweep(&levels)
      swap(&levels, &reads[memory])
    }
    pruneAt = max(leastPruned, liveCount * 2)
  }

  /// Takes all dead records off the lists.
  private mutating func sweep(_ levels: inout Levels) {
    for level in levels.indices where levels[level].count > 0 {
      for page in levels[level].pages.indices where !levels[level].pages[page].isEmpty {
        levels[level].count -= dropDead(&levels[level].pages[page]) { _ in true }
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
