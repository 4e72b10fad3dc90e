import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor
import PantileText

extension GraphPattern {
  /// Matrix products and biases.
  static let products: [GraphPattern] = [
    GraphPattern(
      "matmul-to-dense", ["dnn.matmul"],
      "a product with a constant matrix is a dense layer, rows of leading dimensions joined"
    ) { rewrite, op throws(DiagnosticError) in try matmulToDense(&rewrite, op) },
    GraphPattern("merge-bias", ["dnn.add", "dnn.sub"], "a constant added to each output channel becomes the bias") {
      rewrite, op throws(DiagnosticError) in try mergeBias(&rewrite, op)
    },
  ]

  private static func matmulToDense(_ rewrite: inout RewriteContext, _ op: OpID) throws(DiagnosticError) -> Bool {
    let view = rewrite.module[op]
    let a = try view.operandTensor(0)
    let b = try view.operandTensor(1)
    guard a.rank >= 2, b.rank == 2, a.count > 0, try !view.flag("transpose_a") else { return false }
    let isTransposed = try view.flag("transpose_b")
    guard
      let weights = try denseWeights(&rewrite, view.operands[1], isTransposed: isTransposed, at: op)
    else { return false }
    let location = view.location
    let zeroPoint = try view.integer("input_zero_point")
    let depth = a.shape[a.rank - 1]
    let result = try view.resultTensor()
    var x = view.operands[0]
    if a.rank > 2 {
      x = try rewrite.insertValue(
        "dnn.reshape", [x], ["shape": .integers([a.count / depth, depth])], at: .before(op), location: location)
    }
    let dense = try rewrite.insertValue(
      "dnn.fully_connected", [x, weights], ["input_zero_point": .integer(zeroPoint)], at: .before(op),
      location: location)
    if a.rank > 2 {
      try rewrite.replace(op, by: "dnn.reshape", [dense], ["shape": .integers(result.shape)])
    } else {
      rewrite.replace(op, with: [dense])
    }
    return true
  }

  /// A constant matrix with outputs outermost; quantised weights are turned before they are dequantised.
  private static func denseWeights(
    _ rewrite: inout RewriteContext, _ value: ValueID, isTransposed: Bool, at op: OpID
  ) throws(DiagnosticError) -> ValueID? {
    guard let maker = rewrite.module.definingOp(of: value) else { return nil }
    if rewrite.module.isConstant(maker) {
      return isTransposed ? value : try transposedConstant(&rewrite, maker, at: op)
    }
    guard rewrite.module.name(of: maker) == "dnn.dequantize",
      let source = rewrite.module.definingOp(of: rewrite.module.operands(of: maker)[0]),
      rewrite.module.isConstant(source)
    else { return nil }
    if isTransposed { return value }
    let turned = try transposedConstant(&rewrite, source, at: op)
    let view = rewrite.module[maker]
    var attributes = view.attributes
    if try view.numbers("scale").count > 1 { attributes["axis"] = .integer(1 - (try view.integer("axis"))) }
    return try rewrite.insertValue(
      "dnn.dequantize", [turned], attributes, at: .before(op), location: view.location)
  }

  private static func transposedConstant(
    _ rewrite: inout RewriteContext, _ constant: OpID, at op: OpID
  ) throws(DiagnosticError) -> ValueID {
    let type = try rewrite.module[constant].resultTensor()
    let turned = TensorType(type.shape.reversed(), type.element, encoding: type.encoding)
    return try rewrite.insertConstant(
      turned, from: [constant], name: rewrite.module.name(of: rewrite.module.results(of: constant)[0]) ?? "weights",
      summary: "transposed weights", at: .before(op), location: rewrite.module.location(of: constant)
    ) { tensors throws(DiagnosticError) in tensors[0].transposed([1, 0]) }
  }

  private static func mergeBias(_ rewrite: inout RewriteContext, _ op: OpID) throws(DiagnosticError) -> Bool {
    let operands = rewrite.module.operands(of: op)
    let isSubtraction = rewrite.module.name(of: op) == "dnn.sub"
    for (x, other) in [(operands[0], operands[1]), (operands[1], operands[0])] {
      if isSubtraction, x != operands[0] { continue }
      // A reshape of a dense layer's rows keeps its columns, so the bias moves through it.
      let reshape = rewrite.maker(x, "dnn.reshape")
      let inner = reshape.map { rewrite.module.operands(of: $0)[0] } ?? x
      guard let constant = rewrite.module.definingOp(of: other), rewrite.module.isConstant(constant),
        rewrite.module.hasOneUse(x), rewrite.module.hasOneUse(inner),
        rewrite.module.type(of: x) == rewrite.module.type(of: rewrite.module.results(of: op)[0]),
        let contraction = Contraction(maker: inner, rewrite.module), contraction.hasConstantBias(rewrite.module),
        try rewrite.module.tensor(of: inner).element == .f32
      else { continue }
      let vector: ValueID
      if reshape == nil {
        guard let found = try contraction.channelVector(&rewrite, constant, at: contraction.op) else { continue }
        vector = found
      } else {
        let type = try rewrite.module[constant].resultTensor()
        guard contraction.name == "dnn.fully_connected", type.shape.last == contraction.channels,
          type.count == contraction.channels, try rewrite.module.tensor(of: x).shape.last == contraction.channels
        else { continue }
        vector = other
      }
      try addBias(&rewrite, contraction, vector, isSubtraction: isSubtraction, from: op)
      rewrite.replace(op, with: [x])
      return true
    }
    return false
  }

  /// Adds the constant behind `vector` to the bias of a contraction.
  private static func addBias(
    _ rewrite: inout RewriteContext, _ contraction: Contraction, _ vector: ValueID, isSubtraction: Bool, from op: OpID
  ) throws(DiagnosticError) {
    guard let added = rewrite.module.definingOp(of: vector) else { preconditionFailure("a constant has an op") }
    let old = contraction.bias.flatMap { rewrite.module.definingOp(of: $0) }
    let name = (contraction.bias ?? vector)
    let channels = contraction.channels
    let bias = try rewrite.insertConstant(
      TensorType([channels], .f32), from: [added] + (old.map { [$0] } ?? []),
      name: rewrite.module.name(of: name) ?? "bias", summary: "sum of biases", at: .before(contraction.op),
      location: rewrite.module.location(of: added)
    ) { tensors throws(DiagnosticError) in
      let sign = isSubtraction ? -1.0 : 1.0
      let values = (0..<channels).map { index in
        Float(sign * tensors[0].double(at: index) + (tensors.count > 1 ? tensors[1].double(at: index) : 0))
      }
      return HostTensor(shape: [channels], values: values)
    }
    rewrite.setOperands(of: contraction.op, to: [contraction.x, contraction.weights, bias])
    rewrite.fuseLocation(of: contraction.op, with: rewrite.module.location(of: op))
  }
}
