import PantileEngines
import PantileProgram
import PantileSim
import PantileSupport
import PantileTensor

/// A seeded pipeline of padded convolutions by address generators: rounds of images, row tiles with a ragged last one, rotated
/// slots, guards of all four positions, signals on `sync`, a per-channel requantisation, and a padded pooling window.
struct RandomConvolution {
  var program = Program(name: "convolution")
  var machine: Machine
  let seed: UInt64

  init(seed: UInt64, array: SystolicOptions) {
    self.seed = seed
    var random = SplitMix64(seed: seed &+ 0xC0)
    func up(to most: Int) -> Int { 1 + random.next(below: most) }
    let shape = Shape(&random)
    let memory = (up(to: 16), up(to: 3), latency: random.next(below: 40), burst: 8 << random.next(below: 4))
    let slots = (image: up(to: 2), acc: up(to: 2), out: up(to: 3), result: up(to: 2))
    var builder = ConvolutionBuilder(shape: shape, slots: slots)
    builder.build(&random)
    program = builder.program
    func dma() -> DMAOptions { DMAOptions(linkBytes: up(to: 24), outstanding: up(to: 6)) }
    machine = Machine(
      chipName: "random", chipHash: "", clock: Hertz(1e9),
      memories: program.memories.map {
        Machine.Memory(
          name: $0.name, kind: $0.kind, bytes: $0.bytes, banks: $0.banks, bandwidthNumerator: memory.0,
          bandwidthDenominator: memory.1, latency: memory.latency, burst: memory.burst)
      },
      engines: [
        .init(name: "array0", unit: .array(.systolic(array))),
        .init(name: "drain0", unit: .drain(DrainOptions(lanes: up(to: 8), latency: random.next(below: 9)))),
        .init(name: "vector0", unit: .vector(VectorOptions(lanes: up(to: 8), latency: random.next(below: 9)))),
        .init(name: "dma0", unit: .dma(dma())), .init(name: "dma1", unit: .dma(dma())),
      ])
  }

  /// Seeded bytes in all input regions.
  func setInputs(of run: FunctionalRun) throws(DiagnosticError) {
    for region in program.regions where region.kind == .input {
      var random = SplitMix64(seed: seed ^ StableHash.fnv1a(region.name))
      let count = region.shape.reduce(1, *)
      if region.element == "i32" {
        let values = (0..<count).map { _ in Int32(1 + random.next(below: 40)) }
        try run.setInput(region.name, HostTensor(shape: region.shape, values: values))
      } else {
        let values = (0..<count).map { _ in Int8(truncatingIfNeeded: Int(random.next() >> 32)) }
        try run.setInput(region.name, HostTensor(shape: region.shape, values: values))
      }
    }
  }

  fileprivate struct Shape {
    var (rounds, height, width, channels, filters) = (1, 1, 1, 1, 1)
    var (kernelRows, kernelColumns, stride, dilation, padding) = (1, 1, 1, 1, 0)
    var (outRows, outColumns, tileRows, tiles, lastRows) = (1, 1, 1, 1, 1)

    init(_ random: inout SplitMix64) {
      func up(to most: Int) -> Int { 1 + random.next(below: most) }
      (rounds, height, width, channels, filters) = (up(to: 3), 3 + up(to: 4), 3 + up(to: 4), up(to: 3), up(to: 6))
      (kernelRows, kernelColumns, stride, dilation) = (up(to: 3), up(to: 3), up(to: 2), up(to: 2))
      padding = random.next(below: 2)
      outRows = (height + 2 * padding - dilation * (kernelRows - 1) - 1) / stride + 1
      outColumns = (width + 2 * padding - dilation * (kernelColumns - 1) - 1) / stride + 1
      outRows = max(1, outRows)
      outColumns = max(1, outColumns)
      tileRows = up(to: outRows)
      tiles = (outRows + tileRows - 1) / tileRows
      lastRows = outRows - (tiles - 1) * tileRows
    }
  }
}

private struct ConvolutionBuilder {
  let shape: RandomConvolution.Shape
  let slots: (image: Int, acc: Int, out: Int, result: Int)
  var program = Program(name: "convolution")
  private var top = 0
  private var spadTop = 0

  init(shape: RandomConvolution.Shape, slots: (image: Int, acc: Int, out: Int, result: Int)) {
    self.shape = shape
    self.slots = slots
  }

  private mutating func buffer(_ bytes: Int, _ slots: Int) -> (base: Int, slot: Int) {
    let slot = (bytes + 15) / 16 * 16
    defer { spadTop += slot * slots }
    return (spadTop, slot)
  }

  private mutating func region(_ name: String, _ shape: [Int], _ kind: Program.Region.Kind, _ element: String = "i8")
    -> Int
  {
    let bytes = shape.reduce(1, *) * (element == "i32" ? 4 : 1)
    _ = program.add(
      region: .init(
        name: name, memory: MemoryID(0), base: top, bytes: bytes, kind: kind, shape: shape, element: element))
    defer { top += (bytes + 63) / 64 * 64 }
    return top
  }

  private mutating func channel(_ name: String, _ from: QueueID, _ to: QueueID, _ initial: Int, _ capacity: Int)
    -> ChannelID
  {
    program.add(
      channel: Channel(
        name: name, role: initial > 0 ? .space : .data, producer: from, consumer: to, initial: initial,
        capacity: capacity))
  }

  private func access(
    _ memory: MemoryID, _ base: Affine, _ dims: [(Extent, Int)], bits: Int = 8, rotation: (Affine, Int, Int)? = nil,
    bounds: [AddressGenerator.Bound] = [], pad: Int = 0
  ) -> AddressGenerator {
    AddressGenerator(
      memory: memory, baseBits: base * 8, elementBits: bits,
      dims: dims.map { AddressGenerator.Dim($0.0, strideBits: $0.1 * 8) },
      rotation: rotation.map { .init(index: $0.0, slots: $0.1, slotBits: $0.2 * 8) }, bounds: bounds, padValue: pad)
  }

  mutating func build(_ random: inout SplitMix64) {
    let s = shape
    let dram = program.add(memory: .init(name: "dram", kind: .dram, bytes: 1 << 20))
    let spad = program.add(memory: .init(name: "spad", kind: .scratchpad, bytes: 8192, banks: 8))
    let acc = program.add(memory: .init(name: "acc", kind: .accumulator, bytes: 8192))
    let imageBytes = s.height * s.width * s.channels
    let depth = s.kernelRows * s.kernelColumns * s.channels
    let rowElements = s.outColumns * s.filters
    let tileElements = s.tileRows * rowElements
    let x = region("x", [s.rounds, s.height, s.width, s.channels], .input)
    let w = region("w", [depth, s.filters], .input)
    let scale = region("scale", [s.filters], .input, "i32")
    let z = region("z", [s.rounds, s.outRows, rowElements + 3], .output)
    let layer = program.add(layer: .init(name: "conv", nodes: [], kind: "conv2d", macs: 0))
    let requantise = program.add(
      kernel: Kernel(
        name: "scale", inputs: [.init(.i32, .point, register: 0), .init(.i32, .result, register: 1)],
        epilogue: [
          .init(.mulI32, 0, 0, 1), .init(.requantizeImmediate, 0, 0, 0, [3, 9]),
          .init(.clampI32, 0, 0, 0, [-128, 127]),
        ], output: 0, outputFormat: .i8))
    let window = 3
    let pool = program.add(
      kernel: Kernel(
        name: "pool", inputs: [.init(.i8, .point, register: 2)],
        prologue: random.next(below: 2) == 0 ? [] : [.init(.addImmediateI32, 2, 2, 0, [5])], reduced: 2,
        reduction: random.next(below: 2) == 0 ? .maxI32 : .addI32,
        epilogue: [.init(.clampI32, 3, 2, 0, [-100, 100])], output: 3, outputFormat: .i8))
    let queues = ["dma0", "array0", "drain0", "vector0", "dma1"].map {
      program.add(queue: .init(core: "core0", engine: $0))
    }
    let (load, array, drain, vector, store) = (queues[0], queues[1], queues[2], queues[3], queues[4])
    let (imageFull, imageFree) = (
      channel("x_full", load, array, 0, slots.image), channel("x_free", array, load, slots.image, slots.image)
    )
    let (accFull, accFree) = (
      channel("acc_full", array, drain, 0, slots.acc), channel("acc_free", drain, array, slots.acc, slots.acc)
    )
    let (outFull, outFree) = (
      channel("y_full", drain, vector, 0, slots.out), channel("y_free", vector, drain, slots.out, slots.out)
    )
    let (resultFull, resultFree) = (
      channel("z_full", vector, store, 0, slots.result), channel("z_free", store, vector, slots.result, slots.result)
    )
    let weightsFull = channel("w_full", load, array, 0, 1)
    let scaleFull = channel("scale_full", load, drain, 0, 1)
    // Tokens of `sync`, one a round, from the drain to the vector engine and from the array to itself.
    let round = channel("round", drain, vector, 0, s.rounds)
    let own = channel("own", array, array, 0, 2)
    let image = buffer(imageBytes, slots.image)
    let weights = buffer(depth * s.filters, 1)
    let scales = buffer(4 * s.filters, 1)
    let out = buffer(tileElements, slots.out)
    let result = buffer(tileElements, slots.result)

    let rows = Extent(full: s.tileRows, last: s.lastRows, depth: 1)
    let points = rows.scaled(by: s.outColumns)
    let trip = Affine.index(0, times: s.tiles) + Affine.index(1)
    let pixel = s.channels
    let line = s.width * s.channels
    let firstRow = Affine.index(1, times: s.tileRows * s.stride) + (-s.padding)
    let a = access(
      spad, Affine(image.base - s.padding * pixel) + firstRow * line,
      [
        (rows, s.stride * line), (Extent(s.outColumns), s.stride * pixel), (Extent(s.kernelRows), s.dilation * line),
        (Extent(s.kernelColumns), s.dilation * pixel), (Extent(s.channels), 1),
      ], rotation: (Affine.index(0), slots.image, image.slot),
      bounds: [
        .init(offset: firstRow, coefficients: [s.stride, 0, s.dilation, 0, 0], limit: s.height),
        .init(offset: Affine(-s.padding), coefficients: [0, s.stride, 0, s.dilation, 0], limit: s.width),
      ], pad: random.next(below: 9) - 4)
    let sums = access(
      acc, Affine(0), [(points, 4 * s.filters), (Extent(s.filters), 4)], bits: 32,
      rotation: (trip, slots.acc, tileElements * 4))
    let outTile = access(
      spad, Affine(out.base), [(points, s.filters), (Extent(s.filters), 1)], rotation: (trip, slots.out, out.slot))
    let resultDims: [(Extent, Int)] = [(rows, rowElements), (Extent(s.outColumns), s.filters), (Extent(s.filters), 1)]
    let resultTile = access(spad, Affine(result.base), resultDims, rotation: (trip, slots.result, result.slot))

    func copy(
      _ from: AddressGenerator, _ to: AddressGenerator, when guards: [Guard] = [], waits: [Wait] = [],
      signals: [Signal] = []
    ) -> Program.Node {
      .command(Command(.copy(Copy(from: from, to: to)), layer: layer, when: guards, waits: waits, signals: signals))
    }
    func sync(when guards: [Guard] = [], waits: [Wait] = [], signals: [Signal] = []) -> Program.Node {
      .command(Command(.sync, layer: layer, when: guards, waits: waits, signals: signals))
    }
    let flat = [(Extent(imageBytes), 1)]
    program.queues[load.offset].body = [
      .loop(
        count: s.rounds,
        [
          .loop(count: 0, [sync(waits: [Wait(imageFree)])]),
          copy(
            access(dram, Affine(w), [(Extent(depth * s.filters), 1)]),
            access(spad, Affine(weights.base), [(Extent(depth * s.filters), 1)]), when: [Guard(.first, 0)],
            signals: [Signal(weightsFull, at: .written)]),
          copy(
            access(dram, Affine(x) + Affine.index(0, times: imageBytes), flat),
            access(spad, Affine(image.base), flat, rotation: (Affine.index(0), slots.image, image.slot)),
            waits: [Wait(imageFree)], signals: [Signal(imageFull, at: .written)]),
          copy(
            access(dram, Affine(scale), [(Extent(s.filters), 4)], bits: 32),
            access(spad, Affine(scales.base), [(Extent(s.filters), 4)], bits: 32), when: [Guard(.first, 0)],
            signals: [Signal(scaleFull, at: .written)]),
        ])
    ]
    program.queues[array.offset].body = [
      sync(waits: [Wait(weightsFull)], signals: [Signal(own, at: .written, 2)]),
      sync(waits: [Wait(own, 2)]),
      .loop(
        count: s.rounds,
        [
          .loop(
            count: s.tiles,
            [
              .command(
                Command(
                  .contract(
                    Contract(
                      a: a,
                      b: access(spad, Affine(weights.base), [(Extent(depth), s.filters), (Extent(s.filters), 1)]),
                      accumulators: sums, m: points, n: Extent(s.filters), k: Extent(depth))), layer: layer,
                  waits: [Wait(imageFull, when: [Guard(.first, 1)]), Wait(accFree)],
                  signals: [
                    Signal(imageFree, at: .read(0), when: [Guard(.last, 1)]), Signal(accFull, at: .written),
                  ]))
            ]),
          sync(when: [Guard(.notLast, 0)], signals: [Signal(own, at: .written)]),
          sync(when: [Guard(.notLast, 0)], waits: [Wait(own)]),
        ]),
    ]
    program.queues[drain.offset].body = [
      .loop(
        count: s.rounds,
        [
          .loop(
            count: s.tiles,
            [
              .command(
                Command(
                  .drain(
                    Map(
                      kernel: requantise,
                      inputs: [
                        sums, access(spad, Affine(scales.base), [(points, 0), (Extent(s.filters), 4)], bits: 32),
                      ], output: outTile)), layer: layer,
                  waits: [
                    Wait(accFull), Wait(outFree), Wait(scaleFull, when: [Guard(.first, 0), Guard(.first, 1)]),
                  ], signals: [Signal(accFree, at: .read(0)), Signal(outFull, at: .written)]))
            ]),
          sync(signals: [Signal(round, at: .written)]),
        ])
    ]
    program.queues[vector.offset].body = [
      .loop(
        count: s.rounds,
        [
          .loop(
            count: s.tiles,
            [
              .command(
                Command(
                  .vector(
                    Map(
                      kernel: pool,
                      inputs: [
                        access(
                          spad, Affine(out.base - s.filters),
                          [
                            (rows, rowElements), (Extent(s.outColumns), s.filters), (Extent(s.filters), 1),
                            (Extent(window), s.filters),
                          ], rotation: (trip, slots.out, out.slot),
                          bounds: [.init(offset: Affine(-1), coefficients: [0, 1, 0, 1], limit: s.outColumns)], pad: -7)
                      ], output: resultTile, reduced: window)), layer: layer,
                  waits: [Wait(outFull), Wait(resultFree)],
                  signals: [Signal(outFree, at: .read(0)), Signal(resultFull, at: .written)]))
            ]),
          sync(when: [Guard(.notFirst, 0)], waits: [Wait(round)]),
        ])
    ]
    program.queues[store.offset].body = [
      .loop(
        count: s.rounds,
        [
          .loop(
            count: s.tiles,
            [
              copy(
                resultTile,
                access(
                  dram,
                  Affine(z) + Affine.index(0, times: s.outRows * (rowElements + 3))
                    + Affine.index(1, times: s.tileRows * (rowElements + 3)),
                  [(rows, rowElements + 3), (Extent(s.outColumns), s.filters), (Extent(s.filters), 1)]),
                waits: [Wait(resultFull)], signals: [Signal(resultFree, at: .read(0))])
            ])
        ])
    ]
  }
}
