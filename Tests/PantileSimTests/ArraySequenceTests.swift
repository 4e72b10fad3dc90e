import PantileEngines
import PantileProgram
import PantileSim
import PantileSupport
import Testing

/// Commands back to back on one array: the timing run (L3) composes them as the register-transfer model (L1) runs them.
@Suite struct ArraySequenceTests {
  /// A program of independent commands on `array0`, each a layer of its own; operands and sums stand anywhere.
  static func program(_ shapes: [TileExtents]) -> Program {
    var program = Program(name: "sequence")
    let spad = program.add(memory: .init(name: "spad", kind: .scratchpad, bytes: 1 << 16))
    let acc = program.add(memory: .init(name: "acc", kind: .accumulator, bytes: 1 << 18))
    let queue = program.add(queue: .init(core: "core0", engine: "array0"))
    var top = 0
    for (index, shape) in shapes.enumerated() {
      let layer = program.add(
        layer: .init(name: "l\(index)", nodes: [], kind: "matmul", macs: shape.m * shape.k * shape.n))
      func access(_ memory: MemoryID, _ base: Int, _ bits: Int, _ rows: Int, _ columns: Int) -> AddressGenerator {
        AddressGenerator(
          memory: memory, baseBits: Affine(base * 8), elementBits: bits,
          dims: [
            AddressGenerator.Dim(Extent(rows), strideBits: columns * bits),
            AddressGenerator.Dim(Extent(columns), strideBits: bits),
          ])
      }
      program.queues[queue.offset].body.append(
        .command(
          Command(
            .contract(
              Contract(
                a: access(spad, 0, 8, shape.m, shape.k), b: access(spad, 1 << 15, 8, shape.k, shape.n),
                accumulators: access(acc, top, 32, shape.m, shape.n), m: Extent(shape.m), n: Extent(shape.n),
                k: Extent(shape.k), initial: .zero)), layer: layer)))
      top += shape.m * shape.n * 4
    }
    return program
  }

  @Test(arguments: SystolicOptions.kinds.indices)
  func theTimingRunComposesCommandsAsTheArrayRunsThem(kind: Int) throws {
    var random = SplitMix64(seed: 51 + UInt64(kind))
    func up(to bound: Int) -> Int { 1 + random.next(below: bound) }
    for _ in 0..<60 {
      let options = SystolicOptions(
        rows: up(to: 8), columns: up(to: 8), dataflow: SystolicOptions.kinds[kind].dataflow,
        variant: SystolicOptions.kinds[kind].variant, peLatency: up(to: 3))
      let shapes = (0..<up(to: 6)).map { _ in TileExtents(m: up(to: 20), k: up(to: 20), n: up(to: 20)) }
      let program = Self.program(shapes)
      let machine = Machine(
        chipName: "bare", chipHash: "", clock: Hertz(1e9),
        memories: program.memories.map { .init(name: $0.name, kind: $0.kind, bytes: $0.bytes, banks: $0.banks) },
        engines: [.init(name: "array0", unit: .array(.systolic(options)))])
      let result = try TimingRun(program, on: machine).run()
      let stepped = SystolicStepper.run(
        options,
        shapes.map {
          SystolicCommand(
            extents: $0, a: [Int16](repeating: 1, count: $0.m * $0.k), b: [Int16](repeating: 1, count: $0.k * $0.n))
        }
      ).result
      #expect(result.cycles == stepped.cycles, "\(options) \(shapes)")
      #expect(result.layers.map(\.end) == stepped.commands.map(\.end), "\(options) \(shapes)")
    }
  }
}
