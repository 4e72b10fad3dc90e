import PantileDialects
import PantileEngines
import PantileIR
import PantileProgram
import PantileSupport
import PantileTensor
import PantileText

extension StepLowering {
  /// What follows a contraction and is taken into its drain.
  struct Epilogue {
    var ops: [OpID] = []
    var result: ValueID
    var requantize: RequantizeParameters?
    var residual: ContractStep.Residual?
  }

  /// Follows the uses of an accumulator value: requantise, then a quantised addition whose other side is there already.
  mutating func epilogue(of op: OpView) throws(DiagnosticError) -> Epilogue {
    var epilogue = Epilogue(ops: [op.id], result: op.result)
    guard module.hasOneUse(op.result), let user = module.users(of: op.result).first,
      module.name(of: user) == "dnn.requantize"
    else { return epilogue }
    let requantize = module[user]
    let parameters = try RequantizeParameters(requantize)
    guard parameters.inputZeroPoint == 0, parameters.axis == 1 || parameters.multiplier.count == 1 else {
      return epilogue
    }
    epilogue.requantize = parameters
    epilogue.ops.append(user)
    epilogue.result = requantize.result
    guard module.hasOneUse(requantize.result), let next = module.users(of: requantize.result).first,
      module.name(of: next) == "dnn.quantized_add"
    else { return epilogue }
    let add = module[next]
    let own = add.operands.firstIndex(of: requantize.result) ?? 0
    let other = add.operands[1 - own]
    guard let otherTensor = tensors[other], otherTensor >= 0,
      try module.tensor(of: other).shape == module.tensor(of: requantize.result).shape
    else { return epilogue }
    let p = try QuantizedAddParameters(add)
    epilogue.residual = .init(
      tensor: otherTensor, ownMultiplier: own == 0 ? p.aMultiplier : p.bMultiplier,
      otherMultiplier: own == 0 ? p.bMultiplier : p.aMultiplier,
      ownZeroPoint: own == 0 ? p.aZeroPoint : p.bZeroPoint, otherZeroPoint: own == 0 ? p.bZeroPoint : p.aZeroPoint,
      shift: p.shift, zeroPoint: p.zeroPoint, minimum: p.minimum, maximum: p.maximum)
    epilogue.ops.append(next)
    epilogue.result = add.result
    return epilogue
  }

  /// Weights of a contraction: values in [g][n][c][r][s], their bits and pattern.
  struct Weights {
    var values: [Int8]?
    var bits: Int
    var sparsity: Contract.Sparsity?
  }

  func weights(_ op: OpView, _ value: ValueID) throws(DiagnosticError) -> Weights {
    guard let constant = try constant(value) else {
      throw unsupported(op, "the second operand is computed; arrays take constant weights only")
    }
    let type = constant.type
    guard type.element == .i8 || type.element == .integer(width: 4, .signless) else {
      throw unsupported(
        op, "weights of type \(type.element); arrays take integers of at most 8 bits (quantize the model)")
    }
    let tensor: HostTensor? = constant.tensor.map { $0.elementType == .i8 ? $0 : $0.converted(to: .i8) }
    let values = tensor?.values(as: Int8.self)
    let stated = try WeightFormat(type.encoding, at: op.location)
    var bits = stated.bits ?? (type.element == .i8 ? 8 : 4)
    if let values {
      // The encoding promises a width; a value that needs more would be cut.
      let needed = signedWidth(of: values)
      if needed > bits { bits = 8 }
    }
    return Weights(
      values: values, bits: bits, sparsity: stated.pattern.map { .init(kept: $0.kept, group: $0.group) })
  }

  private func bias(_ op: OpView, channels: Int) throws(DiagnosticError) -> [Int32]? {
    guard op.operands.count > 2 else { return [Int32](repeating: 0, count: channels) }
    guard let constant = try constant(op.operands[2]) else { throw unsupported(op, "the bias is computed") }
    return constant.tensor?.values(as: Int32.self)
  }

  private func requireInt8(_ op: OpView) throws(DiagnosticError) {
    let x = try op.operandTensor(0)
    guard x.element == .i8 else {
      throw unsupported(
        op, "activations of type \(x.element); the array takes i8 (quantize the model, or run it with --interpret)")
    }
  }

  /// Σ over the reduction folds the input's zero point into the bias: Σ(x-z)·w + b = Σ x·w + (b - z·Σ w).
  private func foldedBias(
    _ bias: [Int32]?, _ weights: [Int8]?, zeroPoint: Int, channels: Int
  ) -> [Int32]? {
    guard zeroPoint != 0, let bias, let weights, channels > 0 else { return bias }
    let length = weights.count / channels
    return weights.withUnsafeBufferPointer { weights in
      (0..<channels).map { channel in
        // Whatever overflows is cut off in the end.
        var sum: Int32 = 0
        for i in (channel * length)..<((channel + 1) * length) { sum &+= Int32(weights[i]) }
        return bias[channel] &- Int32(truncatingIfNeeded: zeroPoint) &* sum
      }
    }
  }

  mutating func lowerConvolution(_ op: OpView) throws(DiagnosticError) {
    if let numbers = floats(of: op.operands[0]) { return try lowerFloatConvolution(op, numbers) }
    try requireInt8(op)
    let w = try op.operandTensor(1)
    let y = try op.resultTensor()
    let groups = try op.integer("groups")
    let strides = try op.integers("strides")
    let pads = try op.integers("pads")
    let dilations = try op.integers("dilations")
    let (cg, ng) = (w.shape[1], w.shape[0] / groups)
    let zeroPoint = try op.integer("input_zero_point", default: 0)
    let found = try weights(op, op.operands[1])
    let macs = y.count * cg * w.shape[2] * w.shape[3]
    let epilogue = try epilogue(of: op)
    if cg == 1, ng == 1, groups > 1, epilogue.requantize != nil,
      prefersVector(pixels: y.shape[0] * y.shape[2] * y.shape[3], channels: groups, taps: w.shape[2] * w.shape[3])
    {
      try lowerDepthwise(op, found, epilogue, macs: macs)
      return
    }
    typealias D = ContractStep.Dim
    let extents = [groups, y.shape[0], y.shape[2], y.shape[3], ng, cg, w.shape[2], w.shape[3]]
    let xMap = OperandMap([
      .along(D.b), .init([.init(D.g, cg), .init(D.c)]),
      .init([.init(D.p, strides[0]), .init(D.r, dilations[0])], offset: -pads[0]),
      .init([.init(D.q, strides[1]), .init(D.s, dilations[1])], offset: -pads[1]),
    ])
    let outputMap = OperandMap([.along(D.b), .init([.init(D.g, ng), .init(D.n)]), .along(D.p), .along(D.q)])
    try addContract(
      op, kind: "conv2d", extents: extents, xMap: xMap, outputMap: outputMap, weights: found, zeroPoint: zeroPoint,
      channels: groups * ng, epilogue: epilogue, macs: macs)
  }

  /// Dense layers and products with constant right sides.
  mutating func lowerProduct(_ op: OpView) throws(DiagnosticError) {
    if let numbers = floats(of: op.operands[0]) {
      return op.name == "dnn.matmul" ? try lowerComputedProduct(op) : try lowerFloatLayer(op, numbers)
    }
    try requireInt8(op)
    let x = try op.operandTensor(0)
    let w = try op.operandTensor(1)
    let y = try op.resultTensor()
    if op.name == "dnn.matmul", try constant(op.operands[1]) == nil { return try lowerComputedProduct(op) }
    guard w.rank == 2, x.rank >= 2 else {
      throw unsupported(op, "the array takes products with a constant matrix; the right side has rank \(w.rank)")
    }
    var found = try weights(op, op.operands[1])
    let isMatMul = op.name == "dnn.matmul"
    if isMatMul, try op.flag("transpose_a") { throw unsupported(op, "a transposed left side") }
    let isRowMajor = isMatMul ? try !op.flag("transpose_b") : false
    let (depth, columns) = isRowMajor ? (w.shape[0], w.shape[1]) : (w.shape[1], w.shape[0])
    if isRowMajor, let values = found.values {
      var transposed = [Int8](repeating: 0, count: values.count)
      for k in 0..<depth { for n in 0..<columns { transposed[n * depth + k] = values[k * columns + n] } }
      found.values = transposed
    }
    typealias D = ContractStep.Dim
    // Leading dims of x are rows: the last of them is q, the one before p, then b.
    let rows = Array(x.shape.dropLast())
    guard rows.count <= 3 else { throw unsupported(op, "a left side of rank \(x.rank)") }
    let rowDims = Array([D.b, D.p, D.q].suffix(rows.count))
    var extents = [1, 1, 1, 1, columns, depth, 1, 1]
    for (dim, extent) in zip(rowDims, rows) { extents[dim] = extent }
    try addContract(
      op, kind: "fully_connected", extents: extents,
      xMap: OperandMap(rowDims.map { .along($0) } + [.along(D.c)]),
      outputMap: OperandMap(rowDims.map { .along($0) } + [.along(D.n)]), weights: found,
      zeroPoint: try op.integer("input_zero_point", default: 0), channels: columns, epilogue: try epilogue(of: op),
      macs: y.count * depth)
  }

  /// A product of two computed matrices, as in attention: one step for each index of the leading dims but the last.
  private mutating func lowerComputedProduct(_ op: OpView) throws(DiagnosticError) {
    let (a, b, y) = (try op.operandTensor(0), try op.operandTensor(1), try op.resultTensor())
    guard a.rank >= 2, b.rank >= 2 else { throw unsupported(op, "a product of computed vectors") }
    let numbers = floats(of: op.operands[0])
    guard numbers != nil || b.element == .i8 else {
      throw unsupported(op, "a right side of type \(b.element); the array takes i8")
    }
    guard try op.integer("input_zero_point", default: 0) == 0 else {
      throw unsupported(op, "a product of two computed matrices of which the left one has a zero point")
    }
    if let array = machine.array, let refuses = array.engine.weightRefusal {
      // What is computed may be any number.
      for number in Int8.min...Int8.max {
        guard let reason = refuses(number, .int8) else { continue }
        throw unsupported(
          op, "a computed right side: \(number) has no code in \(array.engine.summary), \(reason)")
      }
    }
    typealias D = ContractStep.Dim
    let (isTransposedA, isTransposedB) = (try op.flag("transpose_a"), try op.flag("transpose_b"))
    let (rows, columns) = (y.shape[y.rank - 2], y.shape[y.rank - 1])
    let depth = a.shape[isTransposedA ? a.rank - 2 : a.rank - 1]
    let batch = Array(y.shape.dropLast(2))
    // The last leading dim that is none runs in the nest; those before it are written out.
    let inner = batch.lastIndex { $0 > 1 }
    let outer = batch.indices.filter { $0 != inner }
    let count = outer.reduce(1) { $0 * batch[$1] }
    let macs = y.count * depth
    let epilogue = try epilogue(of: op)
    let x = try storedTensor(of: op.operands[0], for: op)
    let w: Int
    if let numbers {
      w = try floatTensor(op.operands[1], numbers, for: op)
    } else {
      w = try tensor(of: op.operands[1], for: op)
    }
    let groups = inner.map { batch[$0] } ?? 1
    let requantize = epilogue.requantize
    func spread(_ list: [Int32]) -> [Int32] {
      // One factor for all, or one for each column.
      list.count == 1
        ? Array(repeating: list[0], count: groups * columns)
        : (0..<groups).flatMap { _ in list }
    }
    if let count = requantize?.multiplier.count, count > 1, count != columns {
      throw unsupported(op, "a requantisation by \(count) factors over \(columns) columns")
    }
    let output = try newTensor(for: epilogue.result)
    for number in 0..<count {
      var rest = number
      var fixed = [Int](repeating: 0, count: batch.count)
      for dim in outer.reversed() {
        fixed[dim] = rest % batch[dim]
        rest /= batch[dim]
      }
      /// Leading axes of an operand; those of size 1 stand still.
      func leading(_ shape: [Int]) -> [OperandMap.Axis] {
        let own = shape.dropLast(2)
        let skipped = batch.count - own.count
        return own.enumerated().map { index, size in
          size == 1 ? .fixed() : skipped + index == inner ? .along(D.g) : .fixed(fixed[skipped + index])
        }
      }
      var step = ContractStep(
        extents: [groups, 1, 1, rows, columns, depth, 1, 1], x: x,
        xMap: OperandMap(
          leading(a.shape) + (isTransposedA ? [.along(D.c), .along(D.q)] : [.along(D.q), .along(D.c)])),
        padValue: 0, output: output, outputMap: OperandMap(leading(y.shape) + [.along(D.q), .along(D.n)]),
        weights: nil, bias: [Int32](repeating: 0, count: groups * columns),
        multiplier: spread(requantize?.multiplier ?? [1 << 30]), shift: spread(requantize?.shift ?? [30]),
        zeroPoint: requantize?.zeroPoint ?? 0, minimum: requantize?.minimum ?? -128,
        maximum: requantize?.maximum ?? 127, residual: epilogue.residual)
      step.weightTensor = .init(
        tensor: w,
        map: OperandMap(
          leading(b.shape) + (isTransposedB ? [.along(D.n), .along(D.c)] : [.along(D.c), .along(D.n)])))
      step.isRaw = requantize == nil
      if let numbers {
        step.numbers = numbers
        step.weightBits = graph.tensors[w].format.bits
      }
      add(.contract(step), kind: "matmul", covering: epilogue.ops, macs: macs / count)
    }
    tensors[epilogue.result] = output
  }

  private mutating func addContract(
    _ op: OpView, kind: String, extents: [Int], xMap: OperandMap, outputMap: OperandMap, weights: Weights,
    zeroPoint: Int, channels: Int, epilogue: Epilogue, macs: Int
  ) throws(DiagnosticError) {
    typealias D = ContractStep.Dim
    let x = try tensor(of: op.operands[0], for: op)
    let bias = foldedBias(
      try bias(op, channels: channels), weights.values, zeroPoint: zeroPoint, channels: channels)
    var extents = extents
    var values = weights.values
    // The array may not know the pattern: then the pruned weights run dense.
    var sparsity = weights.sparsity
    if let pattern = sparsity, let array = machine.array {
      let known = (try? NMPattern(kept: pattern.kept, group: pattern.group)).map {
        array.engine.capability(ContractionFormat(weightBits: weights.bits, pattern: $0)).isSupported
      }
      if known != true { sparsity = nil }
    }
    var bits = weights.bits
    if bits < 8, let array = machine.array,
      !array.engine.capability(ContractionFormat(weightBits: bits, pattern: nil)).isSupported
    {
      bits = 8
    }
    try checkWeights(values, ContractionFormat(weightBits: bits), of: op)
    if let sparsity, extents[D.c] % sparsity.group != 0 {
      let channels = extents[D.c]
      let padded = (channels + sparsity.group - 1) / sparsity.group * sparsity.group
      let taps = extents[D.r] * extents[D.s]
      if let dense = values {
        var wide = [Int8](repeating: 0, count: dense.count / channels * padded)
        for row in 0..<(dense.count / (channels * taps)) {
          for i in 0..<(channels * taps) { wide[row * padded * taps + i] = dense[row * channels * taps + i] }
        }
        values = wide
      }
      extents[D.c] = padded
    }
    let count = channels
    let requantize = epilogue.requantize
    func spread(_ list: [Int32]) -> [Int32] { list.count == 1 ? Array(repeating: list[0], count: count) : list }
    let output = try newTensor(for: epilogue.result)
    var step = ContractStep(
      extents: extents, x: x, xMap: xMap, padValue: zeroPoint, output: output, outputMap: outputMap, weightBits: bits,
      sparsity: sparsity, weights: values, bias: bias,
      multiplier: spread(requantize?.multiplier ?? [1 << 30]), shift: spread(requantize?.shift ?? [30]),
      zeroPoint: requantize?.zeroPoint ?? 0, minimum: requantize?.minimum ?? -128, maximum: requantize?.maximum ?? 127,
      residual: epilogue.residual)
    step.isRaw = requantize == nil
    add(.contract(step), kind: kind, covering: epilogue.ops, macs: macs)
    tensors[epilogue.result] = output
  }

  /// An array may know fewer numbers than a width has.
  /// - Throws: `unsupported-weights` with the first number that has no code, and how many there are.
  private func checkWeights(
    _ values: [Int8]?, _ format: ContractionFormat, of op: OpView
  ) throws(DiagnosticError) {
    guard let values, let array = machine.array, let refuses = array.engine.weightRefusal else { return }
    var reasons = [String?](repeating: nil, count: 256)
    for weight in Int8.min...Int8.max { reasons[Int(UInt8(bitPattern: weight))] = refuses(weight, format) }
    let refused = values.filter { reasons[Int(UInt8(bitPattern: $0))] != nil }
    guard let first = refused.first, let reason = reasons[Int(UInt8(bitPattern: first))] else { return }
    throw DiagnosticError(
      "unsupported-weights",
      "\(refused.count) of \(values.count) weights of '\(op.location.names.first ?? op.name)' have no code in "
        + "\(array.engine.summary): \(first), \(reason)",
      at: op.location, hint: "take another encoding of the array, or --weight-format (bitmod-fp4 for lod2)")
  }

  // MARK: Depthwise

  /// Whether the vector engine is expected to be faster than an array that runs one channel after another.
  private func prefersVector(pixels: Int, channels: Int, taps: Int) -> Bool {
    let vector = machine.vector.options
    let onVector = (pixels * channels + vector.lanes - 1) / vector.lanes * (taps + 5)
    guard let array = machine.array, machine.drain != nil,
      array.engine.capability(.int8).isSupported
    else { return true }
    let tile = array.engine.timing(TileExtents(m: pixels, k: taps, n: 1), .int8)
    return onVector <= channels * tile.nextIssue
  }

  /// One channel per lane: taps are summed by the vector engine, the requantisation follows in its epilogue.
  private mutating func lowerDepthwise(
    _ op: OpView, _ weights: Weights, _ epilogue: Epilogue, macs: Int
  ) throws(DiagnosticError) {
    let w = try op.operandTensor(1)
    let y = try op.resultTensor()
    let strides = try op.integers("strides")
    let pads = try op.integers("pads")
    let dilations = try op.integers("dilations")
    let zeroPoint = try op.integer("input_zero_point", default: 0)
    guard let requantize = epilogue.requantize else { throw unsupported(op, "a depthwise result of 32 bits") }
    let channels = w.shape[0]
    let bias = foldedBias(
      try bias(op, channels: channels), weights.values, zeroPoint: zeroPoint, channels: channels)
    // Nest: n c p q, then taps r s.
    let (r, s) = (4, 5)
    func spread(_ list: [Int32]) -> [Int32] { list.count == 1 ? Array(repeating: list[0], count: channels) : list }
    // Weights as [r][s][c], so that lanes are neighbours.
    let taps = w.shape[2] * w.shape[3]
    let weightBytes: [UInt8]? = weights.values.map { values in
      var bytes = [UInt8](repeating: 0, count: values.count)
      for c in 0..<channels { for t in 0..<taps { bytes[t * channels + c] = UInt8(bitPattern: values[c * taps + t]) } }
      return bytes
    }
    let constants = [
      constantTensor("weights", [w.shape[2], w.shape[3], channels], .i8, weightBytes),
      constantTensor("bias", [channels], .i32, bias.map { bytes($0) }),
      constantTensor("multiplier", [channels], .i32, bytes(spread(requantize.multiplier))),
      constantTensor("shift", [channels], .i32, bytes(spread(requantize.shift))),
    ]
    var inputs: [MapStep.Input] = [
      .init(
        .tensor(try tensor(of: op.operands[0], for: op)),
        OperandMap([
          .along(0), .along(1), .init([.init(2, strides[0]), .init(r, dilations[0])], offset: -pads[0]),
          .init([.init(3, strides[1]), .init(s, dilations[1])], offset: -pads[1]),
        ]), padValue: zeroPoint),
      .init(.constant(0), OperandMap([.along(r), .along(s), .along(1)])),
    ]
    for index in 1...3 { inputs.append(.init(.constant(index), OperandMap([.along(1)]))) }
    var kernelInputs: [Kernel.Input] = [
      .init(.i8, .point, register: 0), .init(.i8, .point, register: 1), .init(.i32, .result, register: 2),
      .init(.i32, .result, register: 3), .init(.i32, .result, register: 4),
    ]
    var body: [Kernel.Instruction] = [
      .init(.addI32, 5, 5, 2), .init(.requantize, 5, 5, 3, [4]),
      .init(.addImmediateI32, 5, 5, 0, [requantize.zeroPoint]),
      .init(.clampI32, 5, 5, 0, [requantize.minimum, requantize.maximum]),
    ]
    if let residual = epilogue.residual {
      inputs.append(.init(.tensor(residual.tensor), OperandMap((0..<4).map { .along($0) })))
      kernelInputs.append(.init(.i8, .result, register: 6))
      body += [
        .init(.addImmediateI32, 5, 5, 0, [-residual.ownZeroPoint]),
        .init(.addImmediateI32, 6, 6, 0, [-residual.otherZeroPoint]),
        .init(.addScaled, 5, 5, 6, [residual.ownMultiplier, residual.otherMultiplier, residual.shift]),
        .init(.addImmediateI32, 5, 5, 0, [residual.zeroPoint]),
        .init(.clampI32, 5, 5, 0, [residual.minimum, residual.maximum]),
      ]
    }
    let kernel = Kernel(
      name: "depthwise", inputs: kernelInputs, prologue: [.init(.mulI32, 5, 0, 1)], reduced: 5, reduction: .addI32,
      epilogue: body, output: 5, outputFormat: .i8)
    let target = try newTensor(for: epilogue.result)
    addMap(
      op, kind: "depthwise_conv2d", shape: y.shape, inputs: inputs, constants: constants,
      stages: [.init(kernel, inputs.indices.map { .input($0) }, reduced: [r, s])],
      extra: [.init("r", w.shape[2], mayTile: false), .init("s", w.shape[3], mayTile: false)], output: target,
      macs: macs, covering: epilogue.ops)
    tensors[epilogue.result] = target
  }
}

/// The bits that each of some numbers can be written in, sign included.
private func signedWidth(of values: [Int8]) -> Int {
  // A negative number needs as many as its complement; the widest of all shows in the bits that any of them has.
  var seen: Int8 = 0
  for value in values { seen |= value ^ (value >> 7) }
  return Int8.bitWidth - seen.leadingZeroBitCount + 1
}
