import PantileIR
import PantileSupport
import PantileText

/// Strides, pads, dilations and groups of a convolution.
struct ConvolutionWindow {
  var strides: [Int]
  var pads: [Int]
  var dilations: [Int]
  var groups: Int

  init(_ op: OpView) throws(DiagnosticError) {
    strides = try op.integers("strides")
    pads = try op.integers("pads")
    dilations = try op.integers("dilations")
    groups = try op.integer("groups")
  }

  /// Trailing pads, perhaps negative, with which a window of `kernel` has exactly `output` positions and covers each fully.
  func exactTail(input: Int, kernel: Int, output: Int, _ dimension: Int) -> Int {
    (output - 1) * strides[dimension] + dilations[dimension] * (kernel - 1) + 1 - input - pads[dimension]
  }
}

extension GradientRule {
  static let convolutions: [GradientRule] = [conv2d, convTranspose2d]

  /// `y = conv(x, w) + bias`. Weight gradient: a convolution of transposed operands with strides and dilations exchanged.
  /// Input gradient: products and their sum over overlapping windows (`conv_transpose2d`), or a full convolution of the
  /// flipped filters over the gradient, whichever takes fewer multiplications.
  ///
  /// **Source** Dumoulin, Visin, "A guide to convolution arithmetic for deep learning", 2016, section 4.
  private static let conv2d = GradientRule(["conv2d"], refusal: integerRefusal) {
    context, op, gradient throws(DiagnosticError) in
    let view = context.module[op.op]
    let window = try ConvolutionWindow(view)
    let (x, w) = (op.operands[0], op.operands[1])
    // The input gradient first: the update that follows the weight gradient overwrites the weights.
    if context.wants(op, 0) {
      let image = try context.convolutionInput(
        try context.operand(gradient), try context.operand(op.backwardWeights ?? w), window, x: context.shape(x))
      try context.accumulate(image, to: x)
    }
    if context.wants(op, 2) {
      try context.accumulate(
        try context.sum(gradient, axes: [0, 2, 3], keepsDimensions: false), to: op.operands[2])
    }
    if context.wants(op, 1) {
      let part = context.parts[w]
      var image = x
      var output = gradient
      var groups = window.groups
      if let part, part.axis == 0 {
        // Depthwise: the updated channels are groups of their own.
        let filters = context.shape(w)[0] / window.groups
        groups = part.count / filters
        image = try context.keptSlice(x, axis: 1, 0..<groups)
        output = try context.slice(gradient, axis: 1, 0..<part.count)
      } else if let part {
        image = try context.keptSlice(x, axis: 1, 0..<part.count)
      }
      var own = window
      own.groups = groups
      let weights = try context.convolutionWeights(
        try context.operand(image), try context.operand(output), own, kernel: Array(context.shape(w).suffix(2)))
      context.count(.weightUpdate, macs: context.convolutionMACs(output: output, weights: weights))
      try context.accumulate(weights, to: w)
    }
  }

  /// The transposed convolution is the input gradient of a convolution, so its gradients are that convolution and its
  /// weight gradient with input and output exchanged.
  private static let convTranspose2d = GradientRule(["conv_transpose2d"]) {
    context, op, gradient throws(DiagnosticError) in
    let window = try ConvolutionWindow(context.module[op.op])
    let (x, w) = (op.operands[0], op.operands[1])
    if context.wants(op, 2) {
      try context.accumulate(
        try context.sum(gradient, axes: [0, 2, 3], keepsDimensions: false), to: op.operands[2])
    }
    guard context.wants(op, 0) || context.wants(op, 1) else { return }
    let output = try context.operand(gradient)
    if context.wants(op, 0) {
      var image = try context.emit(
        "conv2d", [output, try context.operand(op.backwardWeights ?? w)],
        [
          "strides": .integers(window.strides), "pads": .integers(window.pads),
          "dilations": .integers(window.dilations), "groups": .integer(window.groups),
        ])
      let extents = context.shape(x)
      for axis in 2..<4 { image = try context.slice(image, axis: axis, 0..<extents[axis]) }
      context.count(.backward, macs: context.convolutionMACs(output: x, weights: w))
      try context.accumulate(image, to: x)
    }
    if context.wants(op, 1) {
      let weights = try context.convolutionWeights(
        output, try context.operand(x), window, kernel: Array(context.shape(w).suffix(2)))
      context.count(.weightUpdate, macs: context.convolutionMACs(output: x, weights: weights))
      try context.accumulate(weights, to: w)
    }
  }

  @Sendable static func integerRefusal(_ op: OpView) throws(DiagnosticError) -> String? {
    let element = try op.operandTensor(0).element
    if case .float = element { return nil }
    return "its operands are \(element), gradients need floats"
  }
}

extension GradientContext {
  /// Multiplications of a convolution: one of `[channels of a group, R, S]` for each output element.
  func convolutionMACs(output: ValueID, weights: ValueID) -> Int {
    type(output).count * shape(weights).dropFirst().reduce(1, *)
  }

  /// The weight gradient `[M, C/groups, R, S]` of a convolution.
  ///
  /// **Shape** `image: [N, C, H, W], output: [N, M, P, Q]`. Images become channels and channels images: for one group
  /// `[C, N, H, W]` meets filters `[M, N, P, Q]`, strides as dilations and dilations as strides.
  mutating func convolutionWeights(
    _ image: ValueID, _ output: ValueID, _ window: ConvolutionWindow, kernel: [Int]
  ) throws(DiagnosticError) -> ValueID {
    var source = image
    let extents = shape(output)
    var pads = window.pads
    for d in 0..<2 {
      // Rows that no window covers would give taps that do not exist.
      let size = shape(source)[2 + d]
      let tail = window.exactTail(input: size, kernel: kernel[d], output: extents[2 + d], d)
      pads[2 + d] = max(0, tail)
      if tail < 0, size + tail > 0 { source = try slice(source, axis: 2 + d, 0..<(size + tail)) }
    }
    let (batch, channels) = (shape(source)[0], shape(source)[1])
    let groups = window.groups
    let spatial = Array(shape(source).suffix(2))
    let each = channels / groups
    if groups == 1 {
      source = try transpose(source, [1, 0, 2, 3])
    } else {
      source = try reshape(source, [batch, groups, each] + spatial)
      source = try transpose(source, [2, 1, 0, 3, 4])
      source = try reshape(source, [each, groups * batch] + spatial)
    }
    let filters = try transpose(output, [1, 0, 2, 3])
    var product = try emit(
      "conv2d", [source, filters],
      [
        "strides": .integers(window.dilations), "pads": .integers(pads), "dilations": .integers(window.strides),
        "groups": .integer(groups),
      ])
    for d in 0..<2 { product = try slice(product, axis: 2 + d, 0..<kernel[d]) }
    return try transpose(product, [1, 0, 2, 3])
  }

  /// The input gradient `[N, C, H, W]` of a convolution in the cheaper of its two forms, or in the form that is asked for.
  mutating func convolutionInput(
    _ output: ValueID, _ weights: ValueID, _ window: ConvolutionWindow, x: [Int]
  ) throws(DiagnosticError) -> ValueID {
    let products = convolutionMACs(output: output, weights: weights)
    let w = shape(weights)
    let full = x.reduce(1, *) * (w[0] / window.groups) * w[2] * w[3]
    let isStrided = window.strides != [1, 1]
    let takesFull: Bool
    switch options.inputGradient {
    case .cheapest: takesFull = !isStrided && full <= products
    case .gemm: takesFull = false
    case .full: takesFull = true
    }
    if takesFull, let image = try fullConvolution(output, weights, window, x: x) {
      count(.backward, macs: full)
      note(.init(form: .full, gemmMACs: products, fullMACs: full))
      return image
    }
    count(.backward, macs: products)
    note(.init(form: .gemm, gemmMACs: products, fullMACs: full))
    return try transposedConvolution(output, weights, window, x: Array(x.suffix(2)))
  }

  /// Products of each gradient element with each tap, summed where windows overlap.
  mutating func transposedConvolution(
    _ output: ValueID, _ weights: ValueID, _ window: ConvolutionWindow, x: [Int]
  ) throws(DiagnosticError) -> ValueID {
    var pads = window.pads
    var extra = [0, 0]
    for d in 0..<2 {
      let tail = window.exactTail(
        input: x[d], kernel: shape(weights)[2 + d], output: shape(output)[2 + d], d)
      pads[2 + d] = max(0, tail)
      extra[d] = max(0, -tail)
    }
    return try emit(
      "conv_transpose2d", [output, weights],
      [
        "strides": .integers(window.strides), "pads": .integers(pads), "dilations": .integers(window.dilations),
        "groups": .integer(window.groups), "output_pads": .integers(extra),
      ])
  }

  /// The flipped filters over the gradient, which gets `stride - 1` zeros between its elements; nil where padding exceeds what
  /// a convolution can undo.
  private mutating func fullConvolution(
    _ output: ValueID, _ weights: ValueID, _ window: ConvolutionWindow, x: [Int]
  ) throws(DiagnosticError) -> ValueID? {
    let w = shape(weights)
    let extents = shape(output)
    var low = [0, 0, 0, 0]
    var high = [0, 0, 0, 0]
    var pads = [0, 0, 0, 0]
    for d in 0..<2 {
      let spread = (extents[2 + d] - 1) * window.strides[d] + 1
      let reach = window.dilations[d] * (w[2 + d] - 1)
      let before = reach - window.pads[d]
      let after = x[2 + d] + reach - spread - before
      guard -before < spread, -after < spread, -before - after < spread else { return nil }
      (low[2 + d], high[2 + d]) = (min(0, before), min(0, after))
      (pads[d], pads[2 + d]) = (max(0, before), max(0, after))
    }
    var source = output
    if window.strides != [1, 1] {
      let (rows, columns) = (window.strides[0], window.strides[1])
      source = try reshape(source, [extents[0], extents[1], extents[2], 1, extents[3], 1])
      source = try pad(source, low: [0, 0, 0, 0, 0, 0], high: [0, 0, 0, rows - 1, 0, columns - 1])
      source = try reshape(source, [extents[0], extents[1], extents[2] * rows, extents[3] * columns])
      source = try slice(source, axis: 2, 0..<((extents[2] - 1) * rows + 1))
      source = try slice(source, axis: 3, 0..<((extents[3] - 1) * columns + 1))
    }
    source = try pad(source, low: low, high: high)
    // [M, C/g, R, S] -> [C, M/g, R, S], taps from the last to the first.
    let (groups, each) = (window.groups, w[0] / window.groups)
    var filters = try reshape(weights, [groups, each, w[1], w[2], w[3]])
    filters = try transpose(filters, [0, 2, 1, 3, 4])
    filters = try reshape(filters, [groups * w[1], each, w[2], w[3]])
    if w[2] > 1 || w[3] > 1 {
      filters = try emit(
        "slice", [filters],
        [
          "starts": .integers([0, 0, w[2] - 1, w[3] - 1]), "ends": .integers([groups * w[1], each, -1, -1]),
          "steps": .integers([1, 1, -1, -1]),
        ])
    }
    return try emit(
      "conv2d", [source, filters],
      ["pads": .integers(pads), "dilations": .integers(window.dilations), "groups": .integer(groups)])
  }
}
