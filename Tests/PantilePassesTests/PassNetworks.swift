import PantileDialects
import PantileIR
import PantilePasses
import PantileSupport
import PantileTensor

/// Small random networks as text: images through convolutions, pools, normalisations and movements to a few outputs.
struct RandomNetwork {
  private var random: SplitMix64
  private let seed: Int
  private var lines: [String] = []
  private var constants: [String] = []
  private var counter = 0
  /// The value that is worked on, and its shape.
  private var value = "x"
  private var shape: [Int]
  /// Earlier values of rank 4 for residual connections.
  private var earlier: [(name: String, shape: [Int])] = []

  /// The text of network `seed`.
  static func text(seed: Int, isQuantizable: Bool) -> String {
    var network = RandomNetwork(seed: seed)
    return network.build(isQuantizable: isQuantizable)
  }

  /// A network and inputs for it.
  static func make(seed: Int, isQuantizable: Bool) throws -> (module: Module, inputs: [HostTensor]) {
    let module = try Module(verifying: text(seed: seed, isQuantizable: isQuantizable), path: "seed \(seed)")
    let type = try module.tensor(of: module.inputs(of: module.mainFunction())[0])
    return (
      module,
      [SeededValues.tensor(name: "input \(seed)", shape: type.shape, elementType: .f32, low: -1, high: 1)]
    )
  }

  private init(seed: Int) {
    self.seed = seed
    random = SplitMix64(seed: UInt64(seed) &* 977 &+ 5)
    shape = [1, 3, 6, 7]
    shape[1] = 1 + random.next(below: 4)
    shape[2] = 4 + random.next(below: 5)
    shape[3] = 4 + random.next(below: 5)
  }

  private mutating func fresh(_ base: String) -> String {
    counter += 1
    return "\(base)\(counter)"
  }

  private func type(_ shape: [Int]) -> String { "tensor<\((shape.map(String.init) + ["f32"]).joined(separator: "x"))>" }

  private mutating func constant(_ shape: [Int], _ low: Double = -0.5, _ high: Double = 0.5) -> String {
    let name = fresh("c")
    constants.append(
      "%\(name) = dnn.constant {value = #dnn.seeded<\"\(seed) \(name)\", \(low), \(high)>} : \(type(shape))")
    return name
  }

  private mutating func emit(_ op: String, _ operands: [(String, [Int])], _ attributes: String, _ result: [Int]) {
    let name = fresh("v")
    let inputs = operands.map { "%\($0.0)" }.joined(separator: ", ")
    let types = operands.map { type($0.1) }.joined(separator: ", ")
    let block = attributes.isEmpty ? "" : " {\(attributes)}"
    lines.append("%\(name) = dnn.\(op) \(inputs)\(block) : (\(types)) -> \(type(result)) loc(\"\(op)_\(counter)\")")
    value = name
    shape = result
  }

  private mutating func build(isQuantizable: Bool) -> String {
    let input = shape
    for _ in 0..<(4 + random.next(below: 6)) { step(isQuantizable: isQuantizable) }
    finish()
    let body = (constants + lines).map { "  \($0)\n" }.joined()
    return
      "func.func @main(%x: \(type(input))) -> \(type(shape)) {\n\(body)  func.return %\(value) : \(type(shape))\n}\n"
  }

  private mutating func step(isQuantizable: Bool) {
    let c = shape[1]
    switch random.next(below: isQuantizable ? 11 : 15) {
    case 0, 1, 2: convolution()
    case 3: emit("relu", [(value, shape)], "", shape)
    case 4: emit("clamp", [(value, shape)], "min = -0.25 : f32, max = 0.75 : f32", shape)
    case 5: pool("max_pool2d", "")
    case 6: pool("avg_pool2d", random.next(below: 2) == 0 ? ", count_include_pad = true" : "")
    case 7:
      if let other = earlier.last(where: { $0.shape == shape && $0.name != value }) {
        emit("add", [(value, shape), other], "", shape)
      } else {
        convolution()
      }
    case 8:
      let copies = [(value, shape), (value, shape)]
      guard c < 8 else { return convolution() }
      emit("concat", copies, "axis = 1", [shape[0], 2 * c, shape[2], shape[3]])
    case 9:
      emit(
        "pad", [(value, shape)], "low = [0, 0, 1, 0], high = [0, 0, 0, 1]",
        [shape[0], c, shape[2] + 1, shape[3] + 1])
    case 10: emit("transpose", [(value, shape)], "perm = [0, 1, 3, 2]", [shape[0], c, shape[3], shape[2]])
    case 11: batchNorm()
    case 12:
      emit(
        random.next(below: 2) == 0 ? "mul" : "add", [(value, shape), (constant([1, c, 1, 1]), [1, c, 1, 1])], "", shape)
    case 13: emit("sigmoid", [(value, shape)], "", shape)
    default: emit("reshape", [(value, shape)], "shape = [\(shape.map(String.init).joined(separator: ", "))]", shape)
    }
    if shape.count == 4 { earlier.append((value, shape)) }
  }

  private mutating func convolution() {
    let c = shape[1]
    let isDepthwise = random.next(below: 4) == 0
    let m = isDepthwise ? c : 2 + random.next(below: 6)
    let kernel = [1 + random.next(below: min(3, shape[2])), 1 + random.next(below: min(3, shape[3]))]
    let stride = 1 + random.next(below: 2)
    let pads = [random.next(below: 2), random.next(below: 2), random.next(below: 2), random.next(below: 2)]
    let extents = (0..<2).map { (shape[2 + $0] + pads[$0] + pads[2 + $0] - kernel[$0]) / stride + 1 }
    let filters = [m, isDepthwise ? 1 : c] + kernel
    var operands = [(value, shape), (constant(filters), filters)]
    if random.next(below: 3) != 0 { operands.append((constant([m]), [m])) }
    emit(
      "conv2d", operands,
      "strides = [\(stride), \(stride)], pads = [\(pads.map(String.init).joined(separator: ", "))], "
        + "groups = \(isDepthwise ? c : 1)",
      [shape[0], m] + extents)
    if random.next(below: 3) == 0 { batchNorm() }
    if random.next(below: 2) == 0 { emit("relu", [(value, shape)], "", shape) }
  }

  private mutating func batchNorm() {
    let c = shape[1]
    var operands = [(value, shape)]
    for (low, high) in [(0.5, 1.5), (-0.5, 0.5), (-0.5, 0.5), (0.5, 2.0)] {
      operands.append((constant([c], low, high), [c]))
    }
    emit("batch_norm", operands, "", shape)
  }

  private mutating func pool(_ name: String, _ extra: String) {
    guard shape[2] >= 2, shape[3] >= 2 else { return convolution() }
    let pad = random.next(below: 2)
    let extents = [(shape[2] + pad - 2) / 2 + 1, (shape[3] + pad - 2) / 2 + 1]
    emit(
      name, [(value, shape)], "kernel = [2, 2], strides = [2, 2], pads = [\(pad), \(pad), 0, 0]\(extra)",
      Array(shape.prefix(2)) + extents)
  }

  /// A classifier: mean over the plane, dense layer.
  private mutating func finish() {
    let c = shape[1]
    if random.next(below: 2) == 0 {
      emit("reduce_mean", [(value, shape)], "axes = [2, 3], keepdims = false", [shape[0], c])
    } else {
      emit("global_avg_pool", [(value, shape)], "", [shape[0], c, 1, 1])
      emit("reshape", [(value, shape)], "shape = [\(shape[0]), \(c)]", [shape[0], c])
    }
    let outputs = 3 + random.next(below: 4)
    if random.next(below: 2) == 0 {
      let matrix = constant([c, outputs])
      emit("matmul", [(value, shape), (matrix, [c, outputs])], "", [shape[0], outputs])
      let bias = constant([outputs])
      emit("add", [(value, shape), (bias, [outputs])], "", shape)
    } else {
      let matrix = constant([outputs, c])
      emit("fully_connected", [(value, shape), (matrix, [outputs, c])], "", [shape[0], outputs])
    }
  }
}

/// Runs passes by name over a module.
func run(_ passes: String, _ module: Module, _ calibration: Calibration? = nil) throws -> PassManager.Outcome {
  var artifacts = PassArtifacts()
  artifacts[Calibration.self] = calibration
  return try PassManager(PassPipeline(parsing: passes), registry: Dialects.registry).run(module, artifacts: artifacts)
}
