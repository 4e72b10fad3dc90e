import PantileIR
import PantileSupport
import PantileText

extension GradientRule {
  static let elementwise: [GradientRule] = [
    GradientRule(["add"]) { context, op, gradient throws(DiagnosticError) in
      for index in 0..<2 where context.wants(op, index) {
        try context.accumulate(gradient, toOperand: index, of: op)
      }
    },
    GradientRule(["sub"]) { context, op, gradient throws(DiagnosticError) in
      if context.wants(op, 0) { try context.accumulate(gradient, toOperand: 0, of: op) }
      if context.wants(op, 1) { try context.accumulate(try context.emit("neg", [gradient]), toOperand: 1, of: op) }
    },
    GradientRule(["mul"]) { context, op, gradient throws(DiagnosticError) in
      for index in 0..<2 where context.wants(op, index) {
        try context.accumulate(try context.mul(gradient, op.operands[1 - index]), toOperand: index, of: op)
      }
    },
    // d(a/b)/db = -y/b.
    GradientRule(["div"]) { context, op, gradient throws(DiagnosticError) in
      let share = try context.emit("div", [gradient, op.operands[1]])
      if context.wants(op, 0) { try context.accumulate(share, toOperand: 0, of: op) }
      if context.wants(op, 1) {
        let product = try context.mul(share, op.results[0])
        try context.accumulate(try context.emit("neg", [product]), toOperand: 1, of: op)
      }
    },
    extremum("max", "greater", "less"), extremum("min", "less", "greater"),
    // The exponent is taken as given.
    GradientRule(["pow"], operands: [0]) { context, op, gradient throws(DiagnosticError) in
      let (base, exponent) = (op.operands[0], op.operands[1])
      let element = context.type(base).element
      let wide =
        context.type(exponent).element == element
        ? exponent : try context.emit("cast", [exponent], ["to": .type(element)])
      let lower = try context.emit("pow", [base, try context.add(wide, -1)])
      try context.accumulate(
        try context.mul(gradient, try context.mul(lower, wide)), toOperand: 0, of: op)
    },
    GradientRule(["select"], operands: [1, 2]) { context, op, gradient throws(DiagnosticError) in
      let condition = op.operands[0]
      let zero = try context.scalar(0, context.type(gradient).element)
      if context.wants(op, 1) {
        try context.accumulate(
          try context.emit("select", [condition, gradient, zero]), toOperand: 1, of: op)
      }
      if context.wants(op, 2) {
        try context.accumulate(
          try context.emit("select", [condition, zero, gradient]), toOperand: 2, of: op)
      }
    },
  ]

  /// The chosen operand takes the gradient; of equal ones each takes half.
  private static func extremum(_ name: String, _ wins: String, _ loses: String) -> GradientRule {
    GradientRule([name]) { context, op, gradient throws(DiagnosticError) in
      let (a, b) = (op.operands[0], op.operands[1])
      let half = try context.mul(gradient, 0.5)
      for (index, comparison) in [(0, wins), (1, loses)] where context.wants(op, index) {
        let isTie = try context.emit("equal", [a, b])
        let isChosen = try context.emit(comparison, [a, b])
        let share = try context.emit("select", [isChosen, gradient, try context.masked(half, by: isTie)])
        try context.accumulate(share, toOperand: index, of: op)
      }
    }
  }
}
