import PantileTarget

/// Which command goes out in a clock, and what it changes.
extension DRAMChannel {
  /// What went out in a clock; row commands are activate, precharge and refresh.
  enum Sent { case none, row, column }

  /// Sends the first command that can go out, asking the banks in turn.
  ///
  /// - Parameter earlier: what went out already in this clock. The arbiter picks one more command; if that needs the same bus, it
  ///   waits, and the turn of its bank is over.
  mutating func sendForRequest(at cycle: Int, after earlier: Sent) -> Sent {
    let start = lastBank + 1
    var bank = nextBusyBank(from: start)
    var isWrapped = false
    while true {
      if bank < 0 || (isWrapped && bank >= start) {
        if isWrapped { return .none }
        isWrapped = true
        bank = nextBusyBank(from: 0)
        continue
      }
      if bounds[bank] <= cycle, !heldBanks.contains(bank) {
        let choice = choose(bank, at: cycle)
        if choice != Choice.none {
          lastBank = bank
          return send(choice, to: bank, at: cycle, after: earlier)
        }
      }
      bank = nextBusyBank(from: bank + 1)
    }
  }

  /// The first bank with requests from `start` on; -1 when there is none.
  @inline(__always) private func nextBusyBank(from start: Int) -> Int {
    var word = start >> 6
    guard word < busyBanks.count else { return -1 }
    var bits = busyBanks[word] & (UInt64.max << UInt64(start & 63))
    while bits == 0 {
      word += 1
      guard word < busyBanks.count else { return -1 }
      bits = busyBanks[word]
    }
    return word * 64 + bits.trailingZeroBitCount
  }

  private mutating func send(_ choice: Choice, to bank: Int, at cycle: Int, after earlier: Sent) -> Sent {
    let kind: Sent = if case .column = choice { .column } else { .row }
    guard kind != earlier else { return .none }
    switch choice {
    case .none: return .none
    case .activate: activate(bank, row: slots[place(bank, 0)].row, at: cycle)
    case .precharge: precharge(bank, at: cycle)
    case .column(let position): column(bank, position, at: cycle)
    }
    noteBound(of: bank)
    return kind
  }

  private enum Choice: Equatable {
    case none, activate, precharge
    case column(Int)
  }

  /// Sets the bound of a bank after a change; no clock is as early as this one, so nothing is chosen.
  @inline(__always) mutating func noteBound(of bank: Int) {
    _ = choose(bank, at: Int.min)
  }

  /// The command that goes out for a bank in this clock. When there is none, `bound` says before when there will be none.
  private mutating func choose(_ bank: Int, at cycle: Int) -> Choice {
    let state = banks[bank]
    let rank = bank >> rankShift
    let group = bank >> groupShift
    if state.openRow < 0 {
      let four = ranks[rank].activates[ranks[rank].oldestActivate] &+ timing.fourActivates
      let ready = max(
        max(state.nextActivate, groups[group].nextActivate), max(ranks[rank].shared.nextActivate, four))
      if ready <= cycle { return .activate }
      bounds[bank] = ready
      return .none
    }
    let isMissFirst = slots[place(bank, 0)].row != state.openRow
    if !isMissFirst, state.writes == 0 || state.writes == state.count {
      // The oldest hits the open row and all go one way: nothing else can be first.
      let ready = columnReady(bank, isWrite: state.writes > 0)
      if ready <= cycle { return .column(0) }
      bounds[bank] = ready
      return .none
    }
    var earliest = Int.max
    let prechargeReady = max(state.nextPrecharge, ranks[rank].nextPrecharge)
    if isMissFirst, state.hits >= controller.rowHitLimit || isInOrder {
      if prechargeReady <= cycle { return .precharge }
      earliest = prechargeReady
    }
    let readReady = columnReady(bank, isWrite: false)
    let writeReady = columnReady(bank, isWrite: true)
    var hasHit = false
    var seenRead = false
    var seenWrite = false
    let depth = isInOrder ? min(1, state.count) : state.count
    for position in 0..<depth {
      let slot = slots[place(bank, position)]
      guard slot.row == state.openRow else { continue }
      hasHit = true
      if slot.isWrite {
        if seenWrite || (seenRead && hasEarlierRead(bank, before: position, of: slot)) { continue }
        if writeReady <= cycle { return .column(position) }
        seenWrite = true
        earliest = min(earliest, writeReady)
      } else if !seenRead {
        if readReady <= cycle { return .column(position) }
        seenRead = true
        earliest = min(earliest, readReady)
      }
      if (seenRead || state.writes == state.count) && (seenWrite || state.writes == 0) { break }
    }
    if isMissFirst, !hasHit {
      if prechargeReady <= cycle { return .precharge }
      earliest = min(earliest, prechargeReady)
    }
    bounds[bank] = earliest
    return .none
  }

  /// When a column command can go out for the open row of a bank.
  @inline(__always) func columnReady(_ bank: Int, isWrite: Bool) -> Int {
    let group = bank >> groupShift
    let rank = bank >> rankShift
    if isWrite { return max(banks[bank].nextWrite, max(groups[group].nextWrite, ranks[rank].shared.nextWrite)) }
    return max(banks[bank].nextRead, max(groups[group].nextRead, ranks[rank].shared.nextRead))
  }

  /// Whether an older read of the same burst waits at the bank: a write must not pass it.
  private func hasEarlierRead(_ bank: Int, before position: Int, of slot: Slot) -> Bool {
    for earlier in 0..<position {
      let other = slots[place(bank, earlier)]
      if !other.isWrite, other.row == slot.row, other.column == slot.column { return true }
    }
    return false
  }

  // MARK: Commands

  @inline(__always) mutating func record(
    _ kind: DRAMCommand.Kind, bank: Int, row: Int32 = 0, column: Int32 = 0, at cycle: Int
  ) {
    guard recordsCommands else { return }
    commands.append(
      DRAMCommand(
        cycle: cycle, kind: kind, channel: index, rank: bank >> rankShift,
        group: (bank & (banksPerRank - 1)) >> groupShift, bank: bank & (banksPerGroup - 1), row: Int(row),
        column: Int(column)))
  }

  private mutating func activate(_ bank: Int, row: Int32, at cycle: Int) {
    record(.activate, bank: bank, row: row, at: cycle)
    count.activates += 1
    let rank = bank >> rankShift
    let group = bank >> groupShift
    banks[bank].openRow = row
    openBanks |= 1 << UInt64(bank & 63)
    banks[bank].hits = 0
    banks[bank].nextPrecharge = max(banks[bank].nextPrecharge, cycle + timing.activeTime)
    banks[bank].nextRead = cycle + distances.activateToRead
    banks[bank].nextWrite = cycle + distances.activateToWrite
    groups[group].nextActivate = cycle + timing.activateLong
    ranks[rank].shared.nextActivate = max(ranks[rank].shared.nextActivate, cycle + timing.activateShort)
    ranks[rank].activates[ranks[rank].oldestActivate] = cycle
    ranks[rank].oldestActivate = (ranks[rank].oldestActivate + 1) & 3
    if ranks[rank].openBanks == 0 { ranks[rank].activeSince = cycle }
    ranks[rank].openBanks += 1
  }

  mutating func precharge(_ bank: Int, at cycle: Int) {
    record(.precharge, bank: bank, at: cycle)
    count.precharges += 1
    let rank = bank >> rankShift
    close(bank, at: cycle, prechargedFrom: cycle)
    if timing.prechargeToPrecharge > 0 { ranks[rank].nextPrecharge = cycle + timing.prechargeToPrecharge }
  }

  private mutating func close(_ bank: Int, at cycle: Int, prechargedFrom start: Int) {
    let rank = bank >> rankShift
    banks[bank].openRow = -1
    openBanks &= ~(1 << UInt64(bank & 63))
    banks[bank].hits = 0
    banks[bank].nextActivate = max(banks[bank].nextActivate, start + timing.precharge)
    ranks[rank].openBanks -= 1
    if ranks[rank].openBanks == 0 {
      count.activeClocks += cycle - ranks[rank].activeSince
      ranks[rank].activeSince = -1
    }
  }

  private mutating func column(_ bank: Int, _ position: Int, at cycle: Int) {
    let slot = slots[place(bank, position)]
    let rank = bank >> rankShift
    let group = bank >> groupShift
    noteGap(bank: bank, isWrite: slot.isWrite, at: cycle)
    let isHit = banks[bank].hits > 0
    banks[bank].hits += 1
    if slot.isWrite {
      count.writes += 1
      if isHit { count.writeHits += 1 }
      record(isOpenPage ? .write : .writeClosing, bank: bank, row: slot.row, column: slot.column, at: cycle)
      groups[group].nextRead = max(groups[group].nextRead, cycle + distances.writeToReadLong)
      groups[group].nextWrite = max(groups[group].nextWrite, cycle + distances.writeToWriteLong)
      for other in 0..<ranks.count {
        let toRead = other == rank ? distances.writeToReadShort : distances.writeToReadOtherRank
        let toWrite = other == rank ? distances.writeToWriteShort : distances.writeToWriteOtherRank
        ranks[other].shared.nextRead = max(ranks[other].shared.nextRead, cycle + toRead)
        ranks[other].shared.nextWrite = max(ranks[other].shared.nextWrite, cycle + toWrite)
      }
      banks[bank].nextPrecharge = max(banks[bank].nextPrecharge, cycle + distances.writeToPrecharge)
    } else {
      count.reads += 1
      if isHit { count.readHits += 1 }
      record(isOpenPage ? .read : .readClosing, bank: bank, row: slot.row, column: slot.column, at: cycle)
      groups[group].nextRead = max(groups[group].nextRead, cycle + distances.readToReadLong)
      for other in 0..<ranks.count {
        let toRead = other == rank ? distances.readToReadShort : distances.readToReadOtherRank
        let toWrite = other == rank ? distances.readToWrite : distances.readToWriteOtherRank
        ranks[other].shared.nextRead = max(ranks[other].shared.nextRead, cycle + toRead)
        ranks[other].shared.nextWrite = max(ranks[other].shared.nextWrite, cycle + toWrite)
      }
      banks[bank].nextPrecharge = max(banks[bank].nextPrecharge, cycle + distances.readToPrecharge)
    }
    if !isOpenPage { close(bank, at: cycle, prechargedFrom: banks[bank].nextPrecharge) }
    finish(Int(slot.request), at: cycle)
    removeSlot(bank, position, isWrite: slot.isWrite)
  }

  /// Answers a request and all reads that were merged into it.
  private mutating func finish(_ first: Int, at cycle: Int) {
    let filter = DRAMChannel.filterIndex(pending[first].address)
    if pending[first].isWrite { writeFilter[filter] -= 1 } else { readFilter[filter] -= 1 }
    var place = first
    while place >= 0 {
      let request = pending[place]
      if !request.isWrite {
        completions.append(
          DRAMCompletion(
            tag: request.tag, isWrite: false, accepted: request.accepted, cycle: cycle + distances.readDone))
      }
      release(place)
      place = Int(request.next)
    }
  }

  private mutating func removeSlot(_ bank: Int, _ position: Int, isWrite: Bool) {
    var position = position
    while position > 0 {
      slots[place(bank, position)] = slots[place(bank, position - 1)]
      position -= 1
    }
    banks[bank].head = (banks[bank].head + 1) & (slotStride - 1)
    banks[bank].count -= 1
    if isWrite { banks[bank].writes -= 1 }
    waitingAtBanks -= 1
    if banks[bank].count == 0 { busyBanks[bank >> 6] &= ~(1 << UInt64(bank & 63)) }
    reads.noteRoom(at: bank)
    writes.noteRoom(at: bank)
  }
}
