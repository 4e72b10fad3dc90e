import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor
import PantileText

extension GradientRule {
  static let pools: [GradientRule] = [
    // The tap that won is saved, a byte a window; of equal elements the first wins.
    GradientRule(["max_pool2d"]) { context, op, gradient throws(DiagnosticError) in
      let view = context.module[op.op]
      let x = op.operands[0]
      var attributes: AttributeDictionary = [:]
      for key in ["kernel", "strides", "pads", "dilations"] {
        attributes[key] = .integers(try view.integers(key))
      }
      attributes["ceil_mode"] = .bool(try view.flag("ceil_mode"))
      let taps = try context.keep(x, "tap", "max_pool2d_tap", [x], attributes)
      attributes["ceil_mode"] = nil
      attributes["extents"] = .integers(Array(context.shape(x).suffix(2)))
      try context.accumulate(try context.emit("max_unpool2d", [gradient, taps], attributes), to: x)
    },
    // The whole channel is one window.
    GradientRule(["global_max_pool"], refusal: globalMaxRefusal) { context, op, gradient throws(DiagnosticError) in
      let x = op.operands[0]
      let extents = Array(context.shape(x).suffix(2))
      let taps = try context.keep(x, "tap", "max_pool2d_tap", [x], ["kernel": .integers(extents)])
      try context.accumulate(
        try context.emit(
          "max_unpool2d", [gradient, taps], ["kernel": .integers(extents), "extents": .integers(extents)]), to: x)
    },
    averagePool,
    GradientRule(["global_avg_pool"]) { context, op, gradient throws(DiagnosticError) in
      let x = op.operands[0]
      let extents = context.shape(x)
      let share = try context.mul(gradient, 1 / Double(extents.dropFirst(2).reduce(1, *)))
      try context.accumulate(try context.expand(share, extents), to: x)
    },
  ]

  /// A depthwise transposed convolution by ones of the gradient over the number of elements of each window.
  private static let averagePool = GradientRule(["avg_pool2d"]) { context, op, gradient throws(DiagnosticError) in
    let view = context.module[op.op]
    let kernel = try view.integers("kernel")
    let x = op.operands[0]
    let type = context.type(x)
    let element = try ElementType(type.element, at: view.location)
    let output = context.shape(gradient)
    let extents = Array(type.shape.suffix(2))
    let window = Window2D(
      kernel: kernel, strides: try view.integers("strides"), pads: try view.integers("pads"),
      dilations: try view.integers("dilations"))
    let isPaddingCounted = try view.flag("count_include_pad")
    let shares = windowShares(window, input: extents, output: Array(output.suffix(2)), isPaddingCounted)
    let scaled = try context.mul(
      gradient,
      try context.constant(
        HostTensor(shape: [1, 1, output[2], output[3]], values: shares).converted(to: element), name: "window_share"))
    let ones = HostTensor(
      shape: [output[1], 1, kernel[0], kernel[1]],
      values: [Double](repeating: 1, count: output[1] * kernel[0] * kernel[1])
    ).converted(to: element)
    var own = try ConvolutionWindow(pool: view)
    own.groups = output[1]
    try context.accumulate(
      try context.transposedConvolution(scaled, try context.constant(ones, name: "ones"), own, x: extents), to: x)
  }

  /// One over the elements that a window counts, for each position; 0 for a window that lies outside.
  private static func windowShares(
    _ window: Window2D, input: [Int], output: [Int], _ isPaddingCounted: Bool
  ) -> [Double] {
    /// Counted taps along a dimension.
    func counted(_ position: Int, _ d: Int) -> Int {
      (0..<window.kernel[d]).count { tap in
        let place = position * window.strides[d] - window.pads[d] + tap * window.dilations[d]
        return isPaddingCounted ? place < input[d] + window.pads[d + 2] : place >= 0 && place < input[d]
      }
    }
    var shares: [Double] = []
    for row in 0..<output[0] {
      for column in 0..<output[1] {
        let count = counted(row, 0) * counted(column, 1)
        shares.append(count == 0 ? 0 : 1 / Double(count))
      }
    }
    return shares
  }

  @Sendable private static func globalMaxRefusal(_ op: OpView) throws(DiagnosticError) -> String? {
    let rank = try op.operandTensor(0).rank
    return rank == 4 ? nil : "its input has rank \(rank), the rule knows rank 4"
  }
}

extension ConvolutionWindow {
  /// The window of a pool, which has no groups.
  fileprivate init(pool op: OpView) throws(DiagnosticError) {
    strides = try op.integers("strides")
    pads = try op.integers("pads")
    dilations = try op.integers("dilations")
    groups = 1
  }
}
