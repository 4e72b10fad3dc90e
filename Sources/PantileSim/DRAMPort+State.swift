import PantileEngines
import PantileTarget

/// The port's state as words, with those of its channels: all that decides what happens next, relative to now.
extension DRAMPort {
  /// The only engine that sends or waits for answers; nil when there are none, or several.
  private var onlyActive: Int?? {
    var active: Int?
    for queue in senders {
      let engine = engines[queue]
      guard engine.isSending || engine.inFlight > 0 || engine.firstOpen < engine.open.count else { continue }
      if active != nil { return .none }
      active = queue
    }
    return .some(active)
  }

  /// What tags of an engine's commands count from.
  private func tagBase(of queue: Int?) -> Int {
    queue.map { engines[$0].answeredCommands * engineCount + $0 } ?? 0
  }

  /// The number of the state in a clock before which everything is done; nil when it cannot be told in words.
  func state(at clock: Int, row: Int, _ memo: StreamMemo) -> Int32? {
    guard let active = onlyActive else { return nil }
    for queue in senders where queue != active {
      let waits = waits.clocks(of: queue)
      if waits.creditSince != nil || waits.refusedSince != nil { return nil }
    }
    let due = memory.refreshDue
    var horizon = 0
    var words: [Int32] = []
    var channels: [Int32] = []
    var told: [UInt64] = []
    for channel in 0..<memory.channelTotal {
      words.removeAll(keepingCapacity: true)
      var banks: UInt64 = 0
      guard
        memory.encode(
          channel: channel, at: clock, row: row, tag: tagBase(of: active), refreshDue: due, horizon: &horizon,
          told: &banks, into: &words)
      else { return nil }
      told.append(banks)
      channels.append(memo.channelStates.number(of: words))
    }
    words.removeAll(keepingCapacity: true)
    guard encode(active, at: clock, refreshDue: due, into: &words) else { return nil }
    words += channels
    let number = memo.states.number(of: words)
    if Int(number) == memo.horizons.count {
      memo.horizons.append(horizon)
      memo.told += told
    }
    return number
  }

  /// Words of the engines and the answers on their way.
  private func encode(_ active: Int?, at clock: Int, refreshDue: Int, into words: inout [Int32]) -> Bool {
    words.append(Int32(active ?? -1))
    guard let queue = active else { return answers.first == nil }
    let engine = engines[queue]
    let isDue = engine.firstOpen < engine.open.count && engine.open[engine.firstOpen] == 0
    func ahead(_ time: Int) -> Int32 { Int32(truncatingIfNeeded: min(max(time &- clock, 0), Int(Int32.max))) }
    // A burst that would be offered because of a refresh depends on how far it is.
    guard engine.readyClock <= refreshDue || engine.inFlight >= engine.outstanding || !engine.isSending else {
      return false
    }
    words.append(engine.isSending ? 1 : 0)
    let scale = engine.scale
    words.append(engine.isSending ? Int32(truncatingIfNeeded: max(engine.linkReady &- clock &* scale, -scale)) : 0)
    words.append(engine.isSending ? ahead(engine.notBefore) : 0)
    words.append(engine.isSending ? ahead(engine.readyClock) : 0)
    words.append(Int32(engine.inFlight))
    words.append(isDue ? 1 : 0)
    words.append(isDue ? Int32(truncatingIfNeeded: lastAnswer &- clock) : 0)
    let waits = waits.clocks(of: queue)
    words.append(waits.creditSince.map { Int32(truncatingIfNeeded: $0 &- clock) } ?? Int32.min)
    words.append(waits.refusedSince.map { Int32(truncatingIfNeeded: $0 &- clock) } ?? Int32.min)
    words.append(Int32(engine.open.count - engine.firstOpen))
    for index in engine.firstOpen..<engine.open.count {
      let isLast = index == engine.open.count - 1
      words.append(Int32(truncatingIfNeeded: engine.open[index] - (isLast && engine.isSending ? engine.untaken : 0)))
    }
    let sorted = answers.sorted
    words.append(Int32(sorted.count))
    for answer in sorted {
      words.append(ahead(answer.time))
      words.append(answer.command - Int32(engine.answeredCommands))
    }
    for channel in 0..<memory.channelTotal { words.append(Int32(max(lastOffer[channel] &- clock, -1))) }
    return true
  }

  /// The engine that is active in a state.
  func active(in state: Int32, _ memo: StreamMemo) -> Int? {
    let queue = Int(memo.states.words(of: state)[0])
    return queue < 0 ? nil : queue
  }

  /// Makes the state of the memo the port's own, to be stepped on. The books are up to date anyway.
  func materialise(_ memo: StreamMemo) {
    let words = memo.states.words(of: memo.state)
    let total = memory.channelTotal
    let queue = active(in: memo.state, memo)
    for channel in 0..<total {
      memory.decode(
        channel: channel, memo.channelStates.words(of: words[words.count - total + channel]), at: memo.clock,
        row: memo.row, tag: tagBase(of: queue), refreshDue: memo.refreshDue)
    }
    answers.removeAll()
    mayBeAnswered = false
    waiting = 0
    isOfferKnown = false
    clock = memo.clock
    for sender in senders { engines[sender].inFlight = 0 }
    for channel in 0..<total { lastOffer[channel] = memo.clock - 1 }
    guard let queue else { return }
    var index = 1
    func next() -> Int {
      index += 1
      return Int(words[index - 1])
    }
    let isSending = next() == 1
    let link = next()
    let (notBefore, ready) = (next(), next())
    if isSending {
      engines[queue].linkReady = memo.clock * engines[queue].scale + link
      engines[queue].notBefore = memo.clock + notBefore
      engines[queue].readyClock = memo.clock + ready
    }
    engines[queue].inFlight = next()
    waiting = engines[queue].inFlight
    mayBeAnswered = next() == 1
    lastAnswer = memo.clock + next()
    index += 2  // waits are a book
    index += next()  // and so are the bursts to be answered
    for _ in 0..<next() {
      let (time, command) = (memo.clock + next(), next())
      answers.push(
        Answer(time: time, queue: Int32(queue), command: Int32(engines[queue].answeredCommands + command)))
    }
    for channel in 0..<total { lastOffer[channel] = memo.clock + next() }
    if isSending, engines[queue].untaken > 0 { noteChannel(of: queue) }
  }

  /// Everything that what comes depends on, in a core cycle in which nothing is on its way; nil when that is not so, or cannot be told.
  func wholeState(at cycle: Int) -> [Int32]? {
    settle()
    guard onlyActive == .some(nil) else { return nil }
    let clock = ratio.memoryClock(atOrAfter: cycle)
    memory.advance(before: clock)
    guard var words = memory.wholeState(at: clock) else { return nil }
    // Where the cycle stands between two memory clocks.
    words.append(Int32(truncatingIfNeeded: clock * ratio.core - cycle * ratio.memory))
    words.append(Int32(lastServed))
    for channel in 0..<memory.channelTotal { words.append(Int32(max(lastOffer[channel] - clock, -1))) }
    return words
  }
}
