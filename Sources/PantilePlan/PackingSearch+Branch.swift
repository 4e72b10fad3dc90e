import PantileSupport

/// How one run of the search chooses.
struct PackingRun {
  /// Which of the sections with few possibilities comes first.
  enum Preference: CaseIterable {
    /// Fewest possibilities, then least room to spare.
    case tightest
    /// Fewest possibilities for each refutation that the section has caused.
    case failing
    /// As `failing`, but mild.
    case mild
    /// Fewest possibilities, then the lowest offset.
    case lowest
  }
  var preference: Preference
  /// Place of each item in the order in which the possibilities of a section are tried.
  var rank: [Int]
  var nodeBudget: Int
}

enum PackingAnswer {
  /// The offsets are in the search.
  case packed
  /// No packing exists.
  case refuted
  case budgetExhausted
}

/// The decisions of one run: a stack of choices and of splits into parts that do not touch.
struct PackingBranching: ~Copyable {
  struct Frame: BitwiseCopyable {
    /// Sections of the part, first and last.
    var firstSection: Int
    var lastSection: Int
    /// Length of the trail below this frame.
    var mark: Int
    /// Options in `options`, or parts in `parts` when this is a split.
    var begin: Int
    var count: Int
    var next: Int
    var isSplit: Bool
    /// The section chosen, and up to where the last option closes it; -1 when it may not be closed.
    var section: Int
    var closing: Int
    var key: UInt64
  }

  enum Step {
    case enter
    case advance
    case fail
    case succeed
  }

  var frames = FlatStack<Frame>(capacity: 1024)
  var options = FlatStack<Int32>(capacity: 4096)
  var parts = FlatStack<Int32>(capacity: 256)
  /// Keys of refuted states by their low bits.
  let refuted: FlatBuffer<UInt64>
  let refutedMask: Int
  private(set) var nodes = 0
  private var preference = PackingRun.Preference.tightest

  // Per section, of the items that are not placed: the two lowest offsets and tops and whose the lowest are, and the load.
  let lowest: FlatBuffer<Int>
  let lowestItem: FlatBuffer<Int32>
  let secondLowest: FlatBuffer<Int>
  let lowestTop: FlatBuffer<Int>
  let lowestTopItem: FlatBuffer<Int32>
  let secondTop: FlatBuffer<Int>
  let load: FlatBuffer<Int>
  // Per item: the lowest top beside it.
  let topBeside: FlatBuffer<Int>
  let rank: FlatBuffer<Int>

  init(_ search: borrowing PackingSearch) {
    refutedMask = search.itemCount < 64 ? 0xFFF : 0x3FFFF
    refuted = FlatBuffer(repeating: 0, count: refutedMask + 1)
    lowest = FlatBuffer(repeating: 0, count: search.sectionCount)
    lowestItem = FlatBuffer(repeating: 0, count: search.sectionCount)
    secondLowest = FlatBuffer(repeating: 0, count: search.sectionCount)
    lowestTop = FlatBuffer(repeating: 0, count: search.sectionCount)
    lowestTopItem = FlatBuffer(repeating: 0, count: search.sectionCount)
    secondTop = FlatBuffer(repeating: 0, count: search.sectionCount)
    load = FlatBuffer(repeating: 0, count: search.sectionCount)
    topBeside = FlatBuffer(repeating: 0, count: search.itemCount)
    rank = FlatBuffer(repeating: 0, count: search.itemCount)
  }

  deinit {
    for buffer in [lowest, secondLowest, lowestTop, secondTop, load, topBeside, rank] { buffer.deallocate() }
    lowestItem.deallocate()
    lowestTopItem.deallocate()
    refuted.deallocate()
    frames.deallocate()
    options.deallocate()
    parts.deallocate()
  }

  /// Searches until an answer or the end of the budget. After `packed` the offsets are in the search; else it is as before.
  ///
  /// **Precondition** The rules have been applied to the state, without a refutation.
  mutating func run(_ search: inout PackingSearch, _ run: PackingRun) -> PackingAnswer {
    for index in 0..<search.itemCount { rank[index] = run.rank[index] }
    preference = run.preference
    frames.trim(to: 0)
    options.trim(to: 0)
    parts.trim(to: 0)
    let root = search.trail.count
    let limit = nodes &+ run.nodeBudget
    var (from, to) = (0, search.sectionCount &- 1)
    var step = search.itemCount == 0 ? Step.succeed : Step.enter
    while true {
      switch step {
      case .enter:
        if nodes >= limit {
          search.undo(to: root)
          return .budgetExhausted
        }
        step = enter(&search, &from, &to)
      case .advance: step = advance(&search, &from, &to)
      case .fail:
        if frames.count == 0 {
          search.undo(to: root)
          return .refuted
        }
        let frame = frames[frames.count &- 1]
        if frame.isSplit {
          parts.trim(to: frame.begin)
          frames.trim(to: frames.count &- 1)
        } else {
          step = .advance
        }
      case .succeed:
        // Choices above the nearest split stay as they are.
        while frames.count > 0, !frames[frames.count &- 1].isSplit {
          options.trim(to: frames[frames.count &- 1].begin)
          frames.trim(to: frames.count &- 1)
        }
        if frames.count == 0 { return .packed }
        var frame = frames[frames.count &- 1]
        frame.next &+= 1
        if frame.next == frame.count {
          parts.trim(to: frame.begin)
          frames.trim(to: frames.count &- 1)
        } else {
          frames[frames.count &- 1] = frame
          from = Int(parts[frame.begin &+ 2 &* frame.next])
          to = Int(parts[frame.begin &+ 2 &* frame.next &+ 1])
          step = .enter
        }
      }
    }
  }

  /// Splits the part, or chooses a section of it and applies or offers its possibilities.
  private mutating func enter(_ search: inout PackingSearch, _ from: inout Int, _ to: inout Int) -> Step {
    // Parts: maximal runs of sections that unplaced items connect.
    let begin = parts.count
    var reach = -1
    for index in Int(search.opening[from])..<Int(search.opening[to &+ 1]) {
      if search.isPlaced(index) { continue }
      let start = Int(search.first[index])
      let end = search.isTied(index) && !search.isFixed(index) ? Int(search.groupLast[index]) : Int(search.last[index])
      if start > reach {
        if reach >= 0 { parts.push(Int32(truncatingIfNeeded: reach)) }
        parts.push(Int32(truncatingIfNeeded: start))
      }
      reach = max(reach, end)
    }
    if reach < 0 { return .succeed }
    parts.push(Int32(truncatingIfNeeded: reach))
    from = Int(parts[begin])
    to = Int(parts[begin &+ 1])
    let count = (parts.count &- begin) / 2
    if count > 1 {
      frames.push(
        Frame(
          firstSection: from, lastSection: to, mark: search.trail.count, begin: begin, count: count, next: 0,
          isSplit: true, section: 0, closing: 0, key: 0))
    } else {
      parts.trim(to: begin)
    }
    return choose(&search, from, to)
  }

  private mutating func choose(_ search: inout PackingSearch, _ from: Int, _ to: Int) -> Step {
    survey(search, from, to)
    if hasHole(search, from, to) { return .fail }
    let (section, closing) = select(search, from, to)
    if section < 0 { return .fail }
    let begin = options.count
    gather(search, section)
    let count = options.count &- begin
    if count &+ (closing >= 0 ? 1 : 0) == 1 {
      // No choice: the state itself changes.
      nodes &+= 1
      let item = count == 1 ? Int(options[begin]) : -1
      options.trim(to: begin)
      let isPossible = item >= 0 ? search.place(item) : search.close(section, upTo: closing)
      if isPossible, search.propagate() { return .enter }
      search.drainQueue()
      return .fail
    }
    let key = stateKey(search, from, to)
    if refuted[Int(truncatingIfNeeded: key) & refutedMask] == key {
      options.trim(to: begin)
      return .fail
    }
    frames.push(
      Frame(
        firstSection: from, lastSection: to, mark: search.trail.count, begin: begin, count: count, next: -1,
        isSplit: false, section: section, closing: closing, key: key))
    return .advance
  }

  /// Takes the next possibility of the choice on top.
  private mutating func advance(_ search: inout PackingSearch, _ from: inout Int, _ to: inout Int) -> Step {
    let top = frames.count &- 1
    var frame = frames[top]
    search.undo(to: frame.mark)
    frame.next &+= 1
    frames[top] = frame
    let isPossible: Bool
    if frame.next < frame.count {
      isPossible = search.place(Int(options[frame.begin &+ frame.next]))
    } else if frame.next == frame.count, frame.closing >= 0 {
      isPossible = search.close(frame.section, upTo: frame.closing)
    } else {
      refuted[Int(truncatingIfNeeded: frame.key) & refutedMask] = frame.key
      options.trim(to: frame.begin)
      frames.trim(to: top)
      return .fail
    }
    nodes &+= 1
    if isPossible, search.propagate() {
      from = frame.firstSection
      to = frame.lastSection
      return .enter
    }
    search.drainQueue()
    return .advance
  }

  /// Collects the lowest offsets and tops of each section and what lies beside each item.
  private func survey(_ search: borrowing PackingSearch, _ from: Int, _ to: Int) {
    for section in from...to {
      var (low, second, top, secondTop) = (Int.max, Int.max, Int.max, Int.max)
      var (lowItem, topItem) = (Int32(-1), Int32(-1))
      var load = 0
      for index in Int(search.segment[section])..<Int(search.segment[section &+ 1]) {
        let item = search.byLow[index]
        if search.isPlaced(Int(item)) { continue }
        let offset = search.low(Int(item))
        let end = offset &+ search.size[Int(item)]
        load &+= search.size[Int(item)]
        if offset < low {
          second = low
          low = offset
          lowItem = item
        } else if offset < second {
          second = offset
        }
        if end < top {
          secondTop = top
          top = end
          topItem = item
        } else if end < secondTop {
          secondTop = end
        }
      }
      lowest[section] = low
      lowestItem[section] = lowItem
      secondLowest[section] = second
      lowestTop[section] = top
      lowestTopItem[section] = topItem
      self.secondTop[section] = secondTop
      self.load[section] = load
    }
  }

  /// True when some item was kept above room that nothing else can use.
  private func hasHole(_ search: borrowing PackingSearch, _ from: Int, _ to: Int) -> Bool {
    for item in Int(search.opening[from])..<Int(search.opening[to &+ 1]) where !search.isPlaced(item) {
      var top = Int.max
      var low = Int.max
      for section in Int(search.first[item])...Int(search.last[item]) {
        top = min(top, Int(lowestTopItem[section]) == item ? secondTop[section] : lowestTop[section])
        low = min(low, Int(lowestItem[section]) == item ? secondLowest[section] : lowest[section])
      }
      topBeside[item] = top
      let rest = search.rest(item)
      if search.low(item) > rest, low >= rest &+ search.size[item], !search.isTied(item), !search.isFixed(item) {
        return true
      }
    }
    return false
  }

  /// The lowest offset of an item above its present one, when it does not begin there.
  @inline(__always) private func nextOffset(_ search: borrowing PackingSearch, _ item: Int) -> Int {
    if search.isFixed(item) { return Int.max }
    if !search.isTied(item) {
      return topBeside[item] == Int.max ? Int.max : search.aligned(item, topBeside[item])
    }
    // Something must hold up one of the group.
    var best = Int.max
    var member = item
    repeat {
      let top = topBeside[member]
      if top != Int.max {
        let moved = max(top, search.low(member) &+ 1) &- search.delta[member] &+ search.delta[item]
        best = min(best, search.aligned(item, moved))
      }
      member = Int(search.mate[member])
    } while member != item
    return best
  }

  /// True when the item can be the lowest of a section at its lowest offset in a settled packing.
  @inline(__always) private func isSupported(_ search: borrowing PackingSearch, _ item: Int) -> Bool {
    if search.low(item) != search.rest(item), !search.isTied(item), !search.isFixed(item) { return false }
    let twin = Int(search.twin[item])
    return twin < 0 || search.isPlaced(twin) || search.low(twin) != search.low(item)
  }

  /// The section with the fewest possibilities, and up to where it may be closed (-1: not at all). The section is -1 when one has none.
  private func select(_ search: borrowing PackingSearch, _ from: Int, _ to: Int) -> (section: Int, closing: Int) {
    var best = -1
    var bestClosing = -1
    var bestCount = Int.max
    for section in from...to where lowestItem[section] >= 0 {
      let level = lowest[section]
      var count = 0
      var closing = Int.max
      var isOpen = true
      // In order of the lowest offsets as they were last sorted; all are looked at.
      for index in Int(search.segment[section])..<Int(search.segment[section &+ 1]) {
        let item = Int(search.byLow[index])
        if search.isPlaced(item) { continue }
        let offset = search.low(item)
        if offset > level {
          closing = min(closing, offset)
          continue
        }
        if topBeside[item] <= offset {
          // Something can still come below it.
          isOpen = false
          break
        }
        closing = min(closing, nextOffset(search, item))
        if isSupported(search, item) { count &+= 1 }
      }
      if !isOpen { continue }
      if closing == Int.max || closing &+ load[section] > search.capacity { closing = -1 }
      if closing >= 0 { count &+= 1 }
      if count == 0 { return (-1, -1) }
      if best < 0 || isBetter(search, section, count, than: best, bestCount) {
        best = section
        bestCount = count
        bestClosing = closing
      }
    }
    return (best, bestClosing)
  }

  @inline(__always) private func isBetter(
    _ search: borrowing PackingSearch, _ section: Int, _ count: Int, than other: Int, _ otherCount: Int
  ) -> Bool {
    let weight = search.weight[section]
    let otherWeight = search.weight[other]
    switch preference {
    case .failing: return count &* otherWeight < otherCount &* weight
    case .mild: return count &* (otherWeight &+ 100) < otherCount &* (weight &+ 100)
    case .lowest: return count != otherCount ? count < otherCount : lowest[section] < lowest[other]
    case .tightest:
      if count != otherCount { return count < otherCount }
      // The room to spare is the capacity less this.
      let use = load[section] &+ lowest[section]
      let otherUse = load[other] &+ lowest[other]
      return use != otherUse ? use > otherUse : weight > otherWeight
    }
  }

  /// Pushes the items that can begin the section, in the order of this run.
  private mutating func gather(_ search: borrowing PackingSearch, _ section: Int) {
    let begin = options.count
    for index in Int(search.segment[section])..<Int(search.segment[section &+ 1]) {
      let item = search.byLow[index]
      if search.isPlaced(Int(item)) || search.low(Int(item)) > lowest[section] { continue }
      if !isSupported(search, Int(item)) { continue }
      options.push(item)
      var at = options.count &- 1
      while at > begin, rank[Int(options[at &- 1])] > rank[Int(item)] {
        options[at] = options[at &- 1]
        at &-= 1
      }
      options[at] = item
    }
  }

  /// A number for what the rest of the search depends on: unplaced items with their bounds, and the floors below them.
  private func stateKey(_ search: borrowing PackingSearch, _ from: Int, _ to: Int) -> UInt64 {
    var key: UInt64 = 0x9E37_79B9_7F4A_7C15
    for item in Int(search.opening[from])..<Int(search.opening[to &+ 1]) where !search.isPlaced(item) {
      key = mixed(key ^ UInt64(truncatingIfNeeded: item &* 0x1_0000_0000 &+ search.low(item)))
      key = mixed(key ^ UInt64(truncatingIfNeeded: search.rest(item)))
      if search.hasFixed { key = mixed(key ^ UInt64(truncatingIfNeeded: search.high(item))) }
    }
    // Zero stands for an empty place.
    return key | 1 << 63
  }

  @inline(__always) private func mixed(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
