import PantileIR
import PantileProblem
import PantileSupport
import PantileText

extension DNN {
  /// `dnn.slice`: a regular part of a tensor.
  public static let slice = GraphOp(
    OpDefinition(
      "dnn.slice", summary: "a regular part of a tensor",
      documentation: """
        Element `i` along each dimension is element `starts + i·steps` of `x`, while that is before `ends` (beyond, for
        negative steps; `-1` then means before the first element). One entry a dimension; nothing counts from the end.
        """,
      operands: [OperandDefinition("x", .data)], results: [ResultDefinition("y", .data)],
      attributes: [
        AttributeDefinition("starts", .integers), AttributeDefinition("ends", .integers),
        AttributeDefinition("steps", .integers, summary: "not zero"),
      ], traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        try op.result(try sliceCounts(op), try op.tensor(0).element)
      },
      example: DNN.example(
        "%x: tensor<4x8xf32>", "tensor<2x4xf32>",
        "%y = dnn.slice %x {starts = [1, 7], ends = [3, -1], steps = [1, -2]} : (tensor<4x8xf32>) -> tensor<2x4xf32>")),
    kernel: { call throws(DiagnosticError) in
      [
        Reference.slice(
          call.inputs[0], starts: try call.integers("starts"), counts: call.resultTypes[0].shape,
          steps: try call.integers("steps"))
      ]
    },
    work: { op throws(DiagnosticError) in
      let x = try op.operandTensor(0)
      let y = try op.resultTensor()
      guard y.count > 0 else { return nil }
      let starts = try op.integers("starts")
      let steps = try op.integers("steps")
      return Work(
        kind: .elementwise,
        dims: y.shape.enumerated().map { Work.Dim("d\($0.offset)", extent: $0.element, role: .row) },
        operands: [
          try op.workOperand(
            "x0", .read,
            x.shape.enumerated().map {
              AccessMap.Axis(
                [.init(dim: $0.offset, coefficient: steps[$0.offset])], offset: starts[$0.offset], extent: $0.element)
            }, x.element),
          try op.workOperand(
            "y", .write, y.shape.enumerated().map { AccessMap.Axis(dim: $0.offset, extent: $0.element) }, y.element),
        ])
    })

  private static func sliceCounts(_ op: OpSignature) throws(DiagnosticError) -> [Int] {
    let x = try op.tensor(0)
    let starts = try op.integers("starts")
    let ends = try op.integers("ends")
    let steps = try op.bounded("steps", -(1 << 40)...1 << 40)
    guard starts.count == x.rank, ends.count == x.rank, steps.count == x.rank else {
      throw op.error("slice-range", "starts, ends and steps need \(x.rank) entries")
    }
    var counts: [Int] = []
    for (axis, size) in x.shape.enumerated() {
      let (start, end, step) = (starts[axis], ends[axis], steps[axis])
      guard step != 0, start >= 0, start <= size, end >= (step < 0 ? -1 : 0), end <= size else {
        throw op.error(
          "slice-range", "start \(start), end \(end), step \(step) do not fit dimension \(axis) of size \(size)")
      }
      let span = step > 0 ? end - start : start - end
      let count = span <= 0 ? 0 : (span + step.magnitudeInt - 1) / step.magnitudeInt
      guard count == 0 || start < size else {
        throw op.error("slice-range", "start \(start) is outside of dimension \(axis) of size \(size)")
      }
      counts.append(count)
    }
    return counts
  }
}

extension Int {
  /// The magnitude of a number that is known not to be `Int.min`.
  fileprivate var magnitudeInt: Int { self < 0 ? -self : self }
}
