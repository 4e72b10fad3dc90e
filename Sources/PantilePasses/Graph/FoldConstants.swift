import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor
import PantileText

/// Options of `fold-constants`.
public struct FoldConstantsOptions: PassOptions {
  /// Results of more elements stay computed at run time.
  public var maxElements = 1 << 24
  /// Whether `dnn.dequantize` of constants is computed too; quantised weights then lose their form.
  public var dequantize = false

  public init() {}

  public static let fields: [PassOptionField<FoldConstantsOptions>] = [
    PassOptionField("max-elements", \.maxElements, "results of more elements stay"),
    PassOptionField("dequantize", \.dequantize, "also dequantise constant weights"),
  ]
}

extension Pass {
  /// Computes ops whose operands are all constant, with the reference kernels.
  ///
  /// **Guarantees** an op with constant operands is left only when its result is too large or needs absent weights of
  /// another shape; results of absent weights are absent constants.
  ///
  /// `%a = dnn.constant …; %b = dnn.neg %a` becomes `%b = dnn.constant …`.
  public static let foldConstants = Pass(
    "fold-constants", summary: "compute ops whose operands are all constant",
    documentation: """
      `%a = dnn.constant …; %b = dnn.neg %a` becomes `%b = dnn.constant …`. Results of absent weights are absent constants.
      Dequantised weights keep their form unless told otherwise.
      """,
    options: FoldConstantsOptions.self
  ) { run, options throws(DiagnosticError) in
    for function in run.functions {
      for op in run.module.ops(inBodyOf: function) { try fold(&run.rewrite, op, options) }
      run.rewrite.eraseUnusedOps(of: function)
    }
  }

  private static func fold(
    _ rewrite: inout RewriteContext, _ op: OpID, _ options: FoldConstantsOptions
  ) throws(DiagnosticError) {
    let name = rewrite.module.name(of: op)
    guard name != "dnn.dequantize" || options.dequantize else { return }
    guard rewrite.isRemovableWhenUnused(op), let graphOp = DNN.op(name) else { return }
    let operands = rewrite.module.operands(of: op)
    guard !operands.isEmpty, operands.allSatisfy({ rewrite.module.isConstant($0) }) else { return }
    let view = rewrite.module[op]
    guard view.results.count == 1 else { return }
    var type = try view.resultTensor()
    // What holds for float weights holds for their quantised values.
    if name == "dnn.quantize", type.encoding == nil { type.encoding = try view.operandTensor(0).encoding }
    guard type.count <= options.maxElements else { return }
    let call = KernelCall(
      name: name, inputs: [], attributes: view.attributes, resultTypes: [TensorType(type.shape, type.element)],
      location: view.location)
    let sources = operands.compactMap { rewrite.module.definingOp(of: $0) }
    let value = try rewrite.insertConstant(
      type, from: sources, name: rewrite.module.name(of: view.result) ?? "folded", summary: "\(name) of constants",
      at: .before(op), location: view.location
    ) { tensors throws(DiagnosticError) in
      var call = call
      call.inputs = tensors
      return try graphOp.kernel(call)[0]
    }
    rewrite.replace(op, with: [value])
  }
}
