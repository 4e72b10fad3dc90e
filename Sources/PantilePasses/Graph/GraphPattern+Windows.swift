import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor
import PantileText

extension GraphPattern {
  /// Padding before windowed ops.
  static let windows: [GraphPattern] = [
    GraphPattern(
      "merge-pad", ["dnn.conv2d", "dnn.max_pool2d", "dnn.avg_pool2d"],
      "padding of an image with what the next op pads with becomes that op's padding"
    ) { rewrite, op throws(DiagnosticError) in
      let view = rewrite.module[op]
      guard let pad = rewrite.maker(view.operands[0], "dnn.pad") else { return false }
      let padView = rewrite.module[pad]
      guard try padView.string("mode") == "constant", try fills(view, padView) else { return false }
      let low = try padView.integers("low")
      let high = try padView.integers("high")
      guard low.count == 4, low[0] == 0, low[1] == 0, high[0] == 0, high[1] == 0,
        (low + high).allSatisfy({ $0 >= 0 })
      else { return false }
      let own = try view.integers("pads")
      var attributes = view.attributes
      attributes["pads"] = .integers([own[0] + low[2], own[1] + low[3], own[2] + high[2], own[3] + high[3]])
      if view.name == "dnn.avg_pool2d" { attributes["count_include_pad"] = true }
      let operands = [padView.operands[0]] + view.operands.dropFirst()
      let name = view.name
      rewrite.fuseLocation(of: op, with: padView.location)
      try rewrite.replace(op, by: name, operands, attributes)
      return true
    }
  ]

  /// Whether the window op sees the padding as it sees positions outside of its image.
  private static func fills(_ op: OpView, _ pad: OpView) throws(DiagnosticError) -> Bool {
    let value = try pad.number("value")
    switch op.name {
    case "dnn.conv2d": return value == Double(try op.integer("input_zero_point"))
    case "dnn.avg_pool2d":
      // Own padding counts or not by a flag of its own; the two agree only when there is none. Rounding up drops windows
      // by where the image ends.
      guard value == 0, try !op.flag("ceil_mode") else { return false }
      return try op.integers("pads").allSatisfy { $0 == 0 }
    case "dnn.max_pool2d":
      guard try !op.flag("ceil_mode") else { return false }
      let type = try op.operandTensor(0)
      if let range = ElementType(type.element)?.integerRange { return value <= Double(range.lowerBound) }
      return value == -.infinity
    default: return false
    }
  }
}
