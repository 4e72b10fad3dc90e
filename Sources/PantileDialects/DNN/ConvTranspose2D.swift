import PantileIR
import PantileSupport
import PantileTensor
import PantileText

extension DNN {
  /// `dnn.conv_transpose2d`: transposed 2-D convolution.
  public static let convTranspose2d = GraphOp(
    OpDefinition(
      "dnn.conv_transpose2d", summary: "transposed 2-D convolution with groups",
      documentation: """
        `x: [N, C, H, W], w: [C, M/groups, R, S][, bias: [M]] -> [N, M, P, Q]`

        Input `(h, w)` adds `x·w` to output `(h·stride + r·dilation - pad, …)`. Each output starts at the bias and takes its
        products for `(c, h, w, r, s)` ascending. `P = (H - 1)·stride + dilation·(R - 1) + 1 - pads + output_pads`.
        """,
      operands: [
        OperandDefinition("x", .float), OperandDefinition("w", .float),
        OperandDefinition("bias", .float, arity: .optional),
      ],
      results: [ResultDefinition("y", .float)],
      attributes: [
        .strides, .pads, .dilations, AttributeDefinition("groups", .integer, default: 1),
        AttributeDefinition(
          "output_pads", .integers(count: 2), default: .integers([0, 0]), summary: "extra rows and columns at the end"),
      ], traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let x = try op.image(0)
        let w = try op.image(1)
        try op.requireSameElement(x, w, "x and w")
        let groups = try op.bounded("groups", in: 1...1 << 20)
        guard x.shape[1] % groups == 0, x.shape[1] == w.shape[0] else {
          throw op.error(
            "channel-count", "\(x.shape[1]) channels in \(groups) groups do not fit filters of shape \(w.shape)")
        }
        try op.require(2, "bias", shape: [w.shape[1] * groups], element: x.element)
        let strides = try op.bounded("strides", 1...1 << 20, count: 2)
        let pads = try op.bounded("pads", 0...1 << 20, count: 4)
        let dilations = try op.bounded("dilations", 1...1 << 20, count: 2)
        let extra = try op.bounded("output_pads", 0...1 << 20, count: 2)
        var extents: [Int] = []
        for d in 0..<2 {
          guard (1...1 << 20).contains(x.shape[2 + d]), (1...1 << 20).contains(w.shape[2 + d]) else {
            throw op.error("window-size", "image and kernel must be from 1 to 1048576 in each direction")
          }
          let extent =
            (x.shape[2 + d] - 1) * strides[d] + dilations[d] * (w.shape[2 + d] - 1) + 1 - pads[d] - pads[d + 2]
            + extra[d]
          guard extent >= 1 else { throw op.error("window-size", "padding leaves no output in dimension \(d)") }
          extents.append(extent)
        }
        return try op.result([x.shape[0], w.shape[1] * groups] + extents, x.element)
      },
      example: DNN.example(
        "%x: tensor<1x8x4x4xf32>, %w: tensor<8x4x2x2xf32>", "tensor<1x4x8x8xf32>",
        "%y = dnn.conv_transpose2d %x, %w {strides = [2, 2]} : "
          + "(tensor<1x8x4x4xf32>, tensor<8x4x2x2xf32>) -> tensor<1x4x8x8xf32>")),
    kernel: { call throws(DiagnosticError) in
      let w = call.inputs[1]
      return [
        Reference.convTranspose2d(
          call.inputs[0], w, bias: call.optionalInput(2), window: try call.window(kernel: [w.shape[2], w.shape[3]]),
          groups: try call.integer("groups"), outputExtents: Array(call.resultTypes[0].shape.suffix(2)))
      ]
    })
}
