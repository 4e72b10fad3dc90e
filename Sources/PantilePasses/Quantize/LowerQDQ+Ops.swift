import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor
import PantileText

extension QDQLowering {
  /// Ops that move or select elements, so that they mean the same on integers.
  static let movements: Set<String> = [
    "dnn.max_pool2d", "dnn.global_max_pool", "dnn.reduce_max", "dnn.reduce_min", "dnn.reshape", "dnn.transpose",
    "dnn.slice", "dnn.pad", "dnn.expand", "dnn.tile", "dnn.gather", "dnn.depth_to_space", "dnn.space_to_depth",
  ]

  /// An int8 tensor in the target's scale and bounds; itself when both are the same.
  mutating func rescaled(
    _ source: Source, _ target: Target, at location: SourceLocation
  ) throws(DiagnosticError) -> ValueID {
    let has = source.parameters
    if has.scale == target.parameters.scale, has.zeroPoint == target.parameters.zeroPoint {
      if target.isUnbounded { return source.value }
      return try rewrite.insertValue(
        "dnn.clamp", [source.value],
        ["min": .float(Double(target.low), .f32), "max": .float(Double(target.high), .f32)], at: .before(target.op),
        location: location)
    }
    return try requantize(
      source.value, scales: [Double(has.scale)], axis: 1, inputZeroPoint: has.zeroPoint, target, at: location)
  }

  /// The op on int8, then the change of scale.
  mutating func movement(_ op: OpView, _ target: Target) throws(DiagnosticError) -> ValueID? {
    guard let x = try source(op.operands[0]) else { return nil }
    // Padding that the integers of x cannot hold would be cut off.
    var attributes = op.attributes
    if op.name == "dnn.pad", try op.string("mode") == "constant" {
      let value = try op.number("value")
      let scaled = (value / Double(x.parameters.scale)).rounded() + Double(x.parameters.zeroPoint)
      guard (-128...127).contains(scaled) else { return nil }
      attributes["value"] = .float(Double(x.parameters.quantised(value)), .f32)
    }
    let moved = try rewrite.insertValue(
      op.name, [x.value] + op.operands.dropFirst(), attributes, at: .before(target.op),
      location: op.location.fused(with: x.location))
    let result = Source(value: moved, parameters: x.parameters, location: op.location, isConstant: false)
    return try rescaled(result, target, at: target.location)
  }

  /// Operands in the result's scale, joined.
  mutating func concatenation(_ op: OpView, _ target: Target) throws(DiagnosticError) -> ValueID? {
    var parts: [Source] = []
    for operand in op.operands {
      guard let part = try source(operand) else { return nil }
      parts.append(part)
    }
    var values: [ValueID] = []
    for part in parts { values.append(try rescaled(part, target, at: part.location.fused(with: target.location))) }
    var location = op.location
    for part in parts { location = location.fused(with: part.location) }
    return try rewrite.insertValue(
      "dnn.concat", values, op.attributes, at: .before(target.op), location: location.fused(with: target.location))
  }

  /// `dnn.quantized_add`.
  mutating func addition(_ op: OpView, _ target: Target) throws(DiagnosticError) -> ValueID? {
    guard let a = try source(op.operands[0]), let b = try source(op.operands[1]) else { return nil }
    let scale = Double(target.parameters.scale)
    let location = op.location.fused(with: a.location).fused(with: b.location).fused(with: target.location)
    // Checks both factors and gives them a place.
    _ = try requantisation(Double(a.parameters.scale) / scale, at: location)
    _ = try requantisation(Double(b.parameters.scale) / scale, at: location)
    let pair = try Requantisation.pair(Double(a.parameters.scale) / scale, Double(b.parameters.scale) / scale)
    return try rewrite.insertValue(
      "dnn.quantized_add", [a.value, b.value],
      [
        "a_zero_point": .integer(a.parameters.zeroPoint), "b_zero_point": .integer(b.parameters.zeroPoint),
        "a_multiplier": .integer(Int(pair.a)), "b_multiplier": .integer(Int(pair.b)), "shift": .integer(pair.shift),
        "zero_point": .integer(target.parameters.zeroPoint), "min": .integer(target.low), "max": .integer(target.high),
      ], at: .before(target.op), location: location)
  }

  /// A sum and a requantisation that divides by the count; nil for windows whose divisor changes along the image.
  mutating func mean(_ op: OpView, _ target: Target) throws(DiagnosticError) -> ValueID? {
    guard let x = try source(op.operands[0]), !x.isConstant else { return nil }
    let type = try op.operandTensor(0)
    let zero = x.parameters.zeroPoint
    let location = op.location.fused(with: x.location)
    let sum: ValueID
    let count: Int
    if op.name == "dnn.avg_pool2d" {
      guard let window = try constantWindow(op) else { return nil }
      count = window.kernel[0] * window.kernel[1]
      let isWholePlane =
        window.kernel == Array(type.shape.suffix(2)) && window.pads.allSatisfy { $0 == 0 }
        && window.dilations == [1, 1]
      if isWholePlane {
        sum = try rewrite.insertValue(
          "dnn.reduce_sum", [x.value], ["axes": [2, 3], "keepdims": true, "input_zero_point": .integer(zero)],
          at: .before(target.op), location: location)
      } else {
        // A window sum is a depthwise convolution with ones; padding adds nothing, as in the sum.
        let channels = type.shape[1]
        let ones = try rewrite.insertConstant(
          HostTensor(
            shape: [channels, 1] + window.kernel, values: [Int8](repeating: 1, count: channels * count)),
          name: "ones", at: .before(target.op), location: op.location)
        sum = try rewrite.insertValue(
          "dnn.conv2d", [x.value, ones],
          [
            "strides": .integers(window.strides), "pads": .integers(window.pads),
            "dilations": .integers(window.dilations), "groups": .integer(channels), "input_zero_point": .integer(zero),
          ], at: .before(target.op), location: location)
      }
    } else {
      let axes = op.name == "dnn.global_avg_pool" ? Array(2..<type.rank) : try op.integers("axes")
      let keeps = op.name == "dnn.global_avg_pool" ? true : try op.flag("keepdims")
      count = axes.reduce(1) { $0 * type.shape[$1] }
      sum = try rewrite.insertValue(
        "dnn.reduce_sum", [x.value],
        ["axes": .integers(axes), "keepdims": .bool(keeps), "input_zero_point": .integer(zero)],
        at: .before(target.op), location: location)
    }
    guard count > 0 else { return nil }
    return try requantize(
      sum, scales: [Double(x.parameters.scale) / Double(count)], axis: 1, inputZeroPoint: 0, target,
      at: target.location)
  }

  /// The window of a mean pooling of which every position counts in every divisor; nil for others.
  private func constantWindow(_ op: OpView) throws(DiagnosticError) -> Window2D? {
    let window = Window2D(
      kernel: try op.integers("kernel"), strides: try op.integers("strides"), pads: try op.integers("pads"),
      dilations: try op.integers("dilations"))
    let input = try op.operandTensor(0)
    let output = try op.resultTensor()
    let countsPadding = try op.flag("count_include_pad")
    guard countsPadding || window.pads.allSatisfy({ $0 == 0 }) else { return nil }
    for dimension in 0..<2 {
      // Rounded up extents may let the last window hang over the padded image.
      let end =
        (output.shape[2 + dimension] - 1) * window.strides[dimension]
        + window.dilations[dimension] * (window.kernel[dimension] - 1) + 1
      let room = input.shape[2 + dimension] + window.pads[dimension] + window.pads[dimension + 2]
      guard end <= room else { return nil }
    }
    return window
  }
}
