import PantileSupport
import PantileTensor
import PantileText

extension ONNXOp {
  /// Matrix products.
  static let products: [ONNXOp] = [
    ONNXOp("MatMul") { n throws(DiagnosticError) in [try n.emit("dnn.matmul", [try n.input(0), try n.input(1)])] },
    ONNXOp("Gemm") { n throws(DiagnosticError) in
      var a = try n.input(0)
      var b = try n.input(1)
      guard n.rank(a) == 2, n.rank(b) == 2 else {
        throw n.node.error("shape-mismatch", "operands of shape \(n.shape(a)) and \(n.shape(b)) are no matrices")
      }
      if try n.node.flag("transA") { a = try n.transpose(a, [1, 0]) }
      // A fully connected layer holds its weights as [N, K].
      if try !n.node.flag("transB") { b = try n.transposeWeights(b) }
      let alpha = try n.node.float("alpha", default: 1)
      let beta = try n.node.float("beta", default: 1)
      let type = n.elementType(a)
      let bias = beta == 0 ? nil : n.optional(2)
      if alpha == 1, beta == 1, let bias, n.shape(bias).reduce(1, *) == n.shape(b)[0],
        n.shape(bias).last == n.shape(b)[0]
      {
        return [try n.emit("dnn.fully_connected", [a, b, try n.reshape(bias, [n.shape(b)[0]])])]
      }
      var y = try n.emit("dnn.fully_connected", [a, b])
      if alpha != 1 { y = try n.emit("dnn.mul", [y, n.scalar(Double(alpha), type)]) }
      if var bias {
        if beta != 1 { bias = try n.emit("dnn.mul", [bias, n.scalar(Double(beta), type)]) }
        y = try n.emit("dnn.add", [y, bias])
      }
      return [y]
    },
  ]
}

extension NodeImport {
  /// A matrix transposed; quantised weights are transposed before they are dequantised, so that they keep their form.
  fileprivate func transposeWeights(_ value: ImportedValue) throws(DiagnosticError) -> ImportedValue {
    guard let source = builder.dequantized(value) else { return try transpose(value, [1, 0]) }
    let turned = try transpose(source.quantized, [1, 0])
    return try dequantize(turned, scales: source.scales, zeroPoints: source.zeroPoints, axis: 1 - source.axis)
  }
}
