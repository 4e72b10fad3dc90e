import PantileProgram
import PantileSupport

/// Programs that tests share.
enum Samples {
  /// Uses every field of every type at a value that is not its default; sound in structure, not meant to run.
  static func everything() -> Program {
    var program = Program(name: "every \"thing\"", chipHash: "0123456789abcdef", modelHash: "fedcba9876543210")
    let dram = program.add(memory: .init(name: "dram", kind: .dram, bytes: 1 << 20))
    let spad = program.add(memory: .init(name: "spad", kind: .scratchpad, bytes: 1 << 16, banks: 8))
    let acc = program.add(memory: .init(name: "acc", kind: .accumulator, bytes: 1 << 14, banks: 2))
    _ = program.add(
      region: .init(name: "x", memory: dram, base: 0, bytes: 4096, kind: .input, shape: [1, 4, 32, 32], element: "i8"))
    _ = program.add(region: .init(name: "x", memory: dram, base: 4096, bytes: 64, kind: .output, shape: [64]))
    let weights = program.add(region: .init(name: "w/0", memory: dram, base: 8192, bytes: 64, kind: .weight))
    _ = program.add(region: .init(name: "s", memory: dram, base: 9000, bytes: 64, kind: .spill))
    program.images = [.init(region: weights, bytes: (0..<64).map { UInt8($0 * 3 & 255) })]
    let first = program.add(layer: .init(name: "/conv1/Conv", nodes: ["/conv1/Conv", "é"], kind: "conv2d", macs: 1234))
    let second = program.add(layer: .init(name: "pool", nodes: [], kind: "max_pool2d", macs: 0))
    let kernel = program.add(
      kernel: Kernel(
        name: "mixed",
        inputs: [Kernel.Input(.i32, .point, register: 0), Kernel.Input(.i8, .result, register: 1)],
        prologue: KernelOperation.allCases.filter { $0 != .requantize }.map { operation in
          let immediates: [Int] =
            switch operation {
            case .addImmediateF32: [Int(Float(0.1).bitPattern)]
            case .mulImmediateF32: [Int(Float(-0.0).bitPattern)]
            case .divImmediateF32: [Int(Float.nan.bitPattern)]
            case .clampF32: [Int((-Float.infinity).bitPattern), Int(Float.leastNonzeroMagnitude.bitPattern)]
            case .leakyF32: [Int(Float(0.01).bitPattern)]
            case .clampI32: [-128, 127]
            case .select: [3]
            case .requantizeImmediate: [1_518_500_250, 33]
            case .addScaled: [5, -7, 20]
            case .roundToI32: [Int(Int32.min), Int(Int32.max)]
            case .addImmediateI32: [-5]
            default: []
            }
          return Kernel.Instruction(operation, 2, 0, operation == .copy ? 3 : operation.isBinary ? 1 : 0, immediates)
        },
        reduced: 2, reduction: .addI32, epilogue: [Kernel.Instruction(.requantize, 4, 2, 1, [3])], output: 4,
        outputFormat: .i8))
    _ = program.add(kernel: Kernel(name: "", inputs: [], output: 0, outputFormat: .f32))
    let load = program.add(queue: .init(core: "core0", engine: "dma0"))
    let array = program.add(queue: .init(core: "core0", engine: "array0"))
    let vector = program.add(queue: .init(core: "core0", engine: "vector0"))
    let full = program.add(
      channel: Channel(name: "full", role: .data, producer: load, consumer: array, initial: 0, capacity: 2))
    let free = program.add(
      channel: Channel(name: "free", role: .space, producer: array, consumer: load, initial: 2, capacity: 3))
    let order = program.add(
      channel: Channel(name: "or der", role: .order, producer: array, consumer: vector, initial: 0, capacity: 1))
    let source = AddressGenerator(
      memory: dram, baseBits: Affine(-8, [.init(depth: 0, coefficient: 64), .init(depth: 1, coefficient: -8)]),
      elementBits: 8,
      dims: [
        .init(Extent(full: 4, last: 3, depth: 1), strideBits: 256), .init(3, strideBits: -8), .init(1, strideBits: 0),
      ],
      bounds: [
        .init(offset: Affine(-1, [.init(depth: 1, coefficient: 2)]), coefficients: [2, 0, -1], limit: 30),
        .init(offset: Affine(0), coefficients: [0, 1, 0], limit: 5),
      ], padValue: -128)
    let target = AddressGenerator(
      memory: spad, baseBits: Affine(0), elementBits: 8,
      dims: [.init(Extent(full: 12, last: 9, depth: 1), strideBits: 8)],
      rotation: .init(index: Affine(1, [.init(depth: 0, coefficient: 1)]), slots: 2, slotBits: 8192))
    program.queues[load.offset].body = [
      .loop(
        count: 3,
        [
          .loop(
            count: 2,
            [
              .command(
                Command(
                  .copy(Copy(from: source, to: target)), layer: first, when: [Guard(.notFirst, 0), Guard(.last, 1)],
                  waits: [Wait(free, 2, when: [Guard(.first, 0)])],
                  signals: [Signal(full, at: .written), Signal(full, at: .read(0), 3, when: [Guard(.notLast, 1)])]))
            ])
        ]), .loop(count: 0, []),
    ]
    let packed = AddressGenerator(
      memory: spad, baseBits: Affine(4), elementBits: 4, dims: [.init(8, strideBits: 32), .init(4, strideBits: 4)])
    let accumulators = AddressGenerator(
      memory: acc, baseBits: Affine(0), elementBits: 32, dims: [.init(4, strideBits: 128), .init(4, strideBits: 32)])
    let a = AddressGenerator(
      memory: spad, baseBits: Affine(0), elementBits: 8, dims: [.init(4, strideBits: 128), .init(16, strideBits: 8)])
    program.queues[array.offset].body = [
      .loop(
        count: 2,
        [
          .command(
            Command(
              .contract(
                Contract(
                  a: a, b: packed, indices: packed, accumulators: accumulators, m: Extent(full: 4, last: 2, depth: 0),
                  n: Extent(4), k: Extent(16), activationBits: 7, weightBits: 4,
                  sparsity: .init(kept: 2, group: 4), initial: .zeroInFirst(depth: 0))), layer: first,
              waits: [Wait(full)], signals: [Signal(free, at: .read(1)), Signal(order, at: .read(2))])),
          .command(
            Command(
              .contract(
                Contract(
                  a: a, b: packed, accumulators: accumulators, m: Extent(4), n: Extent(4), k: Extent(16),
                  initial: .accumulate)), layer: first)),
        ])
    ]
    let bytes = AddressGenerator(memory: spad, baseBits: Affine(8), elementBits: 8, dims: [.init(4, strideBits: 8)])
    program.queues[vector.offset].body = [
      .command(Command(.sync, layer: second, waits: [Wait(order)])),
      .command(
        Command(
          .vector(Map(kernel: kernel, inputs: [accumulators, bytes], output: bytes, reduced: 4)), layer: second)),
      .command(Command(.drain(Map(kernel: KernelID(1), inputs: [], output: accumulators)), layer: second)),
    ]
    return program
  }
}
