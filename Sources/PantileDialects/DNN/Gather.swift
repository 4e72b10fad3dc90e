import PantileIR
import PantileSupport
import PantileTensor
import PantileText

extension DNN {
  /// `dnn.gather`: takes slices along an axis.
  public static let gather = GraphOp(
    OpDefinition(
      "dnn.gather", summary: "takes slices along an axis by index",
      documentation: "The shape of `indices` replaces the axis. Negative indices count from the end.",
      operands: [OperandDefinition("x", .data), OperandDefinition("indices", .indices)],
      results: [ResultDefinition("y", .data)], attributes: [AttributeDefinition("axis", .integer, default: 0)],
      traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let x = try op.tensor(0)
        let axis = try op.axis(rank: x.rank)
        var shape = x.shape
        shape.replaceSubrange(axis...axis, with: try op.tensor(1).shape)
        return try op.result(shape, x.element)
      },
      example: DNN.example(
        "%x: tensor<5x4xf32>, %i: tensor<2x3xi64>", "tensor<2x3x4xf32>",
        "%y = dnn.gather %x, %i : (tensor<5x4xf32>, tensor<2x3xi64>) -> tensor<2x3x4xf32>")),
    kernel: { call throws(DiagnosticError) in
      [try inside(Reference.gather(call.inputs[0], indices: call.inputs[1], axis: try call.integer("axis")), call)]
    })

  /// `dnn.gather_elements`: takes single elements along an axis.
  public static let gatherElements = GraphOp(
    OpDefinition(
      "dnn.gather_elements", summary: "takes single elements along an axis by index",
      documentation: "The result at index `i` is `x` at `i` with the axis index replaced by `indices[i]`.",
      operands: [OperandDefinition("x", .data), OperandDefinition("indices", .indices)],
      results: [ResultDefinition("y", .data)], attributes: [AttributeDefinition("axis", .integer, default: 0)],
      traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let x = try op.tensor(0)
        let indices = try op.tensor(1)
        let axis = try op.axis(rank: x.rank)
        guard indices.rank == x.rank,
          x.shape.indices.allSatisfy({ $0 == axis || indices.shape[$0] <= x.shape[$0] })
        else { throw op.error("shape-mismatch", "indices of shape \(indices.shape) do not fit \(x.shape)") }
        return try op.result(indices.shape, x.element)
      },
      example: DNN.example(
        "%x: tensor<5x4xf32>, %i: tensor<2x4xi64>", "tensor<2x4xf32>",
        "%y = dnn.gather_elements %x, %i : (tensor<5x4xf32>, tensor<2x4xi64>) -> tensor<2x4xf32>")),
    kernel: { call throws(DiagnosticError) in
      [
        try inside(
          Reference.gatherElements(call.inputs[0], indices: call.inputs[1], axis: try call.integer("axis")), call)
      ]
    })

  /// `dnn.gather_nd`: takes slices by index tuples.
  public static let gatherND = GraphOp(
    OpDefinition(
      "dnn.gather_nd", summary: "takes slices by index tuples",
      documentation: "The last dimension of `indices` addresses the dimensions of `x` after `batch_dims`.",
      operands: [OperandDefinition("x", .data), OperandDefinition("indices", .indices)],
      results: [ResultDefinition("y", .data)],
      attributes: [AttributeDefinition("batch_dims", .integer, default: 0)], traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let x = try op.tensor(0)
        let indices = try op.tensor(1)
        let batch = try op.bounded("batch_dims", in: 0...64)
        guard let depth = indices.shape.last, batch < indices.rank, depth >= 0, depth <= x.rank,
          batch + depth <= x.rank, x.shape.prefix(batch) == indices.shape.prefix(batch)
        else { throw op.error("shape-mismatch", "indices of shape \(indices.shape) do not fit \(x.shape)") }
        return try op.result(Array(indices.shape.dropLast()) + x.shape[(batch + depth)...], x.element)
      },
      example: DNN.example(
        "%x: tensor<5x4x3xf32>, %i: tensor<6x2xi64>", "tensor<6x3xf32>",
        "%y = dnn.gather_nd %x, %i : (tensor<5x4x3xf32>, tensor<6x2xi64>) -> tensor<6x3xf32>")),
    kernel: { call throws(DiagnosticError) in
      [
        try inside(
          Reference.gatherND(
            call.inputs[0], indices: call.inputs[1], batchDimensions: try call.integer("batch_dims")), call)
      ]
    })

  /// `dnn.scatter_nd`: replaces slices by index tuples.
  public static let scatterND = GraphOp(
    OpDefinition(
      "dnn.scatter_nd", summary: "a copy with slices replaced by index tuples",
      documentation: "`updates[t]` goes to the index tuple `indices[t]`; later ones win.",
      operands: [
        OperandDefinition("x", .data), OperandDefinition("indices", .indices), OperandDefinition("updates", .data),
      ],
      results: [ResultDefinition("y", .data)], traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let x = try op.tensor(0)
        let indices = try op.tensor(1)
        let updates = try op.tensor(2)
        try op.requireSameElement(x, updates, "x and updates")
        guard let depth = indices.shape.last, depth <= x.rank,
          updates.shape == Array(indices.shape.dropLast()) + x.shape[depth...]
        else {
          throw op.error(
            "shape-mismatch", "indices of shape \(indices.shape) and updates of \(updates.shape) do not fit \(x.shape)")
        }
        return try op.result(x.shape, x.element)
      },
      example: DNN.example(
        "%x: tensor<5x4xf32>, %i: tensor<2x1xi64>, %u: tensor<2x4xf32>", "tensor<5x4xf32>",
        "%y = dnn.scatter_nd %x, %i, %u : (tensor<5x4xf32>, tensor<2x1xi64>, tensor<2x4xf32>) -> tensor<5x4xf32>")),
    kernel: { call throws(DiagnosticError) in
      [try inside(Reference.scatterND(call.inputs[0], indices: call.inputs[1], updates: call.inputs[2]), call)]
    })

  /// - Throws: `index-range` for a kernel that found an index outside.
  private static func inside(_ result: HostTensor?, _ call: KernelCall) throws(DiagnosticError) -> HostTensor {
    guard let result else {
      throw DiagnosticError(
        "index-range", "'\(call.name)': an index is outside of the tensor of shape \(call.inputs[0].shape)",
        at: call.location)
    }
    return result
  }
}
