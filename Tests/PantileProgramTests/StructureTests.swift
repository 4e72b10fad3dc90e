import PantileProgram
import PantileSupport
import Testing

/// Every structural code has a Program that trips it; hostile numbers never trap.
@Suite struct StructureTests {
  /// A copy, an array tile and a vector run that verify.
  static func base() -> Program {
    var program = Program(name: "base")
    let dram = program.add(memory: .init(name: "dram", kind: .dram, bytes: 1 << 16))
    let spad = program.add(memory: .init(name: "spad", kind: .scratchpad, bytes: 4096, banks: 4))
    let acc = program.add(memory: .init(name: "acc", kind: .accumulator, bytes: 1024))
    _ = program.add(region: .init(name: "x", memory: dram, base: 0, bytes: 64, kind: .input, shape: [64]))
    let layer = program.add(layer: .init(name: "l", nodes: [], kind: "k", macs: 0))
    let kernel = program.add(
      kernel: Kernel(name: "k", inputs: [Kernel.Input(.i8, .point, register: 0)], output: 0, outputFormat: .i8))
    let load = program.add(queue: .init(core: "core0", engine: "dma0"))
    let array = program.add(queue: .init(core: "core0", engine: "array0"))
    let vector = program.add(queue: .init(core: "core0", engine: "vector0"))
    let full = program.add(
      channel: Channel(name: "full", role: .data, producer: load, consumer: array, initial: 0, capacity: 1))
    func access(_ memory: MemoryID, _ base: Int, _ bits: Int, _ dims: [(Int, Int)]) -> AddressGenerator {
      AddressGenerator(
        memory: memory, baseBits: Affine(base * 8), elementBits: bits,
        dims: dims.map { .init($0.0, strideBits: $0.1 * 8) })
    }
    program.queues[load.offset].body = [
      .command(
        Command(
          .copy(Copy(from: access(dram, 0, 8, [(64, 1)]), to: access(spad, 0, 8, [(64, 1)]))), layer: layer,
          signals: [Signal(full, at: .written)]))
    ]
    program.queues[array.offset].body = [
      .loop(
        count: 1,
        [
          .command(
            Command(
              .contract(
                Contract(
                  a: access(spad, 0, 8, [(4, 8), (8, 1)]), b: access(spad, 32, 8, [(8, 4), (4, 1)]),
                  accumulators: access(acc, 0, 32, [(4, 16), (4, 4)]), m: Extent(4), n: Extent(4), k: Extent(8))),
              layer: layer, waits: [Wait(full)]))
        ])
    ]
    program.queues[vector.offset].body = [
      .command(
        Command(
          .vector(
            Map(
              kernel: kernel, inputs: [access(spad, 1024, 8, [(8, 1)])], output: access(spad, 2048, 8, [(8, 1)]))),
          layer: layer))
    ]
    return program
  }

  static func codes(_ change: (inout Program) -> Void) -> Set<String> {
    var program = base()
    change(&program)
    return Set(PantileProgramTests.codes { try program.verify() } ?? [])
  }

  static func command(_ program: inout Program, _ queue: Int, _ change: (inout Command) -> Void) {
    func walk(_ nodes: inout [Program.Node]) {
      switch nodes[0] {
      case .loop(let count, var body):
        walk(&body)
        nodes[0] = .loop(count: count, body)
      case .command(var command):
        change(&command)
        nodes[0] = .command(command)
      }
    }
    walk(&program.queues[queue].body)
  }

  static func copy(_ change: (inout Copy) -> Void) -> Set<String> {
    codes { program in
      command(&program, 0) { command in
        guard case .copy(var copy) = command.operation else { return }
        change(&copy)
        command.operation = .copy(copy)
      }
    }
  }

  static func tile(_ change: (inout Contract) -> Void) -> Set<String> {
    codes { program in
      command(&program, 1) { command in
        guard case .contract(var tile) = command.operation else { return }
        change(&tile)
        command.operation = .contract(tile)
      }
    }
  }

  static func map(_ change: (inout Map) -> Void) -> Set<String> {
    codes { program in
      command(&program, 2) { command in
        guard case .vector(var map) = command.operation else { return }
        change(&map)
        command.operation = .vector(map)
      }
    }
  }

  @Test func baseIsSound() { #expect(Self.codes { _ in } == []) }

  @Test func tablesAreChecked() {
    #expect(Self.codes { $0.memories[1].banks = 65 } == ["memory-banks"])
    #expect(Self.codes { $0.memories[1].bytes = .max } == ["memory-size"])
    #expect(Self.codes { $0.regions[0].bytes = 1 << 20 } == ["region-bounds"])
    #expect(Self.codes { $0.regions[0].base = .max } == ["region-bounds"])
    #expect(Self.codes { $0.regions[0].memory = MemoryID(9) }.contains("unknown-memory"))
    #expect(Self.codes { $0.regions[0].shape = [65] } == ["region-shape"])
    #expect(Self.codes { $0.regions[0].shape = [1 << 40, 1 << 40] } == ["region-shape"])
    #expect(Self.codes { $0.regions[0].element = "i7" } == ["region-shape"])
    #expect(Self.codes { $0.channels[0].capacity = 0 } == ["channel-capacity"])
    #expect(Self.codes { $0.channels[0].capacity = .max } == ["channel-capacity"])
    #expect(Self.codes { $0.channels[0].initial = 2 } == ["channel-capacity"])
    #expect(Self.codes { $0.channels[0].consumer = QueueID(7) }.contains("unknown-queue"))
    #expect(Self.codes { $0.channels[0].consumer = QueueID(2) } == ["channel-end"])
    #expect(Self.codes { $0.queues[2].engine = "dma0" } == ["duplicate-queue"])
    #expect(Self.codes { $0.images = [.init(region: RegionID(3), bytes: [])] } == ["unknown-region"])
    #expect(
      Self.codes { $0.images = [.init(region: RegionID(0), bytes: [UInt8](repeating: 0, count: 65))] } == [
        "image-bounds"
      ])
  }

  @Test func commandsAreChecked() {
    #expect(Self.codes { Self.command(&$0, 0) { $0.layer = LayerID(4) } } == ["unknown-layer"])
    #expect(Self.codes { Self.command(&$0, 0) { $0.signals[0].channel = ChannelID(4) } } == ["unknown-channel"])
    #expect(Self.codes { Self.command(&$0, 0) { $0.signals[0].count = 0 } } == ["token-count"])
    #expect(Self.codes { Self.command(&$0, 1) { $0.waits[0].count = .max } } == ["token-count"])
    #expect(Self.codes { Self.command(&$0, 0) { $0.signals[0].point = .read(1) } } == ["signal-point"])
    #expect(Self.codes { Self.command(&$0, 0) { $0.guards = [Guard(.first, 0)] } } == ["loop-depth"])
    func nest(_ depth: Int) -> [Program.Node] { depth == 0 ? [] : [.loop(count: 1, nest(depth - 1))] }
    #expect(Self.codes { $0.queues[2].body = nest(LoopState.mostLoops) } == [])
    #expect(Self.codes { $0.queues[2].body = nest(LoopState.mostLoops + 1) } == ["loop-depth"])
    #expect(Self.codes { $0.queues[1].body = [.loop(count: -1, [])] } == ["loop-count"])
    #expect(Self.codes { $0.queues[1].body = [.loop(count: 1 << 30, [.loop(count: 1 << 30, [])])] } == ["loop-count"])
    #expect(Self.codes { $0.queues[1].body = [.loop(count: .max, [.loop(count: .max, [])])] } == ["loop-count"])
  }

  @Test func addressesAreChecked() {
    #expect(Self.copy { $0.source.memory = MemoryID(5) } == ["unknown-memory"])
    #expect(Self.copy { $0.source.baseBits = Affine.index(0) } == ["loop-depth"])
    #expect(Self.copy { $0.source.dims = Array(repeating: .init(2, strideBits: 8), count: 7) } == ["address-dims"])
    #expect(
      Self.copy { $0.source.bounds = [.init(offset: Affine(0), coefficients: [], limit: 1)] } == ["address-dims"])
    #expect(Self.copy { $0.source.dims[0].count = Extent(0) } == ["extent"])
    #expect(Self.copy { $0.source.dims[0].count = Extent(.max) } == ["extent"])
    #expect(
      Self.copy { $0.source.dims = Array(repeating: .init(1 << 20, strideBits: 0), count: 6) } == ["extent"])
    #expect(Self.copy { $0.source.dims[0].strideBits = .max } == ["address-range"])
    #expect(Self.copy { $0.source.dims[0].strideBits = .min } == ["address-range"])
    #expect(Self.copy { $0.source.baseBits = Affine(.min) } == ["address-range"])
    #expect(
      Self.copy { $0.source.bounds = [.init(offset: Affine(0), coefficients: [.max], limit: .max)] } == [
        "address-range"
      ])
    #expect(Self.copy { $0.source.rotation = .init(index: Affine(0), slots: 0, slotBits: 8) } == ["extent"])
    #expect(Self.copy { $0.source.rotation = .init(index: Affine(-1), slots: 2, slotBits: 8) } == ["rotation"])
    #expect(
      Self.copy { $0.source.rotation = .init(index: Affine(0), slots: .max, slotBits: .max) } == ["address-range"])
    #expect(Self.copy { $0.source.elementBits = 0 } == ["element-bits"])
    #expect(Self.copy { $0.source.elementBits = 64 } == ["element-bits"])
    #expect(
      Self.copy {
        $0.source.elementBits = 4
        $0.destination.elementBits = 4
      } == ["element-bits"])
    #expect(Self.copy { $0.source.baseBits = Affine(4) } == ["alignment"])
    #expect(Self.copy { $0.source.dims[0].strideBits = 12 } == ["alignment"])
    // Beyond the last region there is nothing to read, even if the memory goes on.
    #expect(Self.copy { $0.source.baseBits = Affine(64 * 8) } == ["out-of-bounds"])
    #expect(Self.copy { $0.destination.memory = MemoryID(0) } == ["read-only-region"])
  }

  @Test func operandsAreChecked() {
    #expect(Self.tile { $0.accumulators.dims = [.init(16, strideBits: 32)] } == ["accumulators"])
    #expect(Self.tile { $0.accumulators.dims[1].strideBits = 64 } == ["accumulators"])
    #expect(Self.tile { $0.accumulators.dims[0].strideBits = 24 } == ["alignment"])
    #expect(Self.tile { $0.sparsity = .init(kept: 2, group: 4) }.contains("sparsity"))
    #expect(Self.tile { $0.initial = .zeroInFirst(depth: 1) } == ["loop-depth"])
    #expect(Self.tile { $0.m = Extent(full: 4, last: 3, depth: 1) } == ["loop-depth"])
    #expect(Self.tile { $0.m = Extent(3) } == ["element-count"])
    #expect(
      Self.tile {
        $0.m = Extent(-4)
        $0.n = Extent(-4)
        $0.k = Extent(-8)
      } == ["extent"])
    #expect(Self.tile { $0.a.elementBits = 32 }.contains("element-bits"))
    #expect(Self.tile { $0.b.memory = MemoryID(0) } == ["operand-memory"])
    #expect(Self.map { $0.kernel = KernelID(3) } == ["unknown-kernel"])
    #expect(Self.map { $0.inputs = [] } == ["kernel-inputs"])
    #expect(Self.map { $0.output.elementBits = 32 }.contains("element-bits"))
    #expect(Self.map { $0.reduced = 0 } == ["extent"])
    #expect(Self.map { $0.inputs[0].dims[0].count = Extent(7) } == ["element-count"])
    // Four results of two points each, but the dims list eight points as one dim.
    #expect(
      Self.map {
        $0.reduced = 2
        $0.output.dims[0].count = Extent(4)
      } == ["reduced-dims"])
    #expect(Self.codes { $0.kernels[0].output = 16 } == ["kernel"])
    #expect(Self.codes { $0.kernels[0].epilogue = [.init(.clampI32, 0, 0, 0, [1])] } == ["kernel"])
    #expect(Self.codes { $0.kernels[0].epilogue = [.init(.requantizeImmediate, 0, 0, 0, [1, 63])] } == ["kernel"])
    #expect(Self.codes { $0.kernels[0].epilogue = [.init(.roundToI32, 0, 0, 0, [0, .max])] } == ["kernel"])
    #expect(Self.codes { $0.kernels[0].epilogue = [.init(.requantize, 0, 0, 1, [99])] } == ["kernel"])
  }

  /// A read of every second byte, each twice, lists as many elements as its range has bytes, and yet does not stand for a
  /// read of all of them.
  @Test func repeatedElementsDoNotHideARace() {
    let found = Self.codes { program in
      func access(_ memory: Int, _ dims: [AddressGenerator.Dim], _ base: Int) -> AddressGenerator {
        AddressGenerator(memory: MemoryID(memory), baseBits: Affine(base * 8), elementBits: 8, dims: dims)
      }
      let free = program.add(
        channel: Channel(
          name: "free", role: .space, producer: QueueID(1), consumer: QueueID(0), initial: 0, capacity: 1))
      guard case .loop(_, let body) = program.queues[1].body[0], case .command(var again) = body[0],
        case .contract(var tile) = again.operation
      else { return }
      tile.a = access(1, [.init(2, strideBits: 0), .init(32, strideBits: 16)], 0)
      tile.b = access(1, [.init(16, strideBits: 32), .init(4, strideBits: 8)], 1024)
      tile.k = Extent(16)
      again.operation = .contract(tile)
      again.waits = []
      // Says when b has been read, which leaves both reads of a open; the first of them touches byte 1.
      again.signals = [Signal(free, at: .read(1))]
      program.queues[1].body.append(.command(again))
      let byte = [AddressGenerator.Dim(1, strideBits: 8)]
      program.queues[0].body.append(
        .command(
          Command(
            .copy(Copy(from: access(0, byte, 0), to: access(1, byte, 1))), layer: LayerID(0), waits: [Wait(free)])))
    }
    #expect(found == ["race"])
  }
}
