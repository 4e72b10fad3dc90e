import PantileDialects
import PantileIR
import PantileSupport
import PantileText

extension Pass {
  /// Makes one training step from a forward function: loss, gradients and updates in `dnn` ops.
  ///
  /// **Requires** a float function with one output; weights as constants. **Guarantees** one function `@train_step` in place of
  /// the forward one: inputs, target, then each parameter and, with momentum, its velocity; results loss, then the parameters
  /// and velocities anew. Values die as early as they can: masks instead of activations, each update right behind its gradient,
  /// no backward op below the lowest updated layer and none to the input. The side result is a `TrainingReport`.
  ///
  /// **Source** Baydin et al., "Automatic differentiation in machine learning: a survey", JMLR 2018 (reverse mode); Lin et al.,
  /// "On-Device Training Under 256KB Memory", NeurIPS 2022 (sparse update, operators in update order).
  public static let grad = Pass(
    "grad", summary: "make a training step: forward, backward and weight update as one function",
    documentation: """
      In place of the forward function stands `@train_step`. Arguments: the inputs, the target, then each parameter `w` and, with
      momentum, its velocity `w_velocity`. Results: the loss, then each parameter and velocity anew. With `optimizer=none` the results are
      the loss and the gradients, with `forward` the loss and the output. Labels of `softmax-cross-entropy` are `i64`, or `i32` on request; an output that is a softmax gives way to its logits.

      Trained are weights and bias of contractions, scale and bias of normalisations, slopes of `prelu`, and vectors that are
      added, subtracted or multiplied; `parameters` names others, `update` restricts them. Batch normalisation is its inference
      form: mean and variance are constants. ReLU saves a bit an element, max pooling a byte a window. An op that a gradient must pass
      and that has no rule is an error that lists every such op.

      `y = relu(conv(x, w))` before; after:

      ```
      %y_mask = dnn.greater %y, %zero              // saved: one bit an element
      ...
      %g = dnn.select %y_mask, %dy, %zero          // through the ReLU
      %xt = dnn.transpose %x {perm = [1, 0, 2, 3]}
      %gt = dnn.transpose %g {perm = [1, 0, 2, 3]}
      %t = dnn.conv2d %xt, %gt                     // strides and dilations exchanged
      %dw = dnn.transpose %t {perm = [1, 0, 2, 3]}
      %v1 = dnn.add(dnn.mul %v, mu), %dw
      %w1 = dnn.sub %w, (dnn.mul %v1, lr)          // the gradient dies here
      ```

      With `pattern=N:M` forward products read weights masked along input channels, input gradients weights masked along output channels
      (`masks=bdwp`), both from the dense master by `dnn.nm_mask` in the step; weight gradients are dense. `Docs/training.md` has more.

      Rules: \(GradientRule.names.joined(separator: ", ")).
      """,
    scope: .module, isOptional: false,
    before: [
      Ordering("quantize", because: "gradients need floats"),
      Ordering("lower-qdq", because: "gradients need floats"),
    ], options: GradOptions.self
  ) { run, options throws(DiagnosticError) in
    try options.check()
    let function = try run.module.mainFunction()
    let source = try GradSource(run.module, function, options)
    var step = try TrainingStep(run.rewrite, source, options)
    try step.addBackward()
    try step.finish(replacing: function)
    run.rewrite = step.context.rewrite
    let report = step.context.report
    step.remarks(&run)
    run.artifacts[TrainingReport.self] = report
  }
}

/// What `grad` needs to know of a forward function.
struct GradSource {
  var function: OpID
  /// Before a last softmax, when the loss has its own.
  var output: ValueID
  /// Whether the model ends in a softmax that the loss takes over.
  var dropsSoftmax = false
  /// The ops that the output needs, in order.
  var live: [OpID]
  var parameters: [TrainedParameter]
  var batch: (from: Int, to: Int)

  /// - Throws: `output-count`, `loss-shape`, `no-parameters`, `no-batch`, what the selection of parameters throws.
  init(_ module: Module, _ function: OpID, _ options: GradOptions) throws(DiagnosticError) {
    self.function = function
    let location = module.location(of: function)
    let outputs = module.outputs(of: function)
    guard outputs.count == 1 else {
      throw DiagnosticError(
        "output-count", "the function has \(outputs.count) outputs, a loss takes one", at: location)
    }
    output = outputs[0]
    if options.loss == .softmaxCrossEntropy, let last = module.definingOp(of: output),
      module.name(of: last) == "dnn.softmax"
    {
      let view = module[last]
      if try view.integer("axis") == view.resultTensor().rank - 1 {
        output = view.operands[0]
        dropsSoftmax = true
      }
    }
    try TrainingLoss.check(options.loss, output: try module.tensor(of: output), at: location)
    var needed: Set<ValueID> = [output]
    var live: [OpID] = []
    for op in module.ops(inBodyOf: function).reversed()
    where module.results(of: op).contains(where: needed.contains) {
      live.append(op)
      needed.formUnion(module.operands(of: op))
    }
    self.live = live.reversed()
    parameters = try TrainedParameters.select(module, live: self.live, options: options)
    guard !parameters.isEmpty else {
      throw DiagnosticError(
        "no-parameters", "no constant of the function is to be trained", at: location,
        hint: "name constants with parameters=a,b")
    }
    batch = (1, 1)
    if options.batch > 0 {
      guard let input = module.inputs(of: function).first, let first = try module.tensor(of: input).shape.first,
        first > 0
      else { throw DiagnosticError("no-batch", "the function has no input with a batch", at: location) }
      batch = (first, options.batch)
    }
  }
}
