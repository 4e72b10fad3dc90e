import PantileEngines
import PantileTarget

/// How the port goes from state to state by what it remembers, and learns what it does not.
///
/// While it does, what would be stepped is out of date; true are the state, and the books: counts, gaps and open rows of the device, waits,
/// bursts still to be sent and to be answered.
extension DRAMPort {
  /// How often something was done from memory that would have been stepped.
  package var recalledHops: Int { memo?.recalled ?? 0 }

  /// As `serve`, in memory clocks.
  func recall(before end: Int) -> Event? {
    guard let memo else { return step(before: end, keeping: 0) }
    if memo.upcoming > end { return nil }
    while true {
      if memo.state < 0, !enter(memo) { return step(before: end, keeping: 0) }
      guard let queue = active(in: memo.state, memo) else { return nil }
      // A command whose last burst was answered is answered, whatever the limit.
      let (first, opens) = (engines[queue].firstOpen, engines[queue].open.count)
      let isDue = first < opens && engines[queue].open[first] == 0
      guard isDue || memo.clock < end else { return nil }
      var key = StreamMemo.Key(state: memo.state, kind: .drain)
      var target = 0
      if engines[queue].isSending {
        guard let segment = nextSegment(of: queue, memo), rebase(to: segment.row, memo) else {
          leave(memo)
          return step(before: end, keeping: 0)
        }
        target = engines[queue].untaken - segment.count
        key = StreamMemo.Key(
          state: memo.state, kind: .take, a: Int32(segment.first), b: segment.list, c: target == 0 ? 1 : 0)
        memo.locate(&key, first: segment.first, count: segment.count, list: segment.list, memory)
      } else {
        memo.locate(&key, memory)
      }
      let known = memo.hop(key, refreshIn: memo.refreshDue - memo.clock, memory)
      guard let hop = known ?? learn(key, queue, keeping: target, memo) else { return step(before: end, keeping: 0) }
      guard isDue || memo.clock + memo.hops[hop].duration < end else {
        memo.upcoming = memo.clock + memo.hops[hop].duration + 1
        return nil
      }
      if known != nil { memo.recalled += 1 }
      if let event = apply(hop, queue, memo) { return event }
    }
  }

  // MARK: In and out

  /// Takes up the state that the port is in, once a transfer; whether it could be.
  private func enter(_ memo: StreamMemo) -> Bool {
    guard memo.mayEnter else { return false }
    memo.mayEnter = false
    if memo.skipsTransfer() { return false }
    let sending = senders.filter { engines[$0].isSending }
    guard sending.count == 1, isPlain(sending[0], memo), let segment = nextSegment(of: sending[0], memo) else {
      return false
    }
    // Nothing that happens before now can matter to a transfer that has begun.
    memory.advance(before: clock)
    guard let state = state(at: clock, row: segment.row, memo) else { return false }
    memo.row = segment.row
    take(state, memo)
    return true
  }

  private func take(_ state: Int32, _ memo: StreamMemo) {
    memo.state = state
    memo.clock = clock
    memo.refreshDue = memory.refreshDue
  }

  /// The port is stepped from here on.
  func leave(_ memo: StreamMemo) {
    memo.upcoming = 0
    if memo.state >= 0 { materialise(memo) }
    memo.state = -1
    memo.mayEnter = false
  }

  /// What is stepped is up to date again.
  func settle() {
    if let memo { leave(memo) }
  }

  /// Whether no write that waits in front of the banks is to a burst of the transfer that a queue sends.
  private func isPlain(_ queue: Int, _ memo: StreamMemo) -> Bool {
    guard memory.hasWaitingWrites else { return true }
    for index in engines[queue].run..<engines[queue].runs.runCount {
      let run = engines[queue].runs[index]
      if memory.hasWaitingWrite(in: run.first..<(run.first + run.count)) { return false }
    }
    return true
  }

  // MARK: Transfers

  /// A transfer of a queue will begin: the state is that of this clock then, unless nothing is on its way.
  func prepareStart(of queue: Int, at start: Int) {
    guard let memo else { return }
    memo.upcoming = 0
    guard memo.state >= 0, let active = active(in: memo.state, memo) else { return }
    guard active == queue, !engines[active].isSending, start >= memo.clock else {
      leave(memo)
      let event = step(before: start, keeping: 0)
      precondition(event == nil, "a transfer begins before an event was taken")
      return
    }
    if start == memo.clock { return }
    var key = StreamMemo.Key(state: memo.state, kind: .wait, a: Int32(truncatingIfNeeded: start - memo.clock))
    memo.locate(&key, memory)
    if let hop = memo.hop(key, refreshIn: memo.refreshDue - memo.clock, memory) {
      _ = apply(hop, queue, memo)
      return
    }
    materialise(memo)
    let before = standing(of: queue, at: memo.clock)
    let event = step(before: start, keeping: 0)
    precondition(event == nil, "a transfer begins before an event was taken")
    clock = start
    guard memo.mayLearn(), record(key, since: before, queue, nil, memo) != nil else {
      memo.state = -1
      memo.mayEnter = false
      return
    }
    take(memo.hops[memo.hops.count - 1].end, memo)
  }

  /// A transfer has begun in the books of the port; the rest too if this returns true.
  func startFromMemory(_ queue: Int, at start: Int, linkReady: Int) -> Bool {
    guard let memo else { return false }
    memo.mayEnter = true
    guard memo.state >= 0 else { return false }
    // Words are short: whoever waits for a second or two is not remembered.
    guard start - memo.clock < Int(Int32.max), !memo.skipsTransfer(), isPlain(queue, memo),
      nextSegment(of: queue, memo) != nil
    else {
      leave(memo)
      return false
    }
    let row = nextBurst(of: queue).number / memo.rowBursts
    let distance = memo.refreshDue - memo.clock
    let pause = start - memo.clock
    // After a while it does not matter any more for how long nothing was asked.
    let known = pause < distance ? min(pause, memo.horizons[Int(memo.state)] + 1) : pause
    let link = linkReady - start * engines[queue].scale
    var key = StreamMemo.Key(
      state: memo.state, kind: .start, a: Int32(truncatingIfNeeded: known), b: Int32(truncatingIfNeeded: link),
      c: Int32(queue), banks: row - memo.row)
    memo.locate(&key, memory)
    if let hop = memo.hop(key, refreshIn: distance, lasting: pause, memory) {
      memo.row = row
      _ = apply(hop, nil, lasting: pause, memo)
      return true
    }
    materialise(memo)
    let before = standing(of: nil, at: memo.clock)
    begin(queue, at: start, linkReady: linkReady)
    memory.advance(before: start)
    memo.row = row
    if memo.mayLearn(), record(key, since: before, nil, nil, memo) != nil {
      take(memo.hops[memo.hops.count - 1].end, memo)
    } else {
      memo.state = -1
      memo.mayEnter = false
    }
    return true
  }

  /// Counts rows from another one; whether it could be.
  private func rebase(to row: Int, _ memo: StreamMemo) -> Bool {
    if row == memo.row { return true }
    let key = StreamMemo.Key(state: memo.state, kind: .rebase, a: Int32(truncatingIfNeeded: row - memo.row))
    if let hop = memo.hop(key, refreshIn: memo.refreshDue - memo.clock, memory) {
      memo.row = row
      _ = apply(hop, nil, memo)
      return true
    }
    guard memo.mayLearn() else { return false }
    materialise(memo)
    let before = standing(of: nil, at: memo.clock)
    memo.row = row
    guard let hop = record(key, since: before, nil, nil, memo) else {
      memo.state = -1
      return false
    }
    memo.state = memo.hops[hop].end
    return true
  }

  /// The bursts of the next hop of a transfer: where the first one lies behind its row, how many there are, and their number if they are
  /// neighbours or that of their list. Nil when they cannot be moved from row to row, or are written.
  private func nextSegment(of queue: Int, _ memo: StreamMemo) -> (row: Int, first: Int, count: Int, list: Int32)? {
    let engine = engines + queue
    var index = engine.pointee.run
    let current = engine.pointee.runs[index]
    let start = current.first + engine.pointee.next
    let row = start / memo.rowBursts
    let bounds = (row * memo.rowBursts)..<min((row + 2) * memo.rowBursts, memory.capacityInBursts)
    let length = StreamMemo.segment
    let rest = current.count - engine.pointee.next
    guard !current.isWrite, start < bounds.upperBound else { return nil }
    if rest >= length || index == engine.pointee.runs.runCount - 1 {
      var count = rest
      if rest > 2 * length {
        count = length - start % length
        if count < length / 4 { count += length }
      }
      guard start + count <= bounds.upperBound else { return nil }
      return (row, start - bounds.lowerBound, count, Int32(count))
    }
    var words: [Int32] = []
    var total = 0
    var skipped = engine.pointee.next
    while index < engine.pointee.runs.runCount, total < length {
      let run = engine.pointee.runs[index]
      let first = run.first + skipped
      let count = run.count - skipped
      if total > 0, count >= length { break }
      guard !run.isWrite, first >= bounds.lowerBound, first + count <= bounds.upperBound else { return nil }
      words.append(Int32(truncatingIfNeeded: first - start))
      words.append(Int32(count))
      total += count
      skipped = 0
      index += 1
    }
    return (row, start - bounds.lowerBound, total, -1 - memo.lists.number(of: words))
  }

  // MARK: Hops

  /// Does a hop in the books.
  private func apply(_ number: Int, _ queue: Int?, lasting pause: Int = 0, _ memo: StreamMemo) -> Event? {
    let hop = memo.hops[number]
    let start = memo.clock
    let end = start + hop.duration + pause
    memo.rows.withUnsafeBufferPointer { rows in
      guard let rows = rows.baseAddress else { return }
      for change in hop.changes { memory.apply(memo.changes[change], rows, from: start, to: end, row: memo.row) }
    }
    memo.state = hop.end
    memo.upcoming = 0
    memo.clock = end
    memo.refreshDue += hop.refreshDelay
    clock = end
    guard let queue else { return nil }
    waits.add(hop.waits, to: queue, at: end)
    for index in hop.acceptances {
      let (channel, count) = (memo.acceptances[index].of, memo.acceptances[index].count)
      waits.take(Int(count), of: queue, channel: Int(channel))
    }
    let firstOpen = engines[queue].firstOpen
    for index in hop.answers {
      engines[queue].open[firstOpen + Int(memo.answers[index].of)] -= Int(memo.answers[index].count)
    }
    if hop.taken > 0 {
      pass(hop.taken, of: queue)
      lastServed = queue
    }
    switch hop.outcome {
    case .none: return nil
    case .sent:
      engines[queue].isSending = false
      return .sent(queue: queue, at: ratio.coreCycle(atOrAfter: end + 1))
    case .answered:
      closeFirst(of: queue)
      return .answered(queue: queue, at: ratio.coreCycle(atOrAfter: start + hop.answerClock))
    }
  }

  /// Books at the start of a hop.
  private struct Standing {
    var clock: Int
    var row: Int
    var device: DRAMSystem.Books
    var waits: DRAMWaits
    var engine: Engine?
    var lastServed: Int
  }

  private func standing(of queue: Int?, at clock: Int) -> Standing {
    Standing(
      clock: clock, row: memo?.row ?? 0, device: memory.books(at: clock), waits: waits,
      engine: queue.map { engines[$0] },
      lastServed: lastServed)
  }

  /// Steps through a hop that is not known.
  ///
  /// It runs as far as it takes, and the port is put back then; nil when it cannot be known, and the port is stepped from here on.
  private func learn(_ key: StreamMemo.Key, _ queue: Int, keeping target: Int, _ memo: StreamMemo) -> Int? {
    guard memo.mayLearn() else {
      leave(memo)
      return nil
    }
    materialise(memo)
    let before = standing(of: queue, at: memo.clock)
    let event = step(before: Int.max, keeping: target, of: queue)
    let hop = record(key, since: before, queue, event, memo)
    memory.restore(before.device)
    waits = before.waits
    if let engine = before.engine { engines[queue] = engine }
    lastServed = before.lastServed
    if hop == nil { leave(memo) }
    return hop
  }

  /// Notes a hop that the port has just been stepped through, up to its clock; nil when its end cannot be told in words.
  private func record(
    _ start: StreamMemo.Key, since before: Standing, _ queue: Int?, _ event: Event?, _ memo: StreamMemo
  ) -> Int? {
    let distance = memo.refreshDue - before.clock
    let due = memory.refreshDue
    guard let (changes, rows) = memory.changes(since: before.device, at: clock, row: memo.row),
      let end = state(at: clock, row: memo.row, memo)
    else { return nil }
    var key = start
    let duration = clock - before.clock
    if due != memo.refreshDue || duration >= distance {
      guard let exact = Int32(exactly: distance) else { return nil }
      key.refresh = exact
      key.banks = memo.refreshed(key, memory.rowCodes(row: before.row, in: before.device))
    }
    // Of a start, the length is told each time.
    var hop = StreamMemo.Hop(end: end, duration: start.kind == .start ? 0 : duration)
    hop.refreshDelay = due - memo.refreshDue
    let firstRow = memo.rows.count
    hop.changes = memo.changes.count..<(memo.changes.count + changes.count)
    memo.changes += changes.map {
      var change = $0
      change.firstRow += firstRow
      return change
    }
    memo.rows += rows
    if let queue, let engine = before.engine {
      switch event {
      case .sent: hop.outcome = .sent
      case .answered:
        hop.outcome = .answered
        hop.answerClock = lastAnswer - before.clock
      case nil: break
      }
      hop.taken = engine.untaken - engines[queue].untaken
      let (old, new) = (before.waits.clocks(of: queue), waits.clocks(of: queue))
      hop.waits.credit = new.credit - old.credit
      hop.waits.refused = new.refused - old.refused
      hop.waits.creditSince = new.creditSince.map { $0 - clock }
      hop.waits.refusedSince = new.refusedSince.map { $0 - clock }
      let acceptances = memo.acceptances.count
      for channel in 0..<memory.channelTotal {
        let count = waits.taken(of: queue, channel: channel) - before.waits.taken(of: queue, channel: channel)
        if count > 0 { memo.acceptances.append(.init(of: Int32(channel), count: Int32(count))) }
      }
      hop.acceptances = acceptances..<memo.acceptances.count
      let answers = memo.answers.count
      let closed = engines[queue].answeredCommands - engine.answeredCommands
      for index in 0..<(engine.open.count - engine.firstOpen) {
        let old = engine.open[engine.firstOpen + index]
        let left = index < closed ? 0 : engines[queue].open[engines[queue].firstOpen + index - closed]
        if old != left { memo.answers.append(.init(of: Int32(index), count: Int32(old - left))) }
      }
      hop.answers = answers..<memo.answers.count
    }
    return memo.add(hop, for: key)
  }
}
