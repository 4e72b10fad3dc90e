import PantileDialects
import PantileIR
import PantileSupport
import PantileText

/// A constant of the forward function that the step updates.
struct TrainedParameter {
  var constant: OpID
  /// The op that reads it first.
  var reader: OpID
  var name: String
  var type: TensorType
  var part: PartialUpdate?

  /// The shape of what is updated.
  var updatedShape: [Int] {
    var shape = type.shape
    if let part { shape[part.axis] = part.count }
    return shape
  }
}

/// Which constants a step updates.
///
/// Usually: weights and bias of contractions, scale and bias of normalisations, slopes of `prelu`, and vectors that are added,
/// subtracted or multiplied. Other constants (scalars, masks of attention, statistics) stay as they are.
enum TrainedParameters {
  /// - Parameter live: the ops that the output needs, in order.
  /// - Throws: `unknown-node`, `unknown-parameter`, `update-scheme`, `unsupported-ratio`, all at once.
  static func select(
    _ module: Module, live: [OpID], options: GradOptions
  ) throws(DiagnosticError) -> [TrainedParameter] {
    var found: [TrainedParameter] = []
    if options.parameters.isEmpty {
      for op in live {
        for slot in try slots(module[op]) { try append(slot, of: op, module, to: &found) }
      }
    } else {
      try checkNames(options.parameters, live, module)
      for op in live {
        for (index, value) in module.operands(of: op).enumerated() {
          guard let maker = module.definingOp(of: value), module.isConstant(maker),
            options.parameters.contains(module.name(of: value) ?? "")
          else { continue }
          try append(Slot(operand: index, isWeights: true), of: op, module, to: &found)
        }
      }
    }
    guard !options.update.isEmpty else { return found }
    return try restricted(found, module, live, options.update)
  }

  /// An operand that may be a parameter.
  private struct Slot {
    var operand: Int
    /// Weights, of which a share of input channels can be updated; otherwise bias, scale or slope.
    var isWeights: Bool
  }

  private static func append(
    _ slot: Slot, of op: OpID, _ module: Module, to found: inout [TrainedParameter]
  ) throws(DiagnosticError) {
    let value = module.operands(of: op)[slot.operand]
    guard let maker = module.definingOp(of: value), module.isConstant(maker),
      !found.contains(where: { $0.constant == maker })
    else { return }
    let type = try module.tensor(of: value)
    guard case .float = type.element else { return }
    found.append(
      TrainedParameter(
        constant: maker, reader: op, name: module.name(of: value) ?? "parameter\(found.count)",
        type: TensorType(type.shape, type.element)))
  }

  private static func slots(_ op: OpView) throws(DiagnosticError) -> [Slot] {
    switch op.name {
    case "dnn.conv2d", "dnn.fully_connected", "dnn.conv_transpose2d":
      return [Slot(operand: 1, isWeights: true)]
        + (op.operands.count > 2 ? [Slot(operand: 2, isWeights: false)] : [])
    case "dnn.matmul": return [0, 1].map { Slot(operand: $0, isWeights: true) }
    case "dnn.layer_norm", "dnn.rms_norm", "dnn.batch_norm", "dnn.group_norm", "dnn.prelu":
      return op.operands.indices.dropFirst().prefix(2).map { Slot(operand: $0, isWeights: false) }
    case "dnn.add", "dnn.sub", "dnn.mul":
      let result = try op.resultTensor()
      var found: [Slot] = []
      for index in 0..<2 {
        let type = try op.operandTensor(index)
        let isVector = type.count > 1 && type.shape.contains(type.count)
        if isVector, type.count < result.count { found.append(Slot(operand: index, isWeights: false)) }
      }
      return found
    default: return []
    }
  }

  private static func checkNames(_ names: [String], _ live: [OpID], _ module: Module) throws(DiagnosticError) {
    let known = live.filter { module.isConstant($0) }.compactMap { module.name(of: module.results(of: $0)[0]) }
    let unknown = names.filter { !known.contains($0) }
    guard unknown.isEmpty else {
      throw DiagnosticError(
        unknown.map { name in
          Diagnostic(
            "unknown-parameter", "no constant that the output needs is called '\(name)'",
            hint: nearestName(to: name, among: known).map { "did you mean '\($0)'?" })
        })
    }
  }

  // MARK: Sparse updates

  private enum Share: Equatable {
    case all
    case ratio(Double)
    case bias
  }

  /// Keeps what `update` names.
  private static func restricted(
    _ found: [TrainedParameter], _ module: Module, _ live: [OpID], _ update: [String]
  ) throws(DiagnosticError) -> [TrainedParameter] {
    var faults: [Diagnostic] = []
    var shares: [(node: String, share: Share)] = []
    let nodes = found.flatMap { module.location(of: $0.reader).names }
    for text in update {
      var node = text
      var share = Share.all
      if !nodes.contains(text), let colon = text.lastIndex(of: ":") {
        node = String(text[..<colon])
        let tail = String(text[text.index(after: colon)...])
        if tail == "bias" {
          share = .bias
        } else if let ratio = Double(tail), ratio >= 0, ratio <= 1 {
          share = .ratio(ratio)
        } else {
          faults.append(
            Diagnostic(
              "update-scheme", "'\(text)' updates '\(tail)' of a node", hint: "write node, node:0.25 or node:bias"))
          continue
        }
      }
      if !nodes.contains(node) {
        faults.append(
          Diagnostic(
            "unknown-node", "no node with parameters is called '\(node)'",
            hint: nearestName(to: node, among: nodes).map { "did you mean '\($0)'?" }))
      } else if shares.contains(where: { $0.node == node }) {
        faults.append(Diagnostic("update-scheme", "node '\(node)' stands twice in 'update'"))
      }
      shares.append((node, share))
    }
    var result: [TrainedParameter] = []
    for var parameter in found {
      let view = module[parameter.reader]
      guard let share = shares.first(where: { view.location.names.contains($0.node) })?.share else { continue }
      let isWeights =
        try slots(view).first { view.operands[$0.operand] == module.results(of: parameter.constant)[0] }?.isWeights
        ?? true
      switch share {
      case .all: result.append(parameter)
      case .bias: if !isWeights { result.append(parameter) }
      case .ratio(let ratio):
        guard isWeights, ratio < 1 else {
          result.append(parameter)
          continue
        }
        do throws(DiagnosticError) {
          parameter.part = try part(ratio, view)
          if parameter.part?.count != 0 { result.append(parameter) }
        } catch { faults += error.diagnostics }
      }
    }
    guard faults.isEmpty else { throw DiagnosticError(faults) }
    return result
  }

  /// The first ⌊ratio·channels⌋ input channels of a contraction's weights.
  private static func part(_ ratio: Double, _ op: OpView) throws(DiagnosticError) -> PartialUpdate {
    let w = try op.operandTensor(1)
    func channels(_ count: Int) -> Int { Int(ratio * Double(count)) }
    switch op.name {
    case "dnn.fully_connected": return PartialUpdate(axis: 1, count: channels(w.shape[1]))
    case "dnn.matmul":
      guard w.rank == 2, try !op.flag("transpose_a"), op.module.isConstant(op.operands[1]) else { break }
      let axis = try op.flag("transpose_b") ? 1 : 0
      return PartialUpdate(axis: axis, count: channels(w.shape[axis]))
    case "dnn.conv2d":
      let groups = try op.integer("groups")
      if groups == 1 { return PartialUpdate(axis: 1, count: channels(w.shape[1])) }
      // Depthwise: a channel's filters are its own.
      if w.shape[1] == 1 { return PartialUpdate(axis: 0, count: channels(groups) * (w.shape[0] / groups)) }
    default: break
    }
    throw op.error(
      "unsupported-ratio", "a share of its input channels cannot be updated",
      hint: "ratios are for convolutions without groups or depthwise, dense layers, and products with one matrix")
  }
}
