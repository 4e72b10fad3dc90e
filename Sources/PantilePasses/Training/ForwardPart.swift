import PantileDialects
import PantileIR
import PantileSupport
import PantileText

/// The forward function written again into the step: at the step's batch, parameters as arguments, operands of contractions
/// masked and rounded.
struct ForwardPart {
  /// In order, constants left out.
  var ops: [GradientContext.ForwardOp] = []
  /// The op of the forward function behind each.
  var origins: [OpID] = []
  /// The layer of the report of each contraction.
  var layers: [OpID: Int] = [:]
  var output: ValueID
  var masks: WeightMasks?

  /// - Parameters:
  ///   - values: the arguments of the step by what they stand for in the forward function.
  ///   - live: the ops of the forward function that the output needs, in order.
  ///   - batch: images of the model and of the step.
  /// - Throws: `batch-shape` where an op does not carry the batch outermost; what masks throw.
  init(
    _ context: inout GradientContext, live: [OpID], output: ValueID, values: [ValueID: ValueID],
    batch: (from: Int, to: Int)
  ) throws(DiagnosticError) {
    var values = values
    masks = try WeightMasks(context.module, live: live, options: context.options)
    self.output = output
    let old = context.module
    for op in live {
      let view = old[op]
      context.location = view.location
      if old.isConstant(op) {
        guard values[view.result] == nil else { continue }
        let copy = try context.rewrite.insert(
          view.name, attributes: view.attributes, resultTypes: view.resultTypes, at: .end(context.body),
          location: view.location, resultNames: [old.name(of: view.result) ?? "c"])
        values[view.result] = context.module.results(of: copy)[0]
        continue
      }
      var masters: [ValueID] = []
      for operand in view.operands {
        guard let value = values[operand] else { preconditionFailure("'\(view.name)' reads a value that is not live") }
        masters.append(value)
      }
      var operands = masters
      if StepLayer.isContraction(view.name) {
        if let own = try masks?.forward(&context, operands[1], of: op) { operands[1] = own }
        for index in 0..<2 { operands[index] = try context.operand(operands[index]) }
      }
      let copy = try context.rewrite.insert(
        view.name, operands: operands, attributes: try Self.attributes(view, batch), at: .end(context.body),
        location: view.location, resultNames: view.results.map { old.name(of: $0) ?? "v" })
      for (from, to) in zip(view.results, context.module.results(of: copy)) {
        try Self.check(old[op], old.type(of: from), context.module.type(of: to), batch)
        values[from] = to
      }
      if StepLayer.isContraction(view.name) {
        layers[copy] = context.report.layers.count
        context.report.layers.append(try StepLayer.layer(context.module[copy], origin: view, masks))
      }
      ops.append(.init(op: copy, operands: masters, results: context.module.results(of: copy)))
      origins.append(op)
    }
    guard let value = values[output] else { preconditionFailure("the output is not live") }
    self.output = value
  }

  /// Attributes that state the batch.
  private static func attributes(
    _ op: OpView, _ batch: (from: Int, to: Int)
  ) throws(DiagnosticError) -> AttributeDictionary {
    var attributes = op.attributes
    guard batch.from != batch.to, let first = try op.resultTensor().shape.first else { return attributes }
    let isBatched = try isScaled(op)
    switch op.name {
    case "dnn.reshape", "dnn.expand":
      var shape = try op.integers("shape")
      if isBatched, !shape.isEmpty, first % batch.from == 0 { shape[0] = first / batch.from * batch.to }
      attributes["shape"] = .integers(shape)
    case "dnn.slice":
      var ends = try op.integers("ends")
      let size = try op.operandTensor(0).shape[0]
      if isBatched, ends[0] == size { ends[0] = size / batch.from * batch.to }
      attributes["ends"] = .integers(ends)
    default: break
    }
    return attributes
  }

  /// Whether an op depends on an input rather than on constants alone.
  private static func isScaled(_ op: OpView) throws(DiagnosticError) -> Bool {
    var stack = op.operands
    var seen: Set<ValueID> = []
    while let value = stack.popLast() {
      guard seen.insert(value).inserted else { continue }
      guard let maker = op.module.definingOp(of: value) else { return true }
      stack += op.module.operands(of: maker)
    }
    return false
  }

  private static func check(
    _ op: OpView, _ from: TypeSyntax, _ to: TypeSyntax, _ batch: (from: Int, to: Int)
  ) throws(DiagnosticError) {
    guard batch.from != batch.to, let before = TensorType(from), let after = TensorType(to) else { return }
    var expected = before.shape
    if try isScaled(op), !expected.isEmpty { expected[0] = expected[0] / batch.from * batch.to }
    guard after.shape == expected else {
      throw op.error(
        "batch-shape", "with \(batch.to) images its result is \(after.shape) but should be \(expected)",
        hint: "the batch must stay the outermost dimension; leave 'batch' away")
    }
  }
}

/// What the report says of a contraction.
enum StepLayer {
  static func isContraction(_ name: String) -> Bool {
    ["dnn.conv2d", "dnn.conv_transpose2d", "dnn.fully_connected", "dnn.matmul"].contains(name)
  }

  static func layer(
    _ op: OpView, origin: OpView, _ masks: WeightMasks?
  ) throws(DiagnosticError) -> TrainingReport.Layer {
    let macs = try self.macs(op)
    var layer = TrainingReport.Layer(
      name: origin.location.names.first ?? op.name, kind: String(op.name.dropFirst(4)), forward: macs,
      sparseForward: macs)
    if let masks {
      layer.denseReason = masks.reasons[origin.id]
      if let axes = masks.axes[origin.id] {
        layer.sparseForward = masks.sparse(macs, channels: try op.operandTensor(1).shape[axes.input])
      }
    }
    return layer
  }

  private static func macs(_ op: OpView) throws(DiagnosticError) -> Int {
    let (x, w, y) = (try op.operandTensor(0), try op.operandTensor(1), try op.resultTensor())
    switch op.name {
    case "dnn.conv2d": return y.count * w.shape.dropFirst().reduce(1, *)
    case "dnn.conv_transpose2d": return x.count * w.shape.dropFirst().reduce(1, *)
    case "dnn.fully_connected": return y.count * w.shape[1]
    default: return y.count * (try op.flag("transpose_a") ? x.shape[x.rank - 2] : x.shape[x.rank - 1])
    }
  }
}
