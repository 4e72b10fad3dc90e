import PantileIR
import PantileProblem
import PantileSupport
import PantileTensor
import PantileText

extension DNN {
  /// `dnn.pad`: adds elements around a tensor.
  public static let pad = GraphOp(
    OpDefinition(
      "dnn.pad", summary: "adds elements around a tensor",
      documentation: """
        `low[i]` elements before and `high[i]` after dimension `i`; negative counts cut off. `mode`: `constant` writes
        `value`, `edge` repeats the border, `reflect` mirrors without it, `wrap` goes round.
        """,
      operands: [OperandDefinition("x", .data)], results: [ResultDefinition("y", .data)],
      attributes: [
        AttributeDefinition("low", .integers), AttributeDefinition("high", .integers),
        AttributeDefinition("mode", .choice(PadMode.allCases.map(\.rawValue)), default: "constant"),
        AttributeDefinition("value", .number, default: .float32(0), summary: "for mode constant"),
      ], traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let x = try op.tensor(0)
        let low = try op.bounded("low", -(1 << 40)...1 << 40)
        let high = try op.bounded("high", -(1 << 40)...1 << 40)
        guard low.count == x.rank, high.count == x.rank else {
          throw op.error("pad-range", "low and high need \(x.rank) entries")
        }
        let shape = x.shape.indices.map { x.shape[$0] + low[$0] + high[$0] }
        for axis in x.shape.indices {
          guard shape[axis] >= 0, low[axis] >= -x.shape[axis], high[axis] >= -x.shape[axis] else {
            throw op.error(
              "pad-range", "\(low[axis]) and \(high[axis]) do not fit dimension \(axis) of size \(x.shape[axis])")
          }
        }
        return try op.result(shape, x.element)
      },
      example: DNN.example(
        "%x: tensor<1x2x4x4xf32>", "tensor<1x2x6x5xf32>",
        "%y = dnn.pad %x {low = [0, 0, 1, 0], high = [0, 0, 1, 1]} : (tensor<1x2x4x4xf32>) -> tensor<1x2x6x5xf32>")),
    kernel: { call throws(DiagnosticError) in
      [
        Reference.pad(
          call.inputs[0], low: try call.integers("low"), high: try call.integers("high"),
          mode: try call.choice("mode"), value: try call.number("value"))
      ]
    },
    work: { op throws(DiagnosticError) in
      let x = try op.operandTensor(0)
      let y = try op.resultTensor()
      guard x.count > 0, y.count > 0, try op.string("mode") == "constant" else { return nil }
      let low = try op.integers("low")
      return Work(
        kind: .elementwise,
        dims: y.shape.enumerated().map { Work.Dim("d\($0.offset)", extent: $0.element, role: .row) },
        operands: [
          try op.workOperand(
            "x0", .read,
            x.shape.enumerated().map {
              AccessMap.Axis([.init(dim: $0.offset)], offset: -low[$0.offset], extent: $0.element)
            }, x.element),
          try op.workOperand(
            "y", .write, y.shape.enumerated().map { AccessMap.Axis(dim: $0.offset, extent: $0.element) }, y.element),
        ])
    })
}
