import PantileSupport
import PantileTensor
import PantileText

extension ONNXOp {
  /// Softmax and the norms.
  static let normalization: [ONNXOp] = [
    ONNXOp("Softmax") { n throws(DiagnosticError) in [try n.softmax("dnn.softmax")] },
    ONNXOp("LogSoftmax") { n throws(DiagnosticError) in [try n.softmax("dnn.log_softmax")] },
    ONNXOp("InstanceNormalization") { n throws(DiagnosticError) in
      let x = try n.input(0)
      guard n.rank(x) >= 3 else {
        throw n.node.error("shape-mismatch", "an input of shape \(n.shape(x)) has no planes")
      }
      return [try n.groupNorm(x, groups: n.shape(x)[1])]
    },
    ONNXOp("GroupNormalization") { n throws(DiagnosticError) in
      let x = try n.input(0)
      guard n.rank(x) >= 3 else {
        throw n.node.error("shape-mismatch", "an input of shape \(n.shape(x)) has no planes")
      }
      guard n.node.opset >= 21 else { throw n.node.unsupported("scales by group (before version 21)") }
      return [try n.groupNorm(x, groups: try n.node.integer("num_groups", default: 1))]
    },
    ONNXOp("LRN") { n throws(DiagnosticError) in
      let node = n.node
      return [
        try n.emit(
          "dnn.local_response_norm", [try n.input(0)],
          [
            "size": .integer(try node.integer("size", default: 1)),
            "alpha": .float32(try node.float("alpha", default: 0.0001)),
            "beta": .float32(try node.float("beta", default: 0.75)),
            "bias": .float32(try node.float("bias", default: 1)),
          ])
      ]
    },
    ONNXOp("BatchNormalization") { n throws(DiagnosticError) in
      if try n.node.flag("training_mode") { throw n.node.unsupported("batch normalisation in training mode") }
      if n.isOutputUsed.dropFirst().contains(true) {
        throw n.node.unsupported("the statistics of a batch normalisation are not computed")
      }
      var operands: [ImportedValue] = []
      for i in 0..<5 { operands.append(try n.input(i)) }
      let epsilon = try n.node.float("epsilon", default: 1e-5)
      return [try n.emit("dnn.batch_norm", operands, ["epsilon": .float32(epsilon)])]
    },
    ONNXOp("LayerNormalization") { n throws(DiagnosticError) in
      let y = try n.norm("dnn.layer_norm", inputs: 3)
      return n.isOutputUsed.dropFirst().contains(true) ? [y] + (try n.statistics()) : [y]
    },
    ONNXOp("RMSNormalization") { n throws(DiagnosticError) in [try n.norm("dnn.rms_norm", inputs: 2)] },
  ]
}

extension NodeImport {
  fileprivate func softmax(_ op: String) throws(DiagnosticError) -> ImportedValue {
    let x = try input(0)
    if node.opset >= 13 {
      let axis = try axis(try node.integer("axis", default: -1), rank: rank(x))
      return try emit(op, [x], ["axis": .integer(axis)])
    }
    // Up to version 11 all dimensions from the axis on are one.
    let axis = try axis(try node.integer("axis", default: 1), rank: rank(x))
    let shape = self.shape(x)
    if axis == shape.count - 1 { return try emit(op, [x], ["axis": .integer(axis)]) }
    let matrix = try reshape(x, [shape[..<axis].reduce(1, *), shape[axis...].reduce(1, *)])
    return try reshape(try emit(op, [matrix], ["axis": .integer(1)]), shape)
  }

  fileprivate func groupNorm(_ x: ImportedValue, groups: Int) throws(DiagnosticError) -> ImportedValue {
    let epsilon = try node.float("epsilon", default: 1e-5)
    return try emit(
      "dnn.group_norm", [x, try input(1), try input(2)], ["groups": .integer(groups), "epsilon": .float32(epsilon)])
  }

  fileprivate func norm(_ op: String, inputs: Int) throws(DiagnosticError) -> ImportedValue {
    let x = try input(0)
    let axis = try axis(try node.integer("axis", default: -1), rank: rank(x))
    var operands = [x, try input(1)]
    if inputs == 3, let bias = optional(2) { operands.append(bias) }
    let epsilon = try node.float("epsilon", default: 1e-5)
    return try emit(op, operands, ["axis": .integer(axis), "epsilon": .float32(epsilon)])
  }

  /// Mean and reciprocal deviation over the axes from `axis` on.
  fileprivate func statistics() throws(DiagnosticError) -> [ImportedValue] {
    let x = try input(0)
    let axis = try axis(try node.integer("axis", default: -1), rank: rank(x))
    let axes = Array(axis..<rank(x))
    let epsilon = Double(try node.float("epsilon", default: 1e-5))
    let mean = try reduce("dnn.reduce_mean", x, axes: axes, keepsDimensions: true)
    let difference = try emit("dnn.sub", [x, mean])
    let variance = try reduce(
      "dnn.reduce_mean", try emit("dnn.mul", [difference, difference]), axes: axes, keepsDimensions: true)
    let shifted = try emit("dnn.add", [variance, scalar(epsilon, elementType(x))])
    return [mean, try emit("dnn.rsqrt", [shifted])]
  }
}
