import PantileIR
import PantileProblem
import PantileSupport
import PantileTensor
import PantileText

// The reductions differ in their function alone, so they are rows of a table; each is an op of its own.
extension DNN {
  /// `dnn.reduce_sum mean max min prod`.
  public static let reductions: [GraphOp] = [
    reduction(
      .sum, "sum over axes",
      """
      Floats: in index order in their own type (`f16`, `bf16` in `f32`). `i8`: `Σ (x - input_zero_point)` as `i32`; wider
      integers keep their type and wrap.
      """),
    reduction(.mean, "mean over axes", "The sum in index order, then one division."),
    reduction(.max, "largest element over axes", "NaN is passed on."),
    reduction(.min, "smallest element over axes", "NaN is passed on."),
    reduction(.prod, "product over axes", "In index order; integers wrap."),
  ]

  private static func reduction(_ function: ReductionFunction, _ formula: String, _ note: String) -> GraphOp {
    let isSum = function == .sum
    return GraphOp(
      OpDefinition(
        "dnn.reduce_\(function.rawValue)", summary: formula, documentation: note,
        operands: [OperandDefinition("x", .number)], results: [ResultDefinition("y", .number)],
        attributes: [
          AttributeDefinition("axes", .integers, summary: "reduced axes, distinct, from 0"),
          AttributeDefinition("keepdims", .flag, default: true, summary: "reduced axes stay with size 1"),
        ] + (isSum ? [.inputZeroPoint] : []), traits: [.pure],
        inferResultTypes: { op throws(DiagnosticError) in
          let x = try op.tensor(0)
          let axes = try op.axes("axes", rank: x.rank)
          let keeps = try op.flag("keepdims")
          if isSum { try op.checkInputZeroPoint(x) }
          let isByte = x.element == .i8 || x.element == .ui8
          return try op.result(
            x.shape.indices.compactMap { axes.contains($0) ? (keeps ? 1 : nil) : x.shape[$0] },
            isSum && isByte ? .i32 : x.element)
        },
        example: DNN.example(
          "%x: tensor<2x3x4xf32>", "tensor<2x4xf32>",
          "%y = dnn.reduce_\(function.rawValue) %x {axes = [1], keepdims = false} : "
            + "(tensor<2x3x4xf32>) -> tensor<2x4xf32>")),
      kernel: { call throws(DiagnosticError) in
        [
          Reference.reduce(
            function, call.inputs[0], axes: try call.integers("axes"), keepsDimensions: try call.flag("keepdims"),
            inputZeroPoint: isSum ? try call.integer("input_zero_point") : 0, widens: isSum)
        ]
      },
      work: { op throws(DiagnosticError) in
        // The nest writes kept axes only; reduced axes of size 1 add nothing.
        try op.reductionWork(axes: try op.integers("axes"))
      })
  }

  /// `dnn.argmax`.
  public static let argmax = argument("argmax", "index of the largest element along an axis", isMaximum: true)
  /// `dnn.argmin`.
  public static let argmin = argument("argmin", "index of the smallest element along an axis", isMaximum: false)

  private static func argument(_ name: String, _ formula: String, isMaximum: Bool) -> GraphOp {
    GraphOp(
      OpDefinition(
        "dnn.\(name)", summary: formula, documentation: "The result is `i64`; ties go to the first, or to the last.",
        operands: [OperandDefinition("x", .number)],
        results: [ResultDefinition("y", .tensor(of: [.i64]))],
        attributes: [
          AttributeDefinition("axis", .integer), AttributeDefinition("keepdims", .flag, default: true),
          AttributeDefinition("select_last", .flag, default: false, summary: "of equal elements the last"),
        ], traits: [.pure],
        inferResultTypes: { op throws(DiagnosticError) in
          let x = try op.tensor(0)
          let axis = try op.axis(rank: x.rank)
          guard x.shape[axis] > 0 else { throw op.error("window-size", "axis \(axis) is empty") }
          var shape = x.shape
          if try op.flag("keepdims") { shape[axis] = 1 } else { shape.remove(at: axis) }
          return try op.result(shape, .i64)
        },
        example: DNN.example(
          "%x: tensor<2x10xf32>", "tensor<2x1xi64>",
          "%y = dnn.\(name) %x {axis = 1} : (tensor<2x10xf32>) -> tensor<2x1xi64>")),
      kernel: { call throws(DiagnosticError) in
        [
          Reference.argument(
            call.inputs[0], axis: try call.integer("axis"), isMaximum: isMaximum,
            keepsDimensions: try call.flag("keepdims"), selectsLast: try call.flag("select_last"))
        ]
      },
      work: { op throws(DiagnosticError) in try op.reductionWork(axes: [try op.integer("axis")]) })
  }

  /// `dnn.cumsum`.
  public static let cumsum = GraphOp(
    OpDefinition(
      "dnn.cumsum", summary: "running sum along an axis", documentation: "In index order, or from the end.",
      operands: [OperandDefinition("x", .number)], results: [ResultDefinition("y", .number)],
      attributes: [
        AttributeDefinition("axis", .integer),
        AttributeDefinition("exclusive", .flag, default: false, summary: "without the element itself"),
        AttributeDefinition("reverse", .flag, default: false),
      ], traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let x = try op.tensor(0)
        _ = try op.axis(rank: x.rank)
        return try op.result(x.shape, x.element)
      },
      example: DNN.example("%x: tensor<5xf32>", "tensor<5xf32>", "%y = dnn.cumsum %x {axis = 0} : tensor<5xf32>")),
    kernel: { call throws(DiagnosticError) in
      [
        Reference.cumulativeSum(
          call.inputs[0], axis: try call.integer("axis"), isExclusive: try call.flag("exclusive"),
          isReversed: try call.flag("reverse"))
      ]
    },
    work: { op throws(DiagnosticError) in
      try op.reductionWork(axes: [try op.integer("axis")], keepsShape: true)
    })
}
