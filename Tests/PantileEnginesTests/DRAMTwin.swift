import PantileEngines
import PantileTarget

/// The controller of one channel once more, clock by clock, in the plainest words of `Docs/dram.md`: the oracle of the model that skips
/// clocks. A command is legal when it is far enough from every earlier command, one by one.
final class DRAMTwin {
  struct Request {
    var entry: DRAMTraceEntry
    var tag: Int
    var accepted: Int
    var rank, group, bank, row, column: Int
    /// Reads that wait for the same answer.
    var followers: [(tag: Int, accepted: Int)] = []
  }

  struct Bank {
    var openRow: Int?
    var hits = 0
    var queue: [Request] = []
    /// Of a row that closes by itself: activates and refreshes from here on.
    var closedFrom = 0
  }

  let device: DRAMDevice
  let channel: Int
  var banks: [Bank]
  var reads: [Request] = []
  var writes: [Request] = []
  var drain = 0
  var lastBank = 0
  var refreshTurn = 0
  var refreshes: [Int] = []
  var commands: [DRAMCommand] = []
  var completions: [DRAMCompletion] = []
  var activeClocks = 0

  private var shape: DRAMDevice.Organization { device.organization }
  private var timing: DRAMDevice.Timing { device.timing }
  private var policy: DRAMDevice.Controller { device.controller }
  private var isUnified: Bool { policy.writeQueue == 0 }

  init(_ device: DRAMDevice, channel: Int) {
    self.device = device
    self.channel = channel
    banks = Array(repeating: Bank(), count: device.organization.ranks * device.organization.banksPerRank)
  }

  // MARK: Front

  static func channel(of address: Int, _ device: DRAMDevice) -> Int { field(.channel, address, device) }

  private static func field(_ field: DRAMAddressMap.Field, _ address: Int, _ device: DRAMDevice) -> Int {
    var rest = address / device.organization.burstBytes
    let shape = device.organization
    for next in device.addressMap.order.reversed() {
      let count: Int
      switch next {
      case .row: count = shape.rows
      case .channel: count = shape.channels
      case .rank: count = shape.ranks
      case .bank: count = shape.banksPerGroup
      case .group: count = shape.bankGroups
      case .column: count = shape.columns / shape.burstLength
      }
      if next == field { return rest % count }
      rest /= count
    }
    fatalError("no such field")
  }

  func hasRoom(isWrite: Bool) -> Bool {
    isWrite && !isUnified ? writes.count < policy.writeQueue : reads.count < policy.readQueue
  }

  func accept(_ entry: DRAMTraceEntry, tag: Int, at cycle: Int) {
    func part(_ field: DRAMAddressMap.Field) -> Int { Self.field(field, entry.address, device) }
    let posted = DRAMCompletion(tag: tag, isWrite: entry.isWrite, accepted: cycle, cycle: cycle + 1)
    let waiting = reads + writes + banks.flatMap(\.queue)
    let sameWrite = waiting.contains { $0.entry.isWrite && $0.entry.address == entry.address }
    if sameWrite {
      completions.append(posted)
      return
    }
    if entry.isWrite { completions.append(posted) }
    if !entry.isWrite, join(entry.address, (tag, cycle)) { return }
    let request = Request(
      entry: entry, tag: tag, accepted: cycle, rank: part(.rank), group: part(.group), bank: part(.bank),
      row: part(.row), column: part(.column))
    if entry.isWrite && !isUnified { writes.append(request) } else { reads.append(request) }
  }

  private func join(_ address: Int, _ follower: (tag: Int, accepted: Int)) -> Bool {
    if let index = reads.firstIndex(where: { !$0.entry.isWrite && $0.entry.address == address }) {
      reads[index].followers.append(follower)
      return true
    }
    for bank in banks.indices {
      if let index = banks[bank].queue.firstIndex(where: { !$0.entry.isWrite && $0.entry.address == address }) {
        banks[bank].queue[index].followers.append(follower)
        return true
      }
    }
    return false
  }

  // MARK: A clock

  func tick(_ cycle: Int) {
    fallDue(cycle)
    var sent: Bool?  // whether a column command went out
    if let command = refreshCommand(cycle) {
      issue(command)
      sent = false
    } else {
      sent = serve(cycle, after: nil)
    }
    if shape.hasSplitCommandBus, let first = sent { _ = serve(cycle, after: first) }
    move()
    for rank in 0..<shape.ranks where bankRange(rank).contains(where: { banks[$0].openRow != nil }) {
      activeClocks += 1
    }
  }

  private func bankRange(_ rank: Int) -> Range<Int> { rank * shape.banksPerRank..<(rank + 1) * shape.banksPerRank }

  private func fallDue(_ cycle: Int) {
    guard cycle > 0 else { return }
    switch policy.refresh {
    case .never: return
    case .rankStaggered:
      guard cycle % (timing.refreshInterval / shape.ranks) == 0 else { return }
      refreshes.append(refreshTurn % shape.ranks)
    case .rankSimultaneous:
      guard cycle % timing.refreshInterval == 0 else { return }
      refreshes += Array(0..<shape.ranks)
    case .bankStaggered:
      guard cycle % timing.bankRefreshInterval == 0 else { return }
      let bank = refreshTurn % banks.count
      let inRank = bank % shape.banksPerRank
      refreshes.append(
        bank / shape.banksPerRank * shape.banksPerRank + inRank % shape.bankGroups * shape.banksPerGroup
          + inRank / shape.bankGroups)
    }
    refreshTurn += 1
  }

  private var held: Range<Int> {
    guard let target = refreshes.first else { return 0..<0 }
    return policy.refresh == .bankStaggered ? target..<(target + 1) : bankRange(target)
  }

  private func command(_ kind: DRAMCommand.Kind, _ bank: Int, _ cycle: Int, row: Int = 0, column: Int = 0)
    -> DRAMCommand
  {
    DRAMCommand(
      cycle: cycle, kind: kind, channel: channel, rank: bank / shape.banksPerRank,
      group: bank % shape.banksPerRank / shape.banksPerGroup, bank: bank % shape.banksPerGroup, row: row, column: column
    )
  }

  private func refreshCommand(_ cycle: Int) -> DRAMCommand? {
    guard !refreshes.isEmpty else { return nil }
    var isOpen = false
    for bank in held where banks[bank].openRow != nil {
      isOpen = true
      let close = command(.precharge, bank, cycle)
      if isLegal(close) { return close }
    }
    if isOpen { return nil }
    let isBank = policy.refresh == .bankStaggered
    let refresh =
      isBank
      ? command(.refreshBank, held.lowerBound, cycle)
      : DRAMCommand(cycle: cycle, kind: .refresh, channel: channel, rank: held.lowerBound / shape.banksPerRank)
    return isLegal(refresh) ? refresh : nil
  }

  /// Asks the banks in turn; returns whether a column command went out.
  private func serve(_ cycle: Int, after earlier: Bool?) -> Bool? {
    for step in 1...banks.count {
      let bank = (lastBank + step) % banks.count
      guard !held.contains(bank), let (command, position) = wish(bank, cycle) else { continue }
      lastBank = bank
      let isColumn = position != nil
      guard isColumn != earlier else { return nil }
      issue(command)
      if let position { finish(banks[bank].queue.remove(at: position), cycle) }
      return isColumn
    }
    return nil
  }

  /// The first request of a bank, in order, that a command can serve now.
  private func wish(_ bank: Int, _ cycle: Int) -> (DRAMCommand, position: Int?)? {
    let queue = banks[bank].queue
    for (position, request) in queue.enumerated() {
      if policy.scheduling == .inOrder, position > 0 { return nil }
      guard let row = banks[bank].openRow else {
        let open = command(.activate, bank, cycle, row: request.row)
        return isLegal(open) ? (open, nil) : nil
      }
      if request.row == row {
        let isBlocked =
          request.entry.isWrite
          && queue[..<position].contains {
            !$0.entry.isWrite && $0.row == request.row && $0.column == request.column
          }
        let isClosing = policy.rowPolicy == .closed
        let kind: DRAMCommand.Kind =
          request.entry.isWrite ? (isClosing ? .writeClosing : .write) : (isClosing ? .readClosing : .read)
        let column = command(kind, bank, cycle, row: row, column: request.column)
        if !isBlocked, isLegal(column) { return (column, position) }
      } else if position == 0 {
        let hasHits = policy.scheduling == .firstReady && queue.contains { $0.row == row }
        let close = command(.precharge, bank, cycle)
        if !hasHits || banks[bank].hits >= policy.rowHitLimit, isLegal(close) { return (close, nil) }
      }
    }
    return nil
  }

  private func finish(_ request: Request, _ cycle: Int) {
    guard !request.entry.isWrite else { return }
    let done = cycle + timing.additiveLatency + timing.readLatency + shape.burstClocks
    for (tag, accepted) in [(request.tag, request.accepted)] + request.followers {
      completions.append(DRAMCompletion(tag: tag, isWrite: false, accepted: accepted, cycle: done))
    }
  }

  private func issue(_ command: DRAMCommand) {
    commands.append(command)
    let bank = (Int(command.rank) * shape.bankGroups + Int(command.group)) * shape.banksPerGroup + Int(command.bank)
    switch command.kind {
    case .activate: (banks[bank].openRow, banks[bank].hits) = (Int(command.row), 0)
    case .precharge: banks[bank].openRow = nil
    case .read, .write: banks[bank].hits += 1
    case .readClosing, .writeClosing:
      let opened = commands.last {
        $0.kind == .activate && $0.bank == command.bank && $0.group == command.group && $0.rank == command.rank
      }!
      let data =
        command.kind == .readClosing
        ? timing.additiveLatency + timing.readToPrecharge
        : timing.additiveLatency + timing.writeLatency + shape.burstClocks + timing.writeRecovery
      banks[bank].closedFrom = max(opened.cycle + timing.activeTime, command.cycle + data) + timing.precharge
      banks[bank].openRow = nil
    case .refresh, .refreshBank: refreshes.removeFirst()
    }
  }

  private func move() {
    func hasRoom(_ request: Request) -> Bool { banks[index(request)].queue.count < policy.bankQueue }
    func index(_ request: Request) -> Int {
      (request.rank * shape.bankGroups + request.group) * shape.banksPerGroup + request.bank
    }
    func moveRead() {
      guard let place = reads.firstIndex(where: hasRoom) else { return }
      let request = reads.remove(at: place)
      banks[index(request)].queue.append(request)
    }
    if isUnified { return moveRead() }
    let isQuiet = banks.allSatisfy { $0.queue.isEmpty }
    if drain == 0, writes.count >= policy.writeHigh || (writes.count > policy.writeIdle && isQuiet) {
      drain = writes.count
    }
    guard drain > 0 else { return moveRead() }
    guard let place = writes.firstIndex(where: hasRoom) else { return }
    let waiting = reads + banks.flatMap(\.queue)
    if waiting.contains(where: { !$0.entry.isWrite && $0.entry.address == writes[place].entry.address }) {
      drain = 0
      return moveRead()
    }
    let request = writes.remove(at: place)
    drain -= 1
    banks[index(request)].queue.append(request)
  }

  // MARK: Legality, command by command

  private func isLegal(_ next: DRAMCommand) -> Bool {
    let horizon = max(timing.refreshTime, timing.bankRefreshTime, 200)
    var activates = 0
    for earlier in commands.reversed() {
      if next.cycle - earlier.cycle >= horizon { break }
      if next.cycle - earlier.cycle < distance(earlier, next) { return false }
      if next.kind == .activate, earlier.kind == .activate, earlier.rank == next.rank {
        activates += 1
        if activates == 4, next.cycle - earlier.cycle < timing.fourActivates { return false }
      }
    }
    let bank = (Int(next.rank) * shape.bankGroups + Int(next.group)) * shape.banksPerGroup + Int(next.bank)
    switch next.kind {
    case .activate, .refreshBank: return next.cycle >= banks[bank].closedFrom
    case .refresh: return bankRange(Int(next.rank)).allSatisfy { next.cycle >= banks[$0].closedFrom }
    default: return true
    }
  }

  private func distance(_ first: DRAMCommand, _ second: DRAMCommand) -> Int {
    let sameRank = first.rank == second.rank
    let sameGroup = sameRank && first.group == second.group
    let sameBank = sameGroup && first.bank == second.bank
    let burst = shape.burstClocks
    let readData = timing.additiveLatency + timing.readLatency
    let writeData = timing.additiveLatency + timing.writeLatency
    func isRead(_ command: DRAMCommand) -> Bool { command.kind == .read || command.kind == .readClosing }
    func isWrite(_ command: DRAMCommand) -> Bool { command.kind == .write || command.kind == .writeClosing }
    if isRead(first) || isWrite(first), isRead(second) || isWrite(second) {
      // Data come in the order of commands, one burst after the other.
      let start = isWrite(first) ? writeData : readData
      let gap = isRead(first) && (isWrite(second) || !sameRank) || isWrite(first) && isRead(second) && !sameRank
      let bus = start + burst + (gap ? timing.busTurnaround : 0) - (isWrite(second) ? writeData : readData)
      var least = max(1, bus)
      if sameRank, isRead(first) == isRead(second) {
        least = max(least, sameGroup ? timing.columnLong : timing.columnShort)
      }
      if sameRank, isWrite(first), isRead(second) {
        least = max(least, writeData + burst + (sameGroup ? timing.writeToReadLong : timing.writeToReadShort))
      }
      return least
    }
    guard sameRank else { return 0 }
    switch (first.kind, second.kind) {
    case (.activate, .activate):
      if sameBank { return timing.activeTime + timing.precharge }
      return sameGroup ? timing.activateLong : timing.activateShort
    case (.activate, .read), (.activate, .readClosing):
      return sameBank ? timing.activateToRead - timing.additiveLatency : 0
    case (.activate, .write), (.activate, .writeClosing):
      return sameBank ? timing.activateToWrite - timing.additiveLatency : 0
    case (.activate, .precharge): return sameBank ? timing.activeTime : 0
    case (.read, .precharge): return sameBank ? timing.additiveLatency + timing.readToPrecharge : 0
    case (.write, .precharge): return sameBank ? writeData + burst + timing.writeRecovery : 0
    case (.precharge, .activate), (.precharge, .refreshBank): return sameBank ? timing.precharge : 0
    case (.precharge, .refresh): return timing.precharge
    case (.precharge, .precharge): return timing.prechargeToPrecharge
    case (.refresh, .activate), (.refresh, .refresh): return timing.refreshTime
    case (.refreshBank, .activate), (.refreshBank, .refreshBank): return sameBank ? timing.bankRefreshTime : 0
    default: return 0
    }
  }
}
