import PantileEngines
import PantilePasses
import PantileProgram
import PantileSim
import PantileSupport
import PantileTarget
import PantileTensor
import Testing

/// Emission against direct nested loops: random contractions and maps, random tilings, orders, slots and residency.
@Suite struct EmissionTests {
  static func machine(family: String, kept: Int = 2, group: Int = 4) throws -> Machine {
    var values: [EngineSection.Field] = [
      .init(key: "rows", value: .count(4)), .init(key: "columns", value: .count(4)),
    ]
    switch family {
    case "systolic":
      values += [
        .init(key: "dataflow", value: .choice("ws")), .init(key: "variant", value: .choice("overlapped")),
        .init(key: "pe_latency", value: .cycles(Cycles(1))), .init(key: "operands", value: .choice("int8")),
      ]
    default: break
    }
    let array = try ArrayFamily.engine(of: EngineSection(name: "array0", family: family, values: values))
    return Machine(
      chipName: "test", chipHash: "", clock: Hertz(1e9),
      memories: [
        .init(name: "dram", kind: .dram, bytes: 1 << 26, bandwidthNumerator: 16, latency: 40, burst: 64),
        .init(name: "spad", kind: .scratchpad, bytes: 1 << 18, banks: 16),
        .init(name: "acc", kind: .accumulator, bytes: 1 << 16),
      ],
      engines: [
        .init(name: "array0", unit: .array(array)), .init(name: "drain0", unit: .drain(.init(lanes: 4, latency: 3))),
        .init(name: "vector0", unit: .vector(.init(lanes: 8, latency: 3))),
        .init(name: "dma0", unit: .dma(.init(linkBytes: 16, outstanding: 32))),
        .init(name: "dma1", unit: .dma(.init(linkBytes: 16, outstanding: 32))),
      ])
  }

  /// A random convolution as a step, with a choice of tiles.
  struct Case {
    var graph: StepGraph
    var choice: StepChoice
    var input: HostTensor
    var other: HostTensor?
    var expected: [Int8]
  }

  static func requantize(_ value: Int, _ m: Int32, _ s: Int32) -> Int {
    (value * Int(m) + (1 << (Int(s) - 1))) >> Int(s)
  }

  static func randomConvolution(_ random: inout SplitMix64) -> Case {
    typealias D = ContractStep.Dim
    let groups = [1, 1, 1, 2, 3][random.next(below: 5)]
    let (cg, ng) = (1 + random.next(below: 9), 1 + random.next(below: 9))
    let (kernelR, kernelS) = (1 + random.next(below: 3), 1 + random.next(below: 3))
    let (strideH, strideW) = (1 + random.next(below: 2), 1 + random.next(below: 2))
    let dilation = 1 + random.next(below: 2)
    let (padTop, padLeft) = (random.next(below: 2), random.next(below: 3))
    let batch = 1 + random.next(below: 2)
    let (h, w) = (5 + random.next(below: 6), 5 + random.next(below: 6))
    let p = max(1, (h + 2 * padTop - dilation * (kernelR - 1) - 1) / strideH + 1)
    let q = max(1, (w + 2 * padLeft - dilation * (kernelS - 1) - 1) / strideW + 1)
    let padValue = random.next(below: 21) - 10
    var graph = StepGraph(name: "conv")
    let x = graph.addTensor("x", shape: [batch, groups * cg, h, w], order: [0, 2, 3, 1], format: .i8, kind: .input)
    let withResidual = random.next(below: 2) == 0
    var other: Int?
    if withResidual {
      other = graph.addTensor(
        "other", shape: [batch, groups * ng, p, q], order: [0, 2, 3, 1], format: .i8, kind: .input)
    }
    let output = graph.addTensor(
      "y", shape: [batch, groups * ng, p, q], order: random.next(below: 3) == 0 ? [0, 1, 2, 3] : [0, 2, 3, 1],
      format: .i8,
      kind: .output)
    graph.inputs = [x] + (other.map { [$0] } ?? [])
    graph.outputs = [output]
    let extents = [groups, batch, p, q, ng, cg, kernelR, kernelS]
    let weights = (0..<(groups * ng * cg * kernelR * kernelS)).map { _ in Int8(random.next(below: 255) - 127) }
    let bias = (0..<(groups * ng)).map { _ in Int32(random.next(below: 2000) - 1000) }
    let multiplier = (0..<(groups * ng)).map { _ in Int32((1 << 30) + random.next(below: 1 << 30)) }
    let shift = (0..<(groups * ng)).map { _ in Int32(38 + random.next(below: 3)) }
    let residual = other.map {
      ContractStep.Residual(
        tensor: $0, ownMultiplier: 1 << 19, otherMultiplier: 700_000, ownZeroPoint: 3, otherZeroPoint: -4, shift: 20,
        zeroPoint: 2, minimum: -100, maximum: 127)
    }
    let step = ContractStep(
      extents: extents, x: x,
      xMap: OperandMap([
        .along(D.b), .init([.init(D.g, cg), .init(D.c)]),
        .init([.init(D.p, strideH), .init(D.r, dilation)], offset: -padTop),
        .init([.init(D.q, strideW), .init(D.s, dilation)], offset: -padLeft),
      ]), padValue: padValue, output: output,
      outputMap: OperandMap([.along(D.b), .init([.init(D.g, ng), .init(D.n)]), .along(D.p), .along(D.q)]),
      weights: weights, bias: bias, multiplier: multiplier, shift: shift, zeroPoint: -7, minimum: -128, maximum: 127,
      residual: residual)
    graph.steps = [
      Step(name: "conv", nodes: ["conv"], kind: "conv2d", location: .unknown, body: .contract(step), macs: 0)
    ]
    // A tiling that emission allows: columns are cut only where rows are single, rows only where images are.
    var tiles = extents
    tiles[D.g] = 1
    switch random.next(below: 4) {
    case 0: tiles[D.b] = 1
    case 1:
      tiles[D.b] = 1
      tiles[D.p] = 1 + random.next(below: p)
    case 2:
      tiles[D.b] = 1
      tiles[D.p] = 1
      tiles[D.q] = 1 + random.next(below: q)
    default: break
    }
    tiles[D.n] = 1 + random.next(below: ng)
    tiles[D.c] = 1 + random.next(below: cg)
    let orders = [[D.g, D.n, D.b, D.p, D.q, D.c], [D.g, D.b, D.p, D.q, D.n, D.c]]
    var slots: [String: Int] = [:]
    for name in ["w", "x", "parameters", "residual", "out", "acc"] { slots[name] = 1 + random.next(below: 2) }
    let choice = StepChoice(
      tiles: tiles, order: orders[random.next(below: 2)], slots: slots, residentReads: [], keepsOutput: false,
      storesOutput: true)
    func tensor(_ id: Int) -> HostTensor {
      let tensor = graph.tensors[id]
      return HostTensor(
        shape: tensor.shape, values: (0..<tensor.elementCount).map { _ in Int8(random.next(below: 256) - 128) })
    }
    // Inputs are given row-major in logical order; make the layout logical for the comparison by permuting here.
    let inputValues = tensor(x)
    let otherValues = other.map { tensor($0) }
    let xs: [Int8] = inputValues.values(as: Int8.self)
    let os: [Int8] = otherValues?.values(as: Int8.self) ?? []
    func at(_ values: [Int8], _ tensor: StepGraph.Tensor, _ index: [Int]) -> Int8 {
      let strides = tensor.strides
      return values[zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }]
    }
    var expected = [Int8](repeating: 0, count: graph.tensors[output].elementCount)
    let outStrides = graph.tensors[output].strides
    for b in 0..<batch {
      for g in 0..<groups {
        for n in 0..<ng {
          for i in 0..<p {
            for j in 0..<q {
              var sum = Int(bias[g * ng + n])
              for c in 0..<cg {
                for r in 0..<kernelR {
                  for s in 0..<kernelS {
                    let (y, z) = (i * strideH - padTop + r * dilation, j * strideW - padLeft + s * dilation)
                    let value: Int =
                      y < 0 || y >= h || z < 0 || z >= w
                      ? padValue : Int(at(xs, graph.tensors[x], [b, g * cg + c, y, z]))
                    sum += value * Int(weights[(((g * ng + n) * cg + c) * kernelR + r) * kernelS + s])
                  }
                }
              }
              let channel = g * ng + n
              var value = min(max(requantize(sum, multiplier[channel], shift[channel]) - 7, -128), 127)
              if let residual, let other {
                let o = Int(at(os, graph.tensors[other], [b, channel, i, j]))
                value =
                  ((value - residual.ownZeroPoint) * residual.ownMultiplier
                    + (o - residual.otherZeroPoint) * residual.otherMultiplier + (1 << 19)) >> 20
                value = min(max(value + residual.zeroPoint, residual.minimum), residual.maximum)
              }
              let position = b * outStrides[0] + channel * outStrides[1] + i * outStrides[2] + j * outStrides[3]
              expected[position] = Int8(value)
            }
          }
        }
      }
    }
    return Case(graph: graph, choice: choice, input: inputValues, other: otherValues, expected: expected)
  }

  @Test(arguments: 0..<300) func randomConvolutionsMatchDirectLoops(seed: Int) throws {
    var random = SplitMix64(seed: UInt64(seed) &* 7919 &+ 1)
    let test = Self.randomConvolution(&random)
    let machine = try Self.machine(family: "systolic")
    let planning = try PlanningMachine(machine)
    let plan = ExecutionPlan.sequential(test.graph, [test.choice])
    let program = try emitProgram(test.graph, plan, on: planning, modelHash: "")
    try program.verify()
    let run = try FunctionalRun(program, on: machine)
    try run.setInput("x", test.input)
    if let other = test.other { try run.setInput("other", other) }
    try run.run(orderSeed: UInt64(seed))
    let result: [Int8] = run.outputs()[0].tensor.values(as: Int8.self)
    #expect(result == test.expected, "seed \(seed)")
    let timing = try TimingRun(program, on: machine).run()
    for layer in timing.layers { for activity in layer.activities { #expect(activity.total == layer.cycles) } }
  }
}
