import PantileIR
import PantileSupport
import PantileText

extension GradientRule {
  static let reductions: [GradientRule] = [
    GradientRule(["reduce_sum"]) { context, op, gradient throws(DiagnosticError) in
      try context.accumulate(try context.spread(gradient, over: op), to: op.operands[0])
    },
    GradientRule(["reduce_mean"]) { context, op, gradient throws(DiagnosticError) in
      let count = context.type(op.operands[0]).count / max(1, context.type(gradient).count)
      let spread = try context.spread(try context.mul(gradient, 1 / Double(count)), over: op)
      try context.accumulate(spread, to: op.operands[0])
    },
  ]

  static let movements: [GradientRule] = [
    GradientRule(["reshape"]) { context, op, gradient throws(DiagnosticError) in
      let x = op.operands[0]
      try context.accumulate(try context.reshape(gradient, context.shape(x)), to: x)
    },
    GradientRule(["transpose"]) { context, op, gradient throws(DiagnosticError) in
      let permutation = try context.module[op.op].integers("perm")
      var inverse = permutation
      for (axis, source) in permutation.enumerated() { inverse[source] = axis }
      try context.accumulate(try context.transpose(gradient, inverse), to: op.operands[0])
    },
    GradientRule(["concat"]) { context, op, gradient throws(DiagnosticError) in
      let axis = try context.module[op.op].integer("axis")
      var start = 0
      for (index, part) in op.operands.enumerated() {
        let size = context.shape(part)[axis]
        if context.wants(op, index) {
          try context.accumulate(try context.slice(gradient, axis: axis, start..<(start + size)), to: part)
        }
        start += size
      }
    },
    slice, pad,
    GradientRule(["expand"]) { context, op, gradient throws(DiagnosticError) in
      try context.accumulate(gradient, toOperand: 0, of: op)
    },
    GradientRule(["tile"]) { context, op, gradient throws(DiagnosticError) in
      let x = op.operands[0]
      let repeats = try context.module[op.op].integers("repeats")
      let shape = context.shape(x)
      let parted = zip(repeats, shape).flatMap { [$0, $1] }
      let sum = try context.sum(
        try context.reshape(gradient, parted), axes: shape.indices.map { 2 * $0 }, keepsDimensions: false)
      try context.accumulate(try context.reshape(sum, shape), to: x)
    },
    block("depth_to_space", "space_to_depth"), block("space_to_depth", "depth_to_space"),
  ]

  /// Zeros between and around the elements that were taken; negative steps are turned round first.
  private static let slice = GradientRule(["slice"]) { context, op, gradient throws(DiagnosticError) in
    let view = context.module[op.op]
    let x = op.operands[0]
    let shape = context.shape(x)
    var starts = try view.integers("starts")
    var steps = try view.integers("steps")
    var value = gradient
    let counts = context.shape(value)
    if steps.contains(where: { $0 < 0 }) {
      value = try context.emit(
        "slice", [value],
        [
          "starts": .integers(steps.indices.map { steps[$0] < 0 ? counts[$0] - 1 : 0 }),
          "ends": .integers(steps.indices.map { steps[$0] < 0 ? -1 : counts[$0] }),
          "steps": .integers(steps.map { $0 < 0 ? -1 : 1 }),
        ])
      for axis in steps.indices where steps[axis] < 0 {
        starts[axis] += (counts[axis] - 1) * steps[axis]
        steps[axis] = -steps[axis]
      }
    }
    if steps.contains(where: { $0 > 1 }) {
      let zero = [Int](repeating: 0, count: 2 * counts.count)
      value = try context.reshape(value, counts.flatMap { [$0, 1] })
      value = try context.pad(value, low: zero, high: steps.flatMap { [0, $0 - 1] })
      value = try context.reshape(value, zip(counts, steps).map { $0 * $1 })
    }
    // The zeros behind the last element may reach beyond the input: a negative pad cuts them off.
    let high = shape.indices.map { shape[$0] - starts[$0] - counts[$0] * steps[$0] }
    try context.accumulate(try context.pad(value, low: starts, high: high), to: x)
  }

  private static let pad = GradientRule(["pad"], refusal: padRefusal) {
    context, op, gradient throws(DiagnosticError) in
    let view = context.module[op.op]
    let low = try view.integers("low").map { -$0 }
    let high = try view.integers("high").map { -$0 }
    try context.accumulate(try context.pad(gradient, low: low, high: high), to: op.operands[0])
  }

  @Sendable private static func padRefusal(_ op: OpView) throws(DiagnosticError) -> String? {
    let mode = try op.string("mode")
    return mode == "constant" ? nil : "its mode is '\(mode)', the rule knows 'constant'"
  }

  private static func block(_ name: String, _ inverse: String) -> GradientRule {
    GradientRule([name]) { context, op, gradient throws(DiagnosticError) in
      let view = context.module[op.op]
      let attributes: AttributeDictionary = [
        "block": .integer(try view.integer("block")), "order": .string(try view.string("order")),
      ]
      try context.accumulate(try context.emit(inverse, [gradient], attributes), to: op.operands[0])
    }
  }
}

extension GradientContext {
  /// The gradient of a reduction at every place that it reduced.
  fileprivate mutating func spread(_ gradient: ValueID, over op: ForwardOp) throws(DiagnosticError) -> ValueID {
    let axes = try module[op.op].integers("axes")
    let target = shape(op.operands[0])
    let kept = target.indices.map { axes.contains($0) ? 1 : target[$0] }
    return try expand(try reshape(gradient, kept), target)
  }
}
