import PantileTarget

/// One channel: queues, banks, and the policy of its controller (`Docs/dram.md`).
///
/// A clock with work is a `tick`: a refresh may fall due, one command goes out (two on a split bus), one request moves from
/// the front queues to its bank. `nextEvent` is a lower bound of the next such clock; stepping over more clocks than needed
/// changes nothing.
struct DRAMChannel: ~Copyable {
  struct Bank: BitwiseCopyable {
    /// -1 when precharged.
    var openRow: Int32 = -1
    /// Column commands since the activation.
    var hits: Int32 = 0
    var nextActivate = 0
    var nextPrecharge = 0
    var nextRead = 0
    var nextWrite = 0
    /// The place of its oldest request, and how many there are.
    var head = 0
    var count = 0
    /// How many of them are writes.
    var writes = 0
  }

  /// What holds for all banks of a group, or of a rank.
  struct Shared: BitwiseCopyable {
    var nextActivate = 0
    var nextRead = 0
    var nextWrite = 0
  }

  struct Rank: BitwiseCopyable {
    var shared = Shared()
    var nextPrecharge = 0
    /// The last four activates, a ring.
    var activates: SIMD4<Int> = .init(repeating: Int.min / 2)
    var oldestActivate = 0
    var openBanks = 0
    /// Since when it has an open row; -1 when it has none.
    var activeSince = -1
  }

  /// A request at its bank.
  struct Slot: BitwiseCopyable {
    var row: Int32
    var column: Int32
    var request: Int32
    var isWrite: Bool
  }

  /// A request from its acceptance to its column command.
  struct Pending: Hashable, BitwiseCopyable {
    var address: Int
    var tag: Int
    var accepted: Int
    var row: Int32
    var column: Int32
    var bank: Int32
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
  /// Of the number of a bank: what is left of these bits is its rank, and its group.
  let rankShift: Int
  let groupShift: Int
  let bankQueue: Int
  let recordsCommands: Bool

  let banks: FixedBuffer<Bank>
  /// Banks with an open row, a bit each, of the first 64.
  var openBanks: UInt64 = 0
  /// By bank: no command for its requests can go out before.
  let bounds: FixedBuffer<Int>
  let groups: FixedBuffer<Shared>
  let ranks: FixedBuffer<Rank>
  /// Rings of `slotStride` places a bank.
  let slots: FixedBuffer<Slot>
  let slotStride: Int
  /// Banks with requests, a bit each.
  let busyBanks: FixedBuffer<UInt64>
  /// The least of the bounds of banks that have requests and are not held for a refresh.
  var earliestBank = Int.max
  var waitingAtBanks = 0
  /// The bank that was served last; the search for the next command starts behind it.
  var lastBank = 0

  var reads: DRAMQueue
  var writes: DRAMQueue
  /// Writes still to be moved before reads are again.
  var drain = 0

  var pending = GrowingBuffer<Pending>()
  var freePending: Int32 = -1
  /// How many waiting reads and writes have addresses of a hash value: 0 proves that there is none of an address.
  let readFilter = FixedBuffer<UInt32>(repeating: 0, count: 256)
  let writeFilter = FixedBuffer<UInt32>(repeating: 0, count: 256)

  let refreshPeriod: Int
  var nextRefreshDue: Int
  var nextRefreshTarget = 0
  /// Ranks, or banks, whose refresh is due, in order.
  var refreshQueue: [Int32] = []
  /// No command of the refresh at the front can go out before.
  var refreshBound = 0
  /// The banks of the refresh at the front; they take no commands for requests.
  var heldBanks = 0..<0

  private(set) var nextEvent: Int
  /// Clocks before are done.
  private var now = 0
  var count = DRAMCounts()
  var gaps = DRAMGaps()
  var bus = DRAMBusState()
  /// By bank: the clock in which its last refresh was over.
  let refreshedUntil: FixedBuffer<Int>
  var completions = GrowingBuffer<DRAMCompletion>()
  var commands: [DRAMCommand] = []

  init(_ device: DRAMDevice, index: Int, recordsCommands: Bool) {
    let organization = device.organization
    self.index = index
    self.recordsCommands = recordsCommands
    distances = DRAMDistances(device)
    timing = device.timing
    controller = device.controller
    bankQueue = controller.bankQueue
    isOpenPage = controller.rowPolicy == .open
    isInOrder = controller.scheduling == .inOrder
    isUnified = controller.writeQueue == 0
    isSplitBus = organization.hasSplitCommandBus
    banksPerRank = organization.banksPerRank
    banksPerGroup = organization.banksPerGroup
    groupsPerRank = organization.bankGroups
    // Counts are powers of two.
    rankShift = organization.banksPerRank.trailingZeroBitCount
    groupShift = organization.banksPerGroup.trailingZeroBitCount
    let bankCount = organization.ranks * organization.banksPerRank
    banks = FixedBuffer(repeating: Bank(), count: bankCount)
    bounds = FixedBuffer(repeating: 0, count: bankCount)
    refreshedUntil = FixedBuffer(repeating: Int.min / 2, count: bankCount)
    groups = FixedBuffer(repeating: Shared(), count: organization.ranks * organization.bankGroups)
    ranks = FixedBuffer(repeating: Rank(), count: organization.ranks)
    var stride = 1
    while stride < controller.bankQueue { stride *= 2 }
    slotStride = stride
    slots = FixedBuffer(repeating: Slot(row: 0, column: 0, request: -1, isWrite: false), count: bankCount * stride)
    busyBanks = FixedBuffer(repeating: 0, count: (bankCount + 63) / 64)
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
      bank: Int32(bank), isWrite: request.isWrite, next: -1)
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
    for rank in 0..<ranks.count where ranks[rank].activeSince >= 0 {
      result.activeClocks += cycle - ranks[rank].activeSince
    }
    return result
  }

  // MARK: Waiting requests

  @inline(__always) static func filterIndex(_ address: Int) -> Int {
    Int(truncatingIfNeeded: (UInt(bitPattern: address) &* 0x9E37_79B9_7F4A_7C15) >> 56)
  }

  /// Goes on from a clock in a state that was put here, not stepped to.
  mutating func resume(at clock: Int, nextEvent: Int) {
    now = clock
    self.nextEvent = nextEvent
  }

  mutating func store(_ request: Pending) -> Int {
    guard freePending >= 0 else {
      pending.append(request)
      return pending.count - 1
    }
    let place = Int(freePending)
    freePending = pending[place].next
    pending[place] = request
    return place
  }

  /// The place of a request is free again.
  mutating func release(_ place: Int) {
    pending[place].next = freePending
    freePending = Int32(place)
  }

  /// The waiting request of exactly this address and direction.
  private func find(_ address: Int, isWrite: Bool, bank: Int) -> Int? {
    for position in 0..<banks[bank].count {
      let request = Int(slots[place(bank, position)].request)
      if pending[request].address == address, pending[request].isWrite == isWrite { return request }
    }
    if isWrite && !isUnified {
      for position in 0..<writes.count where pending[Int(writes[position].request)].address == address {
        return Int(writes[position].request)
      }
      return nil
    }
    for position in 0..<reads.count {
      let request = Int(reads[position].request)
      if pending[request].address == address, pending[request].isWrite == isWrite { return request }
    }
    return nil
  }

  @inline(__always) func place(_ bank: Int, _ position: Int) -> Int {
    bank &* slotStride &+ ((banks[bank].head &+ position) & (slotStride &- 1))
  }

  // MARK: A clock

  private mutating func tick(_ cycle: Int) {
    while nextRefreshDue <= cycle {
      fallDue()
      nextRefreshDue += refreshPeriod
    }
    var sent = Sent.none
    if !refreshQueue.isEmpty, refreshBound <= cycle, stepRefresh(at: cycle) { sent = .row }
    let isRefresh = sent == .row
    if !isRefresh, earliestBank <= cycle { sent = sendForRequest(at: cycle, after: .none) }
    if isSplitBus, sent != .none { _ = sendForRequest(at: cycle, after: sent) }
    let moved = moveToBank()
    if moved && waitingAtBanks == 1 { bus.askedSince = cycle + 1 }
    // A bank's bound grows when another bank was served; it is looked at again only when it comes up.
    if sent != .none || earliestBank <= cycle { findEarliestBank() }
    var next = moved ? cycle + 1 : min(earliestBank, nextRefreshDue)
    if !refreshQueue.isEmpty { next = min(next, refreshBound) }
    nextEvent = max(next, cycle + 1)
    now = cycle + 1
  }

  private mutating func findEarliestBank() {
    var earliest = Int.max
    for word in 0..<busyBanks.count {
      var bits = busyBanks[word]
      while bits != 0 {
        let bank = word &* 64 &+ bits.trailingZeroBitCount
        bits &= bits &- 1
        if bounds[bank] < earliest, !heldBanks.contains(bank) { earliest = bounds[bank] }
      }
    }
    earliestBank = earliest
  }

  // MARK: Refresh

  /// Takes up the refresh at the front of the queue.
  private mutating func holdBanks() {
    refreshBound = 0
    if let target = refreshQueue.first.map(Int.init) {
      let width = controller.refresh == .bankStaggered ? 1 : banksPerRank
      heldBanks = (target * width)..<((target + 1) * width)
    } else {
      heldBanks = 0..<0
    }
    findEarliestBank()
  }

  private mutating func fallDue() {
    defer { if heldBanks.isEmpty { holdBanks() } }
    switch controller.refresh {
    case .rankStaggered:
      refreshQueue.append(Int32(nextRefreshTarget))
      nextRefreshTarget = (nextRefreshTarget + 1) % ranks.count
    case .rankSimultaneous: for rank in 0..<ranks.count { refreshQueue.append(Int32(rank)) }
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
    let rank = heldBanks.lowerBound >> rankShift
    var earliest = Int.max
    var closedReady = 0
    for bank in heldBanks {
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
        refresh(rank, at: cycle)
        return true
      }
      earliest = closedReady
    }
    refreshBound = earliest
    return false
  }

  private mutating func refresh(_ rank: Int, at cycle: Int) {
    if controller.refresh == .bankStaggered {
      let bank = heldBanks.lowerBound
      record(.refreshBank, bank: bank, at: cycle)
      count.bankRefreshes += 1
      banks[bank].nextActivate = max(banks[bank].nextActivate, cycle + timing.bankRefreshTime)
      refreshedUntil[bank] = cycle + timing.bankRefreshTime
    } else {
      if recordsCommands {
        commands.append(DRAMCommand(cycle: cycle, kind: .refresh, channel: index, rank: rank))
      }
      count.refreshes += 1
      ranks[rank].shared.nextActivate = max(ranks[rank].shared.nextActivate, cycle + timing.refreshTime)
      for bank in heldBanks { refreshedUntil[bank] = cycle + timing.refreshTime }
    }
    refreshQueue.removeFirst()
    holdBanks()
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
    let position = writes.oldestMovable(banks, bankQueue)
    guard position >= 0 else { return false }
    let item = writes[position]
    let address = pending[Int(item.request)].address
    if readFilter[DRAMChannel.filterIndex(address)] > 0, find(address, isWrite: false, bank: Int(item.bank)) != nil {
      // An older read of the address waits: it goes first, and with it all reads until it is served.
      drain = 0
      return moveRead()
    }
    writes.take(at: position)
    drain -= 1
    push(item)
    return true
  }

  private mutating func moveRead() -> Bool {
    let position = reads.oldestMovable(banks, bankQueue)
    guard position >= 0 else { return false }
    let item = reads[position]
    reads.take(at: position)
    push(item)
    return true
  }

  private mutating func push(_ item: DRAMQueue.Item) {
    let bank = Int(item.bank)
    let request = pending[Int(item.request)]
    let position = banks[bank].count
    slots[place(bank, position)] = Slot(
      row: request.row, column: request.column, request: item.request, isWrite: request.isWrite)
    banks[bank].count += 1
    if request.isWrite { banks[bank].writes += 1 }
    waitingAtBanks += 1
    if position == 0 {
      busyBanks[bank >> 6] |= 1 << UInt64(bank & 63)
      noteBound(of: bank)
    } else if request.row == banks[bank].openRow {
      // Behind others only a hit can be served before them.
      bounds[bank] = min(bounds[bank], columnReady(bank, isWrite: request.isWrite))
    }
    if !heldBanks.contains(bank) { earliestBank = min(earliestBank, bounds[bank]) }
  }
}
