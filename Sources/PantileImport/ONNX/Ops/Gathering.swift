import PantileSupport
import PantileTensor
import PantileText

extension ONNXOp {
  /// Operators that pick or mask elements by index.
  static let gathering: [ONNXOp] = [
    ONNXOp("Gather") { n throws(DiagnosticError) in
      let x = try n.input(0)
      let axis = try n.axis(try n.node.integer("axis", default: 0), rank: n.rank(x))
      return [try n.emit("dnn.gather", [x, try n.input(1)], ["axis": .integer(axis)])]
    },
    ONNXOp("GatherElements") { n throws(DiagnosticError) in
      let x = try n.input(0)
      let axis = try n.axis(try n.node.integer("axis", default: 0), rank: n.rank(x))
      return [try n.emit("dnn.gather_elements", [x, try n.input(1)], ["axis": .integer(axis)])]
    },
    ONNXOp("GatherND") { n throws(DiagnosticError) in
      let batch = try n.node.integer("batch_dims", default: 0)
      return [try n.emit("dnn.gather_nd", [try n.input(0), try n.input(1)], ["batch_dims": .integer(batch)])]
    },
    ONNXOp("ScatterND") { n throws(DiagnosticError) in
      let rule = try n.node.string("reduction", default: "none")
      guard rule == "none" else { throw n.node.unsupported("a scatter that combines values by '\(rule)'") }
      return [try n.emit("dnn.scatter_nd", [try n.input(0), try n.input(1), try n.input(2)])]
    },
    ONNXOp("CumSum") { n throws(DiagnosticError) in
      let x = try n.input(0)
      let given = try n.constant(1, "axis")
      guard given.count == 1 else { throw n.node.error("onnx-input", "the axis is not one number") }
      return [
        try n.emit(
          "dnn.cumsum", [x],
          [
            "axis": .integer(try n.axis(given.integer(at: 0), rank: n.rank(x))),
            "exclusive": .bool(try n.node.flag("exclusive")), "reverse": .bool(try n.node.flag("reverse")),
          ])
      ]
    },
    ONNXOp("Trilu") { n throws(DiagnosticError) in
      let given = try n.optionalConstant(1, "diagonal")
      return [
        try n.emit(
          "dnn.triangle", [try n.input(0)],
          [
            "upper": .bool(try n.node.flag("upper", default: true)),
            "diagonal": .integer(given.map { $0.count == 1 ? $0.integer(at: 0) : 0 } ?? 0),
          ])
      ]
    },
  ]
}
