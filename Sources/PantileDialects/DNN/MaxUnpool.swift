import PantileIR
import PantileProblem
import PantileSupport
import PantileTensor
import PantileText

// The two halves of a maximum's gradient: which tap of a window won, and the way back to it.
extension DNN {
  /// `dnn.max_pool2d_tap`.
  public static let maxPool2dTap = GraphOp(
    OpDefinition(
      "dnn.max_pool2d_tap", summary: "which tap of each window is the maximum",
      documentation: """
        `x: [N, C, H, W] -> [N, C, P, Q]`: `r·S + s` of the largest element of the window, of equal ones the first; a NaN wins
        over numbers. `ui8` for windows of up to 256 taps, else `i32`. A window that is all outside gives 0. Training saves this
        instead of the image.
        """,
      operands: [OperandDefinition("x", .float)], results: [ResultDefinition("tap", .tensor(of: [.ui8, .i32]))],
      attributes: [
        AttributeDefinition("kernel", .integers(count: 2), summary: "rows and columns of the window"), .strides, .pads,
        .dilations, AttributeDefinition("ceil_mode", .flag, default: false, summary: "round extents up"),
      ], traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let x = try op.image(0)
        let kernel = try op.bounded("kernel", 1...1 << 15, count: 2)
        let extents = try op.windowExtents(
          input: [x.shape[2], x.shape[3]], kernel: kernel, roundsUp: try op.flag("ceil_mode"))
        return try op.result(Array(x.shape.prefix(2)) + extents, tapType(kernel))
      },
      example: DNN.example(
        "%x: tensor<1x8x9x9xf32>", "tensor<1x8x5x5xui8>",
        "%y = dnn.max_pool2d_tap %x {kernel = [3, 3], strides = [2, 2], pads = [1, 1, 1, 1]} : "
          + "(tensor<1x8x9x9xf32>) -> tensor<1x8x5x5xui8>")),
    kernel: { call throws(DiagnosticError) in
      [
        Reference.maxPool2dTap(
          call.inputs[0], window: try call.window(kernel: try call.integers("kernel")),
          outputExtents: Array(call.resultTypes[0].shape.suffix(2)), elementType: try call.resultElement())
      ]
    },
    work: { op throws(DiagnosticError) in try op.poolWork(kernel: try op.integers("kernel")) })

  /// `dnn.max_unpool2d`.
  public static let maxUnpool2d = GraphOp(
    OpDefinition(
      "dnn.max_unpool2d", summary: "adds each value to the tap of its window that won",
      documentation: """
        `x: [N, C, P, Q], tap: [N, C, P, Q] -> [N, C, H, W]` with `extents = [H, W]`: the gradient of a maximum pooling whose
        taps `dnn.max_pool2d_tap` gave. Zeros elsewhere; where windows overlap, values are added in index order. A tap outside of
        the image drops its value.
        """,
      operands: [
        OperandDefinition("x", .float), OperandDefinition("tap", .tensor(of: [.ui8, .i32]), summary: "r·S + s"),
      ], results: [ResultDefinition("y", .float)],
      attributes: [
        AttributeDefinition("kernel", .integers(count: 2), summary: "rows and columns of the window"), .strides, .pads,
        .dilations, AttributeDefinition("extents", .integers(count: 2), summary: "rows and columns of the result"),
      ], traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let x = try op.image(0)
        let kernel = try op.bounded("kernel", 1...1 << 15, count: 2)
        try op.require(1, "tap", shape: x.shape, element: tapType(kernel))
        _ = try op.bounded("strides", 1...1 << 20, count: 2)
        _ = try op.bounded("pads", 0...1 << 20, count: 4)
        _ = try op.bounded("dilations", 1...1 << 20, count: 2)
        return try op.result(
          Array(x.shape.prefix(2)) + (try op.bounded("extents", 1...1 << 20, count: 2)), x.element)
      },
      example: DNN.example(
        "%x: tensor<1x8x5x5xf32>, %t: tensor<1x8x5x5xui8>", "tensor<1x8x9x9xf32>",
        "%y = dnn.max_unpool2d %x, %t {kernel = [3, 3], strides = [2, 2], pads = [1, 1, 1, 1], extents = [9, 9]} : "
          + "(tensor<1x8x5x5xf32>, tensor<1x8x5x5xui8>) -> tensor<1x8x9x9xf32>")),
    kernel: { call throws(DiagnosticError) in
      let window = try call.window(kernel: try call.integers("kernel"))
      let taps = call.inputs[1]
      if let wrong = taps.integers.first(where: { !(0..<window.kernel[0] * window.kernel[1]).contains($0) }) {
        throw DiagnosticError(
          "index-range", "'\(call.name)': tap \(wrong) is outside of a window of \(window.kernel)", at: call.location)
      }
      return [Reference.maxUnpool2d(call.inputs[0], taps, window: window, extents: try call.integers("extents"))]
    })

  private static func tapType(_ kernel: [Int]) -> TypeSyntax { kernel[0] * kernel[1] <= 256 ? .ui8 : .i32 }
}
