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
  private var records: AccessRecords
  /// End of the last region of each DRAM, size of other memories.
  private let limits: [Int]
  private(set) var problems: [Diagnostic] = []
  private(set) var commandsRun = 0

  /// Signal points that a clock distinguishes: written, and reads of operands 0 ..< 7.
  static let points = 8
  private static let maximumProblems = 20

  init(_ program: Program, pruningAbove leastPruned: Int) {
    self.program = program
    cursors = program.queues.map { QueueCursor(FlatQueue($0)) }
    plans = cursors.map { cursor in cursor.queue.commands.map { CommandPlan($0, kernels: program.kernels) } }
    sequence = program.queues.map { _ in 0 }
    let width = program.queues.count * Self.points
    self.width = width
    knowledge = [Int](repeating: 0, count: width * program.queues.count)
    channels = program.channels.map { ChannelState(initial: $0.initial, width: width) }
    let limits = program.memories.enumerated().map { index, memory in
      memory.kind == .dram ? program.usedBytes(of: index) : memory.bytes
    }
    self.limits = limits
    records = AccessRecords(
      memories: zip(program.memories, limits).map { ($1, $0.kind == .dram ? 16 : 10) }, pruningAbove: leastPruned)
  }

  mutating func run() {
    var progress = true
    while progress {
      progress = false
      for queue in cursors.indices {
        while let index = cursors[queue].current, problems.count < Self.maximumProblems {
          let plan = plans[queue][index]
          let loops = cursors[queue].loops
          guard take(plan.command.waits, loops, queue: queue) else { break }
          check(plan, loops, index: index, queue: queue)
          give(plan.command, loops, queue: queue)
          sequence[queue] += 1
          commandsRun += 1
          cursors[queue].advance()
          progress = true
        }
      }
      if problems.count >= Self.maximumProblems { return }
    }
    reportDeadlock()
  }

  // MARK: Tokens

  private mutating func take(_ waits: [Wait], _ loops: LoopState, queue: Int) -> Bool {
    for wait in waits where wait.guards.hold(at: loops) {
      if channels[wait.channel.offset].available < wait.count { return false }
    }
    for wait in waits where wait.guards.hold(at: loops) {
      channels[wait.channel.offset].take(
        wait.count, sequence: sequence[queue], into: &knowledge, row: queue * width, width: width)
    }
    return true
  }

  private mutating func give(_ command: Command, _ loops: LoopState, queue: Int) {
    for signal in command.signals where signal.guards.hold(at: loops) {
      let point: Int? = if case .read(let operand) = signal.point { 1 + operand } else { nil }
      let channel = program.channels[signal.channel.offset]
      let consumer = channel.consumer.offset
      // Commands of the consumer that have certainly issued when this signal is given.
      var issued = 0
      if consumer == queue {
        issued = sequence[queue] + 1
      } else {
        for point in 0..<Self.points { issued = max(issued, knowledge[queue * width + consumer * Self.points + point]) }
      }
      let most = channels[signal.channel.offset].give(
        signal.count, knowledge: knowledge, row: queue * width, width: width, consumerIssued: issued,
        own: queue * Self.points, point: point, sequence: sequence[queue] + 1)
      if most > channel.capacity, !channels[signal.channel.offset].hasOverflown {
        // One fault is one message, and no deadlock is blamed on it: the tokens stay.
        channels[signal.channel.offset].hasOverflown = true
        report(
          "channel-overflow", "channel '\(channel.name)' can hold \(most) tokens but has room for \(channel.capacity)",
          command, queue)
      }
    }
  }

  // MARK: Accesses

  private mutating func check(_ plan: CommandPlan, _ loops: LoopState, index: Int, queue: Int) {
    if case .sync = plan.command.operation { return }
    for (operand, access) in plan.reads.enumerated() {
      checkAccess(access, loops, point: 1 + operand, plan: plan, index: index, queue: queue)
    }
    if let write = plan.write { checkAccess(write, loops, point: 0, plan: plan, index: index, queue: queue) }
    checkCounts(plan, loops, queue: queue)
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
    if program.memories[memory].kind == .dram {
      if point == 0 {
        checkRegionWrite(range, memory, command.command, queue)
      } else if liesInReadOnlyRegion(range, memory) {
        return  // nothing may write there, so nothing can race
      }
    }
    let record = AccessRecords.Record(
      low: range.lowerBound, high: range.upperBound, sequence: sequence[queue], queue: Int32(queue),
      command: Int32(index), point: Int8(point), isDense: touched.isDense)
    let row = queue * width
    var races: [AccessRecords.Record] = []
    var comparison = AccessRecords.Comparison(
      knowledge: knowledge, row: row, interlocks: interlocks(of: command.command.operation), plan: plan, loops: loops)
    records.add(record, memory: memory, &comparison) { races.append($0) }
    for old in races { reportRace(old, record, memory, command.command) }
    if records.wantsPruning {
      var floor = [Int](repeating: Int.max, count: width)
      for queue in cursors.indices where cursors[queue].current != nil {
        for i in floor.indices { floor[i] = min(floor[i], knowledge[queue * width + i]) }
      }
      records.prune(below: floor)
    }
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
    for region in program.regions where region.memory.offset == memory {
      if region.base <= range.lowerBound, range.upperBound <= region.base + region.bytes {
        if region.kind == .weight || region.kind == .input {
          report(
            "read-only-region", "writes region '\(region.name)', which holds \(region.kind.rawValue)s", command, queue)
        }
        return
      }
    }
    report(
      "out-of-bounds", "writes bytes \(range.lowerBound) ..< \(range.upperBound), which lie in no single region",
      command,
      queue)
  }

  private func liesInReadOnlyRegion(_ range: Range<Int>, _ memory: Int) -> Bool {
    for region in program.regions where region.memory.offset == memory {
      if region.base <= range.lowerBound, range.upperBound <= region.base + region.bytes,
        region.kind == .weight || region.kind == .input
      {
        return true
      }
    }
    return false
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
  public func verify() throws(DiagnosticError) -> Int { try verify(pruningAbove: 512) }

  /// As `verify`; accesses that nothing can race with any more are looked for when more than `leastPruned` are kept, which changes no
  /// answer.
  @discardableResult
  package func verify(pruningAbove leastPruned: Int) throws(DiagnosticError) -> Int {
    let structure = structureProblems()
    if !structure.isEmpty { throw DiagnosticError(structure) }
    var checker = HazardChecker(self, pruningAbove: leastPruned)
    checker.run()
    if !checker.problems.isEmpty { throw DiagnosticError(checker.problems) }
    return checker.commandsRun
  }
}
