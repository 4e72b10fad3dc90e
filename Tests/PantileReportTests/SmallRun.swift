import Foundation
import PantileEngines
import PantileProgram
import PantileReport
import PantileSim
import PantileSupport
import PantileTarget

/// The repository's root, found from this file.
let repositoryRoot: String = {
  var url = URL(fileURLWithPath: #filePath)
  for _ in 0..<3 { url.deleteLastPathComponent() }
  return url.path
}()

/// A small run by hand: two layers, each loads four tiles; the first multiplies them, the second only stores them.
enum SmallRun {
  static func chip() throws -> Chip {
    let schema = { (family: String) in
      EngineSchema(
        family: family, summary: family, fields: [FieldSchema("rows", .count(1...64), default: .count(8), summary: "")])
    }
    let text = """
      name: small
      clock: 500 MHz
      energy: 45nm
      memories:
        dram: {kind: dram, size: 1 MiB, bandwidth: 16 B/cycle, latency: 20 cycles, burst: 64 B, energy: lpddr4}
        spad: {kind: scratchpad, size: 64 KiB, banks: 8, port_width: 16 B, latency: 1 cycle, energy: sram-hp}
        acc: {kind: accumulator, size: 16 KiB, banks: 4, port_width: 64 B, latency: 1 cycle, energy: sram-hp}
      engines: {array0: {family: array}, dma0: {family: dma}, dma1: {family: dma}}
      """
    return try Chip.parse(
      text, path: "small.yaml", schemas: ["array": schema("array"), "dma": schema("dma")], root: repositoryRoot)
  }

  static func machine(_ chip: Chip) -> Machine {
    let dma = DMAOptions(linkBytes: 16, outstanding: 4)
    return Machine(
      chipName: chip.name, chipHash: chip.hash, clock: chip.clock,
      memories: chip.memories.map {
        Machine.Memory(
          name: $0.name, kind: $0.kind == .dram ? .dram : $0.kind == .scratchpad ? .scratchpad : .accumulator,
          bytes: $0.size.count, banks: $0.banks, bandwidthNumerator: $0.bandwidth.numerator,
          bandwidthDenominator: $0.bandwidth.denominator, latency: $0.latency.count, burst: $0.burst.count)
      },
      engines: [
        .init(name: "array0", unit: .array(.systolic(SystolicOptions(rows: 8, columns: 8)))),
        .init(name: "dma0", unit: .dma(dma)), .init(name: "dma1", unit: .dma(dma)),
      ])
  }

  static func program(_ chip: Chip) -> Program {
    var program = Program(name: "by-hand", chipHash: chip.hash, modelHash: "0123456789abcdef")
    let dram = program.add(memory: .init(name: "dram", kind: .dram, bytes: 1 << 20))
    let spad = program.add(memory: .init(name: "spad", kind: .scratchpad, bytes: 64 << 10, banks: 8))
    let acc = program.add(memory: .init(name: "acc", kind: .accumulator, bytes: 16 << 10, banks: 4))
    let first = program.add(
      layer: .init(name: "fc \"1\", <wide>", nodes: ["/fc/MatMul", "/fc/Add"], kind: "matmul", macs: 4 * 512))
    let second = program.add(layer: .init(name: "copy", nodes: ["/copy"], kind: "copy", macs: 0))
    let (array, load, store) = (QueueID(0), QueueID(1), QueueID(2))
    func channel(_ name: String, _ role: Channel.Role, _ from: QueueID, _ to: QueueID, _ initial: Int) -> ChannelID {
      program.add(
        channel: Channel(name: name, role: role, producer: from, consumer: to, initial: initial, capacity: 2))
    }
    let full = channel("full", .data, load, array, 0)
    let free = channel("free", .space, array, load, 2)
    let copied = channel("copied", .data, load, store, 0)
    let stored = channel("stored", .space, store, load, 2)
    func bytes(_ memory: MemoryID, _ base: Int, turns: Int, of size: Int, count: Int) -> AddressGenerator {
      let isTable = turns == 0
      return AddressGenerator(
        memory: memory, baseBits: isTable ? Affine(base * 8) + Affine.index(0, times: size * 8) : Affine(base * 8),
        elementBits: 8, dims: [.init(count, strideBits: 8)],
        rotation: isTable ? nil : .init(index: .index(0), slots: turns, slotBits: size * 8))
    }
    let slot = 16 << 10
    let tile = Contract(
      a: bytes(spad, 0, turns: 2, of: slot, count: 64), b: bytes(spad, 8192, turns: 2, of: slot, count: 64),
      accumulators: AddressGenerator(
        memory: acc, baseBits: Affine(0), elementBits: 32, dims: [.init(64, strideBits: 32)]), m: Extent(8),
      n: Extent(8), k: Extent(8))
    let loadTile = { (target: Int, layer: LayerID, waits: ChannelID, signals: ChannelID) in
      Command(
        .copy(
          Copy(
            from: bytes(dram, 0, turns: 0, of: 4096, count: 4096),
            to: bytes(spad, target, turns: 2, of: slot, count: 4096))), layer: layer, waits: [Wait(waits)],
        signals: [Signal(signals, at: .written)])
    }
    _ = program.add(
      queue: .init(
        core: "core0", engine: "array0",
        body: [
          .loop(
            count: 4,
            [
              .command(
                Command(
                  .contract(tile), layer: first, waits: [Wait(full)],
                  signals: [Signal(free, at: .written)]))
            ])
        ]))
    _ = program.add(
      queue: .init(
        core: "core0", engine: "dma0",
        body: [
          .loop(count: 4, [.command(loadTile(0, first, free, full))]),
          .loop(count: 4, [.command(loadTile(32 << 10, second, stored, copied))]),
        ]))
    _ = program.add(
      queue: .init(
        core: "core0", engine: "dma1",
        body: [
          .loop(
            count: 4,
            [
              .command(
                Command(
                  .copy(
                    Copy(
                      from: bytes(spad, 32 << 10, turns: 2, of: slot, count: 4096),
                      to: bytes(dram, 64 << 10, turns: 0, of: 4096, count: 4096))), layer: second,
                  waits: [Wait(copied)], signals: [Signal(stored, at: .written)]))
            ])
        ]))
    return program
  }

  /// The run with its report.
  static func run() throws -> (timing: TimingResult, program: Program, report: RunReport) {
    let chip = try chip()
    let program = program(chip)
    let timing = try TimingRun(program, on: machine(chip), options: .init(trace: true)).run()
    let report = RunReport(
      timing: timing, program: program, chip: chip,
      context: .init(
        version: "0.1.0", model: "by-hand", modelHash: program.modelHash, peakMACsPerCycle: 64,
        peakScratchpadBytes: 49_152,
        plan: .init(
          status: "feasible", gaps: .init(tiling: 0, residency: 0.025, network: 0.5), bounds: .init([("cycles", 900)])),
        outputs: [.init(name: "y", shape: [4, 8], elementType: "i8", hash: "00ff00ff00ff00ff")],
        accuracy: .init(samples: 8, correct: 7, floatTop1: 1)))
    return (timing, program, report)
  }
}

extension SmallRun {
  /// The timing alone, without the intervals of a trace.
  static func plainTiming() throws -> TimingResult {
    let chip = try chip()
    return try TimingRun(program(chip), on: machine(chip)).run()
  }
}
