import Pantile
import PantileDialects
import PantileEngines
import PantileIR
import PantilePasses
import PantileProgram
import PantileSim
import PantileSupport
import PantileTensor
import Testing

/// Random integer graphs through lowering, planning, emission and the functional run, against the interpreter: two
/// implementations that share no code must agree in every bit.
@Suite struct PipelineFuzzTests {
  /// Writes a random integer graph in the generic MLIR form of the dnn dialect.
  struct Generator {
    var random: SplitMix64
    var lines: [String] = []
    var next = 0
    /// i8 values with their shapes [N, C, H, W].
    var values: [(name: String, shape: [Int])] = []

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    mutating func fresh() -> String {
      next += 1
      return "%v\(next)"
    }

    func type(_ shape: [Int], _ element: String) -> String {
      "tensor<\(shape.map { "\($0)x" }.joined())\(element)>"
    }

    mutating func constant(_ shape: [Int], _ element: String, _ low: Int, _ high: Int) -> String {
      let name = fresh()
      lines.append(
        "\(name) = dnn.constant {value = #dnn.seeded<\"\(name)\", \(low), \(high)>} : \(type(shape, element))")
      return name
    }

    /// Requantises a 32-bit value so that results spread over the 8-bit range.
    mutating func requantize(_ value: String, _ shape: [Int], depth: Int, perChannel: Bool) -> String {
      let name = fresh()
      let count = perChannel ? shape[1] : 1
      let multipliers = (0..<count).map { _ in (1 << 30) + random.next(below: 1 << 30) }
      let bits = Int.bitWidth - (depth * 40).leadingZeroBitCount
      let shifts = (0..<count).map { _ in 30 + bits + random.next(below: 2) }
      let minimum = random.next(below: 3) == 0 ? -10 : -128
      lines.append(
        "\(name) = dnn.requantize \(value) {multiplier = [\(multipliers.map(String.init).joined(separator: ", "))], shift = [\(shifts.map(String.init).joined(separator: ", "))], zero_point = \(random.next(below: 21) - 10), min = \(minimum), max = 127} : (\(type(shape, "i32"))) -> \(type(shape, "i8"))"
      )
      return name
    }

    mutating func convolution(_ x: (name: String, shape: [Int])) {
      let (n, c, h, w) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
      let depthwise = random.next(below: 3) == 0
      let groups = depthwise ? c : (c % 2 == 0 && random.next(below: 4) == 0 ? 2 : 1)
      let k = depthwise ? c : groups * (1 + random.next(below: 20))
      let r = 1 + random.next(below: min(3, h))
      let s = 1 + random.next(below: min(3, w))
      let stride = [1 + random.next(below: 2), 1 + random.next(below: 2)]
      let pads = (0..<4).map { _ in random.next(below: 2) }
      let p = (h + pads[0] + pads[2] - r) / stride[0] + 1
      let q = (w + pads[1] + pads[3] - s) / stride[1] + 1
      let weights = constant([k, c / groups, r, s], "i8", -127, 127)
      let bias = constant([k], "i32", -500, 500)
      let name = fresh()
      let shape = [n, k, p, q]
      lines.append(
        "\(name) = dnn.conv2d \(x.name), \(weights), \(bias) {strides = [\(stride[0]), \(stride[1])], pads = [\(pads.map(String.init).joined(separator: ", "))], groups = \(groups), input_zero_point = \(random.next(below: 21) - 10)} : (\(type(x.shape, "i8")), \(type([k, c / groups, r, s], "i8")), \(type([k], "i32"))) -> \(type(shape, "i32"))"
      )
      values.append(
        (requantize(name, shape, depth: c / groups * r * s * 2, perChannel: random.next(below: 2) == 0), shape))
    }

    mutating func pool(_ x: (name: String, shape: [Int])) {
      let kernel = [1 + random.next(below: min(3, x.shape[2])), 1 + random.next(below: min(3, x.shape[3]))]
      let stride = [1 + random.next(below: 2), 1 + random.next(below: 2)]
      let pads = [kernel[0] > 1 ? 1 : 0, kernel[1] > 1 ? random.next(below: 2) : 0, 0, 0]
      let shape = [
        x.shape[0], x.shape[1], (x.shape[2] + pads[0] - kernel[0]) / stride[0] + 1,
        (x.shape[3] + pads[1] - kernel[1]) / stride[1] + 1,
      ]
      let name = fresh()
      lines.append(
        "\(name) = dnn.max_pool2d \(x.name) {kernel = [\(kernel[0]), \(kernel[1])], strides = [\(stride[0]), \(stride[1])], pads = [\(pads.map(String.init).joined(separator: ", "))]} : (\(type(x.shape, "i8"))) -> \(type(shape, "i8"))"
      )
      values.append((name, shape))
    }

    mutating func addition(_ a: (name: String, shape: [Int]), _ b: (name: String, shape: [Int])) {
      let name = fresh()
      lines.append(
        "\(name) = dnn.quantized_add \(a.name), \(b.name) {a_zero_point = \(random.next(below: 9) - 4), b_zero_point = 3, a_multiplier = \(400_000 + random.next(below: 600_000)), b_multiplier = \(400_000 + random.next(below: 600_000)), shift = 20, zero_point = -2, min = -100, max = 127} : (\(type(a.shape, "i8")), \(type(b.shape, "i8"))) -> \(type(a.shape, "i8"))"
      )
      values.append((name, a.shape))
    }

    mutating func concat(_ a: (name: String, shape: [Int]), _ b: (name: String, shape: [Int])) {
      let name = fresh()
      let shape = [a.shape[0], a.shape[1] + b.shape[1], a.shape[2], a.shape[3]]
      lines.append(
        "\(name) = dnn.concat \(a.name), \(b.name) {axis = 1} : (\(type(a.shape, "i8")), \(type(b.shape, "i8"))) -> \(type(shape, "i8"))"
      )
      values.append((name, shape))
    }

    /// The whole module: some random ops, then a sum over the image, a dense layer, and dequantised softmax.
    mutating func module() -> (text: String, input: [Int]) {
      let input = [
        1 + random.next(below: 2), 1 + random.next(below: 9), 4 + random.next(below: 9), 4 + random.next(below: 9),
      ]
      values = [("%arg0", input)]
      for _ in 0..<(2 + random.next(below: 6)) {
        let x = values[values.count - 1 - random.next(below: min(2, values.count))]
        switch random.next(below: 6) {
        case 0, 1, 2: convolution(x)
        case 3: pool(x)
        case 4:
          let same = values.filter { $0.shape == x.shape && $0.name != x.name }
          if let other = same.first { addition(x, other) } else { convolution(x) }
        default:
          let same = values.filter {
            $0.shape[2...] == x.shape[2...] && $0.shape[0] == x.shape[0] && $0.shape[1] + x.shape[1] < 40
          }
          if let other = same.first { concat(x, other) } else { pool(x) }
        }
      }
      let x = values[values.count - 1]
      var tail = ""
      if random.next(below: 2) == 0 {
        let sum = fresh()
        lines.append(
          "\(sum) = dnn.reduce_sum \(x.name) {axes = [2, 3], keepdims = true, input_zero_point = -3} : (\(type(x.shape, "i8"))) -> \(type([x.shape[0], x.shape[1], 1, 1], "i32"))"
        )
        let pooled = requantize(
          sum, [x.shape[0], x.shape[1], 1, 1], depth: x.shape[2] * x.shape[3] / 20 + 1, perChannel: false)
        tail = dense(pooled, [x.shape[0], x.shape[1], 1, 1])
      } else {
        tail = dense(x.name, x.shape)
      }
      let output = type([x.shape[0], 7], "f32")
      let text = """
        module {
          func.func @main(%arg0: \(type(input, "i8"))) -> \(output) {
            \(lines.joined(separator: "\n    "))
            func.return \(tail) : \(output)
          }
        }
        """
      return (text, input)
    }

    private mutating func dense(_ x: String, _ shape: [Int]) -> String {
      let flat = [shape[0], shape[1] * shape[2] * shape[3]]
      let rows = fresh()
      lines.append(
        "\(rows) = dnn.reshape \(x) {shape = [\(flat[0]), \(flat[1])]} : (\(type(shape, "i8"))) -> \(type(flat, "i8"))")
      let weights = constant([7, flat[1]], "i8", -127, 127)
      let product = fresh()
      lines.append(
        "\(product) = dnn.fully_connected \(rows), \(weights) {input_zero_point = 2} : (\(type(flat, "i8")), \(type([7, flat[1]], "i8"))) -> \(type([flat[0], 7], "i32"))"
      )
      let q = requantize(product, [flat[0], 7], depth: flat[1], perChannel: true)
      let f = fresh()
      lines.append(
        "\(f) = dnn.dequantize \(q) {scale = [0.05 : f32], zero_point = [4]} : (\(type([flat[0], 7], "i8"))) -> \(type([flat[0], 7], "f32"))"
      )
      let s = fresh()
      lines.append(
        "\(s) = dnn.softmax \(f) {axis = 1} : (\(type([flat[0], 7], "f32"))) -> \(type([flat[0], 7], "f32"))")
      return s
    }
  }

  @Test(arguments: 0..<120) func chipEqualsInterpreter(seed: Int) throws {
    var generator = Generator(seed: UInt64(seed) &* 104_729 &+ 17)
    let (text, shape) = generator.module()
    let module = try Module(verifying: text, path: "seed-\(seed).mlir")
    var random = SplitMix64(seed: UInt64(seed))
    let input = HostTensor(
      shape: shape, values: (0..<shape.reduce(1, *)).map { _ in Int8(random.next(below: 256) - 128) })
    let expected = try Interpreter(module).run([input])
    let machine = try EmissionTests.machine(family: "systolic")
    let planning = try PlanningMachine(machine)
    var lowering = StepLowering(module, function: try module.mainFunction(), on: planning, name: "fuzz")
    let graph = try lowering.run()
    for plan in try NetworkPlanner(graph, on: planning).plans() {
      let program = try emitProgram(graph, plan, on: planning, modelHash: "")
      try program.verify()
      let run = try FunctionalRun(program, on: machine)
      try run.setInput(program.regions.first { $0.kind == .input }?.name ?? "", input)
      try run.run(orderSeed: UInt64(seed))
      #expect(
        run.outputs()[0].tensor == expected[0], "seed \(seed), plan \(plan.method)\n\(plan.text(in: graph))\n\(text)")
      let timing = try TimingRun(program, on: machine).run()
      for layer in timing.layers { for activity in layer.activities { #expect(activity.total == layer.cycles) } }
    }
  }
}
