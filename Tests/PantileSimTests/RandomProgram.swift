import PantileEngines
import PantileProgram
import PantileSim
import PantileSupport
import PantileTensor

/// A seeded pipeline with random sizes: layer 0 multiplies tiles and requantises them on the way out, layer 1 runs a
/// vector kernel over the result, layer by layer through DRAM, each buffer with its own number of slots.
struct RandomProgram {
  var program: Program
  var machine: Machine
  let seed: UInt64

  /// Tile counts and sizes.
  struct Shape {
    var rowTiles: Int
    var depthTiles: Int
    var m: Int
    var lastM: Int
    var k: Int
    var lastK: Int
    var n: Int

    var rows: Int { (rowTiles - 1) * m + lastM }
    var depth: Int { (depthTiles - 1) * k + lastK }
  }

  let shape: Shape

  /// - Parameter array: instead of a random one.
  init(seed: UInt64, tiles: Int? = nil, array fixed: SystolicOptions? = nil) throws {
    self.seed = seed
    var random = SplitMix64(seed: seed)
    func up(to most: Int) -> Int { 1 + random.next(below: most) }
    let m = up(to: 9)
    let k = up(to: 9)
    shape = Shape(
      rowTiles: tiles ?? 2 + random.next(below: 5), depthTiles: up(to: 3), m: m, lastM: up(to: m), k: k,
      lastK: up(to: k), n: up(to: 9))
    let slots = (a: up(to: 3), b: up(to: 3), acc: up(to: 2), out: up(to: 3), input: up(to: 3), result: up(to: 3))
    var builder = Builder(shape: shape, slots: slots)
    builder.build(reduces: random.next(below: 2) == 0)
    program = builder.program
    let kind = SystolicOptions.kinds[random.next(below: SystolicOptions.kinds.count)]
    let drawn = SystolicOptions(
      rows: up(to: 5), columns: up(to: 5), dataflow: kind.dataflow, variant: kind.variant, peLatency: up(to: 3))
    let array = ArrayEngine.systolic(fixed ?? drawn)
    let memory = (
      up(to: 16), up(to: 3), latency: random.next(below: 50), burst: 8 << random.next(below: 4)
    )
    func dma() -> DMAOptions { DMAOptions(linkBytes: up(to: 32), outstanding: up(to: 6)) }
    machine = Machine(
      chipName: "random", chipHash: "", clock: Hertz(1e9),
      memories: program.memories.map {
        Machine.Memory(
          name: $0.name, kind: $0.kind, bytes: $0.bytes, banks: $0.banks, bandwidthNumerator: memory.0,
          bandwidthDenominator: memory.1, latency: memory.latency, burst: memory.burst)
      },
      engines: [
        .init(name: "array0", unit: .array(array)),
        .init(name: "drain0", unit: .drain(DrainOptions(lanes: up(to: 8), latency: up(to: 9)))),
        .init(name: "vector0", unit: .vector(VectorOptions(lanes: up(to: 8), latency: up(to: 9)))),
        .init(name: "dma0", unit: .dma(dma())), .init(name: "dma1", unit: .dma(dma())),
      ])
  }

  /// A functional run with seeded inputs in place.
  func functionalRun(of mutant: Program? = nil) throws -> FunctionalRun {
    let run = try FunctionalRun(mutant ?? program, on: machine)
    try setInputs(of: run)
    return run
  }

  /// Seeded values in all input regions.
  func setInputs(of run: FunctionalRun) throws(DiagnosticError) {
    for region in program.regions where region.kind == .input {
      var random = SplitMix64(seed: seed ^ StableHash.fnv1a(region.name))
      let values = (0..<region.bytes).map { _ in Int8(truncatingIfNeeded: Int(random.next() >> 32)) }
      try run.setInput(region.name, HostTensor(shape: region.shape, values: values))
    }
  }

  /// Runs a changed copy of the program of a seed to its end.
  static func run(_ program: Program, like seed: UInt64) throws {
    try RandomProgram(seed: seed, tiles: 8).functionalRun(of: program).run()
  }

  /// The bytes of all outputs.
  static func outputs(_ run: FunctionalRun) -> [[UInt8]] {
    run.outputs().map { $0.tensor.withUnsafeBytes { Array($0) } }
  }

  /// What the program computes, by definition.
  func expected() -> [[UInt8]] {
    func input(_ name: String, _ count: Int) -> [Int] {
      var random = SplitMix64(seed: seed ^ StableHash.fnv1a(name))
      return (0..<count).map { _ in Int(Int8(truncatingIfNeeded: Int(random.next() >> 32))) }
    }
    let x = input("x", shape.rows * shape.depth)
    let w = input("w", shape.depth * shape.n)
    var y: [Int] = []
    for i in 0..<shape.rows {
      for j in 0..<shape.n {
        let sum = (0..<shape.depth).reduce(0) { $0 + x[i * shape.depth + $1] * w[$1 * shape.n + j] }
        y.append(min(max((sum + 32) >> 6, -128), 127))
      }
    }
    let reduces = program.kernels[1].reduction != .none
    let z =
      reduces
      ? (0..<shape.rows).map { i in (0..<shape.n).map { y[i * shape.n + $0] }.max() ?? 0 }
      : y.map { min($0 + 3, 100) }
    return [y, z].map { $0.map { UInt8(bitPattern: Int8($0)) } }
  }
}

/// Lays the program out.
private struct Builder {
  let shape: RandomProgram.Shape
  let slots: (a: Int, b: Int, acc: Int, out: Int, input: Int, result: Int)
  var program = Program(name: "random")
  private var spadTop = 0

  init(shape: RandomProgram.Shape, slots: (a: Int, b: Int, acc: Int, out: Int, input: Int, result: Int)) {
    self.shape = shape
    self.slots = slots
  }

  private mutating func buffer(_ bytes: Int, _ slots: Int) -> (base: Int, slot: Int) {
    let slot = (bytes + 15) / 16 * 16
    defer { spadTop += slot * slots }
    return (spadTop, slot)
  }

  mutating func build(reduces: Bool) {
    let (rows, depth, n, m, k) = (shape.rows, shape.depth, shape.n, shape.m, shape.k)
    let dram = program.add(memory: .init(name: "dram", kind: .dram, bytes: 1 << 20))
    let spad = program.add(memory: .init(name: "spad", kind: .scratchpad, bytes: 4096, banks: 8))
    let acc = program.add(memory: .init(name: "acc", kind: .accumulator, bytes: 4096))
    var top = 0
    func region(_ name: String, _ shape: [Int], _ kind: Program.Region.Kind, _ program: inout Program) -> Int {
      let bytes = shape.reduce(1, *)
      _ = program.add(
        region: .init(name: name, memory: dram, base: top, bytes: bytes, kind: kind, shape: shape))
      defer { top += (bytes + 63) / 64 * 64 }
      return top
    }
    let x = region("x", [rows, depth], .input, &program)
    let w = region("w", [depth, n], .input, &program)
    let y = region("y", [rows, n], .output, &program)
    let z = region("z", reduces ? [rows] : [rows, n], .output, &program)
    let product = program.add(layer: .init(name: "product", nodes: [], kind: "matmul", macs: rows * depth * n))
    let after = program.add(layer: .init(name: "after", nodes: [], kind: "add", macs: 0))
    let requantise = program.add(
      kernel: Kernel(
        name: "requantise", inputs: [Kernel.Input(.i32, .point, register: 0)],
        epilogue: [
          Kernel.Instruction(.requantizeImmediate, 0, 0, 0, [1, 6]),
          Kernel.Instruction(.clampI32, 0, 0, 0, [-128, 127]),
        ], output: 0, outputFormat: .i8))
    let vectorKernel = program.add(
      kernel: reduces
        ? Kernel(
          name: "max", inputs: [Kernel.Input(.i8, .point, register: 0)], reduction: .maxI32, output: 0,
          outputFormat: .i8)
        : Kernel(
          name: "add", inputs: [Kernel.Input(.i8, .point, register: 0)],
          prologue: [
            Kernel.Instruction(.addImmediateI32, 0, 0, 0, [3]),
            Kernel.Instruction(.clampI32, 0, 0, 0, [-1000, 100]),
          ], output: 0, outputFormat: .i8))
    let names = ["dma0", "array0", "drain0", "vector0", "dma1"]
    let queues = names.map { program.add(queue: .init(core: "core0", engine: $0)) }
    let (load, array, drain, vector, store) = (queues[0], queues[1], queues[2], queues[3], queues[4])
    func pair(_ name: String, _ from: QueueID, _ to: QueueID, _ slots: Int, _ program: inout Program)
      -> (full: ChannelID, free: ChannelID)
    {
      (
        program.add(
          channel: Channel(
            name: "\(name)_full", role: .data, producer: from, consumer: to, initial: 0, capacity: slots)),
        program.add(
          channel: Channel(
            name: "\(name)_free", role: .space, producer: to, consumer: from, initial: slots, capacity: slots))
      )
    }
    let a = pair("a", load, array, slots.a, &program)
    let b = pair("b", load, array, slots.b, &program)
    let sums = pair("acc", array, drain, slots.acc, &program)
    let out = pair("out", drain, store, slots.out, &program)
    let input = pair("in", load, vector, slots.input, &program)
    let result = pair("result", vector, store, slots.result, &program)
    let order = program.add(
      channel: Channel(name: "layer", role: .order, producer: store, consumer: load, initial: 0, capacity: 1))
    let aBuffer = buffer(m * k, slots.a)
    let bBuffer = buffer(k * n, slots.b)
    let outBuffer = buffer(m * n, slots.out)
    let inBuffer = buffer(m * n, slots.input)
    let resultBuffer = buffer(m * n, slots.result)
    let accSlot = m * n * 4

    let mExtent = Extent(full: m, last: shape.lastM, depth: 0)
    let kExtent = Extent(full: k, last: shape.lastK, depth: 1)
    func access(
      _ memory: MemoryID, _ base: Affine, _ bits: Int, _ dims: [(Extent, Int)], _ rotation: (Affine, Int, Int)? = nil
    ) -> AddressGenerator {
      AddressGenerator(
        memory: memory, baseBits: base * 8, elementBits: bits,
        dims: dims.map { AddressGenerator.Dim($0.0, strideBits: $0.1 * 8) },
        rotation: rotation.map { .init(index: $0.0, slots: $0.1, slotBits: $0.2 * 8) })
    }
    let trip = Affine.index(0, times: shape.depthTiles) + Affine.index(1)
    let row = Affine.index(0)
    let nExtent = Extent(n)
    let aSlot = access(
      spad, Affine(aBuffer.base), 8, [(mExtent, k), (kExtent, 1)], (trip, slots.a, aBuffer.slot))
    let bSlot = access(
      spad, Affine(bBuffer.base), 8, [(kExtent, n), (nExtent, 1)], (trip, slots.b, bBuffer.slot))
    let accSlots = access(acc, Affine(0), 32, [(mExtent, n * 4), (nExtent, 4)], (row, slots.acc, accSlot))
    let outSlot = access(
      spad, Affine(outBuffer.base), 8, [(mExtent, n), (nExtent, 1)], (row, slots.out, outBuffer.slot))
    let yRows = access(dram, Affine(y) + row * (m * n), 8, [(mExtent, n), (nExtent, 1)])
    program.queues[load.offset].body = [
      .loop(
        count: shape.rowTiles,
        [
          .loop(
            count: shape.depthTiles,
            [
              .command(
                Command(
                  .copy(
                    Copy(
                      from: access(
                        dram, Affine(x) + row * (m * depth) + Affine.index(1, times: k), 8,
                        [(mExtent, depth), (kExtent, 1)]), to: aSlot)), layer: product, waits: [Wait(a.free)],
                  signals: [Signal(a.full, at: .written)])),
              .command(
                Command(
                  .copy(
                    Copy(
                      from: access(dram, Affine(w) + Affine.index(1, times: k * n), 8, [(kExtent, n), (nExtent, 1)]),
                      to: bSlot)), layer: product, waits: [Wait(b.free)], signals: [Signal(b.full, at: .written)])),
            ])
        ]),
      .command(Command(.sync, layer: after, waits: [Wait(order)])),
      .loop(
        count: shape.rowTiles,
        [
          .command(
            Command(
              .copy(
                Copy(
                  from: yRows,
                  to: access(
                    spad, Affine(inBuffer.base), 8, [(mExtent, n), (nExtent, 1)], (row, slots.input, inBuffer.slot)))),
              layer: after, waits: [Wait(input.free)], signals: [Signal(input.full, at: .written)]))
        ]),
    ]
    program.queues[array.offset].body = [
      .loop(
        count: shape.rowTiles,
        [
          .loop(
            count: shape.depthTiles,
            [
              .command(
                Command(
                  .contract(
                    Contract(
                      a: aSlot, b: bSlot, accumulators: accSlots, m: mExtent, n: nExtent, k: kExtent,
                      initial: .zeroInFirst(depth: 1))), layer: product,
                  waits: [Wait(a.full), Wait(b.full), Wait(sums.free, when: [Guard(.first, 1)])],
                  signals: [
                    Signal(a.free, at: .read(0)), Signal(b.free, at: .read(1)),
                    Signal(sums.full, at: .written, when: [Guard(.last, 1)]),
                  ]))
            ])
        ])
    ]
    program.queues[drain.offset].body = [
      .loop(
        count: shape.rowTiles,
        [
          .command(
            Command(
              .drain(Map(kernel: requantise, inputs: [accSlots], output: outSlot)), layer: product,
              waits: [Wait(sums.full), Wait(out.free)],
              signals: [Signal(sums.free, at: .read(0)), Signal(out.full, at: .written)]))
        ])
    ]
    let points: [(Extent, Int)] = [(mExtent, n), (nExtent, 1)]
    let results: [(Extent, Int)] = reduces ? [(mExtent, 1)] : points
    let resultSlot = access(
      spad, Affine(resultBuffer.base), 8, results, (row, slots.result, resultBuffer.slot))
    program.queues[vector.offset].body = [
      .loop(
        count: shape.rowTiles,
        [
          .command(
            Command(
              .vector(
                Map(
                  kernel: vectorKernel,
                  inputs: [access(spad, Affine(inBuffer.base), 8, points, (row, slots.input, inBuffer.slot))],
                  output: resultSlot, reduced: reduces ? n : 1)), layer: after,
              waits: [Wait(input.full), Wait(result.free)],
              signals: [Signal(input.free, at: .read(0)), Signal(result.full, at: .written)]))
        ])
    ]
    program.queues[store.offset].body = [
      .loop(
        count: shape.rowTiles,
        [
          .command(
            Command(
              .copy(Copy(from: outSlot, to: yRows)), layer: product, waits: [Wait(out.full)],
              signals: [Signal(out.free, at: .read(0)), Signal(order, at: .written, when: [Guard(.last, 0)])]))
        ]),
      .loop(
        count: shape.rowTiles,
        [
          .command(
            Command(
              .copy(
                Copy(
                  from: resultSlot,
                  to: access(dram, Affine(z) + row * (reduces ? m : m * n), 8, results))), layer: after,
              waits: [Wait(result.full)], signals: [Signal(result.free, at: .read(0))]))
        ]),
    ]
  }
}
