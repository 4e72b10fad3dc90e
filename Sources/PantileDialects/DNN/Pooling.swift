import PantileIR
import PantileProblem
import PantileSupport
import PantileTensor
import PantileText

extension DNN {
  /// `dnn.max_pool2d`.
  public static let maxPool2d = GraphOp(
    OpDefinition(
      "dnn.max_pool2d", summary: "maximum over windows",
      documentation: """
        `x: [N, C, H, W] -> [N, C, P, Q]`. Positions outside the image do not take part; a window that is all outside gives
        the least value of the type (for `i8`: -128). `ceil_mode` rounds extents up (ONNX).
        """,
      operands: [OperandDefinition("x", .number)], results: [ResultDefinition("y", .number)],
      attributes: poolAttributes, traits: [.pure], inferResultTypes: poolInference,
      example: poolExample("max_pool2d")),
    kernel: { call throws(DiagnosticError) in
      [
        Reference.maxPool2d(
          call.inputs[0], window: try call.window(kernel: try call.integers("kernel")),
          outputExtents: Array(call.resultTypes[0].shape.suffix(2)))
      ]
    },
    work: { op throws(DiagnosticError) in try op.poolWork(kernel: try op.integers("kernel")) })

  /// `dnn.avg_pool2d`.
  public static let avgPool2d = GraphOp(
    OpDefinition(
      "dnn.avg_pool2d", summary: "mean over windows",
      documentation: """
        `x: [N, C, H, W] -> [N, C, P, Q]`, summed in `f32` (`f64` in `f64`) with `(r, s)` ascending, then divided by the
        number of positions inside the image, or, with `count_include_pad`, inside the padded image.
        """,
      operands: [OperandDefinition("x", .float)], results: [ResultDefinition("y", .float)],
      attributes: poolAttributes + [
        AttributeDefinition("count_include_pad", .flag, default: false, summary: "padding counts in the divisor")
      ], traits: [.pure], inferResultTypes: poolInference, example: poolExample("avg_pool2d")),
    kernel: { call throws(DiagnosticError) in
      [
        Reference.averagePool2d(
          call.inputs[0], window: try call.window(kernel: try call.integers("kernel")),
          outputExtents: Array(call.resultTypes[0].shape.suffix(2)), countsPadding: try call.flag("count_include_pad"))
      ]
    },
    work: { op throws(DiagnosticError) in try op.poolWork(kernel: try op.integers("kernel")) })

  /// `dnn.global_avg_pool`.
  public static let globalAvgPool = globalPool(
    "global_avg_pool", "mean over each channel", .float,
    kernel: { call throws(DiagnosticError) in
      let x = call.inputs[0]
      return [Reference.reduce(.mean, x, axes: Array(2..<x.shape.count), keepsDimensions: true)]
    })

  /// `dnn.global_max_pool`.
  public static let globalMaxPool = globalPool(
    "global_max_pool", "maximum over each channel", .number,
    kernel: { call throws(DiagnosticError) in
      let x = call.inputs[0]
      return [Reference.reduce(.max, x, axes: Array(2..<x.shape.count), keepsDimensions: true)]
    })

  private static let poolAttributes: [AttributeDefinition] = [
    AttributeDefinition("kernel", .integers(count: 2), summary: "rows and columns of the window"), .strides, .pads,
    .dilations, AttributeDefinition("ceil_mode", .flag, default: false, summary: "round extents up"),
  ]

  @Sendable private static func poolInference(_ op: OpSignature) throws(DiagnosticError) -> [TypeSyntax] {
    let x = try op.image(0)
    let extents = try op.windowExtents(
      input: [x.shape[2], x.shape[3]], kernel: try op.integers("kernel"), roundsUp: try op.flag("ceil_mode"))
    return try op.result(Array(x.shape.prefix(2)) + extents, x.element)
  }

  private static func poolExample(_ name: String) -> String {
    example(
      "%x: tensor<1x8x9x9xf32>", "tensor<1x8x5x5xf32>",
      "%y = dnn.\(name) %x {kernel = [3, 3], strides = [2, 2], pads = [1, 1, 1, 1]} : "
        + "(tensor<1x8x9x9xf32>) -> tensor<1x8x5x5xf32>")
  }

  private static func globalPool(
    _ name: String, _ formula: String, _ type: TypeConstraint, kernel: @escaping ReferenceKernel
  ) -> GraphOp {
    GraphOp(
      OpDefinition(
        "dnn.\(name)", summary: formula,
        documentation: "`x: [N, C, ...] -> [N, C, 1, ...]`, in index order.",
        operands: [OperandDefinition("x", type)], results: [ResultDefinition("y", type)], traits: [.pure],
        inferResultTypes: { op throws(DiagnosticError) in
          let x = try op.tensor(0)
          guard x.rank >= 3 else { throw op.error("rank", "x must have rank 3 or more but has \(x.rank)") }
          return try op.result(
            Array(x.shape.prefix(2)) + Array(repeating: 1, count: x.rank - 2), x.element)
        },
        example: DNN.example(
          "%x: tensor<1x8x4x4xf32>", "tensor<1x8x1x1xf32>",
          "%y = dnn.\(name) %x : (tensor<1x8x4x4xf32>) -> tensor<1x8x1x1xf32>")),
      kernel: kernel,
      work: { op throws(DiagnosticError) in
        let x = try op.operandTensor(0)
        if x.rank == 4 { return try op.poolWork(kernel: [x.shape[2], x.shape[3]]) }
        return try op.reductionWork(axes: Array(2..<x.rank))
      })
  }
}
