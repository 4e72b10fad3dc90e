import PantileDialects
import PantileEngines
import PantileIR
import PantileProgram
import PantileSupport
import PantileTensor
import PantileText

// What training steps have beside the ops of inference: rounding, logarithms of probabilities, the two halves of a maximum's gradient.
extension StepLowering {
  /// Nothing for a widened 16-bit float, which stays stored as it is; else one kernel that stores in the other format.
  mutating func lowerCast(_ op: OpView) throws(DiagnosticError) {
    let (from, to) = (try op.operandTensor(0).element, try op.resultTensor().element)
    guard let target = Kernel.Format(to), Kernel.Format(from) != nil else {
      throw unsupported(op, "\(from) to \(to) cannot be converted on the chip")
    }
    let source = try storedTensor(of: op.operands[0], for: op)
    let stored = graph.tensors[source].format
    if stored.isFloat, target.isFloat, stored == target || stored.bits < target.bits {
      covered.insert(op.id)
      tensors[op.result] = source
      return
    }
    guard stored.isFloat == target.isFloat || target.isFloat, to != .i1 else {
      throw unsupported(op, "\(from) to \(to) cannot be converted on the chip")
    }
    try lowerElementwise(op, stored.isFloat == target.isFloat ? [] : [.init(.toF32, 0, 0)])
  }

  /// Maximum, logarithm of the sum of exponentials, difference: three kernels over the same tile, in the reference's order.
  mutating func lowerLogSoftmax(_ op: OpView) throws(DiagnosticError) {
    let x = try op.operandTensor(0)
    let axis = try op.integer("axis")
    guard x.element == .f32 else { throw unsupported(op, "log_softmax of \(x.element)") }
    let others = x.shape.indices.filter { $0 != axis }
    let stages: [MapStep.Stage] = [
      .init(
        Kernel(
          name: "log_softmax_max", inputs: [.init(.f32, .point, register: 0)], reduced: 0, reduction: .maxF32,
          output: 0, outputFormat: .f32), [.input(0)], reduced: [axis], target: 0),
      .init(
        Kernel(
          name: "log_softmax_sum",
          inputs: [
            .init(.f32, .point, register: 0), .init(.f32, .point, register: 1), .init(.f32, .result, register: 2),
          ], prologue: [.init(.subF32, 0, 0, 1), .init(.expF32, 0, 0)], reduced: 0, reduction: .addF32,
          epilogue: [.init(.logF32, 0, 0), .init(.addF32, 0, 2, 0)], output: 0, outputFormat: .f32),
        [.input(0), .temporary(0), .temporary(0)], reduced: [axis], target: 1),
      .init(
        Kernel(
          name: "log_softmax_shift",
          inputs: [.init(.f32, .result, register: 0), .init(.f32, .result, register: 1)],
          epilogue: [.init(.subF32, 0, 0, 1)], output: 0, outputFormat: .f32), [.input(0), .temporary(1)]),
    ]
    addMap(
      op, kind: "log_softmax", shape: x.shape,
      inputs: [
        .init(.tensor(try tensor(of: op.operands[0], for: op)), OperandMap(x.shape.indices.map { .along($0) }))
      ], temporaries: [.init(dims: others, format: .f32), .init(dims: others, format: .f32)], stages: stages,
      untiled: [axis], output: try newTensor(for: op.result))
  }

  /// The maximum of each window, then the least number of a tap that equals it, or that is NaN: a NaN makes the maximum one.
  mutating func lowerPoolTap(_ op: OpView) throws(DiagnosticError) {
    let (x, y) = (try op.operandTensor(0), try op.resultTensor())
    guard Kernel.Format(x.element)?.isFloat == true, let format = Kernel.Format(y.element) else {
      throw unsupported(op, "taps of \(x.element)")
    }
    let kernel = try op.integers("kernel")
    let (strides, pads, dilations) = (
      try op.integers("strides"), try op.integers("pads"), try op.integers("dilations")
    )
    let count = kernel[0] * kernel[1]
    let map = OperandMap([
      .along(0), .along(1), .init([.init(2, strides[0]), .init(4, dilations[0])], offset: -pads[0]),
      .init([.init(3, strides[1]), .init(5, dilations[1])], offset: -pads[1]),
    ])
    let source = try storedTensor(of: op.operands[0], for: op)
    let stored = graph.tensors[source].format
    let least = Int(Int32(bitPattern: (-Float.infinity).bitPattern))
    let largest = Kernel(
      name: "tap_max_\(stored.rawValue)", inputs: [.init(stored, .point, register: 0)], reduced: 0, reduction: .maxF32,
      output: 0, outputFormat: .f32)
    let tap = Kernel(
      name: "tap_\(stored.rawValue)",
      inputs: [
        .init(stored, .point, register: 0), .init(.f32, .point, register: 1), .init(.i32, .point, register: 2),
      ],
      // The number behind the last tap: whatever the tap is, held between the count and the count.
      prologue: [
        .init(.equalF32, 3, 0, 1), .init(.equalF32, 6, 0, 0), .init(.lessOrEqualI32, 3, 6, 3),
        .init(.clampI32, 4, 2, 0, [count, count]), .init(.select, 5, 3, 2, [4]),
      ], reduced: 5, reduction: .minI32, output: 5, outputFormat: format)
    addMap(
      op, kind: "max_pool2d_tap", shape: y.shape,
      inputs: [
        .init(.tensor(source), map, padValue: least), .init(.constant(0), OperandMap([.along(4), .along(5)])),
      ], constants: [constantTensor("taps", kernel, .i32, bytes((0..<Int32(count)).map { $0 }))],
      temporaries: [.init(dims: [0, 1, 2, 3], format: .f32)],
      stages: [
        .init(largest, [.input(0)], reduced: [4, 5], target: 0),
        .init(tap, [.input(0), .temporary(0), .input(1)], reduced: [4, 5]),
      ], extra: [.init("r", kernel[0], mayTile: false), .init("s", kernel[1], mayTile: false)],
      output: try newTensor(for: op.result))
  }

  /// Gradients go to the taps that won: each element of the image asks the windows that cover it.
  ///
  /// Element `s·a + f` (f < s) is tap `f + s·i` of window `a - i`. One step for each i, rows and columns, which adds to what the steps
  /// before it left: window by window in ascending order, as the reference does.
  mutating func lowerUnpool(_ op: OpView) throws(DiagnosticError) {
    let (x, y) = (try op.operandTensor(0), try op.resultTensor())
    guard Kernel.Format(x.element)?.isFloat == true else { throw unsupported(op, "gradients of \(x.element)") }
    let (kernel, strides) = (try op.integers("kernel"), try op.integers("strides"))
    let (pads, dilations) = (try op.integers("pads"), try op.integers("dilations"))
    guard dilations == [1, 1] else { throw unsupported(op, "windows with dilation \(dilations)") }
    let values = try storedTensor(of: op.operands[0], for: op)
    let taps = try storedTensor(of: op.operands[1], for: op)
    let image = StridedImage(shape: y.shape, strides: strides, pads: pads)
    let shifts = image.strided(kernel)
    let blocks = image.blocks
    let target = try newTensor(for: op.result)
    let format = graph.tensors[target].format
    let name = module.name(of: op.result) ?? "unpool"
    var sum: Int?
    for (number, shift) in (0..<shifts[0] * shifts[1]).reversed().enumerated() {
      let (i, j) = (shift / shifts[1], shift % shifts[1])
      let isLast = number == shifts[0] * shifts[1] - 1
      // Windows in ascending order are shifts in descending order. Sums stay wide until the last one.
      let output: Int
      if isLast, image.isWhole {
        output = target
      } else {
        output = graph.addTensor(
          "\(name).\(number)", shape: image.padded, order: graph.tensors[target].order,
          format: isLast ? format : .f32)
      }
      // Nest: n, c, block row, row in block, block column, column in block.
      let place = OperandMap([
        .along(0), .along(1), .init([.init(2, strides[0]), .init(3)]), .init([.init(4, strides[1]), .init(5)]),
      ])
      let window = OperandMap([.along(0), .along(1), .init([.init(2)], offset: -i), .init([.init(4)], offset: -j)])
      var numbers: [Int32] = []
      for f in 0..<strides[0] {
        for g in 0..<strides[1] {
          let (r, s) = (f + strides[0] * i, g + strides[1] * j)
          // No tap has the number -1.
          numbers.append(r < kernel[0] && s < kernel[1] ? Int32(r * kernel[1] + s) : -1)
        }
      }
      var inputs: [MapStep.Input] = [
        .init(.tensor(values), window), .init(.tensor(taps), window, padValue: -2),
        .init(.constant(0), OperandMap([.along(3), .along(5)])),
      ]
      var kernelInputs: [Kernel.Input] = [
        .init(graph.tensors[values].format, .result, register: 0),
        .init(graph.tensors[taps].format, .result, register: 1), .init(.i32, .result, register: 2),
      ]
      // Zero: whatever the tap is, held between the bits of +0.
      var body: [Kernel.Instruction] = [
        .init(.equalI32, 3, 1, 2), .init(.clampI32, 4, 1, 0, [0, 0]), .init(.select, 0, 3, 0, [4]),
      ]
      if let sum {
        inputs.append(.init(.tensor(sum), place))
        kernelInputs.append(.init(graph.tensors[sum].format, .result, register: 5))
        body.append(.init(.addF32, 0, 5, 0))
      } else {
        body.append(.init(.addF32, 0, 4, 0))
      }
      let outputFormat = graph.tensors[output].format
      var step = MapStep(
        dims: [
          .init("n", x.shape[0]), .init("c", x.shape[1]), .init("a", blocks[0]),
          .init("f", strides[0], mayTile: false), .init("b", blocks[1]), .init("g", strides[1], mayTile: false),
        ], inputs: inputs,
        constants: [constantTensor("taps", [strides[0], strides[1]], .i32, bytes(numbers))],
        stages: [
          .init(
            Kernel(
              name: "unpool\(sum == nil ? "" : "_add")_\(outputFormat.rawValue)", inputs: kernelInputs, epilogue: body,
              output: 0, outputFormat: outputFormat), inputs.indices.map { .input($0) })
        ], output: output, outputMap: place)
      if graph.tensors[output].order == [0, 2, 3, 1] { step.permute(to: [0, 2, 3, 4, 5, 1]) }
      add(.map(step), kind: "max_unpool2d", covering: [op.id])
      sum = output
    }
    if let sum, !image.isWhole { addCut(op, image, from: sum, to: target) }
    tensors[op.result] = target
  }

  /// The part of a padded image that a result is.
  mutating func addCut(_ op: OpView, _ image: StridedImage, from source: Int, to target: Int) {
    addCopy(
      name: "\(graph.tensors[target].name).cut", kind: "slice", location: op.location, from: source, to: target,
      shape: image.shape,
      inputMap: OperandMap([
        .along(0), .along(1), .init([.init(2)], offset: image.pads[0]), .init([.init(3)], offset: image.pads[1]),
      ]), outputMap: OperandMap(image.shape.indices.map { .along($0) }))
  }
}

/// An image as the windows of a stride see it: padded at its top and left, and to whole strides at its end.
struct StridedImage {
  /// [N, C, H, W].
  var shape: [Int]
  /// Rows and columns.
  var strides: [Int]
  /// Top and left come first.
  var pads: [Int]

  /// Strides that cover extents, rows and columns.
  func strided(_ extents: [Int]) -> [Int] { (0..<2).map { (extents[$0] + strides[$0] - 1) / strides[$0] } }
  /// Of the padded image.
  var blocks: [Int] { strided([shape[2] + pads[0], shape[3] + pads[1]]) }
  var padded: [Int] { [shape[0], shape[1], blocks[0] * strides[0], blocks[1] * strides[1]] }
  /// Whether nothing is to be cut off.
  var isWhole: Bool { pads[0] == 0 && pads[1] == 0 && padded == shape }
}
