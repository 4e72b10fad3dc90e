import Foundation
import PantileIR
import PantileSupport
import PantileText

extension GradientRule {
  static let activations: [GradientRule] =
    masks + [
      // y·(1 − y).
      unary(["sigmoid"]) { context, op throws(DiagnosticError) in
        let y = op.results[0]
        return try context.sub(y, try context.mul(y, y))
      },
      // 1 − y².
      unary(["tanh"]) { context, op throws(DiagnosticError) in
        let y = op.results[0]
        return try context.add(try context.emit("neg", [try context.mul(y, y)]), 1)
      },
      // σ + y·(1 − σ) with y = x·σ.
      unary(["silu"]) { context, op throws(DiagnosticError) in
        let x = op.operands[0]
        let gate = try context.emit("sigmoid", [x])
        let y = try context.mul(x, gate)
        return try context.add(gate, try context.sub(y, try context.mul(y, gate)))
      },
      gelu,
      // x > 0 ? 1 : y + alpha.
      unary(["elu"]) { context, op throws(DiagnosticError) in
        let alpha = try context.module[op.op].number("alpha")
        let (x, y) = (op.operands[0], op.results[0])
        let element = context.type(x).element
        let isPositive = try context.keep(x, "positive", "greater", [x, try context.scalar(0, element)])
        return try context.emit(
          "select", [isPositive, try context.scalar(1, element), try context.add(y, alpha)])
      },
      unary(["softplus"]) { context, op throws(DiagnosticError) in try context.emit("sigmoid", [op.operands[0]]) },
      // 2/√π·exp(−x²).
      unary(["erf"]) { context, op throws(DiagnosticError) in
        let x = op.operands[0]
        let square = try context.emit("neg", [try context.mul(x, x)])
        return try context.mul(try context.emit("exp", [square]), 2 / Double.pi.squareRoot())
      },
      unary(["exp"]) { _, op throws(DiagnosticError) in op.results[0] },
      unary(["log"]) { context, op throws(DiagnosticError) in
        try context.emit("reciprocal", [op.operands[0]])
      },
      // 1/(2y).
      unary(["sqrt"]) { context, op throws(DiagnosticError) in
        try context.mul(try context.emit("reciprocal", [op.results[0]]), 0.5)
      },
      // −y³/2.
      unary(["rsqrt"]) { context, op throws(DiagnosticError) in
        let y = op.results[0]
        return try context.mul(try context.mul(y, try context.mul(y, y)), -0.5)
      },
      // −y².
      unary(["reciprocal"]) { context, op throws(DiagnosticError) in
        let y = op.results[0]
        return try context.emit("neg", [try context.mul(y, y)])
      },
      unary(["sin"]) { context, op throws(DiagnosticError) in try context.emit("cos", [op.operands[0]]) },
      unary(["cos"]) { context, op throws(DiagnosticError) in
        try context.emit("neg", [try context.emit("sin", [op.operands[0]])])
      },
      unary(["abs"]) { context, op throws(DiagnosticError) in try context.emit("sign", [op.operands[0]]) },
      GradientRule(["neg"]) { context, op, gradient throws(DiagnosticError) in
        try context.accumulate(try context.emit("neg", [gradient]), to: op.operands[0])
      },
      // Wide again; rounding itself is passed straight through.
      GradientRule(["cast"], refusal: castRefusal) { context, op, gradient throws(DiagnosticError) in
        let element = context.type(op.operands[0]).element
        try context.accumulate(try context.emit("cast", [gradient], ["to": .type(element)]), to: op.operands[0])
      },
      softmax, logSoftmax,
    ]

  /// Functions whose slope is one of few constants: a bit an element is saved, not the value.
  private static let masks: [GradientRule] = [
    GradientRule(["relu"]) { context, op, gradient throws(DiagnosticError) in
      let y = op.results[0]
      let mask = try context.keep(y, "mask", "greater", [y, try context.scalar(0, context.type(y).element)])
      try context.accumulate(try context.masked(gradient, by: mask), to: op.operands[0])
    },
    GradientRule(["leaky_relu"]) { context, op, gradient throws(DiagnosticError) in
      let x = op.operands[0]
      let alpha = try context.module[op.op].number("alpha")
      let mask = try context.keep(x, "negative", "less", [x, try context.scalar(0, context.type(x).element)])
      try context.accumulate(
        try context.emit("select", [mask, try context.mul(gradient, alpha), gradient]), to: x)
    },
    // At a bound the gradient passes.
    GradientRule(["clamp"]) { context, op, gradient throws(DiagnosticError) in
      let x = op.operands[0]
      let view = context.module[op.op]
      let low = view.attribute("min") == nil ? nil : try view.number("min")
      let high = view.attribute("max") == nil ? nil : try view.number("max")
      guard let mask = try context.rangeMask(x, low: low, high: high, isOpen: false) else {
        try context.accumulate(gradient, to: x)
        return
      }
      try context.accumulate(try context.masked(gradient, by: mask), to: x)
    },
    // alpha between the bends.
    GradientRule(["hard_sigmoid"], refusal: hardSigmoidRefusal) { context, op, gradient throws(DiagnosticError) in
      let view = context.module[op.op]
      let alpha = try view.number("alpha")
      let beta = try view.number("beta")
      let x = op.operands[0]
      guard let mask = try context.rangeMask(x, low: -beta / alpha, high: (1 - beta) / alpha, isOpen: true) else {
        return
      }
      try context.accumulate(try context.masked(try context.mul(gradient, alpha), by: mask), to: x)
    },
    // 0 up to −3, x/3 + 1/2 up to 3, then 1.
    unary(["hard_swish"]) { context, op throws(DiagnosticError) in
      let x = op.operands[0]
      let element = context.type(x).element
      let slope = try context.add(try context.mul(x, 1 / 3.0), 0.5)
      let isHigh = try context.emit("greater_equal", [x, try context.scalar(3, element)])
      let isLow = try context.emit("less_equal", [x, try context.scalar(-3, element)])
      let upper = try context.emit("select", [isHigh, try context.scalar(1, element), slope])
      return try context.emit("select", [isLow, try context.scalar(0, element), upper])
    },
    GradientRule(["prelu"]) { context, op, gradient throws(DiagnosticError) in
      let (x, slope) = (op.operands[0], op.operands[1])
      let mask = try context.keep(x, "negative", "less", [x, try context.scalar(0, context.type(x).element)])
      if context.wants(op, 0) {
        try context.accumulate(
          try context.emit("select", [mask, try context.mul(gradient, slope), gradient]), to: x)
      }
      if context.wants(op, 1) {
        let product = try context.masked(try context.mul(gradient, x), by: mask)
        try context.accumulate(product, toOperand: 1, of: op)
      }
    },
  ]

  /// Φ(x) + x·φ(x), or the derivative of the tanh form.
  private static let gelu = unary(["gelu"]) { context, op throws(DiagnosticError) in
    let x = op.operands[0]
    let square = try context.mul(x, x)
    if try context.module[op.op].string("approximate") == "tanh" {
      // y = x/2·(1 + t), t = tanh(k·(x + c·x³)): y' = (1 + t)/2 + x/2·(1 − t²)·k·(1 + 3c·x²).
      let k = (2 / Double.pi).squareRoot()
      let c = 0.044715
      let inner = try context.mul(x, try context.add(try context.mul(square, k * c), k))
      let t = try context.emit("tanh", [inner])
      let first = try context.mul(try context.add(t, 1), 0.5)
      let slope = try context.add(try context.mul(square, 3 * c * k), k)
      let bell = try context.add(try context.emit("neg", [try context.mul(t, t)]), 1)
      let second = try context.mul(try context.mul(try context.mul(x, bell), slope), 0.5)
      return try context.add(first, second)
    }
    let error = try context.emit("erf", [try context.mul(x, 0.5.squareRoot())])
    let share = try context.mul(try context.add(error, 1), 0.5)
    let bell = try context.emit("exp", [try context.mul(square, -0.5)])
    return try context.add(share, try context.mul(try context.mul(x, bell), 1 / (2 * Double.pi).squareRoot()))
  }

  /// y·(dy − Σ dy·y) along the axis.
  private static let softmax = GradientRule(["softmax"]) { context, op, gradient throws(DiagnosticError) in
    let axis = try context.module[op.op].integer("axis")
    let y = op.results[0]
    let sum = try context.sum(try context.mul(gradient, y), axes: [axis], keepsDimensions: true)
    try context.accumulate(try context.mul(y, try context.sub(gradient, sum)), to: op.operands[0])
  }

  /// dy − exp(y)·Σ dy along the axis.
  private static let logSoftmax = GradientRule(["log_softmax"]) { context, op, gradient throws(DiagnosticError) in
    let axis = try context.module[op.op].integer("axis")
    let sum = try context.sum(gradient, axes: [axis], keepsDimensions: true)
    let share = try context.mul(try context.emit("exp", [op.results[0]]), sum)
    try context.accumulate(try context.sub(gradient, share), to: op.operands[0])
  }

  /// A rule from the derivative alone.
  private static func unary(
    _ names: [String],
    _ derivative:
      @escaping @Sendable (inout GradientContext, GradientContext.ForwardOp) throws(DiagnosticError) -> ValueID
  ) -> GradientRule {
    GradientRule(names) { context, op, gradient throws(DiagnosticError) in
      let slope = try derivative(&context, op)
      try context.accumulate(try context.mul(gradient, slope), to: op.operands[0])
    }
  }

  @Sendable private static func hardSigmoidRefusal(_ op: OpView) throws(DiagnosticError) -> String? {
    let alpha = try op.number("alpha")
    return alpha > 0 ? nil : "alpha is \(alpha), the rule needs one above 0"
  }

  @Sendable private static func castRefusal(_ op: OpView) throws(DiagnosticError) -> String? {
    let (from, to) = (try op.operandTensor(0).element, try op.resultTensor().element)
    if case .float = from, case .float = to { return nil }
    return "it casts \(from) to \(to), gradients need floats"
  }
}

extension GradientContext {
  /// A bit for each element between two bounds, made behind `value`; nil when there is no bound.
  fileprivate mutating func rangeMask(
    _ value: ValueID, low: Double?, high: Double?, isOpen: Bool
  ) throws(DiagnosticError) -> ValueID? {
    let element = type(value).element
    let (above, below) = isOpen ? ("greater", "less") : ("greater_equal", "less_equal")
    var lower: ValueID?
    var upper: ValueID?
    if let low { lower = try keep(value, "\(above)_\(low)", above, [value, try scalar(low, element)]) }
    if let high { upper = try keep(value, "\(below)_\(high)", below, [value, try scalar(high, element)]) }
    guard let lower, let high, let upper else { return lower ?? upper }
    // One bit is saved. Each comparison went directly behind the value, so the first made is the last in order.
    return try keep(lower, "\(below)_\(high)", "and", [lower, upper])
  }
}
