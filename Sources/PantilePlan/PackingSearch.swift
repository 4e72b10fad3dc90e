/// A depth-first search for offsets within the capacity.
///
/// Every packing can be settled: no buffer can slide down, and none fits into a hole below itself. The search builds only settled
/// packings, bottom up. Its state gives each item that is not placed a lowest offset, and each section the top of what is placed.
/// A decision picks a section and one of the items that can lie lowest in it, or closes the section up to the next offset at which
/// an item can begin. Sections with the fewest possibilities come first, wherever they are.
///
/// Three rules raise the lowest offsets or refute a state:
/// - *load*: in one section the items, each from its lowest offset on, must fit one above another below the capacity;
/// - *not first*: what cannot lie below an item in a section lies above it, and must fit there; else the item goes higher;
/// - *hole*: an item that could be moved down into room that no other item can use was put too high.
///
/// Parts of the time axis that no unplaced item connects are searched one after another and do not undo each other. Refuted states
/// are remembered. A run that exceeds its share of the budget starts again with the weights of the sections that failed.
///
/// **Source** The canonical form, section inference and dominance are ideas of M. D. Moffitt, "MiniMalloc", ASPLOS 2023; the choice of
/// sections and the one-machine rules are as in constraint-based scheduling.
struct PackingSearch: ~Copyable {
  let itemCount: Int
  let sectionCount: Int
  let capacity: Int
  let hasTies: Bool
  let hasFixed: Bool

  let first: FlatBuffer<Int32>
  let last: FlatBuffer<Int32>
  /// The last section that any item of the same group reaches.
  let groupLast: FlatBuffer<Int32>
  let size: FlatBuffer<Int>
  let alignment: FlatBuffer<Int>
  let residue: FlatBuffer<Int>
  /// The other items of its group, as a ring; itself when it is alone.
  let mate: FlatBuffer<Int32>
  let delta: FlatBuffer<Int>
  /// The lowest item of lower index that can be exchanged with it; -1 when there is none.
  let twin: FlatBuffer<Int32>
  /// Items of section s: `segment[s] ..< segment[s + 1]`, in two orders that are kept almost sorted.
  let segment: FlatBuffer<Int32>
  let byLow: FlatBuffer<Int32>
  let byTop: FlatBuffer<Int32>
  /// Items whose first section is s: `opening[s] ..< opening[s + 1]`.
  let opening: FlatBuffer<Int32>

  /// All that a decision changes, so that one trail undoes it: five blocks, see the accessors.
  let state: FlatBuffer<Int>
  struct Change: BitwiseCopyable {
    var slot: Int
    var old: Int
  }
  var trail = FlatStack<Change>(capacity: 4096)

  /// Sections to look at again, a ring.
  let queue: FlatBuffer<Int32>
  let isQueued: FlatBuffer<Bool>
  var queueHead = 0
  var queueCount = 0
  /// Raised offsets of one section, applied together.
  var raises = FlatStack<Change>(capacity: 256)

  /// How often a section refuted a state.
  let weight: FlatBuffer<Int>

  init(_ model: PackingModel) {
    let items = model.items
    itemCount = items.count
    sectionCount = model.sectionCount
    capacity = model.capacity
    first = FlatBuffer(items.map { Int32($0.first) })
    last = FlatBuffer(items.map { Int32($0.last) })
    size = FlatBuffer(items.map(\.size))
    alignment = FlatBuffer(items.map(\.alignment))
    residue = FlatBuffer(items.map(\.residue))
    delta = FlatBuffer(items.map(\.delta))
    var mate = items.indices.map { Int32($0) }
    var groupLast = items.map { Int32($0.last) }
    for group in model.groups where group.items.count > 1 {
      for (position, item) in group.items.enumerated() {
        mate[item] = Int32(group.items[(position + 1) % group.items.count])
        groupLast[item] = Int32(group.items.map { items[$0].last }.max() ?? 0)
      }
    }
    hasTies = mate.indices.contains { Int(mate[$0]) != $0 }
    hasFixed = hasTies || items.contains { $0.earliest == $0.latest }
    var twin = Array(repeating: Int32(-1), count: items.count)
    for index in items.indices.dropFirst() where Int(mate[index]) == index {
      // Items are sorted by section range, so equal ranges stand side by side.
      var other = index - 1
      while other >= 0, items[other].first == items[index].first, items[other].last == items[index].last {
        if items[other].size == items[index].size, items[other].alignment == items[index].alignment,
          items[other].residue == items[index].residue, items[other].earliest == items[index].earliest,
          items[other].latest == items[index].latest, Int(mate[other]) == other
        {
          twin[index] = Int32(other)
          break
        }
        other -= 1
      }
    }
    self.twin = FlatBuffer(twin)
    self.mate = FlatBuffer(mate)
    self.groupLast = FlatBuffer(groupLast)
    var members: [[Int32]] = Array(repeating: [], count: sectionCount)
    var opening = Array(repeating: Int32(0), count: sectionCount + 1)
    for (index, item) in items.enumerated() {
      opening[item.first + 1] += 1
      for section in item.first...item.last { members[section].append(Int32(index)) }
    }
    for section in 0..<sectionCount { opening[section + 1] += opening[section] }
    self.opening = FlatBuffer(opening)
    var segment: [Int32] = [0]
    for list in members { segment.append(segment[segment.count - 1] + Int32(list.count)) }
    self.segment = FlatBuffer(segment)
    byLow = FlatBuffer(members.flatMap { $0 })
    byTop = FlatBuffer(members.flatMap { $0 })
    state = FlatBuffer(
      items.map(\.earliest) + items.map(\.earliest) + items.map(\.latest) + Array(repeating: 0, count: items.count)
        + Array(repeating: 0, count: sectionCount))
    queue = FlatBuffer(repeating: 0, count: max(1, sectionCount))
    isQueued = FlatBuffer(repeating: false, count: max(1, sectionCount))
    weight = FlatBuffer(repeating: 1, count: max(1, sectionCount))
  }

  deinit {
    for buffer in [first, last, groupLast, mate, twin, segment, byLow, byTop, opening, queue] { buffer.deallocate() }
    for buffer in [size, alignment, residue, delta, state, weight] { buffer.deallocate() }
    isQueued.deallocate()
    trail.deallocate()
    raises.deallocate()
  }

  // MARK: State

  /// The lowest offset that is left to an item; once it is placed, its offset.
  @inline(__always) func low(_ item: Int) -> Int { state[item] }
  /// The offset at which the item would settle on what is placed.
  @inline(__always) func rest(_ item: Int) -> Int { state[itemCount &+ item] }
  /// The highest offset of an item.
  @inline(__always) func high(_ item: Int) -> Int { state[2 &* itemCount &+ item] }
  @inline(__always) func isPlaced(_ item: Int) -> Bool { state[3 &* itemCount &+ item] != 0 }
  /// The top of what is placed in a section.
  @inline(__always) func floor(_ section: Int) -> Int { state[4 &* itemCount &+ section] }
  @inline(__always) func isTied(_ item: Int) -> Bool { Int(mate[item]) != item }
  /// True when one offset is left.
  @inline(__always) func isFixed(_ item: Int) -> Bool { low(item) == high(item) }

  @inline(__always) mutating func set(_ slot: Int, _ value: Int) {
    trail.push(Change(slot: slot, old: state[slot]))
    state[slot] = value
  }

  mutating func undo(to mark: Int) {
    var index = trail.count
    while index > mark {
      index &-= 1
      let change = trail[index]
      state[change.slot] = change.old
    }
    trail.trim(to: mark)
  }

  /// The first offset of the item's alignment that is not below `offset`.
  @inline(__always) func aligned(_ item: Int, _ offset: Int) -> Int {
    let step = alignment[item]
    if step == 1 { return offset }
    let above = (offset &- residue[item]) % step
    return above == 0 ? offset : (above > 0 ? offset &+ step &- above : offset &- above)
  }

  @inline(__always) mutating func enqueue(_ section: Int) {
    if isQueued[section] { return }
    isQueued[section] = true
    var tail = queueHead &+ queueCount
    if tail >= sectionCount { tail &-= sectionCount }
    queue[tail] = Int32(truncatingIfNeeded: section)
    queueCount &+= 1
  }

  mutating func enqueueAll() {
    for section in 0..<sectionCount { enqueue(section) }
  }

  // MARK: Decisions

  /// Raises the lowest offset of an item, and with it those of its group. False when that leaves no offset.
  mutating func raise(_ item: Int, to offset: Int) -> Bool {
    let value = aligned(item, offset)
    if value <= low(item) { return true }
    if value > high(item) { return false }
    set(item, value)
    for section in Int(first[item])...Int(last[item]) { enqueue(section) }
    if !hasTies { return true }
    var other = Int(mate[item])
    while other != item {
      let moved = value &+ delta[other] &- delta[item]
      if moved > high(other) { return false }
      if moved > low(other) {
        set(other, moved)
        for section in Int(first[other])...Int(last[other]) { enqueue(section) }
      }
      other = Int(mate[other])
    }
    return true
  }

  /// Puts an item at its lowest offset: everything else in its sections is above it from now on. False when that cannot be.
  mutating func place(_ item: Int) -> Bool {
    let offset = low(item)
    let top = offset &+ size[item]
    set(3 &* itemCount &+ item, 1)
    if hasTies {
      // The group is where it is now.
      set(2 &* itemCount &+ item, offset)
      var other = Int(mate[item])
      while other != item {
        set(2 &* itemCount &+ other, low(other))
        for section in Int(first[other])...Int(last[other]) { enqueue(section) }
        other = Int(mate[other])
      }
    }
    for section in Int(first[item])...Int(last[item]) {
      set(4 &* itemCount &+ section, top)
      enqueue(section)
      for index in Int(segment[section])..<Int(segment[section &+ 1]) {
        let other = Int(byLow[index])
        if isPlaced(other) { continue }
        if rest(other) < top { set(itemCount &+ other, aligned(other, top)) }
        if low(other) < top, !raise(other, to: top) {
          weight[section] &+= 1
          return false
        }
      }
    }
    return true
  }

  /// States that nothing begins in a section below `offset`. False when that cannot be.
  mutating func close(_ section: Int, upTo offset: Int) -> Bool {
    for index in Int(segment[section])..<Int(segment[section &+ 1]) {
      let item = Int(byLow[index])
      if !isPlaced(item), low(item) < offset, !raise(item, to: offset) {
        weight[section] &+= 1
        return false
      }
    }
    return true
  }

  // MARK: Rules

  /// Applies the rules of single sections until nothing changes. False when a section cannot be filled.
  mutating func propagate() -> Bool {
    while queueCount > 0 {
      let section = Int(queue[queueHead])
      queueHead &+= 1
      if queueHead == sectionCount { queueHead = 0 }
      queueCount &-= 1
      isQueued[section] = false
      if !tighten(section) {
        weight[section] &+= 1
        drainQueue()
        return false
      }
    }
    return true
  }

  mutating func drainQueue() {
    while queueCount > 0 {
      isQueued[Int(queue[queueHead])] = false
      queueHead &+= 1
      if queueHead == sectionCount { queueHead = 0 }
      queueCount &-= 1
    }
  }

  private mutating func tighten(_ section: Int) -> Bool {
    let begin = Int(segment[section])
    let end = Int(segment[section &+ 1])
    // The orders are almost right, so insertion sort is short.
    var load = 0
    var level = 0
    for index in begin..<end {
      let item = byLow[index]
      let key = low(Int(item))
      var at = index
      while at > begin, low(Int(byLow[at &- 1])) > key {
        byLow[at] = byLow[at &- 1]
        at &-= 1
      }
      byLow[at] = item
      let high = byTop[index]
      let top = low(Int(high)) &+ size[Int(high)]
      at = index
      while at > begin, low(Int(byTop[at &- 1])) &+ size[Int(byTop[at &- 1])] > top {
        byTop[at] = byTop[at &- 1]
        at &-= 1
      }
      byTop[at] = high
    }
    for index in begin..<end {
      let item = Int(byLow[index])
      if isPlaced(item) { continue }
      level = max(level, low(item)) &+ size[item]
      load &+= size[item]
    }
    if level > capacity { return false }
    // Not first: below an item lies at most what can end by its lowest offset; the rest of the load comes above.
    var below = 0
    var next = begin
    raises.trim(to: 0)
    for index in begin..<end {
      let item = Int(byLow[index])
      if isPlaced(item) { continue }
      var offset = low(item)
      while next < end {
        let other = Int(byTop[next])
        if low(other) &+ size[other] > offset { break }
        if !isPlaced(other) { below &+= size[other] }
        next &+= 1
      }
      if offset &+ load &- below <= capacity { continue }
      var under = below
      var at = next
      while offset &+ load &- under > capacity {
        while at < end, Int(byTop[at]) == item || isPlaced(Int(byTop[at])) { at &+= 1 }
        if at == end { return false }
        let other = Int(byTop[at])
        under &+= size[other]
        offset = max(offset, low(other) &+ size[other])
        at &+= 1
      }
      raises.push(Change(slot: item, old: offset))
    }
    for index in 0..<raises.count where !raise(raises[index].slot, to: raises[index].old) { return false }
    return hasFixed ? clearFixed(begin, end) : true
  }

  /// Moves items off those that have one offset left.
  private mutating func clearFixed(_ begin: Int, _ end: Int) -> Bool {
    for index in begin..<end {
      let fixed = Int(byLow[index])
      if isPlaced(fixed) || !isFixed(fixed) { continue }
      let bottom = low(fixed)
      let top = bottom &+ size[fixed]
      for index in begin..<end {
        let item = Int(byTop[index])
        if item == fixed || isPlaced(item) { continue }
        if low(item) < top, low(item) &+ size[item] > bottom, !raise(item, to: top) { return false }
      }
    }
    return true
  }
}
