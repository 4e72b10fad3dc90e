extension PackingBranching {
  /// Collects the lowest offsets and tops of each section and what lies beside each item.
  func survey(_ search: borrowing PackingSearch, _ from: Int, _ to: Int) {
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
  func hasHole(_ search: borrowing PackingSearch, _ from: Int, _ to: Int) -> Bool {
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
  func select(_ search: borrowing PackingSearch, _ from: Int, _ to: Int) -> (section: Int, closing: Int) {
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
  mutating func gather(_ search: borrowing PackingSearch, _ section: Int) {
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
  func stateKey(_ search: borrowing PackingSearch, _ from: Int, _ to: Int) -> UInt64 {
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
