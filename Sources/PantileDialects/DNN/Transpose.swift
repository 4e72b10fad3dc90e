import PantileIR
import PantileProblem
import PantileSupport
import PantileTensor
import PantileText

extension DNN {
  /// `dnn.transpose`: permutes dimensions.
  public static let transpose = GraphOp(
    OpDefinition(
      "dnn.transpose", summary: "permutes dimensions",
      documentation: "Dimension `i` of the result is dimension `perm[i]` of `x`.",
      operands: [OperandDefinition("x", .data)], results: [ResultDefinition("y", .data)],
      attributes: [AttributeDefinition("perm", .integers)], traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let x = try op.tensor(0)
        let perm = try op.axes("perm", rank: x.rank)
        guard perm.count == x.rank else {
          throw op.error("axis-range", "perm \(perm) must name each of \(x.rank) dimensions")
        }
        return try op.result(perm.map { x.shape[$0] }, x.element)
      },
      example: DNN.example(
        "%x: tensor<1x8x4x2xf32>", "tensor<1x4x2x8xf32>",
        "%y = dnn.transpose %x {perm = [0, 2, 3, 1]} : (tensor<1x8x4x2xf32>) -> tensor<1x4x2x8xf32>")),
    kernel: { call throws(DiagnosticError) in [call.inputs[0].transposed(try call.integers("perm"))] },
    work: { op throws(DiagnosticError) in
      let x = try op.operandTensor(0)
      let y = try op.resultTensor()
      guard x.count > 0 else { return nil }
      let perm = try op.integers("perm")
      var read = [AccessMap.Axis](repeating: AccessMap.Axis([], extent: 1), count: x.rank)
      for (axis, source) in perm.enumerated() { read[source] = AccessMap.Axis(dim: axis, extent: x.shape[source]) }
      return Work(
        kind: .elementwise,
        dims: y.shape.enumerated().map { Work.Dim("d\($0.offset)", extent: $0.element, role: .row) },
        operands: [
          try op.workOperand("x0", .read, read, x.element),
          try op.workOperand(
            "y", .write, y.shape.enumerated().map { AccessMap.Axis(dim: $0.offset, extent: $0.element) }, y.element),
        ])
    })
}
