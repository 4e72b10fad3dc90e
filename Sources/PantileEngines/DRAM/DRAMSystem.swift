import PantileTarget

/// A DRAM with its controllers, burst by burst, in memory clocks.
///
/// Two ways to use it: `DRAMTraceRun` offers a list of requests, one a clock; a simulator offers requests when they come up:
/// ```
/// let memory = DRAMSystem(device)
/// let accepted = memory.offer(DRAMRequest(address: 0x1000, isWrite: false, tag: 7), at: cycle)
/// memory.advance(before: later)
/// memory.takeCompletions { done in ... }   // tag and clock, final once told; a read's data may lie in the future
/// ```
/// Work is done only in clocks in which something happens; the answers are the same as if every clock were stepped.
///
/// A class because it is one device with a state, and because whoever holds it asks it many times a burst: a struct of this size is
/// copied for each question.
public final class DRAMSystem {
  public let device: DRAMDevice
  let channels: UnsafeMutablePointer<DRAMChannel>
  let channelCount: Int
  /// Of each channel, side by side: a caller asks for the first of them at every event.
  let nextEvents: FixedBuffer<Int>
  let burstShift: Int
  let channelShift, channelMask: Int
  let rowShift, rowMask: Int
  let rankShift, rankMask: Int
  let groupShift, groupMask: Int
  let bankShift, bankMask: Int
  let columnShift, columnMask: Int

  /// - Parameter recordsCommands: keep every command for `commands`.
  public init(_ device: DRAMDevice, recordsCommands: Bool = false) {
    self.device = device
    channelCount = device.organization.channels
    channels = .allocate(capacity: channelCount)
    for index in 0..<channelCount {
      (channels + index).initialize(to: DRAMChannel(device, index: index, recordsCommands: recordsCommands))
    }
    nextEvents = FixedBuffer(repeating: 0, count: channelCount)
    for index in 0..<channelCount { nextEvents[index] = channels[index].nextEvent }
    burstShift = device.organization.burstBytes.trailingZeroBitCount
    func place(_ field: DRAMAddressMap.Field) -> (Int, Int) {
      let (shift, width) = device.addressMap.bits(of: field, in: device.organization)
      return (shift, (1 << width) - 1)
    }
    (channelShift, channelMask) = place(.channel)
    (rowShift, rowMask) = place(.row)
    (rankShift, rankMask) = place(.rank)
    (groupShift, groupMask) = place(.group)
    (bankShift, bankMask) = place(.bank)
    (columnShift, columnMask) = place(.column)
  }

  deinit {
    channels.deinitialize(count: channelCount)
    channels.deallocate()
  }

  /// The channel that serves an address. Addresses beyond the capacity wrap around.
  @inline(__always) public func channel(of address: Int) -> Int {
    ((address >> burstShift) >> channelShift) & channelMask
  }

  /// Where a burst lies in its channel.
  @inline(__always) func place(of burst: Int) -> (bank: Int, row: Int, column: Int) {
    let rank = (burst >> rankShift) & rankMask
    let group = (burst >> groupShift) & groupMask
    let bank = (rank &* (groupMask &+ 1) &+ group) &* (bankMask &+ 1) &+ ((burst >> bankShift) & bankMask)
    return (bank, (burst >> rowShift) & rowMask, (burst >> columnShift) & columnMask)
  }

  /// Whether a request would be taken now, that is in the state after all clocks that were advanced over.
  public func hasRoom(at address: Int, isWrite: Bool) -> Bool {
    channels[channel(of: address)].hasRoom(isWrite: isWrite)
  }

  /// Offers a request in a clock: everything before that clock is done first. It can move to its bank in the same clock and be on
  /// the command bus in the next one.
  ///
  /// - Returns: whether it was taken; if not, offer it again in a later clock.
  /// - Precondition: `cycle` is not before a clock that was advanced over; the address is not negative.
  @discardableResult
  public func offer(_ request: DRAMRequest, at cycle: Int) -> Bool {
    precondition(request.address >= 0, "a DRAM address is negative: \(request.address)")
    let burst = request.address >> burstShift
    let channel = (burst >> channelShift) & channelMask
    advance(channel: channel, before: cycle)
    guard channels[channel].hasRoom(isWrite: request.isWrite) else { return false }
    let place = place(of: burst)
    channels[channel].accept(request, bank: place.bank, row: place.row, column: place.column, at: cycle)
    nextEvents[channel] = channels[channel].nextEvent
    return true
  }

  /// Does everything that happens before a clock.
  public func advance(before cycle: Int) {
    for index in 0..<channelCount { advance(channel: index, before: cycle) }
  }

  /// Does everything before `cycle` in one channel, and further until a request has room there or `limit` is reached.
  ///
  /// - Returns: the first clock, not before `cycle`, in which the request would be taken; nil when that is not before `limit`.
  public func advance(
    untilRoomAt address: Int, isWrite: Bool, from cycle: Int, before limit: Int
  ) -> Int? {
    let channel = channel(of: address)
    advance(channel: channel, before: cycle)
    var now = cycle
    while !channels[channel].hasRoom(isWrite: isWrite) {
      let event = channels[channel].nextEvent
      guard event < limit - 1 else { return nil }
      advance(channel: channel, before: event + 1)
      now = event + 1
    }
    return now < limit ? now : nil
  }

  /// A clock before which nothing happens; never too late. Refreshes count.
  public var nextEventTime: Int {
    var next = Int.max
    for index in 0..<channelCount { next = min(next, nextEvents[index]) }
    return next
  }

  /// The channel in which something happens first, and the clock before which nothing does; never too late.
  public var nextEvent: (clock: Int, channel: Int) {
    var next = (clock: Int.max, channel: 0)
    for index in 0..<channelCount {
      let clock = nextEvents[index]
      if clock < next.clock { next = (clock, index) }
    }
    return next
  }

  /// As `nextEventTime`, of one channel.
  public func nextEventTime(of channel: Int) -> Int { nextEvents[channel] }

  /// Does everything that happens before a clock in one channel; the others stay where they are.
  public func advance(channel: Int, before cycle: Int) {
    channels[channel].advance(before: cycle)
    nextEvents[channel] = channels[channel].nextEvent
  }

  /// As `takeCompletions`, of one channel.
  public func takeCompletions(of channel: Int, _ body: (DRAMCompletion) -> Void) {
    let count = channels[channel].completions.count
    if count == 0 { return }
    for index in 0..<count { body(channels[channel].completions[index]) }
    channels[channel].completions.removeAll()
  }

  /// Whether no request waits; data may still be on its way.
  public var isIdle: Bool {
    for index in 0..<channelCount where !channels[index].isIdle { return false }
    return true
  }

  /// Hands over what became certain since the last call, channel by channel, in order of decision.
  public func takeCompletions(_ body: (DRAMCompletion) -> Void) {
    for index in 0..<channelCount {
      takeCompletions(of: index, body)
    }
  }

  /// What each channel did in the clocks `0 ..< cycle`.
  ///
  /// - Precondition: advanced exactly to `cycle`.
  public func counts(until cycle: Int) -> [DRAMCounts] {
    (0..<channelCount).map { channels[$0].counts(until: cycle) }
  }

  /// What all channels did so far; `activeClocks` only of rows that are closed again.
  public var commandCounts: DRAMCounts {
    var total = DRAMCounts()
    for index in 0..<channelCount { total += channels[index].count }
    return total
  }

  /// Why the data bus of a channel stood still so far.
  public func gaps(of channel: Int) -> DRAMGaps { channels[channel].gaps }

  /// All commands so far, by clock, then channel; empty unless they are recorded.
  public var commands: [DRAMCommand] {
    let all = (0..<channelCount).flatMap { channels[$0].commands }
    return all.enumerated().sorted { ($0.element.cycle, $0.offset) < ($1.element.cycle, $1.offset) }.map(\.element)
  }
}

/// A request for one burst.
public struct DRAMRequest: Hashable, Sendable, BitwiseCopyable {
  /// In bytes; any byte of the burst.
  public var address: Int
  public var isWrite: Bool
  /// The caller's name for it, returned with the completion.
  public var tag: Int

  public init(address: Int, isWrite: Bool, tag: Int = 0) {
    self.address = address
    self.isWrite = isWrite
    self.tag = tag
  }
}

/// The answer to a request.
public struct DRAMCompletion: Hashable, Sendable, BitwiseCopyable {
  public var tag: Int
  public var isWrite: Bool
  /// The clock in which the request was taken.
  public var accepted: Int
  /// Read: the clock after its last data. Write: the clock after it was taken, since writes are posted.
  public var cycle: Int

  public init(tag: Int, isWrite: Bool, accepted: Int, cycle: Int) {
    self.tag = tag
    self.isWrite = isWrite
    self.accepted = accepted
    self.cycle = cycle
  }
}
