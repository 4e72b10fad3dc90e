import PantileEngines
import PantileProgram
import PantileSupport
import PantileTarget

/// Copies: what a DMA engine's command asks of the memory, when it is sent and answered, and what devices did meanwhile.
extension TimingRun {
  struct PendingTransfer {
    var issue: Int
    var layer: Int
    var reads: UInt64
    var writes: UInt64
    var bursts: Int
    var linkCycles: Int
    /// In which the link moves whole bursts.
    var burstCycles: Int
    var command: Int
    /// The link has moved everything, whatever the memory does.
    var linkEnd: Int { issue + max(1, linkCycles) }
    /// Stretch of its queue's signals, and where the loops stood at issue.
    var signals: FlatQueue.Span
    var loops: LoopState
  }

  /// What a transfer on a memory waited for.
  struct CopySplit {
    var own: Int
    var first: (kind: StallCause.Kind, cycles: Int) = (.credit, 0)
    var second: (kind: StallCause.Kind, cycles: Int) = (.bus, 0)
    /// More than two kinds.
    var others: [(kind: StallCause.Kind, cycles: Int)] = []
  }

  /// What transfers and devices count; the ids of these actions are their places in this list.
  enum TransferAction: String, CaseIterable {
    case readDRAM = "dram.read_bytes"
    case writeDRAM = "dram.write_bytes"
    case readScratchpad = "spad.read_bytes"
    case writeScratchpad = "spad.write_bytes"
    case move = "dma.bytes"
    case activate = "dram.activate"
    case readBurst = "dram.read_burst"
    case writeBurst = "dram.write_burst"
    case rowHit = "dram.row_hit"
    case refresh = "dram.refresh"
    case refreshBank = "dram.refresh_bank"

    var id: Int {
      switch self {
      case .readDRAM: return 0
      case .writeDRAM: return 1
      case .readScratchpad: return 2
      case .writeScratchpad: return 3
      case .move: return 4
      case .activate: return 5
      case .readBurst: return 6
      case .writeBurst: return 7
      case .rowHit: return 8
      case .refresh: return 9
      case .refreshBank: return 10
      }
    }
  }

  mutating func startCopy(
    _ queue: Int, _ command: FlatQueue.FlatCommand, _ plan: CommandPlan, _ copy: CommandTiming.CopySides,
    _ options: DMAOptions, _ loops: LoopState, _ masks: (reads: UInt64, writes: UInt64), at time: Int
  ) {
    let layer = command.layer
    let bytes = plan.reads[0].elementCount(at: loops) * copy.elementBits / 8
    var bursts = 0
    var burstBytes = 0
    var bus = -1
    if busOf[copy.source] >= 0 {
      bus = busOf[copy.source]
      let burst = burstOf[copy.source]
      let count = plan.reads[0].burstCount(at: loops, burst: burst) { $0.bursts(of: burst).count }
      bursts += count
      burstBytes += count * burst
      layers[layer].offchipReadBytes += count * burst
      self.count(TransferAction.readDRAM.id, count * burst, layer)
    } else {
      self.count(TransferAction.readScratchpad.id, bytes, layer)
    }
    if busOf[copy.destination] >= 0, let write = plan.write {
      bus = busOf[copy.destination]
      let burst = burstOf[copy.destination]
      let count = write.burstCount(at: loops, burst: burst) { $0.bursts(of: burst).count }
      bursts += count
      burstBytes += count * burst
      layers[layer].offchipWriteBytes += count * burst
      self.count(TransferAction.writeDRAM.id, count * burst, layer)
    } else {
      self.count(TransferAction.writeScratchpad.id, bytes, layer)
    }
    self.count(TransferAction.move.id, bytes, layer)
    ports.take(reads: masks.reads, writes: masks.writes, for: queue)
    queues[queue].transfer = PendingTransfer(
      issue: time, layer: layer, reads: masks.reads, writes: masks.writes, bursts: bursts,
      linkCycles: (bytes + options.linkBytes - 1) / options.linkBytes,
      burstCycles: (max(bytes, burstBytes) + options.linkBytes - 1) / options.linkBytes,
      command: commands, signals: command.signals, loops: loops)
    if bursts == 0 {
      let transfer = sentTransfer(queue, at: time, isAnswered: true) { length, _ in CopySplit(own: length) }
      answeredTransfer(queue, transfer, at: time)
    } else if let device = devices[bus] {
      device.start(queue: queue, at: time) { list in
        for (access, isWrite) in [(plan.reads[0], false), (plan.write, true)] {
          guard let access, busOf[access.generator.memory.offset] >= 0 else { continue }
          let burst = burstOf[access.generator.memory.offset]
          access.resolved(at: loops).forEachBurstRun(of: burst) { list.append($0, isWrite: isWrite) }
        }
      }
    } else {
      buses[bus].start(queue: queue, bursts: bursts, at: time)
    }
  }

  /// The last burst of a command has gone: the next command may begin, and what was read is free.
  ///
  /// - Parameter split: of its cycles into those in which its own bursts or its link move, and those in which they wait.
  @discardableResult
  mutating func sentTransfer(
    _ queue: Int, at cycle: Int, isAnswered: Bool,
    _ split: (_ length: Int, PendingTransfer) -> CopySplit
  ) -> PendingTransfer {
    guard let transfer = queues[queue].transfer else { preconditionFailure("no transfer on queue \(queue)") }
    queues[queue].transfer = nil
    let sent = max(cycle, transfer.linkEnd)
    if transfer.reads != 0 { events.add(.release, at: sent, queue, 0, mask: transfer.reads) }
    give(queue, transfer, isRead: true, at: sent)
    let parts = split(sent - transfer.issue, transfer)
    var from = queues[queue].accountedUntil
    accounting.add(queue: queue, from: from, to: from + parts.own, cause: nil, layer: transfer.layer)
    from += parts.own
    func account(_ stall: (kind: StallCause.Kind, cycles: Int)) {
      accounting.add(
        queue: queue, from: from, to: from + stall.cycles, cause: StallCause(stall.kind), layer: transfer.layer)
      from += stall.cycles
    }
    account(parts.first)
    account(parts.second)
    for stall in parts.others { account(stall) }
    precondition(from == sent, "queue \(queue): the parts of a copy end at \(from), the copy is sent at \(sent)")
    queues[queue].accountedUntil = sent
    queues[queue].busyUntil = sent
    queues[queue].busyLayer = transfer.layer
    queues[queue].acceptsAt = sent
    events.add(.wake, at: sent, queue)
    if !isAnswered { queues[queue].unanswered.append(transfer) }
    return transfer
  }

  /// As `sentTransfer`, of a transfer on a bus of plain bandwidth.
  mutating func sentTransfer(_ done: DRAMBus.Done) -> PendingTransfer {
    sentTransfer(done.queue, at: done.sent, isAnswered: true) { length, _ in
      let waits = done.waits
      return CopySplit(
        own: length - waits.credit - waits.bus, first: (.credit, waits.credit), second: (.bus, waits.bus))
    }
  }

  /// As `sentTransfer`, of a transfer that the port of a device has taken.
  mutating func sentTransfer(_ queue: Int, at cycle: Int, to device: DRAMPort, bus: Int) {
    let peak = buses[bus]
    let transfer = sentTransfer(queue, at: cycle, isAnswered: false) { length, transfer in
      // Busy while its own bursts, or its link, could move at full rate.
      let own = min(length, max(transfer.burstCycles, peak.ownCycles(transfer.bursts), 1))
      guard own < length else { return CopySplit(own: length) }
      return CopySplit(
        own: own,
        others: device.stalls(of: queue, cycles: length - own, ownCycles: peak.ownCycles(transfer.bursts)))
    }
    count(device, bus, upTo: transfer.layer)
  }

  /// All bursts of a command are done: what it wrote is visible.
  mutating func answeredTransfer(_ queue: Int, _ transfer: PendingTransfer, at cycle: Int) {
    let answered = max(max(cycle, transfer.linkEnd) + stretch(), queues[queue].lastAnswered)
    queues[queue].lastAnswered = answered
    if transfer.writes != 0 { events.add(.release, at: answered, queue, 1, mask: transfer.writes) }
    give(queue, transfer, isRead: false, at: answered)
    accounting.completed(layer: transfer.layer, at: answered)
    record(.complete, queue, at: answered)
  }

  /// The signals of a transfer at one of its two points.
  private mutating func give(_ queue: Int, _ transfer: PendingTransfer, isRead: Bool, at cycle: Int) {
    let flat = flats[queue]
    for index in transfer.signals.range {
      let signal = flat.signals[index]
      guard (signal.operand >= 0) == isRead, flat.hold(signal.guards, at: transfer.loops) else {
        continue
      }
      events.add(.token, at: cycle, signal.count, signal.channel)
    }
  }

  /// Charges what a device did since the last time to a layer.
  mutating func count(_ device: DRAMPort, _ bus: Int, upTo layer: Int) {
    let now = device.counts
    let before = deviceCounts[bus]
    func count(_ action: TransferAction, _ number: Int) {
      if number != 0 { self.count(action.id, number, layer) }
    }
    count(.activate, now.activates - before.activates)
    count(.readBurst, now.reads - before.reads)
    count(.writeBurst, now.writes - before.writes)
    count(.rowHit, now.readHits + now.writeHits - before.readHits - before.writeHits)
    count(.refresh, now.refreshes - before.refreshes)
    count(.refreshBank, now.bankRefreshes - before.bankRefreshes)
    deviceCounts[bus] = now
  }
}

extension AddressGenerator {
  /// Elements listed at the given loop indices, padding included.
  func elementCount(at loops: LoopState) -> Int {
    dims.reduce(1) { $0 * $1.count.value(at: loops) }
  }
}
