import PantileIR
import PantileProblem
import PantileSupport
import PantileText

extension DNN {
  /// `dnn.matmul`: batched matrix product.
  public static let matmul = GraphOp(
    OpDefinition(
      "dnn.matmul", summary: "batched matrix product with numpy's rules",
      documentation: """
        `a: [..., M, K], b: [..., K, N] -> [..., M, N]`, each operand optionally transposed in its last two dimensions;
        leading dimensions broadcast; a 1-D operand is a row (a) or a column (b) whose dimension vanishes.

        Floats sum `k` ascending. Integers (`i8` by `i8` or `i4`): `Σ (a - input_zero_point)·b` in `i32`, wrapping.
        """,
      operands: [OperandDefinition("a", .contractible), OperandDefinition("b", .contractible)],
      results: [ResultDefinition("y", .accumulable)],
      attributes: [
        AttributeDefinition("transpose_a", .flag, default: false, summary: "a is [..., K, M]"),
        AttributeDefinition("transpose_b", .flag, default: false, summary: "b is [..., N, K]"), .inputZeroPoint,
      ], traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let shape = try MatMulShape(op)
        let element = try op.contractionElement(try op.tensor(0), try op.tensor(1))
        try op.checkInputZeroPoint(try op.tensor(0))
        return try op.result(shape.result, element)
      },
      example: DNN.example(
        "%a: tensor<2x4x8xf32>, %b: tensor<2x6x8xf32>", "tensor<2x4x6xf32>",
        "%y = dnn.matmul %a, %b {transpose_b = true} : "
          + "(tensor<2x4x8xf32>, tensor<2x6x8xf32>) -> tensor<2x4x6xf32>")),
    kernel: { call throws(DiagnosticError) in
      [
        Reference.matmul(
          call.inputs[0], call.inputs[1], transposeA: try call.flag("transpose_a"),
          transposeB: try call.flag("transpose_b"), inputZeroPoint: try call.integer("input_zero_point"))
      ]
    },
    work: { op throws(DiagnosticError) in
      let a = try op.operandTensor(0)
      let b = try op.operandTensor(1)
      let y = try op.resultTensor()
      guard a.count > 0, b.count > 0 else { return nil }
      let shape = try MatMulShape(op.signature)
      var dims: [Work.Dim] = [
        .init("m", extent: shape.rows, role: .row), .init("n", extent: shape.columns, role: .column),
        .init("k", extent: shape.depth, role: .reduced),
      ]
      for (index, size) in shape.batch.enumerated() { dims.append(.init("b\(index)", extent: size, role: .batch)) }
      /// Leading axes of an operand, those of size 1 standing still.
      func leading(_ type: TensorType) -> [AccessMap.Axis] {
        let own = type.shape.dropLast(2)
        let skipped = shape.batch.count - own.count
        return own.enumerated().map { index, size in
          size == 1 && shape.batch[skipped + index] != 1
            ? .init([], extent: 1) : .init(dim: 3 + skipped + index, extent: size)
        }
      }
      let (m, n, k): (AccessMap.Axis, AccessMap.Axis, AccessMap.Axis) = (
        .init(dim: 0, extent: shape.rows), .init(dim: 1, extent: shape.columns), .init(dim: 2, extent: shape.depth)
      )
      let left = a.rank == 1 ? [k] : try op.flag("transpose_a") ? [k, m] : [m, k]
      let right = b.rank == 1 ? [k] : try op.flag("transpose_b") ? [n, k] : [k, n]
      let batch = shape.batch.enumerated().map { AccessMap.Axis(dim: 3 + $0.offset, extent: $0.element) }
      return Work(
        kind: .contraction, dims: dims,
        operands: [
          try op.workOperand("x", .read, leading(a) + left, a.element),
          try op.workOperand("w", .read, leading(b) + right, b.element),
          try op.workOperand(
            "y", .write, batch + (a.rank == 1 ? [] : [m]) + (b.rank == 1 ? [] : [n]), y.element),
        ])
    })
}

/// Sizes of a matrix product.
private struct MatMulShape {
  var rows: Int
  var columns: Int
  var depth: Int
  var batch: [Int]
  var result: [Int]

  /// - Throws: `rank`, `shape-mismatch`, `broadcast`.
  init(_ op: OpSignature) throws(DiagnosticError) {
    let a = try op.tensor(0)
    let b = try op.tensor(1)
    guard a.rank >= 1, b.rank >= 1 else { throw op.error("rank", "a scalar is no matrix") }
    let left = a.rank == 1 ? [1, a.shape[0]] : Array(a.shape.suffix(2))
    let right = b.rank == 1 ? [b.shape[0], 1] : Array(b.shape.suffix(2))
    let transposeA = try op.flag("transpose_a")
    let transposeB = try op.flag("transpose_b")
    guard !(transposeA && a.rank == 1), !(transposeB && b.rank == 1) else {
      throw op.error("rank", "a vector cannot be transposed")
    }
    rows = left[transposeA ? 1 : 0]
    depth = left[transposeA ? 0 : 1]
    columns = right[transposeB ? 0 : 1]
    let otherDepth = right[transposeB ? 1 : 0]
    guard depth == otherDepth else {
      throw op.error("shape-mismatch", "inner sizes \(depth) of \(a.shape) and \(otherDepth) of \(b.shape) differ")
    }
    batch = try op.broadcast(Array(a.shape.dropLast(2)), Array(b.shape.dropLast(2)))
    result = batch + (a.rank == 1 ? [] : [rows]) + (b.rank == 1 ? [] : [columns])
  }
}
