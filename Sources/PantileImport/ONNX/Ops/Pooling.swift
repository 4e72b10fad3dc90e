import PantileSupport
import PantileTensor
import PantileText

extension ONNXOp {
  /// Pooling over windows and over whole planes.
  static let pooling: [ONNXOp] = [
    ONNXOp("MaxPool") { n throws(DiagnosticError) in
      if n.isOutputUsed.count > 1, n.isOutputUsed[1] {
        throw n.node.unsupported("the places of the maxima are not computed")
      }
      return [try n.pool("dnn.max_pool2d", [:])]
    },
    ONNXOp("AveragePool") { n throws(DiagnosticError) in
      [try n.pool("dnn.avg_pool2d", ["count_include_pad": .bool(try n.node.flag("count_include_pad"))])]
    },
    ONNXOp("GlobalAveragePool") { n throws(DiagnosticError) in [try n.globalPool("dnn.global_avg_pool")] },
    ONNXOp("GlobalMaxPool") { n throws(DiagnosticError) in [try n.globalPool("dnn.global_max_pool")] },
  ]
}

extension NodeImport {
  fileprivate func pool(_ op: String, _ attributes: AttributeDictionary) throws(DiagnosticError) -> ImportedValue {
    let isOneDimensional = rank(try input(0)) == 3
    let x = try planar(try input(0))
    let window = try window(spatial: Array(shape(x).suffix(2)), kernel: nil, isOneDimensional: isOneDimensional)
    var attributes = attributes
    attributes["kernel"] = .integers(window.kernel)
    attributes["strides"] = .integers(window.strides)
    attributes["pads"] = .integers(window.pads)
    attributes["dilations"] = .integers(window.dilations)
    attributes["ceil_mode"] = .bool(try node.flag("ceil_mode"))
    return try unplanar(try emit(op, [x], attributes), isOneDimensional: isOneDimensional)
  }

  fileprivate func globalPool(_ op: String) throws(DiagnosticError) -> ImportedValue {
    let x = try input(0)
    guard rank(x) >= 3 else { throw node.error("shape-mismatch", "an input of shape \(shape(x)) has no planes") }
    return try emit(op, [x])
  }
}
