import PantileIR

/// The graph dialect: operations on tensors with ONNX meaning, layout NCHW.
///
/// Every op lives in a file of its own as a definition value; this list is what everything else derives from: parser,
/// verifier, interpreter, work, reference pages, tests.
public enum DNN {
  /// All ops, in the order of the reference pages.
  public static let ops: [GraphOp] =
    [constant, conv2d, convTranspose2d, fullyConnected, matmul] + binary + [select] + unary
    + [
      clamp, prelu, cast, softmax, logSoftmax, batchNorm, layerNorm, rmsNorm, groupNorm, localResponseNorm, maxPool2d,
      avgPool2d, globalAvgPool, globalMaxPool,
    ] + reductions
    + [
      argmax, argmin, cumsum, reshape, transpose, concat, slice, pad, expand, tile, gather, gatherElements, gatherND,
      scatterND, resize, depthToSpace, spaceToDepth, triangle, maxPool2dTap, maxUnpool2d, nmMask, quantize, dequantize,
      requantize, quantizedAdd,
    ]

  public static let dialect = Dialect(
    "dnn", summary: "Neural network graphs: ONNX meaning, layout NCHW, static shapes.", ops: ops.map(\.definition))

  private static let byName: [String: GraphOp] = Dictionary(uniqueKeysWithValues: ops.map { ($0.name, $0) })

  /// The op of that name.
  public static func op(_ name: String) -> GraphOp? { byName[name] }

  /// A module around one op, for examples: a function of the given arguments.
  static func example(_ arguments: String, _ result: String, _ body: String) -> String {
    """
    func.func @main(\(arguments)) -> \(result) {
      \(body)
      func.return %y : \(result)
    }
    """
  }
}
