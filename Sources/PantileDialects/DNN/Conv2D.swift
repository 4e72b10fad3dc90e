import PantileIR
import PantileProblem
import PantileSupport
import PantileTensor
import PantileText

extension DNN {
  /// `dnn.conv2d`: 2-D convolution.
  public static let conv2d = GraphOp(
    OpDefinition(
      "dnn.conv2d", summary: "2-D convolution with groups",
      documentation: """
        `x: [N, C, H, W], w: [M, C/groups, R, S][, bias: [M]] -> [N, M, P, Q]`

        Floats: each output starts at 0, takes `x·w` for `(c, r, s)` ascending, then the bias.
        Integers (`i8` by `i8` or `i4`, bias and result `i32`): `Σ (x - input_zero_point)·w + bias`, wrapping at 32 bits;
        padding contributes 0, that is, it stands for the zero point. `groups = C` is a depthwise convolution.
        """,
      operands: [
        OperandDefinition("x", .contractible, summary: "image"),
        OperandDefinition("w", .contractible, summary: "filters"),
        OperandDefinition("bias", .accumulable, arity: .optional, summary: "one value per output channel"),
      ],
      results: [ResultDefinition("y", .accumulable)],
      attributes: [
        .strides, .pads, .dilations,
        AttributeDefinition("groups", .integer, default: 1, summary: "channels are split into this many groups"),
        .inputZeroPoint,
      ], traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let x = try op.image(0)
        let w = try op.image(1)
        let groups = try op.bounded("groups", in: 1...1 << 20)
        guard x.shape[1] % groups == 0, w.shape[0] % groups == 0, w.shape[1] == x.shape[1] / groups, w.shape[0] > 0
        else {
          throw op.error(
            "channel-count", "\(x.shape[1]) channels in \(groups) groups do not fit filters of shape \(w.shape)")
        }
        let element = try op.contractionElement(x, w)
        try op.require(2, "bias", shape: [w.shape[0]], element: element)
        try op.checkInputZeroPoint(x)
        let extents = try op.windowExtents(input: [x.shape[2], x.shape[3]], kernel: [w.shape[2], w.shape[3]])
        return try op.result([x.shape[0], w.shape[0]] + extents, element)
      },
      example: DNN.example(
        "%x: tensor<1x3x8x8xf32>, %w: tensor<16x3x3x3xf32>, %b: tensor<16xf32>", "tensor<1x16x4x4xf32>",
        "%y = dnn.conv2d %x, %w, %b {strides = [2, 2], pads = [1, 1, 1, 1]} : "
          + "(tensor<1x3x8x8xf32>, tensor<16x3x3x3xf32>, tensor<16xf32>) -> tensor<1x16x4x4xf32>")),
    kernel: { call throws(DiagnosticError) in
      let w = call.inputs[1]
      return [
        Reference.conv2d(
          call.inputs[0], w, bias: call.optionalInput(2), window: try call.window(kernel: [w.shape[2], w.shape[3]]),
          groups: try call.integer("groups"), inputZeroPoint: try call.integer("input_zero_point"))
      ]
    },
    work: convolutionWork)

  /// Dimensions `n g m p q c r s`; of one group the group dimension is left out, so a depthwise convolution keeps its
  /// channel in all three access maps.
  @Sendable private static func convolutionWork(_ op: OpView) throws(DiagnosticError) -> Work? {
    let x = try op.operandTensor(0)
    let w = try op.operandTensor(1)
    let y = try op.resultTensor()
    guard x.count > 0, w.count > 0, y.count > 0 else { return nil }
    let groups = try op.integer("groups")
    let strides = try op.integers("strides")
    let pads = try op.integers("pads")
    let dilations = try op.integers("dilations")
    var dims: [Work.Dim] = [
      .init("n", extent: y.shape[0], role: .row), .init("p", extent: y.shape[2], role: .row),
      .init("q", extent: y.shape[3], role: .row), .init("m", extent: w.shape[0] / groups, role: .column),
      .init("r", extent: w.shape[2], role: .reduced), .init("s", extent: w.shape[3], role: .reduced),
      .init("c", extent: w.shape[1], role: .reduced),
    ]
    if groups > 1 { dims.append(.init("g", extent: groups, role: .batch)) }
    /// A channel axis: `group · per group + channel`.
    func channels(_ dim: Int, _ perGroup: Int) -> AccessMap.Axis {
      groups == 1
        ? .init(dim: dim, extent: perGroup)
        : .init([.init(dim: 7, coefficient: perGroup), .init(dim: dim)], extent: perGroup * groups)
    }
    let rows = AccessMap.Axis(
      [.init(dim: 1, coefficient: strides[0]), .init(dim: 4, coefficient: dilations[0])], offset: -pads[0],
      extent: x.shape[2])
    let columns = AccessMap.Axis(
      [.init(dim: 2, coefficient: strides[1]), .init(dim: 5, coefficient: dilations[1])], offset: -pads[1],
      extent: x.shape[3])
    var operands = [
      try op.workOperand(
        "x", .read, [.init(dim: 0, extent: x.shape[0]), rows, columns, channels(6, w.shape[1])], x.element),
      try op.workOperand(
        "w", .read,
        [
          .init(dim: 4, extent: w.shape[2]), .init(dim: 5, extent: w.shape[3]), .init(dim: 6, extent: w.shape[1]),
          channels(3, w.shape[0] / groups),
        ], w.element),
    ]
    if op.operands.count > 2 {
      let bias = try op.operandTensor(2)
      operands.append(try op.workOperand("bias", .read, [channels(3, w.shape[0] / groups)], bias.element))
    }
    operands.append(
      try op.workOperand(
        "y", .write,
        [
          .init(dim: 0, extent: y.shape[0]), .init(dim: 1, extent: y.shape[2]), .init(dim: 2, extent: y.shape[3]),
          channels(3, w.shape[0] / groups),
        ], y.element))
    return Work(kind: .contraction, dims: dims, operands: operands)
  }
}
