import PantileTarget

/// What a channel will do depends on little of what it has done. This is that little, as words that are equal when two channels behave
/// alike from here on: times relative to a clock, rows relative to a row, and nothing of what cannot matter any more.
///
/// Not in the words are the *books*: counts, gaps, the rows that stand open with their hits, and the last data on the bus. They say what was,
/// and whoever moves a channel from state to state without stepping it keeps them (`DRAMSystem.apply`).
extension DRAMChannel {
  /// Places of the words that stand for something else than a number.
  enum Mark {
    /// Nothing is to happen.
    static let never = Int32.max
    /// The bus has been still for so long that only the length of its rest counts, which is a book.
    static let resting = Int32.min
    static let closed = Int32.min + 1
    /// A bank that nothing asks and that could take any command: whether a row stands open there is a book.
    static let idle = Int32.min + 2
  }

  /// Where and when the words are relative to.
  struct Frame {
    var clock: Int
    /// The row whose number counts as zero; requests to it and the next one are to come.
    var row: Int
    /// The first burst of that row's addresses.
    var burst: Int
    /// What tags count from.
    var tag: Int
    /// The first clock in which a refresh falls due in any channel.
    var refreshDue: Int
  }

  /// Appends the words of this state.
  ///
  /// Writes that wait in front of the banks, none of which is moving, are told by their number alone: the state holds as long as none
  /// moves and no read asks for one of them.
  /// - Parameters:
  ///   - horizon: raised to the latest time in the words; without end when something is under way.
  ///   - tellsDrain: writes may be moving; whoever asks tells of the writes himself.
  ///   - told: the banks whose state is in the words, a bit each; the others are idle.
  /// - Returns: false when the state cannot be told in words; what was appended is useless then.
  /// - Precondition: everything before the frame's clock is done, and completions are taken.
  func encode(
    _ frame: Frame, burstShift: Int, tellsDrain: Bool = false, horizon: inout Int, told: inout UInt64,
    into words: inout [Int32]
  ) -> Bool {
    let clock = frame.clock
    guard drain == 0 || tellsDrain, completions.count == 0, nextEvent >= clock else { return false }
    var latest = horizon
    /// A time before which something cannot be: those that have passed are alike.
    func ahead(_ time: Int, floor: Int = 0) -> Int32 {
      let distance = max(time &- clock, floor)
      latest = max(latest, distance)
      return Int32(truncatingIfNeeded: min(distance, Int(Int32.max) - 1))
    }
    // Without the refresh that is to come, which is no part of the state.
    var upcoming = nextEvent
    if upcoming == nextRefreshDue {
      // A request that moved in the clock before would look the same.
      if nextRefreshDue <= clock + 1 { return false }
      upcoming = min(earliestBank, refreshQueue.isEmpty ? Int.max : refreshBound)
    }
    words.append(upcoming == Int.max ? Mark.never : ahead(upcoming))
    words.append(nextRefreshDue == Int.max ? 0 : Int32(truncatingIfNeeded: nextRefreshDue &- frame.refreshDue))
    words.append(Int32(nextRefreshTarget))
    words.append(Int32(refreshQueue.count))
    words.append(contentsOf: refreshQueue)
    words.append(refreshQueue.isEmpty ? 0 : ahead(refreshBound))
    words.append(Int32(heldBanks.lowerBound))
    words.append(Int32(heldBanks.upperBound))
    words.append(Int32(lastBank))
    words.append(earliestBank == Int.max ? Mark.never : ahead(earliestBank))
    // As few as these stay where they are while reads are served.
    let mayStay = isUnified || (writes.count <= controller.writeIdle && writes.count < controller.writeHigh)
    words.append(mayStay ? 0 : Int32(writes.count))

    words.append(isResting(at: clock) ? Mark.resting : ahead(bus.dataEnd, floor: Int.min / 2))
    let longest = max(distances.readLatency, distances.writeLatency)
    let joining = bus.dataEnd &- longest
    words.append(waitingAtBanks == 0 ? 0 : ahead(max(bus.askedSince, joining), floor: Int.min / 2))
    words.append(Int32(bus.lastRank))
    words.append(bus.lastWasWrite ? 1 : 0)
    // Why the bus stood still is told by times that may have passed: back to when it could have gone on.
    let floor = waitingAtBanks == 0 ? 0 : min(0, max(joining, bus.askedSince) &- clock)
    for group in 0..<groups.count {
      words.append(ahead(groups[group].nextActivate))
      words.append(ahead(groups[group].nextRead, floor: floor))
      words.append(ahead(groups[group].nextWrite, floor: floor))
    }
    for rank in 0..<ranks.count {
      words.append(ahead(ranks[rank].shared.nextActivate))
      words.append(ahead(ranks[rank].shared.nextRead, floor: floor))
      words.append(ahead(ranks[rank].shared.nextWrite, floor: floor))
      words.append(ahead(ranks[rank].nextPrecharge))
      for turn in 0..<4 {
        let time = ranks[rank].activates[(ranks[rank].oldestActivate + turn) & 3]
        words.append(ahead(time, floor: -timing.fourActivates))
      }
    }
    let opening = max(distances.activateToRead, distances.activateToWrite)
    for bank in 0..<banks.count {
      let state = banks[bank]
      if isIdle(bank, since: clock, refreshed: clock + floor - opening) {
        words.append(Mark.idle)
        continue
      }
      told |= 1 << UInt64(bank)
      words.append(
        state.openRow < 0 ? Mark.closed : Int32(truncatingIfNeeded: Int(state.openRow) &- frame.row))
      // How often a row was used matters to those who ask for it, or wait because others do.
      words.append(hitsThatCount(bank))
      words.append(ahead(state.nextActivate))
      words.append(ahead(state.nextPrecharge))
      words.append(state.openRow < 0 ? 0 : ahead(state.nextRead))
      words.append(state.openRow < 0 ? 0 : ahead(state.nextWrite))
      words.append(ahead(refreshedUntil[bank], floor: floor - opening))
      words.append(Int32(state.count))
      guard state.count > 0 else { continue }
      words.append(bounds[bank] == Int.max ? Mark.never : ahead(bounds[bank]))
      for position in 0..<state.count {
        guard encode(slots[place(bank, position)].request, frame, burstShift, into: &words) else { return false }
      }
    }
    words.append(Int32(reads.count))
    for position in 0..<reads.count {
      guard encode(reads[position].request, frame, burstShift, into: &words) else { return false }
    }
    horizon = waitingAtBanks > 0 || reads.count > 0 ? Int.max / 2 : latest
    return true
  }

  /// Since when the bus rests for want of requests, whatever it did before: a clock, or the one in which requests came.
  func restStart(at clock: Int) -> Int { waitingAtBanks == 0 ? clock : min(clock, bus.askedSince) }

  /// Whether the last data are over when the rest begins: then their end matters for the length of the rest alone.
  func isResting(at clock: Int) -> Bool { bus.dataEnd &- leastLatency <= restStart(at: clock) }

  var leastLatency: Int { min(distances.readLatency, distances.writeLatency) }

  /// How often a row was used, as far as it makes a difference.
  func hitsThatCount(_ bank: Int) -> Int32 { limited(banks[bank].hits) }

  func limited(_ hits: Int32) -> Int32 { min(hits, Int32(max(1, controller.rowHitLimit))) }

  /// Whether a bank has been left alone for so long that only its row counts.
  private func isIdle(_ bank: Int, since clock: Int, refreshed: Int) -> Bool {
    let state = banks[bank]
    // A refresh that waits will close all rows.
    guard refreshQueue.isEmpty, state.count == 0, state.nextActivate <= clock, state.nextPrecharge <= clock,
      refreshedUntil[bank] <= refreshed,
      state.openRow < 0 || (state.nextRead <= clock && state.nextWrite <= clock)
    else { return false }
    for position in 0..<reads.count where Int(reads[position].bank) == bank { return false }
    return true
  }

  /// A waiting request: its burst, and its tag with its direction. False for one that others wait behind.
  private func encode(_ place: Int32, _ frame: Frame, _ burstShift: Int, into words: inout [Int32]) -> Bool {
    let request = pending[Int(place)]
    guard request.next < 0 else { return false }
    let burst = (request.address >> burstShift) - frame.burst
    guard let word = Int32(exactly: burst) else { return false }
    words.append(word)
    words.append(request.isWrite ? -1 : Int32(truncatingIfNeeded: request.tag &- frame.tag))
    return true
  }

  mutating func note(_ bank: Int, isOpen: Bool) {
    let bit: UInt64 = 1 << UInt64(bank & 63)
    if isOpen { openBanks |= bit } else { openBanks &= ~bit }
  }

  // MARK: Back

  /// Takes up a state from its words; the books and the writes that wait in front of the banks stay as they are.
  ///
  /// - Parameter locate: bank, row and column of a burst.
  mutating func decode(
    _ words: UnsafeBufferPointer<Int32>, _ frame: Frame, burstShift: Int,
    locate: (_ burst: Int) -> (bank: Int, row: Int, column: Int)
  ) {
    discardRequests()
    var index = 0
    func next() -> Int32 {
      index += 1
      return words[index - 1]
    }
    func time() -> Int { frame.clock &+ Int(next()) }
    func event() -> Int {
      let word = next()
      return word == Mark.never ? Int.max : frame.clock &+ Int(word)
    }
    let upcoming = event()
    let due = Int(next())
    nextRefreshDue = refreshPeriod == Int.max ? Int.max : frame.refreshDue + due
    nextRefreshTarget = Int(next())
    let refreshes = Int(next())
    refreshQueue.removeAll(keepingCapacity: true)
    for _ in 0..<refreshes { refreshQueue.append(next()) }
    refreshBound = time()
    let held = Int(next())
    heldBanks = held..<Int(next())
    lastBank = Int(next())
    earliestBank = event()
    _ = next()  // the number of waiting writes
    let dataEnd = next()
    if dataEnd != Mark.resting { bus.dataEnd = frame.clock &+ Int(dataEnd) }
    bus.askedSince = time()
    bus.lastRank = Int(next())
    bus.lastWasWrite = next() == 1
    for group in 0..<groups.count {
      groups[group].nextActivate = time()
      groups[group].nextRead = time()
      groups[group].nextWrite = time()
    }
    for rank in 0..<ranks.count {
      ranks[rank].shared.nextActivate = time()
      ranks[rank].shared.nextRead = time()
      ranks[rank].shared.nextWrite = time()
      ranks[rank].nextPrecharge = time()
      for turn in 0..<4 { ranks[rank].activates[turn] = time() }
      ranks[rank].oldestActivate = 0
      ranks[rank].openBanks = 0
    }
    waitingAtBanks = 0
    for word in 0..<busyBanks.count { busyBanks[word] = 0 }
    for bank in 0..<banks.count {
      // The open row and its hits are books.
      if banks[bank].openRow >= 0 { ranks[bank >> rankShift].openBanks += 1 }
      if next() == Mark.idle {
        banks[bank].nextActivate = frame.clock
        banks[bank].nextPrecharge = frame.clock
        banks[bank].nextRead = frame.clock
        banks[bank].nextWrite = frame.clock
        refreshedUntil[bank] = Int.min / 2
        banks[bank].head = 0
        banks[bank].writes = 0
        bounds[bank] = frame.clock
        continue
      }
      _ = next()  // hits are a book too
      banks[bank].nextActivate = time()
      banks[bank].nextPrecharge = time()
      banks[bank].nextRead = time()
      banks[bank].nextWrite = time()
      refreshedUntil[bank] = time()
      let count = Int(next())
      banks[bank].head = 0
      banks[bank].count = count
      banks[bank].writes = 0
      bounds[bank] = count > 0 ? event() : frame.clock
      if count > 0 { busyBanks[bank >> 6] |= 1 << UInt64(bank & 63) }
      waitingAtBanks += count
      for position in 0..<count {
        let (place, request, _) = decodeRequest(next(), next(), frame, burstShift, locate)
        slots[self.place(bank, position)] = Slot(
          row: request.row, column: request.column, request: Int32(place), isWrite: request.isWrite)
        if request.isWrite { banks[bank].writes += 1 }
      }
    }
    let waiting = Int(next())
    for _ in 0..<waiting {
      let (place, _, bank) = decodeRequest(next(), next(), frame, burstShift, locate)
      reads.append(DRAMQueue.Item(request: Int32(place), bank: Int32(bank)))
    }
    drain = 0
    resume(at: frame.clock, nextEvent: min(upcoming, nextRefreshDue))
  }

  private mutating func decodeRequest(
    _ offset: Int32, _ tag: Int32, _ frame: Frame, _ burstShift: Int,
    _ locate: (_ burst: Int) -> (bank: Int, row: Int, column: Int)
  ) -> (place: Int, request: Pending, bank: Int) {
    let burst = frame.burst + Int(offset)
    let (bank, row, column) = locate(burst)
    let isWrite = tag < 0
    let request = Pending(
      address: burst << burstShift, tag: isWrite ? 0 : frame.tag + Int(tag), accepted: frame.clock, row: Int32(row),
      column: Int32(column), bank: Int32(bank), isWrite: isWrite, next: -1)
    let filter = DRAMChannel.filterIndex(request.address)
    if isWrite { writeFilter[filter] += 1 } else { readFilter[filter] += 1 }
    return (store(request), request, bank)
  }

  /// Forgets the requests at the banks and the reads in front of them.
  private mutating func discardRequests() {
    for bank in 0..<banks.count {
      for position in 0..<banks[bank].count { discard(Int(slots[place(bank, position)].request)) }
      banks[bank].count = 0
    }
    for position in 0..<reads.count { discard(Int(reads[position].request)) }
    reads.removeAll()
    writes.forgetRoom()
  }

  /// The writes in front of the banks, oldest first.
  var waitingWrites: [Pending] {
    get { (0..<writes.count).map { pending[Int(writes[$0].request)] } }
    set {
      for position in 0..<writes.count { discard(Int(writes[position].request)) }
      writes.removeAll()
      for request in newValue {
        writeFilter[DRAMChannel.filterIndex(request.address)] += 1
        writes.append(DRAMQueue.Item(request: Int32(store(request)), bank: request.bank))
      }
    }
  }

  private mutating func discard(_ first: Int) {
    let filter = DRAMChannel.filterIndex(pending[first].address)
    if pending[first].isWrite { writeFilter[filter] -= 1 } else { readFilter[filter] -= 1 }
    release(first)
  }
}
