import PantileSupport
import PantileTensor
import PantileText

extension ONNXOp {
  /// Reductions over axes.
  static let reductions: [ONNXOp] =
    [
      ("ReduceSum", "dnn.reduce_sum"), ("ReduceMean", "dnn.reduce_mean"), ("ReduceMax", "dnn.reduce_max"),
      ("ReduceMin", "dnn.reduce_min"), ("ReduceProd", "dnn.reduce_prod"),
    ].map { name, op in
      ONNXOp(name) { n throws(DiagnosticError) in
        let x = try n.input(0)
        let keeps = try n.node.flag("keepdims", default: true)
        var list = try n.axesList(attribute: "axes", input: 1) ?? []
        if list.isEmpty {
          if try n.node.flag("noop_with_empty_axes") { return [x] }
          list = Array(0..<n.rank(x))
        }
        return [try n.reduce(op, x, axes: try n.axes(list, rank: n.rank(x)), keepsDimensions: keeps)]
      }
    }
    + [("ArgMax", "dnn.argmax"), ("ArgMin", "dnn.argmin")].map { name, op in
      ONNXOp(name) { n throws(DiagnosticError) in
        let x = try n.input(0)
        let axis = try n.axis(try n.node.integer("axis", default: 0), rank: n.rank(x))
        return [
          try n.emit(
            op, [x],
            [
              "axis": .integer(axis), "keepdims": .bool(try n.node.flag("keepdims", default: true)),
              "select_last": .bool(try n.node.flag("select_last_index")),
            ])
        ]
      }
    }
}

extension NodeImport {
  func reduce(
    _ op: String, _ x: ImportedValue, axes: [Int], keepsDimensions: Bool
  ) throws(DiagnosticError) -> ImportedValue {
    try emit(op, [x], ["axes": .integers(axes), "keepdims": .bool(keepsDimensions)])
  }
}
