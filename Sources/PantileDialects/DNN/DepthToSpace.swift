import PantileIR
import PantileSupport
import PantileTensor
import PantileText

extension DNN {
  /// `dnn.depth_to_space`.
  public static let depthToSpace = blockOp(
    "depth_to_space", "moves blocks of channels into space",
    shape: { op, x, block throws(DiagnosticError) in
      guard x[1] % (block * block) == 0 else {
        throw op.error("channel-count", "\(x[1]) channels do not split into blocks of \(block * block)")
      }
      return [x[0], x[1] / (block * block), x[2] * block, x[3] * block]
    }, example: ("tensor<1x8x2x3xf32>", "tensor<1x2x4x6xf32>"),
    function: { x, block, isColumnRowDepth in
      Reference.depthToSpace(x, block: block, isColumnRowDepth: isColumnRowDepth)
    })

  /// `dnn.space_to_depth`.
  public static let spaceToDepth = blockOp(
    "space_to_depth", "moves blocks of space into channels",
    shape: { op, x, block throws(DiagnosticError) in
      guard x[2] % block == 0, x[3] % block == 0 else {
        throw op.error("shape-mismatch", "an image of \(x[2])x\(x[3]) does not split into blocks of \(block)")
      }
      return [x[0], x[1] * block * block, x[2] / block, x[3] / block]
    }, example: ("tensor<1x2x4x6xf32>", "tensor<1x8x2x3xf32>"),
    function: { x, block, isColumnRowDepth in
      Reference.spaceToDepth(x, block: block, isColumnRowDepth: isColumnRowDepth)
    })

  private static func blockOp(
    _ name: String, _ formula: String,
    shape: @escaping @Sendable (OpSignature, [Int], Int) throws(DiagnosticError) -> [Int],
    example types: (String, String), function: @escaping @Sendable (HostTensor, Int, Bool) -> HostTensor
  ) -> GraphOp {
    GraphOp(
      OpDefinition(
        "dnn.\(name)", summary: formula,
        documentation: "`order` `dcr`: block indices outside of the channels; `crd`: inside of them (ONNX modes).",
        operands: [OperandDefinition("x", .data)], results: [ResultDefinition("y", .data)],
        attributes: [
          AttributeDefinition("block", .integer),
          AttributeDefinition("order", .choice(["dcr", "crd"]), default: "dcr"),
        ], traits: [.pure],
        inferResultTypes: { op throws(DiagnosticError) in
          let x = try op.image(0)
          return try op.result(try shape(op, x.shape, try op.bounded("block", in: 1...1 << 7)), x.element)
        },
        example: DNN.example(
          "%x: \(types.0)", types.1, "%y = dnn.\(name) %x {block = 2} : (\(types.0)) -> \(types.1)")),
      kernel: { call throws(DiagnosticError) in
        [function(call.inputs[0], try call.integer("block"), try call.string("order") == "crd")]
      })
  }
}
