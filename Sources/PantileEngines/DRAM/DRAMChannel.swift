import PantileTarget

/// One channel: queues, banks, and the policy of its controller (`Docs/dram.md`).
///
/// A clock with work is a `tick`: a refresh may fall due, one command goes out (two on a split bus), one request moves from
/// the front queues to its bank. `nextEvent` is a lower bound of the next such clock; stepping over more clocks than needed
/// changes nothing.
struct DRAMChannel: Sendable {
  struct Bank {
    /// -1 when precharged.
    var openRow: Int32 = -1
    /// Column commands since the activation.
    var hits: Int32 = 0
    var nextActivate = 0
    var nextPrecharge = 0
    var nextRead = 0
    var nextWrite = 0
    /// No command for its requests can go out before.
    var bound = 0
    /// The place of its oldest request, and how many there are.
    var head = 0
    var count = 0
  }

  /// What holds for all banks of a group, or of a rank.
  struct Shared {
    var nextActivate = 0
    var nextRead = 0
    var nextWrite = 0
  }

  struct Rank {
    var shared = Shared()
    var nextPrecharge = 0
    /// The last four activates, a ring.
    var activates: SIMD4<Int> = .init(repeating: Int.min / 2)
    var oldestActivate = 0
    var openBanks = 0
    var activeSince = 0
  }

  /// A request at its bank.
  struct Slot {
    var row: Int32
    var column: Int32
    var request: Int32
    var isWrite: Bool
  }

  /// A request from its acceptance to its column command.
  struct Pending {
    var address: Int
    var tag: Int
    var accepted: Int
    var row: Int32
    var column: Int32
    var isWrite: Bool
    /// The next read that is answered with this one; in the free list, the next free place.
    var next: Int32
  }

  let index: Int
  let distances: DRAMDistances
  let timing: DRAMDevice.Timing
  let controller: DRAMDevice.Controller
  let isOpenPage: Bool
  let isInOrder: Bool
  let isUnified: Bool
  let isSplitBus: Bool
  let banksPerRank: Int
  let banksPerGroup: Int
  let groupsPerRank: Int
  let recordsCommands: Bool

  var banks: [Bank]
  var groups: [Shared]
  var ranks: [Rank]
  /// Rings of `slotStride` places a bank.
  var slots: [Slot]
  let slotStride: Int
  /// Banks with requests, a bit each.
  var busyBanks: [UInt64]
  var waitingAtBanks = 0
  /// The bank that was served last; the search for the next command starts behind it.
  var lastBank = 0

  var reads: DRAMQueue
  var writes: DRAMQueue
  /// Writes still to be moved before reads are again.
  var drain = 0

  var pending: [Pending] = []
  var freePending: Int32 = -1
  /// How many waiting reads and writes have addresses of a hash value: 0 proves that there is none of an address.
  var readFilter = [UInt16](repeating: 0, count: 256)
  var writeFilter = [UInt16](repeating: 0, count: 256)

  let refreshPeriod: Int
  var nextRefreshDue: Int
  var nextRefreshTarget = 0
  /// Ranks, or banks, whose refresh is due, in order.
  var refreshQueue: [Int32] = []
  /// No command of the refresh at the front can go out before.
  var refreshBound = 0

  private(set) var nextEvent: Int
  /// Clocks before are done.
  private var now = 0
  private var count = DRAMCounts()
  var completions: [DRAMCompletion] = []
  private(set) var commands: [DRAMCommand] = []

  init(_ device: DRAMDevice, index: Int, recordsCommands: Bool) {
    let organization = device.organization
    self.index = index
    self.recordsCommands = recordsCommands
    distances = DRAMDistances(device)
    timing = device.timing
    controller = device.controller
    isOpenPage = controller.rowPolicy == .open
    isInOrder = controller.scheduling == .inOrder
    isUnified = controller.writeQueue == 0
    isSplitBus = organization.hasSplitCommandBus
    banksPerRank = organization.banksPerRank
    banksPerGroup = organization.banksPerGroup
    groupsPerRank = organization.bankGroups
    banks = [Bank](repeating: Bank(), count: organization.ranks * organization.banksPerRank)
    groups = [Shared](repeating: Shared(), count: organization.ranks * organization.bankGroups)
    ranks = [Rank](repeating: Rank(), count: organization.ranks)
    var stride = 1
    while stride < controller.bankQueue { stride *= 2 }
    slotStride = stride
    slots = [Slot](repeating: Slot(row: 0, column: 0, request: -1, isWrite: false), count: banks.count * stride)
    busyBanks = [UInt64](repeating: 0, count: (banks.count + 63) / 64)
    reads = DRAMQueue(capacity: controller.readQueue)
    writes = DRAMQueue(capacity: max(1, controller.writeQueue))
    switch controller.refresh {
    case .rankStaggered: refreshPeriod = max(1, timing.refreshInterval / organization.ranks)
    case .rankSimultaneous: refreshPeriod = timing.refreshInterval
    case .bankStaggered: refreshPeriod = timing.bankRefreshInterval
    case .never: refreshPeriod = Int.max
    }
    nextRefreshDue = refreshPeriod
    nextEvent = refreshPeriod
  }

  // MARK: From outside

  func hasRoom(isWrite: Bool) -> Bool { isWrite && !isUnified ? writes.hasRoom : reads.hasRoom }

  var isIdle: Bool { waitingAtBanks == 0 && reads.count == 0 && writes.count == 0 }

  mutating func advance(before cycle: Int) {
    while nextEvent < cycle { tick(nextEvent) }
    now = max(now, cycle)
  }

  /// Takes a request into its front queue, unless waiting ones answer it.
  mutating func accept(_ request: DRAMRequest, bank: Int, row: Int, column: Int, at cycle: Int) {
    precondition(cycle >= now, "a request is offered in clock \(cycle), but clocks before \(now) are done")
    let filter = DRAMChannel.filterIndex(request.address)
    let posted = DRAMCompletion(tag: request.tag, isWrite: request.isWrite, accepted: cycle, cycle: cycle + 1)
    if writeFilter[filter] > 0, find(request.address, isWrite: true, bank: bank) != nil {
      if request.isWrite { count.mergedWrites += 1 } else { count.forwardedReads += 1 }
      completions.append(posted)
      return
    }
    var new = Pending(
      address: request.address, tag: request.tag, accepted: cycle, row: Int32(row), column: Int32(column),
      isWrite: request.isWrite, next: -1)
    if request.isWrite {
      completions.append(posted)
      writeFilter[filter] += 1
    } else {
      if readFilter[filter] > 0, let first = find(request.address, isWrite: false, bank: bank) {
        count.mergedReads += 1
        new.next = pending[first].next
        pending[first].next = Int32(store(new))
        return
      }
      readFilter[filter] += 1
    }
    let item = DRAMQueue.Item(request: Int32(store(new)), bank: Int32(bank))
    if request.isWrite && !isUnified { writes.append(item) } else { reads.append(item) }
    nextEvent = min(nextEvent, cycle)
  }

  func counts(until cycle: Int) -> DRAMCounts {
    var result = count
    for rank in ranks where rank.openBanks > 0 { result.activeClocks += cycle - rank.activeSince }
    return result
  }

  // MARK: Waiting requests

  @inline(__always) private static func filterIndex(_ address: Int) -> Int {
    Int(truncatingIfNeeded: (UInt(bitPattern: address) &* 0x9E37_79B9_7F4A_7C15) >> 56)
  }

  private mutating func store(_ request: Pending) -> Int {
    guard freePending >= 0 else {
      pending.append(request)
      return pending.count - 1
    }
    let place = Int(freePending)
    freePending = pending[place].next
    pending[place] = request
    return place
  }

  /// The waiting request of exactly this address and direction.
  private func find(_ address: Int, isWrite: Bool, bank: Int) -> Int? {
    for position in 0..<banks[bank].count {
      let request = Int(slots[place(bank, position)].request)
      if pending[request].address == address, pending[request].isWrite == isWrite { return request }
    }
    if isWrite && !isUnified { return find(address, isWrite: true, in: writes) }
    return find(address, isWrite: isWrite, in: reads)
  }

  private func find(_ address: Int, isWrite: Bool, in queue: DRAMQueue) -> Int? {
    for position in 0..<queue.count {
      let request = Int(queue[position].request)
      if pending[request].address == address, pending[request].isWrite == isWrite { return request }
    }
    return nil
  }

  @inline(__always) private func place(_ bank: Int, _ position: Int) -> Int {
    bank &* slotStride &+ ((banks[bank].head &+ position) & (slotStride &- 1))
  }

  // MARK: A clock

  private mutating func tick(_ cycle: Int) {
    while nextRefreshDue <= cycle {
      fallDue()
      nextRefreshDue += refreshPeriod
    }
    var sent = Sent.none
    if !refreshQueue.isEmpty, refreshBound <= cycle, stepRefresh(at: cycle) {
      sent = .row
    } else {
      sent = sendForRequest(at: cycle, after: .none)
    }
    if isSplitBus, sent != .none { _ = sendForRequest(at: cycle, after: sent) }
    let moved = moveToBank()
    var next = moved ? cycle + 1 : Int.max
    if !refreshQueue.isEmpty { next = min(next, max(refreshBound, cycle + 1)) }
    next = min(next, nextRefreshDue)
    let blocked = refreshedBanks
    for word in busyBanks.indices {
      var bits = busyBanks[word]
      while bits != 0 {
        let bank = word * 64 + bits.trailingZeroBitCount
        bits &= bits &- 1
        if !blocked.contains(bank) { next = min(next, banks[bank].bound) }
      }
    }
    nextEvent = max(next, cycle + 1)
    now = cycle + 1
  }

  // MARK: Refresh

  /// The banks that take no commands for requests, because their refresh is due.
  private var refreshedBanks: Range<Int> {
    guard let target = refreshQueue.first.map(Int.init) else { return 0..<0 }
    if controller.refresh == .bankStaggered { return target..<(target + 1) }
    return (target * banksPerRank)..<((target + 1) * banksPerRank)
  }

  private mutating func fallDue() {
    if refreshQueue.isEmpty { refreshBound = 0 }
    switch controller.refresh {
    case .rankStaggered:
      refreshQueue.append(Int32(nextRefreshTarget))
      nextRefreshTarget = (nextRefreshTarget + 1) % ranks.count
    case .rankSimultaneous: for rank in ranks.indices { refreshQueue.append(Int32(rank)) }
    case .bankStaggered:
      // The groups of a rank take turns, so that neighbours in time share least.
      let turn = nextRefreshTarget % banksPerRank
      let rank = nextRefreshTarget / banksPerRank
      let bank = turn % groupsPerRank * banksPerGroup + turn / groupsPerRank
      refreshQueue.append(Int32(rank * banksPerRank + bank))
      nextRefreshTarget = (nextRefreshTarget + 1) % banks.count
    case .never: break
    }
  }

  /// Precharges an open bank of the refresh at the front, or refreshes. Returns whether a command went out.
  private mutating func stepRefresh(at cycle: Int) -> Bool {
    let targets = refreshedBanks
    let rank = targets.lowerBound / banksPerRank
    var earliest = Int.max
    var closedReady = 0
    for bank in targets {
      if banks[bank].openRow < 0 {
        closedReady = max(closedReady, banks[bank].nextActivate)
        continue
      }
      let ready = max(banks[bank].nextPrecharge, ranks[rank].nextPrecharge)
      if ready <= cycle {
        precharge(bank, at: cycle)
        refreshBound = cycle + 1
        return true
      }
      earliest = min(earliest, ready)
    }
    if earliest == Int.max {
      if closedReady <= cycle {
        refresh(targets, rank: rank, at: cycle)
        return true
      }
      earliest = closedReady
    }
    refreshBound = earliest
    return false
  }

  private mutating func refresh(_ targets: Range<Int>, rank: Int, at cycle: Int) {
    refreshQueue.removeFirst()
    refreshBound = 0
    if controller.refresh == .bankStaggered {
      let bank = targets.lowerBound
      record(.refreshBank, bank: bank, at: cycle)
      count.bankRefreshes += 1
      banks[bank].nextActivate = max(banks[bank].nextActivate, cycle + timing.bankRefreshTime)
    } else {
      if recordsCommands {
        commands.append(DRAMCommand(cycle: cycle, kind: .refresh, channel: index, rank: rank))
      }
      count.refreshes += 1
      ranks[rank].shared.nextActivate = max(ranks[rank].shared.nextActivate, cycle + timing.refreshTime)
    }
  }

  // MARK: Commands for requests

  /// What went out in a clock; row commands are activate, precharge and refresh.
  private enum Sent { case none, row, column }

  /// Sends the first command that can go out, asking the banks in turn.
  ///
  /// - Parameter earlier: what went out already in this clock. The arbiter picks one more command; if that needs the same bus, it
  ///   waits, and the turn of its bank is over.
  private mutating func sendForRequest(at cycle: Int, after earlier: Sent) -> Sent {
    let blocked = refreshedBanks
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
      if banks[bank].bound <= cycle, !blocked.contains(bank) {
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
  @inline(__always) private mutating func noteBound(of bank: Int) {
    _ = choose(bank, at: Int.min)
  }

  /// The command that goes out for a bank in this clock. When there is none, `bound` says before when there will be none.
  private mutating func choose(_ bank: Int, at cycle: Int) -> Choice {
    let state = banks[bank]
    let rank = bank / banksPerRank
    let group = bank / banksPerGroup
    if state.openRow < 0 {
      let four = ranks[rank].activates[ranks[rank].oldestActivate] &+ timing.fourActivates
      let ready = max(
        max(state.nextActivate, groups[group].nextActivate), max(ranks[rank].shared.nextActivate, four))
      if ready <= cycle { return .activate }
      banks[bank].bound = ready
      return .none
    }
    let isMissFirst = slots[place(bank, 0)].row != state.openRow
    var earliest = Int.max
    let prechargeReady = max(state.nextPrecharge, ranks[rank].nextPrecharge)
    if isMissFirst, state.hits >= controller.rowHitLimit || isInOrder {
      if prechargeReady <= cycle { return .precharge }
      earliest = prechargeReady
    }
    let readReady = max(state.nextRead, max(groups[group].nextRead, ranks[rank].shared.nextRead))
    let writeReady = max(state.nextWrite, max(groups[group].nextWrite, ranks[rank].shared.nextWrite))
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
      if seenRead && seenWrite { break }
    }
    if isMissFirst, !hasHit {
      if prechargeReady <= cycle { return .precharge }
      earliest = min(earliest, prechargeReady)
    }
    banks[bank].bound = earliest
    return .none
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

  @inline(__always) private mutating func record(
    _ kind: DRAMCommand.Kind, bank: Int, row: Int32 = 0, column: Int32 = 0, at cycle: Int
  ) {
    guard recordsCommands else { return }
    commands.append(
      DRAMCommand(
        cycle: cycle, kind: kind, channel: index, rank: bank / banksPerRank,
        group: bank % banksPerRank / banksPerGroup, bank: bank % banksPerGroup, row: Int(row), column: Int(column)))
  }

  private mutating func activate(_ bank: Int, row: Int32, at cycle: Int) {
    record(.activate, bank: bank, row: row, at: cycle)
    count.activates += 1
    let rank = bank / banksPerRank
    let group = bank / banksPerGroup
    banks[bank].openRow = row
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

  private mutating func precharge(_ bank: Int, at cycle: Int) {
    record(.precharge, bank: bank, at: cycle)
    count.precharges += 1
    let rank = bank / banksPerRank
    close(bank, at: cycle, prechargedFrom: cycle)
    if timing.prechargeToPrecharge > 0 { ranks[rank].nextPrecharge = cycle + timing.prechargeToPrecharge }
  }

  private mutating func close(_ bank: Int, at cycle: Int, prechargedFrom start: Int) {
    let rank = bank / banksPerRank
    banks[bank].openRow = -1
    banks[bank].hits = 0
    banks[bank].nextActivate = max(banks[bank].nextActivate, start + timing.precharge)
    ranks[rank].openBanks -= 1
    if ranks[rank].openBanks == 0 { count.activeClocks += cycle - ranks[rank].activeSince }
  }

  private mutating func column(_ bank: Int, _ position: Int, at cycle: Int) {
    let slot = slots[place(bank, position)]
    let rank = bank / banksPerRank
    let group = bank / banksPerGroup
    let isHit = banks[bank].hits > 0
    banks[bank].hits += 1
    if slot.isWrite {
      count.writes += 1
      if isHit { count.writeHits += 1 }
      record(isOpenPage ? .write : .writeClosing, bank: bank, row: slot.row, column: slot.column, at: cycle)
      groups[group].nextRead = max(groups[group].nextRead, cycle + distances.writeToReadLong)
      groups[group].nextWrite = max(groups[group].nextWrite, cycle + distances.writeToWriteLong)
      for other in ranks.indices {
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
      for other in ranks.indices {
        let toRead = other == rank ? distances.readToReadShort : distances.readToReadOtherRank
        let toWrite = other == rank ? distances.readToWrite : distances.readToWriteOtherRank
        ranks[other].shared.nextRead = max(ranks[other].shared.nextRead, cycle + toRead)
        ranks[other].shared.nextWrite = max(ranks[other].shared.nextWrite, cycle + toWrite)
      }
      banks[bank].nextPrecharge = max(banks[bank].nextPrecharge, cycle + distances.readToPrecharge)
    }
    if !isOpenPage { close(bank, at: cycle, prechargedFrom: banks[bank].nextPrecharge) }
    finish(Int(slot.request), at: cycle)
    removeSlot(bank, position)
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
      pending[place].next = freePending
      freePending = Int32(place)
      place = Int(request.next)
    }
  }

  private mutating func removeSlot(_ bank: Int, _ position: Int) {
    var position = position
    while position > 0 {
      slots[place(bank, position)] = slots[place(bank, position - 1)]
      position -= 1
    }
    banks[bank].head = (banks[bank].head + 1) & (slotStride - 1)
    banks[bank].count -= 1
    waitingAtBanks -= 1
    if banks[bank].count == 0 { busyBanks[bank >> 6] &= ~(1 << UInt64(bank & 63)) }
    reads.blocked = 0
    writes.blocked = 0
  }

  // MARK: From the front queues to the banks

  /// Moves the oldest request whose bank has room. Returns whether one was moved.
  private mutating func moveToBank() -> Bool {
    if isUnified { return moveRead() }
    if drain == 0,
      writes.count >= controller.writeHigh || (writes.count > controller.writeIdle && waitingAtBanks == 0)
    {
      drain = writes.count
    }
    guard drain > 0 else { return moveRead() }
    for position in writes.blocked..<writes.count where banks[Int(writes[position].bank)].count < controller.bankQueue {
      let item = writes[position]
      let address = pending[Int(item.request)].address
      if readFilter[DRAMChannel.filterIndex(address)] > 0,
        find(address, isWrite: false, bank: Int(item.bank)) != nil
      {
        // An older read of the address waits: it goes first, and with it all reads until it is served.
        drain = 0
        return moveRead()
      }
      writes.remove(at: position)
      writes.blocked = position
      drain -= 1
      push(item)
      return true
    }
    writes.blocked = writes.count
    return false
  }

  private mutating func moveRead() -> Bool {
    for position in reads.blocked..<reads.count where banks[Int(reads[position].bank)].count < controller.bankQueue {
      let item = reads[position]
      reads.remove(at: position)
      reads.blocked = position
      push(item)
      return true
    }
    reads.blocked = reads.count
    return false
  }

  private mutating func push(_ item: DRAMQueue.Item) {
    let bank = Int(item.bank)
    let request = pending[Int(item.request)]
    slots[place(bank, banks[bank].count)] = Slot(
      row: request.row, column: request.column, request: item.request, isWrite: request.isWrite)
    if banks[bank].count == 0 { busyBanks[bank >> 6] |= 1 << UInt64(bank & 63) }
    banks[bank].count += 1
    waitingAtBanks += 1
    noteBound(of: bank)
  }
}
