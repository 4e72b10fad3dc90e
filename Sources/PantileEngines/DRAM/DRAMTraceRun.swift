import PantileTarget

/// A list of requests on a DRAM, at most one offered in a clock, in order, over a window of clocks.
public struct DRAMTraceRun: Sendable {
  public let device: DRAMDevice
  /// The length of the window.
  public let cycles: Int
  /// Requests that were taken in the window.
  public private(set) var accepted = 0
  /// Reads whose last data came inside the window.
  public private(set) var readsDone = 0
  /// Writes that were taken and posted inside the window.
  public private(set) var writesDone = 0
  /// Clocks from acceptance to last data, summed over `readsDone`.
  public private(set) var readLatencySum = 0
  /// Addresses beyond the capacity, which wrap around.
  public private(set) var wrapped = 0
  /// By channel.
  public private(set) var counts: [DRAMCounts] = []
  /// Reads and writes done, by channel.
  public private(set) var doneByChannel: [Int]
  /// Empty unless asked for.
  public private(set) var commands: [DRAMCommand] = []

  /// Runs the window. The trace may be shorter, the rest is idle then, or longer.
  ///
  /// - Precondition: `cycles` is positive, addresses are not negative.
  public init(_ trace: [DRAMTraceEntry], on device: DRAMDevice, cycles: Int, recordsCommands: Bool = false) {
    precondition(cycles > 0, "a window needs a clock")
    self.device = device
    self.cycles = cycles
    doneByChannel = [Int](repeating: 0, count: device.organization.channels)
    let memory = DRAMSystem(device, recordsCommands: recordsCommands)
    let capacity = device.organization.capacity
    // The front end makes its first request in clock 0; the controller sees it in clock 1.
    var cycle = 1
    for entry in trace {
      guard cycle < cycles,
        let taken = memory.advance(untilRoomAt: entry.address, isWrite: entry.isWrite, from: cycle, before: cycles)
      else { break }
      let channel = memory.channel(of: entry.address)
      memory.offer(DRAMRequest(address: entry.address, isWrite: entry.isWrite, tag: channel), at: taken)
      accepted += 1
      if entry.address >= capacity { wrapped += 1 }
      cycle = taken + 1
      if accepted & 1023 == 0 { collect(from: memory) }
    }
    memory.advance(before: cycles)
    collect(from: memory)
    counts = memory.counts(until: cycles)
    commands = memory.commands
  }

  private mutating func collect(from memory: DRAMSystem) {
    memory.takeCompletions { done in
      guard done.cycle < cycles else { return }
      doneByChannel[done.tag] += 1
      if done.isWrite {
        writesDone += 1
      } else {
        readsDone += 1
        readLatencySum += done.cycle - done.accepted
      }
    }
  }
}

/// One line of a trace.
public struct DRAMTraceEntry: Hashable, Sendable, BitwiseCopyable {
  /// In bytes.
  public var address: Int
  public var isWrite: Bool

  public init(_ address: Int, isWrite: Bool = false) {
    self.address = address
    self.isWrite = isWrite
  }
}
