import PantileIR
import PantileSupport
import PantileTensor
import PantileText

// The functions of one number differ in their formula and parameters alone, so they are rows of a table; each is an op of
// its own.
extension DNN {
  /// `dnn.relu`, activations and elementary functions.
  public static let unary: [GraphOp] = [
    relu,
    unaryOp("leaky_relu", "x < 0 ? alpha·x : x", parameters: [alpha(0.01)]) { op throws(DiagnosticError) in
      .leakyRelu(alpha: Float(try op.number("alpha")))
    },
    unaryOp("sigmoid", "1 / (1 + exp(-x))") { _ in .sigmoid },
    unaryOp(
      "hard_sigmoid", "max(0, min(1, alpha·x + beta))",
      parameters: [alpha(0.2), AttributeDefinition("beta", .number, default: .float32(0.5))]
    ) { op throws(DiagnosticError) in
      .hardSigmoid(alpha: Float(try op.number("alpha")), beta: Float(try op.number("beta")))
    },
    unaryOp("hard_swish", "x · max(0, min(1, x/6 + 1/2))") { _ in .hardSwish },
    unaryOp("tanh", "hyperbolic tangent") { _ in .tanh },
    unaryOp(
      "gelu", "x · Φ(x)",
      parameters: [
        AttributeDefinition(
          "approximate", .choice(["none", "tanh"]), default: "none", summary: "error function, or tanh approximation")
      ]
    ) { op throws(DiagnosticError) in .gelu(isTanh: try op.string("approximate") == "tanh") },
    unaryOp("silu", "x / (1 + exp(-x))") { _ in .silu },
    unaryOp("elu", "x > 0 ? x : alpha·(exp(x) - 1)", parameters: [alpha(1)]) { op throws(DiagnosticError) in
      .elu(alpha: Float(try op.number("alpha")))
    },
    unaryOp("softplus", "log(exp(x) + 1)") { _ in .softplus },
    unaryOp("erf", "error function") { _ in .erf }, unaryOp("exp", "exponential") { _ in .exp },
    unaryOp("log", "natural logarithm") { _ in .log }, unaryOp("sqrt", "square root") { _ in .sqrt },
    unaryOp("rsqrt", "1 / sqrt(x)") { _ in .rsqrt }, unaryOp("reciprocal", "1 / x") { _ in .reciprocal },
    unaryOp("sin", "sine") { _ in .sin }, unaryOp("cos", "cosine") { _ in .cos },
    unaryOp("neg", "-x", type: .number) { _ in .neg }, unaryOp("abs", "|x|", type: .number) { _ in .abs },
    unaryOp("sign", "-1, 0 or 1", type: .number) { _ in .sign },
    unaryOp("floor", "greatest integer not above x", type: .number) { _ in .floor },
    unaryOp("ceil", "least integer not below x", type: .number) { _ in .ceil },
    unaryOp("round", "nearest integer, halves to even", type: .number) { _ in .round }, not,
  ]

  /// `dnn.relu`: max(x, 0).
  public static let relu = unaryOp("relu", "max(x, 0)", type: .number) { _ in .relu }

  /// `dnn.not`: of truth values.
  public static let not = GraphOp(
    OpDefinition(
      "dnn.not", summary: "x is false", operands: [OperandDefinition("x", .truth)],
      results: [ResultDefinition("y", .truth)], traits: [.pure],
      inferResultTypes: { op throws(DiagnosticError) in
        let x = try op.tensor(0)
        return try op.result(x.shape, x.element)
      }, example: DNN.example("%x: tensor<4xi1>", "tensor<4xi1>", "%y = dnn.not %x : tensor<4xi1>")),
    kernel: { call throws(DiagnosticError) in [Reference.not(call.inputs[0])] },
    work: { op throws(DiagnosticError) in try op.elementwiseWork() })

  private static func alpha(_ value: Float) -> AttributeDefinition {
    AttributeDefinition("alpha", .number, default: .float32(value), summary: "slope")
  }

  private static func unaryOp(
    _ name: String, _ formula: String, type: TypeConstraint = .float, parameters: [AttributeDefinition] = [],
    _ function: @escaping @Sendable (KernelCall) throws(DiagnosticError) -> UnaryFunction
  ) -> GraphOp {
    GraphOp(
      OpDefinition(
        "dnn.\(name)", summary: formula, documentation: "`x -> y` of the same type, element by element.",
        operands: [OperandDefinition("x", type)], results: [ResultDefinition("y", type)], attributes: parameters,
        traits: [.pure],
        inferResultTypes: { op throws(DiagnosticError) in
          let x = try op.tensor(0)
          return try op.result(x.shape, x.element)
        },
        example: DNN.example("%x: tensor<2x3xf32>", "tensor<2x3xf32>", "%y = dnn.\(name) %x : tensor<2x3xf32>")),
      kernel: { call throws(DiagnosticError) in [Reference.unary(try function(call), call.inputs[0])] },
      work: { op throws(DiagnosticError) in try op.elementwiseWork() })
  }
}
