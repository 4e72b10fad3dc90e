import PantileEngines
import PantileSupport
import PantileTarget
import Testing

/// The DRAM model against the clock-by-clock twin and the checker, and what holds for every trace.
struct DRAMModelTests {
  struct Outcome {
    var commands: [DRAMCommand]
    var completions: [DRAMCompletion]
    var accepted: [Int]
    var counts: [DRAMCounts]
  }

  /// By the model, as a simulator uses it: requests when they come up, clocks in steps of any size.
  static func model(_ arrivals: [DRAMDevices.Arrival], on device: DRAMDevice, until end: Int, seed: UInt64) -> Outcome {
    var random = SplitMix64(seed: seed)
    let memory = DRAMSystem(device, recordsCommands: true)
    var outcome = Outcome(commands: [], completions: [], accepted: [], counts: [])
    var cycle = 0
    for (tag, arrival) in arrivals.enumerated() {
      let from = cycle + arrival.gap
      guard from < end else { break }
      // Sometimes in small steps, which must not matter.
      if random.next(below: 4) == 0 { memory.advance(before: cycle + random.next(below: arrival.gap + 1)) }
      let isWrite = arrival.entry.isWrite
      guard let taken = memory.advance(untilRoomAt: arrival.entry.address, isWrite: isWrite, from: from, before: end)
      else { break }
      let hasRoom = memory.hasRoom(at: arrival.entry.address, isWrite: isWrite)
      let isTaken = memory.offer(DRAMRequest(address: arrival.entry.address, isWrite: isWrite, tag: tag), at: taken)
      #expect(hasRoom && isTaken)
      outcome.accepted.append(taken)
      cycle = taken
      if random.next(below: 8) == 0 { memory.takeCompletions { outcome.completions.append($0) } }
    }
    memory.advance(before: end)
    memory.takeCompletions { outcome.completions.append($0) }
    outcome.commands = memory.commands
    outcome.counts = memory.counts(until: end)
    return outcome
  }

  /// By the twin.
  static func twin(_ arrivals: [DRAMDevices.Arrival], on device: DRAMDevice, until end: Int) -> Outcome {
    let channels = (0..<device.organization.channels).map { DRAMTwin(device, channel: $0) }
    var accepted: [Int] = []
    var next = 0
    var ready = arrivals.first?.gap ?? 0
    for cycle in 0..<end {
      if next < arrivals.count, cycle >= ready {
        let entry = arrivals[next].entry
        let channel = channels[DRAMTwin.channel(of: entry.address, device)]
        if channel.hasRoom(isWrite: entry.isWrite) {
          channel.accept(entry, tag: next, at: cycle)
          accepted.append(cycle)
          next += 1
          if next < arrivals.count { ready = cycle + arrivals[next].gap }
        }
      }
      for channel in channels { channel.tick(cycle) }
    }
    let commands = channels.flatMap(\.commands).enumerated().sorted {
      ($0.element.cycle, $0.offset) < ($1.element.cycle, $1.offset)
    }.map(\.element)
    let counts = channels.map { channel in
      var counts = DRAMCounts()
      counts.activeClocks = channel.activeClocks
      return counts
    }
    return Outcome(commands: commands, completions: channels.flatMap(\.completions), accepted: accepted, counts: counts)
  }

  @Test(arguments: 1...80)
  func equalsTheTwinAndBreaksNoRule(_ seed: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    let device = DRAMDevices.random(&random)
    let arrivals = DRAMDevices.arrivals(600, on: device, &random)
    let end = 2_500
    let mine = Self.model(arrivals, on: device, until: end, seed: UInt64(seed))
    let plain = Self.twin(arrivals, on: device, until: end)
    #expect(mine.accepted == plain.accepted, "seed \(seed)")
    let differing = zip(mine.commands, plain.commands).first { $0 != $1 }
    #expect(
      mine.commands == plain.commands,
      "seed \(seed): \(differing.map { "\($0.0) and \($0.1)" } ?? "lengths") of \(device)")
    func sorted(_ list: [DRAMCompletion]) -> [DRAMCompletion] {
      list.sorted { ($0.tag, $0.cycle) < ($1.tag, $1.cycle) }
    }
    #expect(sorted(mine.completions) == sorted(plain.completions), "seed \(seed)")
    #expect(mine.counts.map(\.activeClocks) == plain.counts.map(\.activeClocks), "seed \(seed)")
    let violations = DRAMChecker.violations(in: mine.commands, on: device, until: end)
    #expect(violations.isEmpty, "seed \(seed): \(violations)")
  }

  /// Every accepted request is answered once, reads after their latency; commands are as many as the counts say.
  @Test(arguments: 100...130)
  func losesNothing(_ seed: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    let device = DRAMDevices.random(&random)
    let arrivals = DRAMDevices.arrivals(1_500, on: device, &random)
    // Long enough for everything.
    let outcome = Self.model(arrivals, on: device, until: 2_000_000, seed: UInt64(seed))
    #expect(outcome.accepted.count == arrivals.count, "seed \(seed)")
    // Writes that no drain takes up stay in their queue, but their requests are answered.
    #expect(outcome.completions.map(\.tag).sorted() == Array(arrivals.indices), "seed \(seed)")
    let timing = device.timing
    let least = timing.additiveLatency + timing.readLatency + device.organization.burstClocks
    var counts = DRAMCounts()
    for channel in outcome.counts { counts += channel }
    var forwarded = 0
    for done in outcome.completions {
      #expect(done.isWrite == arrivals[done.tag].entry.isWrite && done.accepted == outcome.accepted[done.tag])
      if done.cycle == done.accepted + 1 {
        if !done.isWrite { forwarded += 1 }
      } else {
        // A read that joins another may do so in the clock of its command.
        #expect(done.cycle >= done.accepted + least)
      }
    }
    #expect(forwarded == counts.forwardedReads, "seed \(seed)")
    let reads = arrivals.filter { !$0.entry.isWrite }.count
    #expect(counts.reads + counts.mergedReads + counts.forwardedReads == reads, "seed \(seed)")
    let writes = arrivals.count - reads
    let left = writes - counts.writes - counts.mergedWrites
    #expect(left >= 0 && left <= device.organization.channels * max(device.controller.writeQueue, 0))
    func number(_ kinds: [DRAMCommand.Kind]) -> Int { outcome.commands.filter { kinds.contains($0.kind) }.count }
    #expect(number([.activate]) == counts.activates && number([.precharge]) == counts.precharges)
    #expect(number([.read, .readClosing]) == counts.reads && number([.write, .writeClosing]) == counts.writes)
    #expect(number([.refresh]) == counts.refreshes && number([.refreshBank]) == counts.bankRefreshes)
  }

  @Test func traceRunCountsWhatIsDoneInTheWindow() throws {
    let device = try DRAMDevices.shipped("ddr4-2400-x64")
    let trace = (0..<40).map { DRAMTraceEntry(64 * $0, isWrite: $0 % 4 == 3) }
    let run = DRAMTraceRun(trace, on: device, cycles: 9_000, recordsCommands: true)
    #expect(run.readsDone == 30 && run.writesDone == 10 && run.accepted == 40)
    // One read alone: activate, read, data, after a clock to the bank and a clock to the bus.
    let single = DRAMTraceRun([DRAMTraceEntry(0)], on: device, cycles: 1_000, recordsCommands: true)
    #expect(single.readLatencySum == 1 + 17 + 17 + 4)
    #expect(single.commands.map(\.kind) == [.activate, .read])
    // The data come at the end of the window: not done.
    let done = 1 + single.readLatencySum
    #expect(DRAMTraceRun([DRAMTraceEntry(0)], on: device, cycles: done, recordsCommands: false).readsDone == 0)
    #expect(DRAMTraceRun([DRAMTraceEntry(0)], on: device, cycles: done + 1, recordsCommands: false).readsDone == 1)
  }

  /// Idle clocks cost refreshes only.
  @Test func idleDaysAreFree() throws {
    let device = try DRAMDevices.shipped("ddr4-2400-x64")
    let run = DRAMTraceRun([], on: device, cycles: 100_000_000)
    #expect(run.counts[0].refreshes == 99_999_999 / 4_680 && run.readsDone == 0)
  }

  @Test func wrapsAddressesBeyondTheCapacity() throws {
    let device = DRAMDevices.tight()
    let capacity = device.organization.capacity
    let low = DRAMTraceRun([DRAMTraceEntry(640)], on: device, cycles: 200, recordsCommands: true)
    let high = DRAMTraceRun([DRAMTraceEntry(640 + 5 * capacity)], on: device, cycles: 200, recordsCommands: true)
    #expect(low.commands == high.commands && low.wrapped == 0 && high.wrapped == 1)
  }
}
