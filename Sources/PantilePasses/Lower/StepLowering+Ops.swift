import PantileDialects
import PantileEngines
import PantileIR
import PantileProgram
import PantileSupport
import PantileTensor
import PantileText

extension StepLowering {
  /// Lowers one op, or throws why no engine can run it.
  mutating func lower(_ op: OpView) throws(DiagnosticError) {
    switch op.name {
    case "dnn.constant": break  // read where it is used
    case "dnn.conv2d": try lowerConvolution(op)
    case "dnn.fully_connected", "dnn.matmul": try lowerProduct(op)
    case "dnn.requantize": try lowerRequantize(op)
    case "dnn.quantized_add": try lowerQuantizedAdd(op)
    case "dnn.quantize": try lowerQuantize(op)
    case "dnn.dequantize": try lowerDequantize(op)
    case "dnn.max_pool2d", "dnn.avg_pool2d": try lowerPool(op)
    case "dnn.global_avg_pool", "dnn.global_max_pool", "dnn.reduce_sum", "dnn.reduce_mean", "dnn.reduce_max",
      "dnn.reduce_min":
      try lowerReduction(op)
    case "dnn.softmax": try lowerSoftmax(op)
    case "dnn.log_softmax": try lowerLogSoftmax(op)
    case "dnn.cast": try lowerCast(op)
    case "dnn.max_pool2d_tap": try lowerPoolTap(op)
    case "dnn.max_unpool2d": try lowerUnpool(op)
    case "dnn.conv_transpose2d": try lowerTransposedConvolution(op)
    case "dnn.layer_norm", "dnn.rms_norm": try lowerNormalisation(op)
    case "dnn.reshape": try lowerReshape(op)
    case "dnn.transpose": try lowerTranspose(op)
    case "dnn.concat": try lowerConcat(op)
    case "dnn.slice": try lowerSlice(op)
    case "dnn.pad": try lowerPad(op)
    case "dnn.expand": try lowerElementwise(op, [])
    default:
      guard let instructions = try elementwiseInstructions(op) else { throw unsupported(op, "no engine runs this op") }
      try lowerElementwise(op, instructions)
    }
  }

  func unsupported(_ op: OpView, _ reason: String) -> DiagnosticError {
    let nodes = op.location.names
    let node = nodes.isEmpty ? "" : " '\(nodes.joined(separator: "', '"))'"
    return DiagnosticError("unsupported", "\(op.name)\(node): \(reason)", at: op.location)
  }

  // MARK: Elementwise

  /// The instructions on register 0 (and 1 for two operands), result in register 0; nil for other ops.
  private func elementwiseInstructions(_ op: OpView) throws(DiagnosticError) -> [Kernel.Instruction]? {
    let type = try op.resultTensor()
    // 16-bit floats are computed in Float and rounded where they are stored, as the reference does.
    let isFloat = Kernel.Format(type.element)?.isFloat ?? false
    func float(_ value: Double) -> Int { Int(Int32(bitPattern: Float(value).bitPattern)) }
    func constant(_ value: Float) -> Int { Int(Int32(bitPattern: value.bitPattern)) }
    let largest = constant(.infinity)
    switch op.name {
    case "dnn.relu":
      return isFloat
        ? [.init(.clampF32, 0, 0, 0, [0, largest])] : [.init(.clampI32, 0, 0, 0, [0, Int(Int32.max)])]
    case "dnn.clamp":
      let (low, high) = (try op.number("min"), try op.number("max"))
      if isFloat { return [.init(.clampF32, 0, 0, 0, [float(low), float(high)])] }
      return [
        .init(
          .clampI32, 0, 0, 0,
          [Int(max(low, Double(Int32.min)).rounded(.up)), Int(min(high, Double(Int32.max)).rounded(.down))])
      ]
    case "dnn.add": return [.init(isFloat ? .addF32 : .addI32, 0, 0, 1)]
    case "dnn.sub": return [.init(isFloat ? .subF32 : .subI32, 0, 0, 1)]
    case "dnn.mul": return [.init(isFloat ? .mulF32 : .mulI32, 0, 0, 1)]
    case "dnn.max": return [.init(isFloat ? .maxF32 : .maxI32, 0, 0, 1)]
    case "dnn.min": return [.init(isFloat ? .minF32 : .minI32, 0, 0, 1)]
    case "dnn.and": return [.init(.minI32, 0, 0, 1)]
    case "dnn.or": return [.init(.maxI32, 0, 0, 1)]
    case "dnn.select": return [.init(.select, 0, 0, 1, [2])]
    case "dnn.equal", "dnn.less", "dnn.less_equal", "dnn.greater", "dnn.greater_equal":
      let comparesFloats = Kernel.Format(try op.operandTensor(0).element)?.isFloat ?? false
      let operation: KernelOperation =
        switch op.name {
        case "dnn.equal": comparesFloats ? .equalF32 : .equalI32
        case "dnn.less", "dnn.greater": comparesFloats ? .lessF32 : .lessI32
        default: comparesFloats ? .lessOrEqualF32 : .lessOrEqualI32
        }
      return [op.name.hasPrefix("dnn.greater") ? .init(operation, 0, 1, 0) : .init(operation, 0, 0, 1)]
    default: break
    }
    guard isFloat else { return nil }
    switch op.name {
    case "dnn.div": return [.init(.divF32, 0, 0, 1)]
    case "dnn.pow": return [.init(.powF32, 0, 0, 1)]
    case "dnn.leaky_relu": return [.init(.leakyF32, 0, 0, 0, [float(try op.number("alpha"))])]
    case "dnn.sigmoid": return [.init(.sigmoidF32, 0, 0)]
    case "dnn.tanh": return [.init(.tanhF32, 0, 0)]
    case "dnn.exp": return [.init(.expF32, 0, 0)]
    case "dnn.log": return [.init(.logF32, 0, 0)]
    case "dnn.sqrt": return [.init(.sqrtF32, 0, 0)]
    // 1/x: whatever x is, clamping it between one and one makes the one.
    case "dnn.reciprocal": return [.init(.clampF32, 1, 0, 0, [constant(1), constant(1)]), .init(.divF32, 0, 1, 0)]
    case "dnn.rsqrt":
      return [
        .init(.clampF32, 1, 0, 0, [constant(1), constant(1)]), .init(.sqrtF32, 0, 0), .init(.divF32, 0, 1, 0),
      ]
    case "dnn.neg": return [.init(.negF32, 0, 0)]
    case "dnn.abs": return [.init(.absF32, 0, 0)]
    case "dnn.erf": return [.init(.erfF32, 0, 0)]
    case "dnn.hard_sigmoid":
      return [
        .init(.mulImmediateF32, 0, 0, 0, [float(try op.number("alpha"))]),
        .init(.addImmediateF32, 0, 0, 0, [float(try op.number("beta"))]), .init(.clampF32, 0, 0, 0, [0, constant(1)]),
      ]
    default: return try curveInstructions(op)
    }
  }

  /// As `elementwiseInstructions`, of activations made of several steps: each in the order in which the reference computes it, so
  /// that not a bit differs.
  private func curveInstructions(_ op: OpView) throws(DiagnosticError) -> [Kernel.Instruction]? {
    func bits(_ value: Float) -> Int { Int(Int32(bitPattern: value.bitPattern)) }
    func scaled(_ target: Int, _ source: Int, by factor: Float) -> Kernel.Instruction {
      .init(.mulImmediateF32, target, source, 0, [bits(factor)])
    }
    func raised(_ register: Int, by term: Float) -> Kernel.Instruction {
      .init(.addImmediateF32, register, register, 0, [bits(term)])
    }
    switch op.name {
    case "dnn.hard_swish":
      return [
        scaled(1, 0, by: 1 / 6), raised(1, by: 0.5), .init(.clampF32, 1, 1, 0, [0, bits(1)]), .init(.mulF32, 0, 0, 1),
      ]
    case "dnn.silu":
      return [.init(.negF32, 1, 0), .init(.expF32, 1, 1), raised(1, by: 1), .init(.divF32, 0, 0, 1)]
    case "dnn.gelu":
      let half = scaled(2, 0, by: 0.5)
      let product = Kernel.Instruction(.mulF32, 0, 2, 1)
      if try op.string("approximate") == "none" {
        return [scaled(1, 0, by: Float(0.5).squareRoot()), .init(.erfF32, 1, 1), raised(1, by: 1), half, product]
      }
      let cube = [scaled(1, 0, by: 0.044715), .init(.mulF32, 1, 1, 0), Kernel.Instruction(.mulF32, 1, 1, 0)]
      let inner = [Kernel.Instruction(.addF32, 1, 0, 1), scaled(1, 1, by: (2 / Float.pi).squareRoot())]
      return cube + inner + [.init(.tanhF32, 1, 1), raised(1, by: 1), half, product]
    case "dnn.elu":
      let negative = [Kernel.Instruction(.expF32, 1, 0), raised(1, by: -1)]
      let slope = scaled(1, 1, by: Float(try op.number("alpha")))
      // Zero, to compare with: whatever x is, between zero and zero.
      let zero = Kernel.Instruction(.clampF32, 2, 0, 0, [0, 0])
      return negative + [slope, zero, .init(.lessF32, 2, 2, 0), .init(.select, 0, 2, 0, [1])]
    case "dnn.softplus":
      let logarithm = [
        Kernel.Instruction(.absF32, 1, 0), .init(.negF32, 1, 1), .init(.expF32, 1, 1), raised(1, by: 1),
        .init(.logF32, 1, 1),
      ]
      return logarithm + [.init(.clampF32, 0, 0, 0, [0, bits(.infinity)]), .init(.addF32, 0, 0, 1)]
    default: return nil
    }
  }

  /// One kernel over the result's domain; operands broadcast by numpy's rules.
  mutating func lowerElementwise(_ op: OpView, _ instructions: [Kernel.Instruction]) throws(DiagnosticError) {
    let result = try op.resultTensor()
    guard let outputFormat = Kernel.Format(result.element) else {
      throw unsupported(op, "results of type \(result.element) cannot be made on the chip")
    }
    var inputs: [MapStep.Input] = []
    var constants: [StepGraph.Constant] = []
    var kernelInputs: [Kernel.Input] = []
    for (index, value) in op.operands.enumerated() {
      let type = try module.tensor(of: value)
      guard var format = Kernel.Format(type.element) else {
        throw unsupported(op, "operands of type \(type.element) cannot be read on the chip")
      }
      let map = broadcastMap(from: type.shape, to: result.shape)
      if let constant = try constant(value) {
        inputs.append(.init(.constant(constants.count), map))
        constants.append(constantTensor("operand\(index)", type.shape, format, constant.bytes))
      } else {
        let source = try storedTensor(of: value, for: op)
        format = graph.tensors[source].format
        inputs.append(.init(.tensor(source), map))
      }
      kernelInputs.append(.init(format, .result, register: index))
    }
    let target = try newTensor(for: op.result)
    let kind = String(op.name.dropFirst(4))
    // Integers of 8 bits wrap in 8 bits when they are stored.
    let kernel = Kernel(
      name: "\(kind)_\(outputFormat.rawValue)", inputs: kernelInputs, epilogue: instructions, output: 0,
      outputFormat: outputFormat)
    addMap(
      op, kind: kind, shape: result.shape, inputs: inputs, constants: constants,
      stages: [.init(kernel, inputs.indices.map { .input($0) })], output: target)
  }

  /// A step over the result's whole domain, dims in the result's memory order.
  mutating func addMap(
    _ op: OpView, kind: String, shape: [Int], inputs: [MapStep.Input], constants: [StepGraph.Constant] = [],
    temporaries: [MapStep.Temporary] = [], stages: [MapStep.Stage], extra: [MapStep.Dim] = [], untiled: Set<Int> = [],
    output: Int, macs: Int = 0, covering: [OpID]? = nil
  ) {
    // A nest has a dim even where a scalar comes from scalars.
    let none = shape.isEmpty && extra.isEmpty ? [MapStep.Dim("one", 1, mayTile: false)] : []
    var step = MapStep(
      dims: shape.enumerated().map { .init("d\($0.offset)", $0.element, mayTile: !untiled.contains($0.offset)) }
        + extra + none,
      inputs: inputs, constants: constants, temporaries: temporaries, stages: stages, output: output,
      outputMap: OperandMap(shape.indices.map { .along($0) }))
    step.permute(to: graph.tensors[output].order)
    add(.map(step), kind: kind, covering: covering ?? [op.id], macs: macs)
    if let last = (covering ?? [op.id]).last, let value = module.results(of: last).first { tensors[value] = output }
  }

  func constantTensor(_ name: String, _ shape: [Int], _ format: Kernel.Format, _ bytes: [UInt8]?) -> StepGraph.Constant
  {
    .init(
      name: name,
      tensor: .init(name: name, storage: -1, shape: shape, order: Array(shape.indices), format: format), bytes: bytes)
  }

  /// Coordinates of an operand at a point of the result; missing and single dims repeat.
  func broadcastMap(from shape: [Int], to result: [Int]) -> OperandMap {
    let lead = result.count - shape.count
    return OperandMap(
      shape.indices.map { shape[$0] == 1 && result[$0 + lead] != 1 ? .fixed() : .along($0 + lead) })
  }

  // MARK: Quantisation

  mutating func lowerRequantize(_ op: OpView) throws(DiagnosticError) {
    let x = try op.operandTensor(0)
    let result = try op.resultTensor()
    guard let format = Kernel.Format(x.element) else {
      throw unsupported(op, "operands of type \(x.element) cannot be read on the chip")
    }
    let parameters = try RequantizeParameters(op)
    var inputs: [MapStep.Input] = [
      .init(
        .tensor(try tensor(of: op.operands[0], for: op)), broadcastMap(from: x.shape, to: result.shape))
    ]
    var constants: [StepGraph.Constant] = []
    var kernelInputs: [Kernel.Input] = [.init(format, .result, register: 0)]
    var body: [Kernel.Instruction] = [.init(.addImmediateI32, 0, 0, 0, [-parameters.inputZeroPoint])]
    if parameters.multiplier.count == 1 {
      body.append(
        .init(.requantizeImmediate, 0, 0, 0, [Int(parameters.multiplier[0]), Int(parameters.shift[0])]))
    } else {
      for (index, values) in [parameters.multiplier, parameters.shift].enumerated() {
        inputs.append(.init(.constant(index), OperandMap([.along(parameters.axis)])))
        constants.append(constantTensor(index == 0 ? "multiplier" : "shift", [values.count], .i32, bytes(values)))
        kernelInputs.append(.init(.i32, .result, register: 1 + index))
      }
      body.append(.init(.requantize, 0, 0, 1, [2]))
    }
    body += [
      .init(.addImmediateI32, 0, 0, 0, [parameters.zeroPoint]),
      .init(.clampI32, 0, 0, 0, [parameters.minimum, parameters.maximum]),
    ]
    let kernel = Kernel(name: "requantize", inputs: kernelInputs, epilogue: body, output: 0, outputFormat: .i8)
    addMap(
      op, kind: "requantize", shape: result.shape, inputs: inputs, constants: constants,
      stages: [.init(kernel, inputs.indices.map { .input($0) })], output: try newTensor(for: op.result))
  }

  mutating func lowerQuantizedAdd(_ op: OpView) throws(DiagnosticError) {
    let result = try op.resultTensor()
    let add = try QuantizedAddParameters(op)
    var inputs: [MapStep.Input] = []
    for value in op.operands {
      inputs.append(
        .init(
          .tensor(try tensor(of: value, for: op)),
          broadcastMap(from: try module.tensor(of: value).shape, to: result.shape)))
    }
    let kernel = Kernel(
      name: "quantized_add", inputs: [.init(.i8, .result, register: 0), .init(.i8, .result, register: 1)],
      epilogue: [
        .init(.addImmediateI32, 0, 0, 0, [-add.aZeroPoint]), .init(.addImmediateI32, 1, 1, 0, [-add.bZeroPoint]),
        .init(.addScaled, 0, 0, 1, [add.aMultiplier, add.bMultiplier, add.shift]),
        .init(.addImmediateI32, 0, 0, 0, [add.zeroPoint]), .init(.clampI32, 0, 0, 0, [add.minimum, add.maximum]),
      ], output: 0, outputFormat: .i8)
    addMap(
      op, kind: "quantized_add", shape: result.shape, inputs: inputs,
      stages: [.init(kernel, [.input(0), .input(1)])], output: try newTensor(for: op.result))
  }

  mutating func lowerQuantize(_ op: OpView) throws(DiagnosticError) {
    let result = try op.resultTensor()
    let x = try op.operandTensor(0)
    let scales = try op.numbers("scale")
    let zeroPoints = try op.integers("zero_point", default: [0])
    guard scales.count == 1, zeroPoints.count <= 1, x.element == .f32, result.element == .i8 else {
      throw unsupported(op, "only f32 to i8 with one scale is quantised on the chip")
    }
    let zero = zeroPoints.first ?? 0
    let scale = Int(Int32(bitPattern: Float(scales[0]).bitPattern))
    let kernel = Kernel(
      name: "quantize", inputs: [.init(.f32, .result, register: 0)],
      epilogue: [
        .init(.divImmediateF32, 0, 0, 0, [scale]), .init(.roundToI32, 0, 0, 0, [-128 - zero, 127 - zero]),
        .init(.addImmediateI32, 0, 0, 0, [zero]),
      ], output: 0, outputFormat: .i8)
    addMap(
      op, kind: "quantize", shape: result.shape,
      inputs: [
        .init(
          .tensor(try tensor(of: op.operands[0], for: op)), broadcastMap(from: x.shape, to: result.shape))
      ],
      stages: [.init(kernel, [.input(0)])], output: try newTensor(for: op.result))
  }

  mutating func lowerDequantize(_ op: OpView) throws(DiagnosticError) {
    let result = try op.resultTensor()
    let x = try op.operandTensor(0)
    let scales = try op.numbers("scale")
    let zeroPoints = try op.integers("zero_point", default: [0])
    guard scales.count == 1, zeroPoints.count <= 1, let format = Kernel.Format(x.element), format != .f32 else {
      throw unsupported(op, "only i8 and i32 with one scale are dequantised on the chip")
    }
    let scale = Int(Int32(bitPattern: Float(scales[0]).bitPattern))
    let kernel = Kernel(
      name: "dequantize", inputs: [.init(format, .result, register: 0)],
      epilogue: [
        .init(.addImmediateI32, 0, 0, 0, [-(zeroPoints.first ?? 0)]), .init(.toF32, 0, 0),
        .init(.mulImmediateF32, 0, 0, 0, [scale]),
      ], output: 0, outputFormat: .f32)
    addMap(
      op, kind: "dequantize", shape: result.shape,
      inputs: [
        .init(
          .tensor(try tensor(of: op.operands[0], for: op)), broadcastMap(from: x.shape, to: result.shape))
      ],
      stages: [.init(kernel, [.input(0)])], output: try newTensor(for: op.result))
  }

  func bytes(_ values: [Int32]) -> [UInt8] {
    values.flatMap { value in withUnsafeBytes(of: value.littleEndian) { Array($0) } }
  }
}

/// The attributes of `dnn.requantize`.
struct RequantizeParameters {
  var multiplier: [Int32]
  var shift: [Int32]
  var axis: Int
  var inputZeroPoint: Int
  var zeroPoint: Int
  var minimum: Int
  var maximum: Int

  init(_ op: OpView) throws(DiagnosticError) {
    multiplier = try op.integers("multiplier").map { Int32(clamping: $0) }
    shift = try op.integers("shift").map { Int32(clamping: $0) }
    axis = try op.integer("axis", default: 1)
    inputZeroPoint = try op.integer("input_zero_point", default: 0)
    zeroPoint = try op.integer("zero_point", default: 0)
    minimum = try op.integer("min", default: -128)
    maximum = try op.integer("max", default: 127)
    let count = max(multiplier.count, shift.count)
    if multiplier.count == 1 { multiplier = Array(repeating: multiplier[0], count: count) }
    if shift.count == 1 { shift = Array(repeating: shift[0], count: count) }
  }
}

/// The attributes of `dnn.quantized_add`.
struct QuantizedAddParameters {
  var aZeroPoint: Int
  var bZeroPoint: Int
  var aMultiplier: Int
  var bMultiplier: Int
  var shift: Int
  var zeroPoint: Int
  var minimum: Int
  var maximum: Int

  init(_ op: OpView) throws(DiagnosticError) {
    aZeroPoint = try op.integer("a_zero_point", default: 0)
    bZeroPoint = try op.integer("b_zero_point", default: 0)
    aMultiplier = try op.integer("a_multiplier")
    bMultiplier = try op.integer("b_multiplier")
    shift = try op.integer("shift")
    zeroPoint = try op.integer("zero_point", default: 0)
    minimum = try op.integer("min", default: -128)
    maximum = try op.integer("max", default: 127)
  }
}

extension MapStep {
  /// Reorders the first dims of the nest (those of the output) so that the innermost loop runs along memory.
  mutating func permute(to order: [Int]) {
    precondition(order.count <= dims.count, "more output dims than nest dims")
    let full = order + Array(order.count..<dims.count)
    var position = [Int](repeating: 0, count: full.count)
    for (new, old) in full.enumerated() { position[old] = new }
    func moved(_ map: OperandMap) -> OperandMap {
      OperandMap(map.axes.map { .init($0.terms.map { .init(position[$0.dim], $0.scale) }, offset: $0.offset) })
    }
    dims = full.map { dims[$0] }
    for index in inputs.indices { inputs[index].map = moved(inputs[index].map) }
    outputMap = moved(outputMap)
    for index in temporaries.indices {
      temporaries[index].dims = temporaries[index].dims.map { position[$0] }.sorted()
    }
    for index in stages.indices {
      // The order of reduced dims fixes the order of Float sums and must not change.
      stages[index].reduced = stages[index].reduced.map { position[$0] }
      stages[index].absent = stages[index].absent.map { position[$0] }
    }
  }
}
