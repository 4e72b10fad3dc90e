import PantileSupport

/// Proves, on the lazy expansion, that a Program stays inside its memories, has no race and cannot deadlock.
///
/// The k-th take of a channel meets the k-th add, so what happens before what is fixed by the Program alone: vector
/// clocks with one entry for each queue and each signal point (`written`, `read(i)`) are carried by the tokens. Two
/// commands that touch a common byte, one of them writing, must be ordered by tokens, or, inside one queue, by what the
/// engine interlocks: the drain and the vector engine finish a command before the next, the array keeps accumulators in
/// order, a DMA keeps its writes in order and nothing else.
///
/// **Accuracy** byte ranges are compared first; where ranges meet but no order is known, the touched runs are compared
/// byte by byte, so that interleaved strided accesses are no false alarm.
struct HazardChecker {
  private let program: Program
  private var cursors: [QueueCursor]
  private var sequence: [Int]
  /// What each queue knows to be complete: commands of queue q up to (excluding) `knowledge[q'][q * points + point]`.
  private var knowledge: [[Int]]
  private var channels: [TokenQueue]
  private var pages: [[Page]]
  private let pageShift: [Int]
  private var recordCount = 0
  private var pruneAt = 4096
  private(set) var problems: [Diagnostic] = []
  private(set) var commandsRun = 0

  /// Signal points that a clock distinguishes: written, and reads of operands 0 ..< 7.
  private static let points = 8
  private static let maximumProblems = 20

  private struct TokenQueue {
    var groups: [(count: Int, clock: [Int])] = []
    var head = 0
    var available = 0
    var hasOverflown = false
  }

  private typealias Page = [Record]

  private struct Record {
    var range: Range<Int>
    var queue: Int
    var sequence: Int
    /// 0 = write, 1 + i = read of operand i.
    var point: Int
    var interlock: Interlock
    var dense: Bool
    var access: ResolvedAccess
    var command: Int
  }

  private enum Interlock { case serial, accumulators, writesInOrder, none }

  init(_ program: Program) {
    self.program = program
    cursors = program.queues.map { QueueCursor(FlatQueue($0)) }
    sequence = program.queues.map { _ in 0 }
    let width = program.queues.count * Self.points
    knowledge = program.queues.map { _ in [Int](repeating: 0, count: width) }
    channels = program.channels.map { channel in
      var tokens = TokenQueue()
      if channel.initial > 0 {
        tokens.groups.append((channel.initial, [Int](repeating: 0, count: width)))
        tokens.available = channel.initial
      }
      return tokens
    }
    // Pages keep the list of records that an access is compared with short.
    pageShift = program.memories.map { $0.kind == .dram ? 16 : 10 }
    pages = program.memories.enumerated().map { index, memory in
      [Page](
        repeating: [],
        count: (memory.kind == .dram ? program.usedBytes(of: index) : memory.bytes) >> (memory.kind == .dram ? 16 : 10)
          + 1)
    }
  }

  mutating func run() {
    var progress = true
    while progress {
      progress = false
      for queue in cursors.indices {
        while let command = cursors[queue].current, problems.count < Self.maximumProblems {
          guard take(cursors[queue].command, queue: queue) else { break }
          check(cursors[queue].command, index: command, queue: queue)
          give(cursors[queue].command, queue: queue)
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

  private mutating func take(_ command: Command, queue: Int) -> Bool {
    let loops = cursors[queue].loops
    for wait in command.waits where wait.guards.hold(at: loops) {
      if channels[wait.channel.offset].available < wait.count { return false }
    }
    for wait in command.waits where wait.guards.hold(at: loops) {
      var needed = wait.count
      let channel = wait.channel.offset
      channels[channel].available -= needed
      while needed > 0 {
        let head = channels[channel].head
        let taken = min(needed, channels[channel].groups[head].count)
        needed -= taken
        channels[channel].groups[head].count -= taken
        // Joining element by element: the consumer now knows what the producer knew when it gave the token.
        let clock = channels[channel].groups[head].clock
        for i in clock.indices where clock[i] > knowledge[queue][i] { knowledge[queue][i] = clock[i] }
        if channels[channel].groups[head].count == 0 { channels[channel].head += 1 }
      }
      if channels[channel].head > 64 {
        channels[channel].groups.removeFirst(channels[channel].head)
        channels[channel].head = 0
      }
    }
    return true
  }

  private mutating func give(_ command: Command, queue: Int) {
    let loops = cursors[queue].loops
    for signal in command.signals where signal.guards.hold(at: loops) {
      let channel = signal.channel.offset
      var clock = knowledge[queue]
      switch signal.point {
      case .read(let operand):
        clock[queue * Self.points + 1 + operand] = sequence[queue] + 1
      case .written:
        for point in 0..<Self.points { clock[queue * Self.points + point] = sequence[queue] + 1 }
      }
      channels[channel].groups.append((signal.count, clock))
      channels[channel].available += signal.count
      if channels[channel].available > program.channels[channel].capacity, !channels[channel].hasOverflown {
        // The tokens stay, so that one fault is one message and no deadlock is blamed on it.
        channels[channel].hasOverflown = true
        report(
          "channel-overflow",
          "channel '\(program.channels[channel].name)' holds \(channels[channel].available) tokens but has room for \(program.channels[channel].capacity)",
          command, queue)
      }
    }
  }

  // MARK: Accesses

  private mutating func check(_ command: Command, index: Int, queue: Int) {
    let loops = cursors[queue].loops
    let interlock: Interlock =
      switch command.operation {
      case .drain, .vector: .serial
      case .contract: .accumulators
      case .copy: .writesInOrder
      case .sync: .none
      }
    let reads = command.operation.reads
    for (operand, generator) in reads.enumerated() {
      checkAccess(
        generator.resolved(at: loops), point: 1 + operand, command: command, index: index, queue: queue,
        interlock: interlock)
    }
    if let write = command.operation.write {
      checkAccess(
        write.resolved(at: loops), point: 0, command: command, index: index, queue: queue, interlock: interlock)
    }
    checkCounts(command, loops: loops, queue: queue)
  }

  private mutating func checkCounts(_ command: Command, loops: LoopState, queue: Int) {
    func elements(_ generator: AddressGenerator) -> Int {
      generator.dims.reduce(1) { $0 * $1.count.value(at: loops) }
    }
    func expect(_ actual: Int, _ expected: Int, _ what: String) {
      if actual != expected {
        report("element-count", "\(what) lists \(actual) elements, expected \(expected)", command, queue)
      }
    }
    switch command.operation {
    case .copy(let copy):
      expect(elements(copy.destination), elements(copy.source), "the destination")
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
      expect(elements(tile.a), m * k, "operand a")
      expect(elements(tile.b), stored * n, "operand b")
      if let indices = tile.indices { expect(elements(indices), stored * n, "the indices operand") }
      expect(elements(tile.accumulators), m * n, "the accumulators")
    case .drain(let map), .vector(let map):
      let results = elements(map.output)
      for (input, generator) in zip(program.kernels[map.kernel.offset].inputs, map.inputs) {
        expect(elements(generator), input.scope == .point ? results * map.reduced : results, "an input")
      }
    case .sync: break
    }
  }

  private mutating func checkAccess(
    _ access: ResolvedAccess, point: Int, command: Command, index: Int, queue: Int, interlock: Interlock
  ) {
    guard let range = access.byteRange else { return }
    let memory = Int(access.memory)
    guard range.lowerBound >= 0, range.upperBound <= program.memories[memory].bytes else {
      report(
        "out-of-bounds",
        "touches bytes \(range.lowerBound) ..< \(range.upperBound) of '\(program.memories[memory].name)', which has \(program.memories[memory].bytes)",
        command, queue)
      return
    }
    if point == 0, program.memories[memory].kind == .dram { checkRegionWrite(range, memory, command, queue) }
    let dense = access.boundCount == 0 && access.elementCount * Int(access.elementBits) >= range.count * 8 - 7
    let record = Record(
      range: range, queue: queue, sequence: sequence[queue], point: point, interlock: interlock, dense: dense,
      access: access, command: index)
    let first = range.lowerBound >> pageShift[memory]
    let last = (range.upperBound - 1) >> pageShift[memory]
    var compared = Set<Int>()
    for page in first...last where page < pages[memory].count {
      var kept: Page = []
      kept.reserveCapacity(pages[memory][page].count + 1)
      for old in pages[memory][page] {
        var drop = false
        if old.range.overlaps(range) {
          let ordered = isOrdered(old, before: record)
          if point == 0 || old.point == 0 {
            if !ordered {
              let key = old.queue << 40 | old.sequence << 4 | old.point
              if !compared.contains(key) {
                compared.insert(key)
                if overlapsExactly(old.access, access) { reportRace(old, record, memory, command) }
              }
            } else if point == 0 {
              drop = covers(record, old)
            }
          } else if old.queue == queue, old.point == point {
            drop = covers(record, old)
          }
        }
        if !drop { kept.append(old) }
      }
      recordCount += kept.count + 1 - pages[memory][page].count
      kept.append(record)
      pages[memory][page] = kept
    }
    if recordCount > pruneAt { prune() }
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

  private func covers(_ new: Record, _ old: Record) -> Bool {
    if new.dense, new.range.lowerBound <= old.range.lowerBound, new.range.upperBound >= old.range.upperBound {
      return true
    }
    return new.range == old.range && new.access.sameElements(as: old.access)
  }

  private func isOrdered(_ old: Record, before new: Record) -> Bool {
    if old.queue == new.queue {
      if old.sequence == new.sequence { return true }
      switch old.interlock {
      case .serial: return true
      case .accumulators where old.point == 0 && new.point == 0: return true
      case .writesInOrder where old.point == 0 && new.point == 0: return true
      case .accumulators, .writesInOrder, .none: break
      }
    }
    return knowledge[new.queue][old.queue * Self.points + old.point] > old.sequence
  }

  private func overlapsExactly(_ a: ResolvedAccess, _ b: ResolvedAccess) -> Bool {
    let left = a.byteRuns.sorted { $0.lowerBound < $1.lowerBound }
    let right = b.byteRuns.sorted { $0.lowerBound < $1.lowerBound }
    var i = 0
    var j = 0
    while i < left.count, j < right.count {
      if left[i].upperBound <= right[j].lowerBound {
        i += 1
      } else if right[j].upperBound <= left[i].lowerBound {
        j += 1
      } else {
        return true
      }
    }
    return false
  }

  /// Forgets accesses that every queue with work left knows to be complete: nothing can race with them any more.
  private mutating func prune() {
    var floor = [Int](repeating: Int.max, count: program.queues.count * Self.points)
    for queue in cursors.indices where cursors[queue].current != nil {
      for i in floor.indices { floor[i] = min(floor[i], knowledge[queue][i]) }
    }
    recordCount = 0
    for memory in pages.indices {
      for page in pages[memory].indices where !pages[memory][page].isEmpty {
        pages[memory][page].removeAll { floor[$0.queue * Self.points + $0.point] > $0.sequence }
        recordCount += pages[memory][page].count
      }
    }
    pruneAt = max(4096, recordCount * 2)
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

  private mutating func reportRace(_ old: Record, _ new: Record, _ memory: Int, _ command: Command) {
    let other = cursors[old.queue].queue.commands[old.command]
    report(
      "race",
      "\(new.point == 0 ? "writes" : "reads") bytes \(new.range.lowerBound) ..< \(new.range.upperBound) of '\(program.memories[memory].name)' unordered with the \(old.point == 0 ? "write" : "read") of \(old.range.lowerBound) ..< \(old.range.upperBound) by command \(old.sequence) of \(place(other, old.queue))",
      command, new.queue)
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

extension ResolvedAccess {
  /// Whether both list the same elements of the same memory in the same order.
  func sameElements(as other: ResolvedAccess) -> Bool {
    guard
      memory == other.memory, baseBits == other.baseBits, elementBits == other.elementBits, dimCount == other.dimCount,
      boundCount == other.boundCount
    else { return false }
    for d in 0..<Int(dimCount) where counts[d] != other.counts[d] || strides[d] != other.strides[d] { return false }
    for b in 0..<Int(boundCount) {
      if boundOffsets[b] != other.boundOffsets[b] || boundLimits[b] != other.boundLimits[b] { return false }
      for d in 0..<Int(dimCount) where coefficient(bound: b, dim: d) != other.coefficient(bound: b, dim: d) {
        return false
      }
    }
    return true
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
  public func verify() throws(DiagnosticError) -> Int {
    let structure = structureProblems()
    if !structure.isEmpty { throw DiagnosticError(structure) }
    var checker = HazardChecker(self)
    checker.run()
    if !checker.problems.isEmpty { throw DiagnosticError(checker.problems) }
    return checker.commandsRun
  }
}
