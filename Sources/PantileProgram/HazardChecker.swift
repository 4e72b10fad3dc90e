import PantileSupport

/// Proves, on the lazy expansion, that a Program stays inside its memories, has no race and cannot deadlock.
///
/// The k-th take of a channel meets the k-th add, so what happens before what is fixed by the Program alone: vector
/// clocks with one entry for each queue and each signal point (`written`, `read(i)`) are carried by the tokens. Two
/// commands that touch a common byte, one of them writing, must be ordered by tokens, or, inside one queue, by what the
/// engine interlocks: the drain and the vector engine finish a command before the next, the array keeps accumulators in
/// order, a DMA keeps its writes in order and nothing else. A channel overflows if it can in any legal order: of its
/// tokens, only those count as taken whose taking the producer knows of.
///
/// **Accuracy** byte ranges are compared first; where ranges meet but no order is known, the touched runs are compared
/// byte by byte, so that interleaved strided accesses are no false alarm.
struct HazardChecker {
  private let program: Program
  private var cursors: [QueueCursor]
  /// By queue, then as in `FlatQueue.commands`.
  private let plans: [[CommandPlan]]
  private var sequence: [Int]
  /// What each queue knows to be complete, one row of `width` for each queue: commands of queue q up to (excluding)
  /// `knowledge[row * width + q * points + point]`.
  private var knowledge: [Int]
  private let width: Int
  private var channels: [ChannelState]
  private let channelEnds: [ChannelEnds]
  private var records: AccessRecords
  /// End of the last region of each DRAM, size of other memories.
  private let limits: [Int]
  /// As `program.regions`.
  private let regions: [RegionRecord]
  /// By memory.
  private let isDRAM: [Bool]
  /// The read-only region that was read last.
  private var lastRead = 0
  /// By queue, then command: the shapes of trips, among the first 64, whose counts of elements have been found right.
  private var countedShapes: [[UInt64]]
  private(set) var problems: [Diagnostic] = []
  private(set) var commandsRun = 0

  /// A channel without its name: what is asked of it each time.
  private struct ChannelEnds: BitwiseCopyable {
    var producer: Int
    var consumer: Int
    var capacity: Int
  }

  /// A region without its name.
  private struct RegionRecord: BitwiseCopyable {
    var memory: Int
    var low: Int
    var high: Int
    var isReadOnly: Bool

    func holds(_ range: Range<Int>, of memory: Int) -> Bool {
      memory == self.memory && low <= range.lowerBound && range.upperBound <= high
    }
  }

  /// Signal points that a clock distinguishes: written, and reads of operands 0 ..< 7.
  static let points = 8
  private static let maximumProblems = 20

  init(_ program: Program, pruningAbove leastPruned: Int, leastPageShift: Int?) {
    self.program = program
    cursors = program.queues.map { QueueCursor(FlatQueue($0)) }
    plans = cursors.map { cursor in cursor.queue.commands.map { CommandPlan($0, kernels: program.kernels) } }
    sequence = program.queues.map { _ in 0 }
    let width = program.queues.count * Self.points
    self.width = width
    knowledge = [Int](repeating: 0, count: width * program.queues.count)
    channels = program.channels.map { ChannelState(initial: $0.initial, width: width) }
    channelEnds = program.channels.map {
      ChannelEnds(producer: $0.producer.offset, consumer: $0.consumer.offset, capacity: $0.capacity)
    }
    regions = program.regions.map {
      RegionRecord(
        memory: $0.memory.offset, low: $0.base, high: $0.base + $0.bytes,
        isReadOnly: $0.kind == .weight || $0.kind == .input)
    }
    isDRAM = program.memories.map { $0.kind == .dram }
    countedShapes = plans.map { [UInt64](repeating: 0, count: $0.count) }
    let limits = program.memories.enumerated().map { index, memory in
      memory.kind == .dram ? program.usedBytes(of: index) : memory.bytes
    }
    self.limits = limits
    records = AccessRecords(
      memories: zip(program.memories, limits).map { ($1, leastPageShift ?? ($0.kind == .dram ? 16 : 10)) },
      pruningAbove: leastPruned)
  }

  mutating func run() {
    var progress = true
    while progress {
      progress = false
      for queue in cursors.indices {
        while let index = cursors[queue].current, problems.count < Self.maximumProblems {
          let flat = cursors[queue].queue
          let loops = cursors[queue].loops
          guard take(flat, flat.flat[index].waits, loops, queue: queue) else { break }
          check(plans[queue][index], loops, index: index, queue: queue)
          give(flat, index, loops, queue: queue)
          sequence[queue] += 1
          commandsRun += 1
          cursors[queue].advance()
          progress = true
          if records.wantsPruning { records.prune(below: floor()) }
        }
      }
      if problems.count >= Self.maximumProblems { return }
    }
    reportDeadlock()
  }

  // MARK: Tokens

  private mutating func take(_ flat: FlatQueue, _ waits: FlatQueue.Span, _ loops: LoopState, queue: Int) -> Bool {
    for index in waits.range {
      let wait = flat.waits[index]
      if channels[wait.channel].available < wait.count, flat.hold(wait.guards, at: loops) { return false }
    }
    for index in waits.range {
      let wait = flat.waits[index]
      guard flat.hold(wait.guards, at: loops) else { continue }
      channels[wait.channel].take(
        wait.count, sequence: sequence[queue], into: &knowledge, row: queue * width, width: width)
    }
    return true
  }

  private mutating func give(_ flat: FlatQueue, _ command: Int, _ loops: LoopState, queue: Int) {
    for index in flat.flat[command].signals.range {
      let signal = flat.signals[index]
      guard flat.hold(signal.guards, at: loops) else { continue }
      let point: Int? = signal.operand >= 0 ? 1 + signal.operand : nil
      let ends = channelEnds[signal.channel]
      // Commands of the consumer that have certainly issued when this signal is given.
      var issued = 0
      if ends.consumer == queue {
        issued = sequence[queue] + 1
      } else {
        let known = queue * width + ends.consumer * Self.points
        for point in 0..<Self.points { issued = max(issued, knowledge[known + point]) }
      }
      let most = channels[signal.channel].give(
        signal.count, knowledge: knowledge, row: queue * width, width: width, consumerIssued: issued,
        own: queue * Self.points, point: point, sequence: sequence[queue] + 1)
      if most > ends.capacity, !channels[signal.channel].hasOverflown {
        // One fault is one message, and no deadlock is blamed on it: the tokens stay.
        channels[signal.channel].hasOverflown = true
        report(
          "channel-overflow",
          "channel '\(program.channels[signal.channel].name)' can hold \(most) tokens but has room for \(ends.capacity)",
          flat.commands[command], queue)
      }
    }
  }

  /// Commands, by clock, that every queue with work left will know to be complete when it goes on.
  private func floor() -> [Int] {
    let known = knowledgeToCome()
    var floor = [Int](repeating: Int.max, count: width)
    for queue in cursors.indices where cursors[queue].current != nil {
      for i in 0..<width { floor[i] = min(floor[i], known[queue * width + i]) }
    }
    return floor
  }

  /// What each queue knows at the least when its next command takes place, as `knowledge`.
  ///
  /// A wait that is not met yet takes a token that its producer has still to give, and a producer forgets nothing. A queue that has had
  /// nothing to do for long would hold on to accesses of long ago otherwise.
  private func knowledgeToCome() -> [Int] {
    var known = knowledge
    var hasChanged = true
    while hasChanged {
      hasChanged = false
      for queue in cursors.indices {
        guard let index = cursors[queue].current else { continue }
        let flat = cursors[queue].queue
        for position in flat.flat[index].waits.range {
          let wait = flat.waits[position]
          guard channels[wait.channel].available < wait.count, flat.hold(wait.guards, at: cursors[queue].loops) else {
            continue
          }
          let producer = channelEnds[wait.channel].producer
          for i in 0..<width where known[producer * width + i] > known[queue * width + i] {
            known[queue * width + i] = known[producer * width + i]
            hasChanged = true
          }
        }
      }
    }
    return known
  }

  // MARK: Accesses

  private mutating func check(_ plan: CommandPlan, _ loops: LoopState, index: Int, queue: Int) {
    if case .sync = plan.command.operation { return }
    for (operand, access) in plan.reads.enumerated() {
      checkAccess(access, loops, point: 1 + operand, plan: plan, index: index, queue: queue)
    }
    if let write = plan.write { checkAccess(write, loops, point: 0, plan: plan, index: index, queue: queue) }
    let shape = plan.shape(at: loops)
    if shape < UInt64.bitWidth, countedShapes[queue][index] >> UInt64(shape) & 1 != 0 { return }
    let found = problems.count
    checkCounts(plan, loops, queue: queue)
    if shape < UInt64.bitWidth, problems.count == found { countedShapes[queue][index] |= 1 << UInt64(shape) }
  }

  private mutating func checkCounts(_ plan: CommandPlan, _ loops: LoopState, queue: Int) {
    let command = plan.command
    func expect(_ access: AccessPlan?, _ expected: Int, _ what: String) {
      guard let access else { return }
      let actual = access.elementCount(at: loops)
      if actual != expected {
        report("element-count", "\(what) lists \(actual) elements, expected \(expected)", command, queue)
      }
    }
    switch command.operation {
    case .copy: expect(plan.write, plan.reads[0].elementCount(at: loops), "the destination")
    case .contract(let tile):
      let m = tile.m.value(at: loops)
      let n = tile.n.value(at: loops)
      let k = tile.k.value(at: loops)
      var stored = k
      if let sparsity = tile.sparsity {
        if k % sparsity.group != 0 {
          report("element-count", "k = \(k) is no multiple of the group \(sparsity.group)", command, queue)
        }
        stored = k / sparsity.group * sparsity.kept
      }
      expect(plan.reads[0], m &* k, "operand a")
      expect(plan.reads[1], stored &* n, "operand b")
      if plan.reads.count > 2 { expect(plan.reads[2], stored &* n, "the indices operand") }
      expect(plan.write, m &* n, "the accumulators")
    case .drain(let map), .vector(let map):
      guard let write = plan.write else { return }
      let results = write.elementCount(at: loops)
      for (number, input) in program.kernels[map.kernel.offset].inputs.enumerated() {
        let access = plan.reads[number]
        expect(access, input.scope == .point ? results &* map.reduced : results, "input \(number)")
        if input.scope == .point, map.reduced > 1, !access.endsWithDims(of: map.reduced, at: loops) {
          report(
            "reduced-dims", "the last dims of input \(number) do not list the \(map.reduced) reduced points", command,
            queue)
        }
      }
    case .sync: break
    }
  }

  private mutating func checkAccess(
    _ plan: AccessPlan, _ loops: LoopState, point: Int, plan command: CommandPlan, index: Int, queue: Int
  ) {
    guard let touched = plan.touched(at: loops) else { return }
    var range = touched.range
    let memory = plan.generator.memory.offset
    if range.lowerBound < 0 || range.upperBound > limits[memory] {
      // The range may be larger than what is touched.
      let runs = plan.resolved(at: loops).byteRuns
      guard let low = runs.map(\.lowerBound).min(), let high = runs.map(\.upperBound).max() else { return }
      range = low..<high
      guard low >= 0, high <= limits[memory] else {
        report(
          "out-of-bounds",
          "touches bytes \(low) ..< \(high) of '\(program.memories[memory].name)', which has \(limits[memory])\(program.memories[memory].kind == .dram ? " in regions" : "")",
          command.command, queue)
        return
      }
    }
    if isDRAM[memory] {
      if point == 0 {
        checkRegionWrite(range, memory, command.command, queue)
      } else if liesInReadOnlyRegion(range, memory) {
        return  // nothing may write there, so nothing can race
      }
    }
    let record = AccessRecords.Record(
      low: range.lowerBound, high: range.upperBound, sequence: sequence[queue], queue: Int32(queue),
      command: Int32(index), point: Int8(point), isDense: touched.isDense)
    var races: [AccessRecords.Record] = []
    records.add(
      record, plan.resolved(at: loops), memory: memory, interlocks: interlocks(of: command.command.operation),
      knowledge,
      row: queue * width
    ) { races.append($0) }
    for old in races { reportRace(old, record, memory, command.command) }
  }

  /// Which earlier accesses of the same queue the engine finishes before it starts this one.
  private func interlocks(of operation: Command.Operation) -> AccessRecords.Interlocks {
    switch operation {
    case .drain, .vector: return .all
    case .contract, .copy: return .writes
    case .sync: return .none
    }
  }

  /// A write of DRAM must stay inside one region that may be written.
  private mutating func checkRegionWrite(_ range: Range<Int>, _ memory: Int, _ command: Command, _ queue: Int) {
    if let index = regions.firstIndex(where: { $0.holds(range, of: memory) }) {
      if regions[index].isReadOnly {
        let region = program.regions[index]
        report(
          "read-only-region", "writes region '\(region.name)', which holds \(region.kind.rawValue)s", command, queue)
      }
      return
    }
    report(
      "out-of-bounds", "writes bytes \(range.lowerBound) ..< \(range.upperBound), which lie in no single region",
      command,
      queue)
  }

  private mutating func liesInReadOnlyRegion(_ range: Range<Int>, _ memory: Int) -> Bool {
    // Reads of one region follow one another.
    if lastRead < regions.count, regions[lastRead].isReadOnly, regions[lastRead].holds(range, of: memory) {
      return true
    }
    guard let index = regions.firstIndex(where: { $0.isReadOnly && $0.holds(range, of: memory) }) else { return false }
    lastRead = index
    return true
  }

  // MARK: Reports

  private func place(_ command: Command, _ queue: Int) -> String {
    let layer = program.layers.indices.contains(command.layer.offset) ? program.layers[command.layer.offset].name : "?"
    return "\(program.queues[queue].name) \(command.operation.name) of layer '\(layer)'"
  }

  private mutating func report(_ code: String, _ message: String, _ command: Command, _ queue: Int) {
    guard problems.count < Self.maximumProblems else { return }
    let loops = cursors[queue].loops
    let trip =
      loops.depth == 0 ? "" : " at trip \((0..<loops.depth).map { String(loops.index($0)) }.joined(separator: ","))"
    problems.append(Diagnostic(code, "\(place(command, queue))\(trip): \(message)"))
  }

  private mutating func reportRace(
    _ old: AccessRecords.Record, _ new: AccessRecords.Record, _ memory: Int, _ command: Command
  ) {
    let oldQueue = Int(old.queue)
    let other = cursors[oldQueue].queue.commands[Int(old.command)]
    report(
      "race",
      "\(new.point == 0 ? "writes" : "reads") bytes \(new.low) ..< \(new.high) of '\(program.memories[memory].name)' unordered with the \(old.point == 0 ? "write" : "read") of \(old.low) ..< \(old.high) by command \(old.sequence) of \(place(other, oldQueue))",
      command, Int(new.queue))
  }

  private mutating func reportDeadlock() {
    var blocked: [Diagnostic.Note] = []
    for queue in cursors.indices where cursors[queue].current != nil {
      let command = cursors[queue].command
      for wait in command.waits
      where wait.guards.hold(at: cursors[queue].loops) && channels[wait.channel.offset].available < wait.count {
        let channel = program.channels[wait.channel.offset]
        blocked.append(
          .init(
            "\(place(command, queue)) waits for \(wait.count) token(s) of '\(channel.name)' from \(program.queues[channel.producer.offset].name), which holds \(channels[wait.channel.offset].available)"
          ))
      }
    }
    guard !blocked.isEmpty else { return }
    problems.append(Diagnostic("deadlock", "\(blocked.count) wait(s) can never be met", notes: blocked))
  }
}

extension Program {
  /// The end of the last region of a memory.
  func usedBytes(of memory: Int) -> Int {
    regions.reduce(0) { $1.memory.offset == memory ? max($0, $1.base + $1.bytes) : $0 }
  }

  /// Proves structure, bounds, element counts, freedom from races and from deadlock, and channel capacities.
  ///
  /// - Throws: all problems found (at most 20 of the expansion), with the codes `race`, `deadlock`, `out-of-bounds`,
  ///   `channel-overflow`, `element-count`, `read-only-region` and those of `structureProblems`.
  /// - Returns: how many commands the expansion has.
  /// - Complexity: O(commands · records a page).
  @discardableResult
  public func verify() throws(DiagnosticError) -> Int { try verify(pruningAbove: 64) }

  /// As `verify`, with what changes no answer: accesses that nothing can race with any more are looked for when more than `leastPruned`
  /// are kept, and stand on pages of no fewer than `1 << leastPageShift` bytes; nil for sizes that suit real memories.
  @discardableResult
  package func verify(
    pruningAbove leastPruned: Int, leastPageShift: Int? = nil
  ) throws(DiagnosticError) -> Int {
    let structure = structureProblems()
    if !structure.isEmpty { throw DiagnosticError(structure) }
    var checker = HazardChecker(self, pruningAbove: leastPruned, leastPageShift: leastPageShift)
    checker.run()
    if !checker.problems.isEmpty { throw DiagnosticError(checker.problems) }
    return checker.commandsRun
  }
}
