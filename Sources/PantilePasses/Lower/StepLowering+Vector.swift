import PantileDialects
import PantileEngines
import PantileIR
import PantileProgram
import PantileSupport
import PantileTensor
import PantileText

extension StepLowering {
  // MARK: Windows

  mutating func lowerPool(_ op: OpView) throws(DiagnosticError) {
    let x = try op.operandTensor(0)
    let y = try op.resultTensor()
    guard let format = Kernel.Format(x.element) else {
      throw unsupported(op, "operands of type \(x.element) cannot be read on the chip")
    }
    let kernel = try op.integers("kernel")
    let strides = try op.integers("strides")
    let pads = try op.integers("pads")
    let dilations = try op.integers("dilations")
    let map = OperandMap([
      .along(0), .along(1), .init([.init(2, strides[0]), .init(4, dilations[0])], offset: -pads[0]),
      .init([.init(3, strides[1]), .init(5, dilations[1])], offset: -pads[1]),
    ])
    let source = MapStep.Source.tensor(try tensor(of: op.operands[0], for: op))
    var inputs: [MapStep.Input] = []
    var constants: [StepGraph.Constant] = []
    let vectorKernel: Kernel
    if op.name == "dnn.max_pool2d" {
      let least =
        format.isFloat
        ? Int(Int32(bitPattern: (-Float.infinity).bitPattern))
        : format == .i8 ? -128 : format == .ui8 ? 0 : Int(Int32.min)
      inputs = [.init(source, map, padValue: least)]
      vectorKernel = Kernel(
        name: "max_pool_\(format.rawValue)", inputs: [.init(format, .point, register: 0)], reduced: 0,
        reduction: format.isFloat ? .maxF32 : .maxI32, output: 0, outputFormat: format)
    } else {
      guard format == .f32 else { throw unsupported(op, "an average of integers (lower-qdq makes it a sum)") }
      // The divisor of a window is its number of positions inside the image (or the padded image): a constant of the
      // output position.
      let countsPadding = try op.flag("count_include_pad")
      func positions(_ axis: Int, _ index: Int) -> Int {
        (0..<kernel[axis]).count { tap in
          let at = index * strides[axis] - pads[axis] + tap * dilations[axis]
          return countsPadding
            ? at >= -pads[axis] && at < x.shape[2 + axis] + pads[2 + axis] : at >= 0 && at < x.shape[2 + axis]
        }
      }
      var counts: [Int32] = []
      for p in 0..<y.shape[2] {
        for q in 0..<y.shape[3] {
          counts.append(Int32(bitPattern: Float(positions(0, p) * positions(1, q)).bitPattern))
        }
      }
      inputs = [
        .init(source, map), .init(.constant(0), OperandMap([.along(2), .along(3)])),
      ]
      constants = [constantTensor("divisors", [y.shape[2], y.shape[3]], .f32, bytes(counts))]
      vectorKernel = Kernel(
        name: "avg_pool", inputs: [.init(.f32, .point, register: 0), .init(.f32, .result, register: 1)], reduced: 0,
        reduction: .addF32, epilogue: [.init(.divF32, 0, 0, 1)], output: 0, outputFormat: .f32)
    }
    addMap(
      op, kind: String(op.name.dropFirst(4)), shape: y.shape, inputs: inputs, constants: constants,
      stages: [.init(vectorKernel, inputs.indices.map { .input($0) }, reduced: [4, 5])],
      extra: [.init("r", kernel[0], mayTile: false), .init("s", kernel[1], mayTile: false)],
      output: try newTensor(for: op.result))
  }

  // MARK: Reductions

  mutating func lowerReduction(_ op: OpView) throws(DiagnosticError) {
    let x = try op.operandTensor(0)
    let y = try op.resultTensor()
    guard let format = Kernel.Format(x.element), let outputFormat = Kernel.Format(y.element) else {
      throw unsupported(op, "\(x.element) to \(y.element) cannot be computed on the chip")
    }
    let isGlobal = op.name.hasPrefix("dnn.global")
    let axes = isGlobal ? Array(2..<x.rank) : try op.integers("axes").sorted()
    let keeps = isGlobal ? true : try op.flag("keepdims")
    let kind = String(op.name.dropFirst(4))
    // Dims of the nest: those of the result, then the reduced ones in index order.
    var axisMap: [OperandMap.Axis] = []
    var position = 0
    var extra: [MapStep.Dim] = []
    for axis in 0..<x.rank {
      if axes.contains(axis) {
        axisMap.append(.along(y.rank + extra.count))
        extra.append(.init("k\(axis)", x.shape[axis], mayTile: false))
        if keeps { position += 1 }
      } else {
        axisMap.append(.along(position))
        position += 1
      }
    }
    let count = axes.reduce(1) { $0 * x.shape[$1] }
    guard y.rank + extra.count <= AddressGenerator.maximumDims else {
      throw unsupported(op, "a reduction over \(y.rank + extra.count) dims; the machine has 6")
    }
    let isFloat = format.isFloat
    var prologue: [Kernel.Instruction] = []
    var epilogue: [Kernel.Instruction] = []
    let reduction: Kernel.Reduction
    switch op.name {
    case "dnn.global_max_pool", "dnn.reduce_max": reduction = isFloat ? .maxF32 : .maxI32
    case "dnn.reduce_min": reduction = isFloat ? .minF32 : .minI32
    case "dnn.reduce_sum":
      reduction = isFloat ? .addF32 : .addI32
      let zeroPoint = try op.integer("input_zero_point", default: 0)
      if zeroPoint != 0 { prologue = [.init(.addImmediateI32, 0, 0, 0, [-zeroPoint])] }
    default:
      guard isFloat else { throw unsupported(op, "a mean of integers (lower-qdq makes it a sum)") }
      reduction = .addF32
      epilogue = [.init(.divImmediateF32, 0, 0, 0, [Int(Int32(bitPattern: Float(count).bitPattern))])]
    }
    let kernel = Kernel(
      name: "\(kind)_\(format.rawValue)", inputs: [.init(format, .point, register: 0)], prologue: prologue, reduced: 0,
      reduction: reduction, epilogue: epilogue, output: 0, outputFormat: outputFormat)
    addMap(
      op, kind: kind, shape: y.shape,
      inputs: [.init(.tensor(try tensor(of: op.operands[0], for: op)), OperandMap(axisMap))],
      stages: [.init(kernel, [.input(0)], reduced: extra.indices.map { y.rank + $0 })], extra: extra,
      output: try newTensor(for: op.result))
  }

  /// Maximum, exponentials, their sum, quotients: four kernels over the same tile.
  mutating func lowerSoftmax(_ op: OpView) throws(DiagnosticError) {
    let x = try op.operandTensor(0)
    let axis = try op.integer("axis")
    guard x.element == .f32 else { throw unsupported(op, "softmax of \(x.element)") }
    let others = x.shape.indices.filter { $0 != axis }
    let identity = OperandMap(x.shape.indices.map { .along($0) })
    let point = Kernel.Input(.f32, .point, register: 0)
    let each = Kernel.Input(.f32, .result, register: 0)
    let side = Kernel.Input(.f32, .result, register: 1)
    let stages: [MapStep.Stage] = [
      .init(
        Kernel(
          name: "softmax_max", inputs: [point], reduced: 0, reduction: .maxF32, output: 0, outputFormat: .f32),
        [.input(0)], reduced: [axis], target: 0),
      .init(
        Kernel(
          name: "softmax_exp", inputs: [each, side], epilogue: [.init(.subF32, 0, 0, 1), .init(.expF32, 0, 0)],
          output: 0, outputFormat: .f32), [.input(0), .temporary(0)], target: 1),
      .init(
        Kernel(
          name: "softmax_sum", inputs: [point], reduced: 0, reduction: .addF32, output: 0, outputFormat: .f32),
        [.temporary(1)], reduced: [axis], target: 2),
      .init(
        Kernel(
          name: "softmax_div", inputs: [each, side], epilogue: [.init(.divF32, 0, 0, 1)], output: 0, outputFormat: .f32),
        [.temporary(1), .temporary(2)]),
    ]
    addMap(
      op, kind: "softmax", shape: x.shape,
      inputs: [.init(.tensor(try tensor(of: op.operands[0], for: op)), identity)],
      temporaries: [
        .init(dims: others, format: .f32), .init(dims: Array(x.shape.indices), format: .f32),
        .init(dims: others, format: .f32),
      ], stages: stages, untiled: [axis], output: try newTensor(for: op.result))
  }

  // MARK: Shapes

  /// A view when the elements lie in logical order already, else a copy into logical order and a view of that.
  mutating func lowerReshape(_ op: OpView) throws(DiagnosticError) {
    let source = try storedTensor(of: op.operands[0], for: op)
    let shape = try op.resultTensor().shape
    let tensor = graph.tensors[source]
    var base = source
    if !tensor.isRowMajor, let order = tensor.order(withoutOnesAs: shape) {
      covered.insert(op.id)
      tensors[op.result] = graph.addView(
        of: source, name: module.name(of: op.result) ?? tensor.name, shape: shape, order: order)
      return
    }
    if !tensor.isRowMajor {
      base = graph.addTensor(
        "\(tensor.name).rows", shape: tensor.shape, order: Array(tensor.shape.indices), format: tensor.format)
      let identity = OperandMap(tensor.shape.indices.map { .along($0) })
      var step = MapStep(
        dims: tensor.shape.enumerated().map { .init("d\($0.offset)", $0.element) },
        inputs: [.init(.tensor(source), identity)], stages: [.init(.move(tensor.format), [.input(0)])], output: base,
        outputMap: identity)
      step.permute(to: graph.tensors[base].order)
      add(.map(step), kind: "reshape", covering: [op.id])
    }
    covered.insert(op.id)
    tensors[op.result] = graph.addView(
      of: base, name: module.name(of: op.result) ?? tensor.name, shape: shape, order: Array(shape.indices))
  }

  /// A view: the same bytes, dims renamed.
  mutating func lowerTranspose(_ op: OpView) throws(DiagnosticError) {
    let source = try storedTensor(of: op.operands[0], for: op)
    let permutation = try op.integers("perm")
    let tensor = graph.tensors[source]
    var position = [Int](repeating: 0, count: permutation.count)
    for (new, old) in permutation.enumerated() { position[old] = new }
    covered.insert(op.id)
    tensors[op.result] = graph.addView(
      of: source, name: module.name(of: op.result) ?? tensor.name, shape: permutation.map { tensor.shape[$0] },
      order: tensor.order.map { position[$0] })
  }

  /// One copy for each part, into its place.
  mutating func lowerConcat(_ op: OpView) throws(DiagnosticError) {
    let axis = try op.integer("axis")
    let sources = try op.operands.mapTensors { value throws(DiagnosticError) in try storedTensor(of: value, for: op) }
    let target = try newTensor(for: op.result)
    var offset = 0
    for source in sources {
      let shape = graph.tensors[source].shape
      let format = graph.tensors[source].format
      var step = MapStep(
        dims: shape.enumerated().map { .init("d\($0.offset)", $0.element) },
        inputs: [.init(.tensor(source), OperandMap(shape.indices.map { .along($0) }))],
        stages: [.init(.move(format, to: graph.tensors[target].format), [.input(0)])], output: target,
        outputMap: OperandMap(shape.indices.map { $0 == axis ? .init([.init($0)], offset: offset) : .along($0) }))
      step.permute(to: graph.tensors[target].order)
      add(.map(step), kind: "concat", covering: [op.id])
      offset += shape[axis]
    }
    tensors[op.result] = target
  }

  mutating func lowerSlice(_ op: OpView) throws(DiagnosticError) {
    let starts = try op.integers("starts")
    let steps = try op.integers("steps")
    let y = try op.resultTensor()
    try lowerMove(
      op, kind: "slice",
      OperandMap(y.shape.indices.map { .init([.init($0, steps[$0])], offset: starts[$0]) }),
      untiled: Set(steps.indices.filter { steps[$0] < 0 }))
  }

  mutating func lowerPad(_ op: OpView) throws(DiagnosticError) {
    let low = try op.integers("low")
    let y = try op.resultTensor()
    guard try op.string("mode", default: "constant") == "constant" else {
      throw unsupported(op, "only constant padding is done on the chip")
    }
    let x = try op.operandTensor(0)
    guard x.shape.indices.count(where: { low[$0] != 0 || x.shape[$0] != y.shape[$0] }) <= AddressGenerator.maximumBounds
    else { throw unsupported(op, "padding along more than three dims") }
    let value = try op.number("value", default: 0)
    let isFloat = y.element == .f32
    try lowerMove(
      op, kind: "pad", OperandMap(y.shape.indices.map { .init([.init($0)], offset: -low[$0]) }),
      padValue: isFloat ? Int(Int32(bitPattern: Float(value).bitPattern)) : Int(value))
  }

  private mutating func lowerMove(
    _ op: OpView, kind: String, _ map: OperandMap, padValue: Int = 0, untiled: Set<Int> = []
  ) throws(DiagnosticError) {
    let y = try op.resultTensor()
    let source = try storedTensor(of: op.operands[0], for: op)
    let format = graph.tensors[source].format
    let target = try newTensor(for: op.result, storedAs: format)
    addMap(
      op, kind: kind, shape: y.shape, inputs: [.init(.tensor(source), map, padValue: padValue)],
      stages: [.init(.move(format, to: graph.tensors[target].format), [.input(0)])], untiled: untiled, output: target)
  }
}

extension StepGraph.Tensor {
  /// Whether memory order is logical order, dims of one element aside.
  var isRowMajor: Bool {
    let real = order.filter { shape[$0] != 1 }
    return real == real.sorted()
  }

  /// The order of dims that another shape has over the same bytes, when the shapes differ in dims of one element alone; else nil.
  func order(withoutOnesAs other: [Int]) -> [Int]? {
    let mine = shape.indices.filter { shape[$0] != 1 }
    let theirs = other.indices.filter { other[$0] != 1 }
    guard mine.map({ shape[$0] }) == theirs.map({ other[$0] }) else { return nil }
    var place: [Int: Int] = [:]
    for (own, its) in zip(mine, theirs) { place[own] = its }
    return other.indices.filter { other[$0] == 1 } + order.compactMap { place[$0] }
  }
}

extension [ValueID] {
  fileprivate func mapTensors(
    _ transform: (ValueID) throws(DiagnosticError) -> Int
  ) throws(DiagnosticError) -> [Int] {
    var result: [Int] = []
    for value in self { result.append(try transform(value)) }
    return result
  }
}
