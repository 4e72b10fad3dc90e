import Foundation
import PantileEngines
import PantileSupport
import PantileTarget

/// Devices and traces for the tests of the DRAM model.
enum DRAMDevices {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  static func shipped(_ name: String) throws -> DRAMDevice { try DRAMDevice.load(name, root: root) }

  /// Loading is another test's business.
  private static let base = try! shipped("ddr4-2400-x64")

  /// Small, and with every parameter above what others would hide: shortening any of them shows in the commands.
  static func tight(_ change: (inout DRAMDevice) -> Void = { _ in }) -> DRAMDevice {
    var timing = DRAMDevice.Timing()
    timing.additiveLatency = 2
    timing.readLatency = 9
    timing.writeLatency = 6
    timing.activateToRead = 12
    timing.activateToWrite = 11
    timing.precharge = 10
    timing.activeTime = 26
    timing.activateShort = 5
    timing.activateLong = 8
    timing.fourActivates = 30
    timing.columnShort = 5
    timing.columnLong = 7
    timing.writeToReadShort = 4
    timing.writeToReadLong = 9
    timing.writeRecovery = 14
    timing.readToPrecharge = 8
    timing.busTurnaround = 2
    timing.prechargeToPrecharge = 3
    timing.refreshTime = 60
    timing.refreshInterval = 700
    var device = base
    device.name = "tight"
    device.timing = timing
    device.organization.bankGroups = 2
    device.organization.banksPerGroup = 4
    device.organization.rows = 64
    device.organization.columns = 64
    device.controller.readQueue = 16
    device.controller.writeQueue = 16
    device.controller.bankQueue = 4
    device.controller.writeHigh = 16
    device.controller.writeIdle = 4
    change(&device)
    return device
  }

  /// Any organisation, timing and policy, small.
  static func random(_ random: inout SplitMix64) -> DRAMDevice {
    func pick<T>(_ values: [T]) -> T { values[random.next(below: values.count)] }
    func number(_ range: ClosedRange<Int>) -> Int { range.lowerBound + random.next(below: range.count) }
    var timing = DRAMDevice.Timing()
    timing.additiveLatency = pick([0, 0, 0, 3])
    timing.readLatency = number(2...16)
    timing.writeLatency = number(2...14)
    timing.activateToRead = number(4...14)
    timing.activateToWrite = number(4...14)
    timing.precharge = number(2...14)
    timing.activeTime = number(8...30)
    timing.activateShort = number(1...6)
    timing.activateLong = timing.activateShort + number(0...4)
    timing.fourActivates = number(4...36)
    timing.columnShort = number(1...5)
    timing.columnLong = timing.columnShort + number(0...4)
    timing.writeToReadShort = number(0...6)
    timing.writeToReadLong = timing.writeToReadShort + number(0...8)
    timing.writeRecovery = number(1...20)
    timing.readToPrecharge = number(1...10)
    timing.busTurnaround = number(0...3)
    timing.prechargeToPrecharge = pick([0, 0, 2, 4])
    timing.refreshTime = number(10...80)
    timing.refreshInterval = timing.refreshTime + number(150...600)
    timing.bankRefreshTime = number(8...40)
    timing.bankRefreshInterval = number(60...200)
    let groups = pick([1, 2, 4])
    if groups == 1 {
      timing.activateLong = timing.activateShort
      timing.columnLong = timing.columnShort
      timing.writeToReadLong = timing.writeToReadShort
    }
    let isUnified = random.next(below: 4) == 0
    let writeQueue = isUnified ? 0 : pick([1, 2, 8, 16])
    var fields = DRAMAddressMap.Field.allCases
    fields.shuffle(using: &random)
    let burst = pick([2, 4, 8])
    return tight { device in
      device.timing = timing
      device.organization.channels = pick([1, 1, 2])
      device.organization.ranks = pick([1, 2, 4])
      device.organization.bankGroups = groups
      device.organization.banksPerGroup = pick([1, 2, 4])
      device.organization.rows = 16
      device.organization.columns = 4 * burst
      device.organization.burstLength = burst
      device.organization.beatsPerClock = pick([1, 2])
      device.organization.hasSplitCommandBus = random.next(below: 3) == 0
      device.addressMap = DRAMAddressMap(fields.map(\.rawValue).joined())!
      device.controller.readQueue = pick([1, 3, 8, 32])
      device.controller.writeQueue = writeQueue
      device.controller.bankQueue = pick([1, 2, 5, 8])
      device.controller.writeHigh = isUnified ? 0 : 1 + random.next(below: writeQueue)
      device.controller.writeIdle = isUnified ? 0 : random.next(below: writeQueue + 1)
      device.controller.scheduling = pick([.firstReady, .firstReady, .inOrder])
      device.controller.rowPolicy = pick([.open, .open, .closed])
      device.controller.rowHitLimit = number(1...6)
      device.controller.refresh = pick([.rankStaggered, .rankSimultaneous, .bankStaggered, .never])
    }
  }

  /// A request, and how many clocks after the one before it was taken it comes up.
  struct Arrival {
    var entry: DRAMTraceEntry
    var gap: Int
  }

  /// Runs, jumps, repeats and pauses of reads and writes.
  static func arrivals(_ count: Int, on device: DRAMDevice, _ random: inout SplitMix64) -> [Arrival] {
    let writeShare = [0, 20, 50, 100][random.next(below: 4)]
    let jumpShare = [5, 30, 90][random.next(below: 3)]
    let pauseShare = [0, 3, 40][random.next(below: 3)]
    let bytes = device.organization.burstBytes
    let capacity = device.organization.capacity
    var address = 0
    return (0..<count).map { _ in
      if random.next(below: 100) < jumpShare {
        address = random.next(below: capacity) / bytes * bytes
      } else if random.next(below: 8) > 0 {
        address = (address + bytes) % capacity
      }
      let isWrite = random.next(below: 100) < writeShare
      // Some requests differ in the bytes of a burst only.
      let offset = random.next(below: 10) == 0 ? bytes / 2 : 0
      let gap = random.next(below: 100) < pauseShare ? random.next(below: 120) : 1
      return Arrival(entry: DRAMTraceEntry(address + offset, isWrite: isWrite), gap: max(1, gap))
    }
  }

  /// The patterns of the reference table.
  static func pattern(_ name: String, _ count: Int) throws -> [DRAMTraceEntry] {
    switch name {
    case "seq_read": return (0..<count).map { DRAMTraceEntry(64 * $0) }
    case "seq_write": return (0..<count).map { DRAMTraceEntry(64 * $0, isWrite: true) }
    case "stride_4KB_read": return (0..<count).map { DRAMTraceEntry(4096 * $0) }
    case "random_read":
      var twister = MersenneTwister(seed: 1)
      return (0..<count).map { _ in DRAMTraceEntry(twister.next(below: 1 << 30) / 64 * 64) }
    case "tile_256B_pitch_2KB": return (0..<count).map { DRAMTraceEntry(2048 * ($0 / 4) + 64 * ($0 % 4)) }
    case "two_streams": return (0..<count).map { DRAMTraceEntry(64 * ($0 / 2) + (1 << 27) * ($0 % 2)) }
    default: throw DiagnosticError("unknown-pattern", "the reference has a new pattern '\(name)'")
    }
  }
}

/// Python's `random.Random(seed).randrange`, for the random rows of the reference.
///
/// **Source** Matsumoto, Nishimura, "Mersenne Twister", ACM TOMACS 8(1), 1998; seeding by array with one word.
struct MersenneTwister {
  private var state = [UInt32](repeating: 0, count: 624)
  private var index = 624

  init(seed: UInt32) {
    state[0] = 19_650_218
    for i in 1..<624 { state[i] = 1_812_433_253 &* (state[i - 1] ^ (state[i - 1] >> 30)) &+ UInt32(i) }
    var i = 1
    for _ in 0..<624 {
      state[i] = (state[i] ^ ((state[i - 1] ^ (state[i - 1] >> 30)) &* 1_664_525)) &+ seed
      i += 1
      if i == 624 { (state[0], i) = (state[623], 1) }
    }
    for _ in 0..<623 {
      state[i] = (state[i] ^ ((state[i - 1] ^ (state[i - 1] >> 30)) &* 1_566_083_941)) &- UInt32(i)
      i += 1
      if i == 624 { (state[0], i) = (state[623], 1) }
    }
    state[0] = 0x8000_0000
  }

  private mutating func word() -> UInt32 {
    if index == 624 {
      for i in 0..<624 {
        let y = (state[i] & 0x8000_0000) | (state[(i + 1) % 624] & 0x7fff_ffff)
        state[i] = state[(i + 397) % 624] ^ (y >> 1) ^ (y & 1 == 0 ? 0 : 0x9908_b0df)
      }
      index = 0
    }
    var y = state[index]
    index += 1
    y ^= y >> 11
    y ^= (y << 7) & 0x9d2c_5680
    y ^= (y << 15) & 0xefc6_0000
    return y ^ (y >> 18)
  }

  /// As `randrange(bound)` for bounds up to 2^31: as many upper bits as the bound has, again until they are below it.
  mutating func next(below bound: Int) -> Int {
    let bits = Int.bitWidth - bound.leadingZeroBitCount
    while true {
      let value = Int(word() >> UInt32(32 - bits))
      if value < bound { return value }
    }
  }
}
