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
  private(set) var preference = PackingRun.Preference.tightest

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
}
