import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor
import PantileText

/// A convolution or dense layer as graph passes see it: data, weights with output channels outermost, bias.
struct Contraction {
  let op: OpID
  /// `dnn.conv2d` or `dnn.fully_connected`.
  let name: String
  let x: ValueID
  let weights: ValueID
  let bias: ValueID?
  /// The op of constant weights; nil when they are computed.
  let constantWeights: OpID?
  /// Output channels.
  let channels: Int
  /// The dimension of the result that counts output channels.
  let channelAxis = 1

  /// Nil for ops of other kinds.
  init?(_ op: OpID, _ module: Module) {
    name = module.name(of: op)
    guard name == "dnn.conv2d" || name == "dnn.fully_connected" else { return nil }
    let operands = module.operands(of: op)
    guard operands.count >= 2, let type = TensorType(module.type(of: operands[1])), let first = type.shape.first else {
      return nil
    }
    self.op = op
    x = operands[0]
    weights = operands[1]
    bias = operands.count > 2 ? operands[2] : nil
    constantWeights = module.definingOp(of: operands[1]).flatMap { module.isConstant($0) ? $0 : nil }
    channels = first
  }

  /// The contraction that makes `value`.
  init?(maker value: ValueID, _ module: Module) {
    guard let op = module.definingOp(of: value) else { return nil }
    self.init(op, module)
  }

  /// Whether the bias is absent or a constant.
  func hasConstantBias(_ module: Module) -> Bool { bias.map { module.isConstant($0) } ?? true }

  /// A constant that broadcasts along the channels of the result alone, as a vector of one value a channel; nil when it
  /// varies along other dimensions or would change the result's shape.
  func channelVector(
    _ rewrite: inout RewriteContext, _ constant: OpID, at op: OpID
  ) throws(DiagnosticError) -> ValueID? {
    let type = try rewrite.module[constant].resultTensor()
    let result = try rewrite.module[self.op].resultTensor()
    guard type.element == .f32, type.rank <= result.rank, type.count == 1 || type.count == channels else { return nil }
    let lead = result.rank - type.rank
    for (axis, size) in type.shape.enumerated() where size != 1 && lead + axis != channelAxis { return nil }
    if type.shape == [channels] { return rewrite.module.results(of: constant)[0] }
    let channels = self.channels
    return try rewrite.insertConstant(
      TensorType([channels], type.element), from: [constant],
      name: rewrite.module.name(of: rewrite.module.results(of: constant)[0]) ?? "vector",
      summary: "one value a channel",
      at: .before(op), location: rewrite.module.location(of: constant)
    ) { tensors throws(DiagnosticError) in tensors[0].reshaped(to: [tensors[0].count]).broadcast(to: [channels]) }
  }
}
