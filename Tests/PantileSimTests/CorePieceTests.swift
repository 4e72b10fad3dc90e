import Foundation
import PantileEngines
import PantileProgram
import PantileSim
import PantileSupport
import Testing

/// The pieces of the core's twin alone against their models: sequencer and `QueueCursor`, address generator and
/// `AddressGenerator`, touched range and bank masks, channel counters, bank ports.
@Suite(.enabled(if: CoreTwin.isAvailable, "verilator is not installed"), .serialized) struct CorePieceTests {
  static func bench() throws -> String {
    try CoreTwin.output("\(CoreTwin.repository)/Scripts/core-twin.sh", ["pieces"])
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// Runs the bench on a script's text.
  static func run(_ script: String) throws -> [Substring] {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("pieces-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(script.utf8).write(to: file)
    return try CoreTwin.output("/bin/sh", ["-c", "\"$0\" < \"$1\"", try bench(), file.path])
      .split(separator: "\n", omittingEmptySubsequences: false).dropLast()
  }

  // MARK: Sequencer and address generator

  private static func script(_ program: Program) -> String {
    let words = ProgramBinary.words(of: program)
    let (dram, spad) = (program.memories.firstIndex { $0.kind == .dram }, scratchpad(program))
    var text = "image \(words.count)\n"
    for word in words { text += String(UInt(bitPattern: word), radix: 16) + "\n" }
    text += "memories \(dram ?? 255) \(spad ?? 254) \(bankBytes(program))\n"
    // The queue table stands where word 10 of the header says.
    for queue in program.queues.indices { text += "walk \(words[words[10] + queue])\n" }
    return text
  }

  private static func scratchpad(_ program: Program) -> Int? { program.memories.firstIndex { $0.kind == .scratchpad } }

  private static func bankBytes(_ program: Program) -> Int {
    scratchpad(program).map { max(1, program.memories[$0].bytes / program.memories[$0].banks) } ?? 1
  }

  /// What the bench must say, from the walk that the simulator uses.
  private static func expected(_ program: Program) -> [String] {
    var lines: [String] = []
    for queue in program.queues {
      var cursor = QueueCursor(FlatQueue(queue))
      while let current = cursor.current {
        lines += line(cursor.command, number: current, at: cursor.loops, program)
        cursor.advance()
      }
      lines.append("end")
    }
    return lines
  }

  private static func line(_ command: Command, number: Int, at loops: LoopState, _ program: Program) -> [String] {
    let plan = CommandPlan(command, kernels: program.kernels)
    func mask(_ access: AccessPlan?) -> UInt64 {
      guard let access, access.generator.memory.offset == scratchpad(program) else { return 0 }
      return BankPorts.mask(access.touched(at: loops)?.range, bankBytes: bankBytes(program))
    }
    var (m, n, k, accumulates, reduced, code) = (0, 0, 0, 0, 0, 0)
    switch command.operation {
    case .sync: code = 0
    case .copy: code = 1
    case .contract(let tile):
      (m, n, k) = (tile.m.value(at: loops), tile.n.value(at: loops), tile.k.value(at: loops))
      let adds: Bool =
        switch tile.initial {
        case .zero: false
        case .accumulate: true
        case .zeroInFirst(let depth): !loops.isFirst(depth)
        }
      accumulates = adds ? 1 : 0
      code = 2
    case .drain(let map): (reduced, code) = (map.reduced, 3)
    case .vector(let map): (reduced, code) = (map.reduced, 4)
    }
    let reads = plan.reads.reduce(0) { $0 | mask($1) }
    var text = "command \(number) \(code) \(m) \(n) \(k) \(accumulates) \(reduced)"
    text += " \(String(reads, radix: 16)) \(String(mask(plan.write), radix: 16))"
    for wait in command.waits where wait.guards.hold(at: loops) { text += " w\(wait.channel.offset):\(wait.count)" }
    for signal in command.signals where signal.guards.hold(at: loops) {
      let point: Int =
        switch signal.point {
        case .written: 0
        case .read(let operand): 1 + operand
        }
      text += " s\(signal.channel.offset):\(point):\(signal.count)"
    }
    return [text] + (plan.reads + (plan.write.map { [$0] } ?? [])).map { operand($0, at: loops) }
  }

  private static func operand(_ plan: AccessPlan, at loops: LoopState) -> String {
    let access = plan.generator.resolved(at: loops)
    var text = "operand"
    if let range = access.byteRange { text += " \(range.lowerBound) \(range.upperBound - 1)" } else { text += " empty" }
    access.forEachRun { _, address, count in
      for index in 0..<count { text += address.map { " \($0 + index * access.innerStride)" } ?? " p" }
    }
    return text
  }

  private func compare(_ program: Program, _ name: String) throws {
    let found = try Self.run(Self.script(program))
    let expected = Self.expected(program)
    let at = zip(found, expected).enumerated().first { $1.0 != Substring($1.1) }?.offset
    #expect(found.count == expected.count && at == nil, "\(name): line \(at ?? -1)")
    if let at, found.count > at { #expect(found[at] == Substring(expected[at]), "\(name)") }
  }

  @Test func sequencerWalksAsTheCursorDoes() throws {
    let array = SystolicOptions(rows: 4, columns: 4)
    for seed in 0..<30 { try compare(try CoreTwinSample(seed: seed, array: array).program, "seed \(seed)") }
  }

  /// All small nests of two dims with one bound, one after another, and random ones of up to six dims and three bounds.
  @Test func addressGeneratorListsTheSameElements() throws {
    var generators: [AddressGenerator] = []
    for (outer, inner) in [(1, 1), (1, 3), (2, 1), (2, 3), (3, 2)] {
      for (outerStride, innerStride) in [(24, 8), (8, 16), (0, 8), (-16, 8)] {
        for (a, b) in [(0, 0), (1, 0), (0, 1), (2, 1), (-1, 1)] {
          for offset in -2...2 {
            generators.append(
              AddressGenerator(
                memory: MemoryID(1), baseBits: Affine(800), elementBits: 8,
                dims: [.init(outer, strideBits: outerStride), .init(inner, strideBits: innerStride)],
                bounds: [.init(offset: Affine(offset), coefficients: [a, b], limit: 2)], padValue: -3))
          }
        }
      }
    }
    var random = SplitMix64(seed: 11)
    for _ in 0..<300 {
      let dims = 1 + random.next(below: 6)
      generators.append(
        AddressGenerator(
          memory: MemoryID(1), baseBits: Affine(8 * (1000 + random.next(below: 100))), elementBits: 8,
          dims: (0..<dims).map { _ in .init(1 + random.next(below: 4), strideBits: 8 * (random.next(below: 21) - 6)) },
          bounds: (0..<random.next(below: 4)).map { _ in
            .init(
              offset: Affine(random.next(below: 7) - 3),
              coefficients: (0..<dims).map { _ in random.next(below: 5) - 2 }, limit: 1 + random.next(below: 6))
          }))
    }
    // As sources of copies: the walk does not judge whether they make sense.
    var program = Program(name: "generators")
    _ = program.add(memory: .init(name: "dram", kind: .dram, bytes: 1 << 16))
    _ = program.add(memory: .init(name: "spad", kind: .scratchpad, bytes: 4096, banks: 16))
    let layer = program.add(layer: .init(name: "l", nodes: [], kind: "copy", macs: 0))
    let body = generators.map { Program.Node.command(Command(.copy(Copy(from: $0, to: $0)), layer: layer)) }
    _ = program.add(queue: .init(core: "core0", engine: "dma0", body: body))
    var bench = program
    for start in stride(from: 0, to: body.count, by: 60) {
      bench.queues[0].body = Array(body[start..<min(body.count, start + 60)])
      try compare(bench, "generators from \(start)")
    }
  }

  // MARK: Counters and ports

  @Test func channelsCount() throws {
    var random = SplitMix64(seed: 3)
    var tokens: [Int] = (0..<16).map { _ in random.next(below: 5) }
    var script = tokens.enumerated().map { "preset \($0) \($1)\n" }.joined()
    var expected: [Substring] = []
    for _ in 0..<3000 {
      let channel = random.next(below: 16)
      let amount = 1 + random.next(below: 3)
      if random.next(below: 2) == 0 {
        tokens[channel] += amount
        script += "add \(channel) \(amount)\n"
      } else if tokens[channel] >= amount {
        tokens[channel] -= amount
        script += "take \(channel) \(amount)\n"
      }
      let looked = random.next(below: 16)
      script += "look \(looked)\n"
      expected.append("\(tokens[looked])")
    }
    let found = try Self.run(script)
    #expect(found == expected)
  }

  @Test func portsBelongToOneQueueUntilItsLastCommandLetsGo() throws {
    var random = SplitMix64(seed: 5)
    var ports = BankPorts(queues: 5)
    var held: [(queue: Int, reads: UInt64, writes: UInt64)] = []
    var script = ""
    var expected: [Substring] = []
    func mask() -> UInt64 { random.next() & random.next() & random.next() & random.next() }
    for _ in 0..<4000 {
      let (queue, reads, writes) = (random.next(below: 5), mask(), mask())
      let isFree = ports.areFree(reads: reads, writes: writes, for: queue)
      let (r, w) = (String(reads, radix: 16), String(writes, radix: 16))
      script += "free \(queue) \(r) \(w)\n"
      expected.append(isFree ? "1" : "0")
      if isFree {
        ports.take(reads: reads, writes: writes, for: queue)
        held.append((queue, reads, writes))
        script += "own \(queue) \(r) \(w)\n"
      }
      if !held.isEmpty, random.next(below: 2) == 0 {
        let one = held.remove(at: random.next(below: held.count))
        ports.release(reads: one.reads, of: one.queue)
        ports.release(writes: one.writes, of: one.queue)
        script += "reads \(one.queue) \(String(one.reads, radix: 16)) 0\n"
        script += "writes \(one.queue) 0 \(String(one.writes, radix: 16))\n"
      }
    }
    let found = try Self.run(script)
    #expect(found == expected)
    #expect(expected.contains("0") && expected.contains("1"))
  }
}
