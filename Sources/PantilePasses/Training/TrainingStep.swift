import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor
import PantileText

/// A training step while it is made: forward part, loss, gradients in reverse order, updates.
struct TrainingStep {
  var context: GradientContext
  private let source: GradSource
  private let options: GradOptions
  private let function: OpID
  private var forward: ForwardPart
  private let loss: TrainingLoss
  /// The first op of the loss: what stands before it is the forward part.
  private var boundary: OpID
  /// Weights and velocities as arguments, in the order of the parameters.
  private let weights: [ValueID]
  private let velocities: [ValueID]
  /// Results of the step for each parameter.
  private var updated: [[ValueID]?]
  /// Ops of updates, for the peak with all of them at the end.
  private var updateOps: Set<OpID> = []

  /// - Throws: what the forward part and the loss throw; `no-gradient` for every op without a rule.
  init(_ rewrite: RewriteContext, _ source: GradSource, _ options: GradOptions) throws(DiagnosticError) {
    var rewrite = rewrite
    self.source = source
    self.options = options
    let old = rewrite.module
    guard let root = old.body(of: old.root) else { preconditionFailure("a module has a body") }
    function = try rewrite.insert(
      "func.func",
      attributes: ["sym_name": .string("train_step"), "function_type": .type(.function(inputs: [], results: []))],
      resultTypes: [], regionCount: 1, at: .end(root), location: old.location(of: source.function))
    let body = rewrite.appendBlock(to: rewrite.module.regions(of: function)[0])
    var values: [ValueID: ValueID] = [:]
    let names = old.inputNames(of: source.function)
    for (index, input) in old.inputs(of: source.function).enumerated() {
      var type = try old.tensor(of: input)
      if source.batch.from != source.batch.to, type.rank > 0, type.shape[0] % source.batch.from == 0 {
        type.shape[0] = type.shape[0] / source.batch.from * source.batch.to
      }
      values[input] = rewrite.appendArgument(to: body, type.syntax, name: names[index])
    }
    var output = try old.tensor(of: source.output)
    if source.batch.from != source.batch.to { output.shape[0] = output.shape[0] / source.batch.from * source.batch.to }
    let target = rewrite.appendArgument(
      to: body, TrainingLoss.targetType(options, output: output).syntax, name: "target")
    var weights: [ValueID] = []
    var velocities: [ValueID] = []
    for parameter in source.parameters {
      let argument = rewrite.appendArgument(to: body, parameter.type.syntax, name: parameter.name)
      values[old.results(of: parameter.constant)[0]] = argument
      weights.append(argument)
      if options.optimizer == .sgd, options.momentum > 0 {
        velocities.append(
          rewrite.appendArgument(
            to: body, parameter.type.with(shape: parameter.updatedShape).syntax, name: parameter.name + "_velocity"))
      }
    }
    self.weights = weights
    self.velocities = velocities
    updated = source.parameters.map { _ in nil }
    var context = GradientContext(rewrite: rewrite, body: body, options: options)
    for (parameter, argument) in zip(source.parameters, weights) where parameter.part != nil {
      context.parts[argument] = parameter.part
    }
    context.parameters = Set(weights)
    forward = try ForwardPart(
      &context, live: source.live, output: source.output, values: values, batch: source.batch)
    context.wanted = Set(weights)
    try Self.markWanted(&context, forward)
    context.location = old.location(of: source.function)
    let before = context.module.lastOp(in: body)
    loss = try TrainingLoss(&context, output: forward.output, target: target)
    context.rewrite.setName(of: loss.value, "loss")
    let ops = context.module.ops(in: body)
    guard let before, let last = ops.firstIndex(of: before), last + 1 < ops.count else {
      preconditionFailure("a loss without ops")
    }
    boundary = ops[last + 1]
    self.context = context
  }

  /// Values that depend on a parameter; every op among them must have a rule.
  private static func markWanted(_ context: inout GradientContext, _ forward: ForwardPart) throws(DiagnosticError) {
    var faults: [Diagnostic] = []
    for op in forward.ops {
      let view = context.module[op.op]
      // Truth values and integers pass no gradient on.
      guard case .float = try view.resultTensor().element else { continue }
      let rule = GradientRule.of(view.name)
      let differentiable = rule?.operands ?? Array(op.operands.indices)
      guard differentiable.contains(where: { context.wants(op, $0) }) else { continue }
      context.wanted.formUnion(op.results)
      if let rule {
        if let reason = try rule.refusal(view) { faults += view.error("no-gradient", reason).diagnostics }
      } else {
        faults +=
          view.error(
            "no-gradient", "there is no gradient rule for this op",
            hint: "update only what stands behind it; 'pantile doc grad' lists the ops that have rules"
          ).diagnostics
      }
    }
    guard faults.isEmpty else { throw DiagnosticError(faults) }
  }

  // MARK: Backward

  /// Appends the gradients in reverse order, and each update as soon as its gradient is whole.
  mutating func addBackward() throws(DiagnosticError) {
    if options.optimizer == .forward { return }
    var pending = weights.map { argument in forward.ops.count { self.reads(argument, $0) } }
    context.gradients[forward.output] = loss.gradient
    for (index, op) in forward.ops.enumerated().reversed() {
      guard op.results.contains(where: context.wanted.contains) else { continue }
      if let gradient = context.gradients[op.results[0]] { try pass(gradient, through: op, index) }
      for result in op.results { context.gradients[result] = nil }
      for place in weights.indices where reads(weights[place], op) {
        pending[place] -= 1
        if pending[place] == 0, options.order == .immediate { try update(place) }
      }
    }
    for place in weights.indices where updated[place] == nil { try update(place) }
  }

  /// Whether an op of the backward part gives a gradient to an argument.
  private func reads(_ argument: ValueID, _ op: GradientContext.ForwardOp) -> Bool {
    guard op.results.contains(where: context.wanted.contains) else { return false }
    let operands = GradientRule.of(context.module.name(of: op.op))?.operands ?? Array(op.operands.indices)
    return operands.contains { op.operands.indices.contains($0) && op.operands[$0] == argument }
  }

  private mutating func pass(
    _ gradient: ValueID, through op: GradientContext.ForwardOp, _ index: Int
  ) throws(DiagnosticError) {
    guard let rule = GradientRule.of(context.module.name(of: op.op)) else { return }
    var op = op
    context.location = context.module.location(of: op.op)
    context.layer = forward.layers[op.op]
    if context.layer != nil, context.wants(op, 0) {
      op.backwardWeights = try forward.masks?.backward(&context, op.operands[1], of: forward.origins[index])
    }
    try rule.backward(&context, op, gradient)
    if let layer = context.layer { try countSparse(layer, op, index) }
    context.layer = nil
  }

  private mutating func countSparse(
    _ layer: Int, _ op: GradientContext.ForwardOp, _ index: Int
  ) throws(DiagnosticError) {
    let macs = context.report.layers[layer].backward
    context.report.layers[layer].sparseBackward = macs
    guard op.backwardWeights != nil, let masks = forward.masks, let axes = masks.axes[forward.origins[index]] else {
      return
    }
    let view = context.module[op.op]
    let groups = view.name == "dnn.conv2d" ? try view.integer("groups") : 1
    context.report.layers[layer].sparseBackward = masks.sparse(
      macs, channels: try view.operandTensor(1).shape[axes.output] / groups)
  }

  // MARK: Update

  private mutating func update(_ place: Int) throws(DiagnosticError) {
    let parameter = source.parameters[place]
    let weights = self.weights[place]
    context.location = context.module.location(of: parameter.reader)
    guard var gradient = context.gradients[weights] else {
      throw DiagnosticError(
        "no-gradient", "the output does not depend on '\(parameter.name)' in a way that has a gradient",
        at: context.location)
    }
    let last = context.module.lastOp(in: context.body)
    defer { markUpdate(after: last) }
    gradient = try context.mul(gradient, 1 / options.lossScale)
    guard options.optimizer == .sgd else {
      context.rewrite.setName(of: gradient, parameter.name + "_gradient")
      updated[place] = [gradient]
      return
    }
    var own = weights
    if let part = parameter.part { own = try context.slice(weights, axis: part.axis, 0..<part.count) }
    if options.weightDecay > 0 {
      gradient = try context.add(gradient, try context.mul(own, options.weightDecay))
    }
    var results: [ValueID] = []
    if options.momentum > 0 {
      gradient = try context.add(try context.mul(velocities[place], options.momentum), gradient)
      context.rewrite.setName(of: gradient, parameter.name + "_velocity_next")
      results = [gradient]
    }
    var next = try context.sub(own, try context.mul(gradient, options.learningRate))
    if let part = parameter.part {
      let rest = try context.slice(weights, axis: part.axis, part.count..<parameter.type.shape[part.axis])
      next = try context.emit("concat", [next, rest], ["axis": .integer(part.axis)])
    }
    context.rewrite.setName(of: next, parameter.name + "_next")
    updated[place] = [next] + results
    context.gradients[weights] = nil
  }

  private mutating func markUpdate(after last: OpID?) {
    for op in context.module.ops(in: context.body).reversed() {
      if op == last { return }
      updateOps.insert(op)
    }
  }

  // MARK: End

  /// Ends the function, removes the forward one and what nothing reads, and completes the report.
  mutating func finish(replacing old: OpID) throws(DiagnosticError) {
    var results = [loss.value] + updated.compactMap { $0 }.flatMap { $0 }
    if options.optimizer == .forward { results.append(forward.output) }
    let arguments = context.module.arguments(of: context.body)
    try context.rewrite.insert(
      "func.return", operands: results, resultTypes: [], at: .end(context.body),
      location: context.module.location(of: function))
    context.rewrite.setAttribute(
      of: function, "function_type",
      .type(
        .function(
          inputs: arguments.map { context.module.type(of: $0) }, results: results.map { context.module.type(of: $0) })))
    reportParameters()
    // The forward function goes, its weights are the step's arguments now.
    context.rewrite.erase(old)
    removeUnused()
    let graph = StepLifetimes(context.module, context.body, updates: updateOps, boundary: boundary)
    context.report.saved = try graph.saved()
    context.report.peakBits = graph.peakBits(updatesLast: false)
    context.report.peakBitsUpdatesLast = graph.peakBits(updatesLast: true)
  }

  /// Erases what nothing reads; the boundary moves on to the next op when it goes.
  private mutating func removeUnused() {
    for op in context.module.ops(in: context.body).reversed()
    where context.rewrite.isRemovableWhenUnused(op)
      && context.module.results(of: op).allSatisfy({ !context.module.hasUses($0) })
    {
      if op == boundary {
        let ops = context.module.ops(in: context.body)
        if let place = ops.firstIndex(of: op), place + 1 < ops.count { boundary = ops[place + 1] }
      }
      updateOps.remove(op)
      context.rewrite.erase(op)
    }
  }

  private mutating func reportParameters() {
    context.report.hasVelocity = !velocities.isEmpty
    for parameter in source.parameters {
      let node = context.module.location(of: parameter.reader).names.first
      context.report.parameters.append(
        .init(
          name: parameter.name, node: node ?? context.module.name(of: parameter.reader), shape: parameter.type.shape,
          updatedShape: parameter.updatedShape,
          initial: (try? context.module.constantTensor(of: parameter.constant)) ?? nil))
    }
  }

  /// Remarks on layers, saved values and the whole step.
  func remarks(_ run: inout PassRun) {
    let report = context.report
    if source.dropsSoftmax {
      run.remark("grad-loss", "the model's last softmax is part of the loss", at: run.module.location(of: function))
    }
    for layer in report.layers {
      var text = "'\(layer.name)': FF \(layer.forward), BP \(layer.backward), WU \(layer.weightUpdate) MACs"
      if let form = layer.inputGradient {
        text += "; BP as \(form.form.rawValue): gemm \(form.gemmMACs), full \(form.fullMACs)"
      }
      if let reason = layer.denseReason { text += "; dense: \(reason)" }
      run.remark("grad-layer", text)
    }
    for saved in report.saved {
      run.remark("grad-saved", "'\(saved.node)' saves \(saved.name): \(saved.type), \(StepLifetimes.bytes(saved.bits))")
    }
    let sparse = report.sparseStepMACs == report.stepMACs ? "" : " (\(report.sparseStepMACs) without dropped weights)"
    run.remark(
      "grad-step",
      "\(report.stepMACs) MACs\(sparse), \(StepLifetimes.bytes(report.savedBits)) saved, at most "
        + "\(StepLifetimes.bytes(report.peakBits)) live; \(StepLifetimes.bytes(report.peakBitsUpdatesLast)) with all updates last"
    )
  }
}
