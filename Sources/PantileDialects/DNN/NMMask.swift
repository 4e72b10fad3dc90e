import PantileIR
import PantileSupport
import PantileTensor
import PantileText

extension DNN {
  /// `dnn.nm_mask`: which weights an N:M pattern keeps.
  public static let nmMask = GraphOp(
    OpDefinition(
      "dnn.nm_mask", summary: "which weights an N:M pattern keeps",
      documentation: """
        Groups of `group` consecutive elements along `axis` keep their `kept` largest magnitudes; of equal ones the lower
        index. The last group is filled up with zeros, which are never kept over a weight. With `transposable` one mask holds the
        pattern along axes 0 and 1 at once: in each block of `group` by `group` exactly `kept` of each row and column, with the
        greatest sum of magnitudes; `axis` then says nothing. Training makes its masks from the master weights with this.
        """,
      operands: [OperandDefinition("w", .float)], results: [ResultDefinition("mask", .truth)],
      attributes: [
        AttributeDefinition("kept", .integer, summary: "N"), AttributeDefinition("group", .integer, summary: "M"),
        AttributeDefinition("axis", .integer, default: 1, summary: "along which groups run"),
        AttributeDefinition("transposable", .flag, default: false, summary: "one mask for axes 0 and 1"),
      ], traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let w = try op.tensor(0)
        _ = try op.axis(rank: w.rank)
        guard w.rank >= 2 else { throw op.error("rank", "weights must have rank 2 or more but have \(w.rank)") }
        _ = try NMPattern(kept: try op.integer("kept"), group: try op.integer("group"))
        return try op.result(w.shape, .i1)
      },
      example: DNN.example(
        "%w: tensor<16x8x3x3xf32>", "tensor<16x8x3x3xi1>",
        "%y = dnn.nm_mask %w {kept = 2, group = 8} : (tensor<16x8x3x3xf32>) -> tensor<16x8x3x3xi1>")),
    kernel: { call throws(DiagnosticError) in
      let pattern = try NMPattern(kept: try call.integer("kept"), group: try call.integer("group"))
      return [
        Reference.patternMask(
          call.inputs[0], pattern: pattern, axis: try call.integer("axis"),
          isTransposable: try call.flag("transposable"))
      ]
    })
}
