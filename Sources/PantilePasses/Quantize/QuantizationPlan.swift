import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor
import PantileText

/// Which ops run in integers, and with which parameters each value between them is quantised.
struct QuantizationPlan {
  /// An op that could be quantised but stays float.
  struct FloatLayer {
    var op: OpID
    var name: String
    var kind: String
    var reason: String
    var location: SourceLocation

    var remark: Diagnostic {
      Diagnostic("stays-float", "'\(kind)' stays float: \(reason)", at: location, severity: .note)
    }
  }

  let module: Module
  /// Ops that run in integers, in order.
  private(set) var quantized: [OpID] = []
  private var isQuantized: Set<OpID> = []
  private(set) var floatLayers: [FloatLayer] = []
  /// Results that are limited by the next op before they are quantised.
  private(set) var isInner: Set<ValueID> = []
  /// Values that get `quantize` and `dequantize`, in order of definition, with their parameters.
  private(set) var parameters: [(value: ValueID, parameters: QuantizationParameters)] = []
  private var groups = ValueGroups()

  /// What quantisation means for an op.
  enum Role {
    /// Conv, dense layer, matrix product.
    case contraction
    case addition
    /// Moves or selects elements: operands and result share a scale. The count is that of data operands.
    case sameScale
    /// Mean pooling: its result has a scale of its own.
    case averaging
    /// Relu, clamp.
    case bound
  }

  static func role(_ op: OpView) -> Role? {
    switch op.name {
    case "dnn.conv2d", "dnn.fully_connected", "dnn.matmul": return .contraction
    case "dnn.add": return .addition
    case "dnn.max_pool2d", "dnn.global_max_pool", "dnn.reshape", "dnn.transpose", "dnn.slice", "dnn.pad", "dnn.concat",
      "dnn.depth_to_space", "dnn.space_to_depth", "dnn.expand", "dnn.tile":
      return .sameScale
    case "dnn.avg_pool2d", "dnn.global_avg_pool", "dnn.reduce_mean": return .averaging
    case "dnn.relu", "dnn.clamp": return .bound
    default: return nil
    }
  }

  /// - Parameter ranges: nil gives every value scale 1.
  /// - Throws: for malformed ops.
  init(
    _ module: Module, function: OpID, ranges: ActivationRanges?, options: QuantizeOptions
  ) throws(DiagnosticError) {
    self.module = module
    let ops = module.ops(inBodyOf: function)
    for op in ops {
      let view = module[op]
      guard let role = Self.role(view), view.results.count == 1 else { continue }
      guard Self.isFloat32(view.result, module) else { continue }
      if let reason = try obstacle(view, role, ranges, options) {
        // Only what would have been worth it is reported.
        if !reason.isEmpty {
          floatLayers.append(
            FloatLayer(
              op: op, name: view.location.names.first ?? view.name, kind: view.name, reason: reason,
              location: view.location))
        }
      } else {
        isQuantized.insert(op)
      }
    }
    spreadBackwards(ops, ranges, options)
    quantized = ops.filter { isQuantized.contains($0) }
    try connect()
    choose(ranges, function: function)
  }

  private static func isFloat32(_ value: ValueID, _ module: Module) -> Bool {
    TensorType(module.type(of: value))?.element == .f32
  }

  /// Why an op stays float; empty when nothing is lost by it.
  private func obstacle(
    _ op: OpView, _ role: Role, _ ranges: ActivationRanges?, _ options: QuantizeOptions
  ) throws(DiagnosticError) -> String? {
    let names = op.location.names
    if options.skip.contains(where: names.contains) { return "it is listed in 'skip'" }
    let data = dataOperands(op, role)
    guard data.allSatisfy({ Self.isFloat32($0, module) }) else { return "" }
    if role == .contraction {
      if let reason = try contractionObstacle(op) { return reason }
    } else {
      // Worth it only when integers come in anyway; constants among the data would need parameters of their own.
      guard !data.contains(where: { module.isConstant($0) }), data.contains(where: isMadeByInteger) else { return "" }
    }
    if let ranges {
      for value in data + op.results {
        guard let range = ranges[value] else { return "no values were seen" }
        if !range.isFinite { return "its values are not finite" }
      }
    }
    return nil
  }

  private func isMadeByInteger(_ value: ValueID) -> Bool {
    module.definingOp(of: value).map(isQuantized.contains) ?? false
  }

  private func contractionObstacle(_ op: OpView) throws(DiagnosticError) -> String? {
    let operands = op.operands
    if isComputedProduct(op) {
      guard !module.isConstant(operands[0]) else { return "its input is constant" }
      guard try op.operandTensor(0).rank >= 2, try op.operandTensor(1).rank >= 2 else {
        return "an operand is a vector"
      }
      return nil
    }
    guard module.isConstant(operands[1]) else { return "its weights are computed" }
    guard !module.isConstant(operands[0]) else { return "its input is constant" }
    if operands.count > 2, !module.isConstant(operands[2]) { return "its bias is computed" }
    if op.name == "dnn.matmul" {
      guard try op.operandTensor(1).rank == 2 else { return "its weights are no matrix" }
      if try op.flag("transpose_a") { return "its input is transposed" }
    }
    return nil
  }

  /// A product of two activations, as in attention.
  private func isComputedProduct(_ op: OpView) -> Bool {
    op.name == "dnn.matmul" && !module.isConstant(op.operands[1])
  }

  /// Operands that carry activations.
  func dataOperands(_ op: OpView, _ role: Role) -> [ValueID] {
    switch role {
    case .contraction: return isComputedProduct(op) ? op.operands : [op.operands[0]]
    case .averaging, .bound: return [op.operands[0]]
    case .addition: return op.operands
    case .sameScale: return op.name == "dnn.concat" ? op.operands : [op.operands[0]]
    }
  }

  /// Movements of elements whose readers all run in integers do so too.
  private mutating func spreadBackwards(_ ops: [OpID], _ ranges: ActivationRanges?, _ options: QuantizeOptions) {
    for op in ops.reversed() where !isQuantized.contains(op) {
      let view = module[op]
      guard Self.role(view) == .sameScale, view.results.count == 1, Self.isFloat32(view.result, module) else {
        continue
      }
      let users = module.users(of: view.result)
      let operands = dataOperands(view, .sameScale)
      guard !users.isEmpty, users.allSatisfy(isQuantized.contains),
        !options.skip.contains(where: view.location.names.contains),
        (operands + [view.result]).allSatisfy({ value in
          !module.isConstant(value) && Self.isFloat32(value, module)
            && (ranges == nil || ranges?[value]?.isFinite == true)
        })
      else { continue }
      isQuantized.insert(op)
      floatLayers.removeAll { $0.op == op }
    }
  }

  /// Finds results that a bound follows at once, and ties values that share a scale.
  private mutating func connect() throws(DiagnosticError) {
    for op in quantized {
      let view = module[op]
      guard let role = Self.role(view) else { continue }
      if role == .sameScale {
        for value in dataOperands(view, role) { groups.join(value, view.result) }
      }
      if role == .contraction || role == .addition || role == .averaging || role == .bound,
        module.hasOneUse(view.result), let user = module.users(of: view.result).first, isQuantized.contains(user),
        Self.role(module[user]) == .bound
      {
        isInner.insert(view.result)
      }
    }
  }

  private mutating func choose(_ ranges: ActivationRanges?, function: OpID) {
    var wanted: Set<ValueID> = []
    for op in quantized {
      let view = module[op]
      guard let role = Self.role(view) else { continue }
      for value in dataOperands(view, role) + [view.result] where !isInner.contains(value) { wanted.insert(value) }
    }
    var ordered = module.inputs(of: function).filter(wanted.contains)
    for op in module.ops(inBodyOf: function) { ordered += module.results(of: op).filter(wanted.contains) }
    // Zero points of both factors would ask for sums over rows and columns that nobody knows beforehand.
    var symmetric: Set<ValueID> = []
    for op in quantized where isComputedProduct(module[op]) {
      for value in module[op].operands { symmetric.insert(groups.root(value)) }
    }
    var spans: [ValueID: (low: Double, high: Double)] = [:]
    for value in ordered {
      let root = groups.root(value)
      guard let range = ranges?[value] else { continue }
      let old = spans[root] ?? (low: 0, high: 0)
      spans[root] = (low: min(old.low, range.low), high: max(old.high, range.high))
    }
    parameters = ordered.map { value in
      guard ranges != nil, let span = spans[groups.root(value)] else {
        return (value, QuantizationParameters(scale: 1, zeroPoint: 0))
      }
      return (
        value,
        symmetric.contains(groups.root(value))
          ? .symmetric(magnitude: max(span.high, -span.low)) : .asymmetric(low: span.low, high: span.high)
      )
    }
  }

  /// Whether an op runs in integers.
  func contains(_ op: OpID) -> Bool { isQuantized.contains(op) }

  /// One row for each op that was quantised or could have been, in the order of the function.
  func report(_ weightBits: [OpID: Int]) -> [QuantizeReport.Layer] {
    var known: [ValueID: QuantizationParameters] = [:]
    for entry in parameters { known[entry.value] = entry.parameters }
    var rows: [(op: OpID, layer: QuantizeReport.Layer)] = floatLayers.map { layer in
      (layer.op, .init(name: layer.name, kind: layer.kind, output: nil, weightBits: nil, reason: layer.reason))
    }
    for op in quantized {
      let view = module[op]
      // A bound stands for the op that it follows.
      if Self.role(view) == .bound, isInner.contains(view.operands[0]) { continue }
      var value = view.result
      while isInner.contains(value), let user = module.users(of: value).first { value = module[user].result }
      let output = known[value].map { QuantizeReport.Output(scale: $0.scale, zeroPoint: $0.zeroPoint) }
      rows.append(
        (
          op,
          .init(
            name: view.location.names.first ?? view.name, kind: view.name, output: output, weightBits: weightBits[op],
            reason: nil)
        ))
    }
    return rows.sorted { $0.op.index < $1.op.index }.map(\.layer)
  }
}

/// Values that must have one scale: a union-find whose root is the least value.
private struct ValueGroups {
  private var parents: [ValueID: ValueID] = [:]

  func root(_ value: ValueID) -> ValueID {
    var value = value
    while let parent = parents[value] { value = parent }
    return value
  }

  mutating func join(_ a: ValueID, _ b: ValueID) {
    let (a, b) = (root(a), root(b))
    guard a != b else { return }
    if a.index < b.index { parents[b] = a } else { parents[a] = b }
  }
}
