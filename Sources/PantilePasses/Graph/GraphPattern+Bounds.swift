import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor
import PantileText

/// The range that a relu or clamp limits its operand to.
struct Bounds: Hashable, Sendable {
  var low: Double
  var high: Double

  /// Nil for ops of other kinds.
  init?(_ op: OpView) throws(DiagnosticError) {
    switch op.name {
    case "dnn.relu": self.init(low: 0, high: .infinity)
    case "dnn.clamp":
      self.init(low: try op.number("min", default: -.infinity), high: try op.number("max", default: .infinity))
    default: return nil
    }
  }

  init(low: Double, high: Double) {
    self.low = low
    self.high = high
  }

  /// Applying these bounds after `first` in one step; nil when the ranges do not meet.
  func after(_ first: Bounds) -> Bounds? {
    let merged = Bounds(low: max(low, first.low), high: min(high, first.high))
    return merged.low <= merged.high ? merged : nil
  }

  /// The op that limits to this range: a relu where that is enough.
  var op: (name: String, attributes: AttributeDictionary) {
    if low == 0, high == .infinity { return ("dnn.relu", [:]) }
    return ("dnn.clamp", ["min": .float(low, .f32), "max": .float(high, .f32)])
  }
}

extension GraphPattern {
  /// Relu and clamp.
  static let bounds: [GraphPattern] = [
    GraphPattern("merge-bounds", ["dnn.relu", "dnn.clamp"], "a relu or clamp after another merges with it") {
      rewrite, op throws(DiagnosticError) in
      let view = rewrite.module[op]
      guard let outer = try Bounds(view), let first = rewrite.module.definingOp(of: view.operands[0]),
        let inner = try Bounds(rewrite.module[first]), let merged = outer.after(inner)
      else { return false }
      if merged == inner {
        rewrite.replace(op, with: view.operands)
        return true
      }
      let (name, attributes) = merged.op
      let source = rewrite.module.operands(of: first)[0]
      rewrite.fuseLocation(of: op, with: rewrite.module.location(of: first))
      try rewrite.replace(op, by: name, [source], attributes)
      return true
    },
    GraphPattern("plain-clamp", ["dnn.clamp"], "a clamp that is a relu, or limits nothing, is written so") {
      rewrite, op throws(DiagnosticError) in
      let view = rewrite.module[op]
      guard let bounds = try Bounds(view) else { return false }
      if bounds.low == -.infinity, bounds.high == .infinity {
        rewrite.replace(op, with: view.operands)
        return true
      }
      guard bounds.op.name == "dnn.relu" else { return false }
      try rewrite.replace(op, by: "dnn.relu", view.operands)
      return true
    },
    GraphPattern("bound-by-constant", ["dnn.max", "dnn.min"], "the maximum or minimum with one constant is a clamp") {
      rewrite, op throws(DiagnosticError) in
      let view = rewrite.module[op]
      let operands = view.operands
      for (x, other) in [(operands[0], operands[1]), (operands[1], operands[0])] {
        guard rewrite.module.type(of: x) == view.resultType, try view.resultTensor().element == .f32,
          let limit = try rewrite.splat(other), !limit.isNaN
        else { continue }
        let isMaximum = view.name == "dnn.max"
        let (name, attributes) = Bounds(low: isMaximum ? limit : -.infinity, high: isMaximum ? .infinity : limit).op
        try rewrite.replace(op, by: name, [x], attributes)
        return true
      }
      return false
    },
  ]
}
