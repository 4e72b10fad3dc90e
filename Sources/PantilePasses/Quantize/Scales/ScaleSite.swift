import PantileDialects
import PantileIR
import PantileSupport
import PantileText

/// A value whose channels may be divided by positive constants without a change of the network's function: the op that
/// makes it takes the divisors into its constants, the layers that read it take them as factors of their weights.
///
/// What stands between has to pass a positive factor of a channel on as it is: relu and its like, pooling, padding with
/// zeros, movements, products with constants. Constants added on the way are divided too.
struct ScaleSite {
  /// A layer that takes the factors into its weights.
  struct Reader {
    let op: OpID
    /// Consecutive input channels of the layer that stem from one channel of the site.
    let unit: Int
  }

  /// A constant that is added on the way.
  struct Shift {
    let op: OpID
    let operand: Int
    let axis: Int
    let unit: Int
  }

  /// What keeps the scales of layers at 1.
  struct Obstacle {
    let reason: String
    /// The layers that the site would have served, as far as they were seen.
    let readers: [OpID]
  }

  let origin: OpID
  let channels: Int
  private(set) var readers: [Reader] = []
  private(set) var shifts: [Shift] = []
  private var obstacle: String?

  /// - Parameter hasOneScale: of a layer: all its weights share one scale, so that scaling its rows would change how they are
  ///   quantised.
  /// - Returns: nil for an op that cannot take divisors.
  /// - Throws: for malformed ops.
  static func at(
    _ origin: OpID, _ module: Module, hasOneScale: (OpID) -> Bool
  ) throws(DiagnosticError) -> (site: ScaleSite?, obstacle: Obstacle?)? {
    guard let start = try divisible(origin, module) else { return nil }
    var site = ScaleSite(origin: origin, channels: start.channels)
    try site.follow(module.results(of: origin)[0], axis: start.axis, unit: 1, module)
    guard !site.readers.isEmpty else { return nil }
    if site.obstacle == nil, isLayer(module.name(of: origin)), hasOneScale(origin) {
      site.obstacle = "the weights of \(name(origin, module)) before it share one scale"
    }
    if let reason = site.obstacle {
      return (nil, Obstacle(reason: reason, readers: site.readers.map(\.op)))
    }
    return (site, nil)
  }

  private init(origin: OpID, channels: Int) {
    self.origin = origin
    self.channels = channels
  }

  static func isLayer(_ name: String) -> Bool {
    name == "dnn.conv2d" || name == "dnn.fully_connected" || name == "dnn.matmul"
  }

  /// The node's name in quotes, else its kind.
  static func name(_ op: OpID, _ module: Module) -> String {
    "'\(module.location(of: op).names.first ?? module.name(of: op))'"
  }

  private static func isFloatConstant(_ value: ValueID, _ module: Module) -> Bool {
    module.isConstant(value) && TensorType(module.type(of: value))?.element == .f32
  }

  /// Where the channels of an op's result stand, when constants of the op can take their divisors.
  private static func divisible(_ op: OpID, _ module: Module) throws(DiagnosticError) -> (axis: Int, channels: Int)? {
    let view = module[op]
    guard view.results.count == 1, let type = TensorType(view.resultType), type.element == .f32, type.rank > 0 else {
      return nil
    }
    let operands = view.operands
    func areConstant(_ values: ArraySlice<ValueID>) -> Bool { values.allSatisfy { isFloatConstant($0, module) } }
    switch view.name {
    case "dnn.conv2d", "dnn.fully_connected":
      guard areConstant(operands.dropFirst()) else { return nil }
      return (1, type.shape[1])
    case "dnn.matmul":
      guard try isDense(view), areConstant(operands.dropFirst()) else { return nil }
      return (type.rank - 1, type.shape[type.rank - 1])
    case "dnn.layer_norm", "dnn.rms_norm":
      guard operands.count > 1, areConstant(operands.dropFirst()) else { return nil }
      return (type.rank - 1, type.shape[type.rank - 1])
    default: return nil
    }
  }

  /// Whether a matrix product is a dense layer: rows times a matrix of two dimensions.
  private static func isDense(_ op: OpView) throws(DiagnosticError) -> Bool {
    guard let a = TensorType(op.operandTypes[0]), let b = TensorType(op.operandTypes[1]) else { return false }
    let isTransposed = try op.flag("transpose_a")
    return a.rank >= 2 && b.rank == 2 && !isTransposed
  }

  /// Follows a value whose element `i` along `axis` belongs to channel `i / unit`.
  private mutating func follow(
    _ value: ValueID, axis: Int, unit: Int, _ module: Module
  ) throws(DiagnosticError) {
    for use in module.uses(of: value) {
      let view = module[use.op]
      if let next = try passed(view, operand: use.operand, axis: axis, unit: unit, module) {
        try follow(view.result, axis: next.axis, unit: next.unit, module)
      } else if try takesFactors(view, operand: use.operand, axis: axis) {
        readers.append(Reader(op: use.op, unit: unit))
      } else if obstacle == nil {
        obstacle =
          view.name == "func.return"
          ? "what \(Self.name(origin, module)) makes is an output too"
          : "'\(view.name)' behind \(Self.name(origin, module)) does not pass factors on"
      }
    }
  }

  /// Whether the op is a layer whose weights can take a factor for each channel of this operand.
  private func takesFactors(_ op: OpView, operand: Int, axis: Int) throws(DiagnosticError) -> Bool {
    guard operand == 0, Self.isLayer(op.name), Self.isFloatConstant(op.operands[1], op.module) else { return false }
    let weights = try op.operandTensor(1)
    switch op.name {
    case "dnn.conv2d":
      // Of one input channel an output channel, the factor would be the output channel's, which has a scale anyway.
      let groups = try op.integer("groups")
      return axis == 1 && !(groups > 1 && weights.shape[1] == 1)
    case "dnn.fully_connected": return axis == 1
    default:
      let (isDense, rank) = (try Self.isDense(op), try op.operandTensor(0).rank)
      return isDense && axis == rank - 1
    }
  }

  /// Where the channels stand in the result, when the op passes positive factors on.
  private mutating func passed(
    _ op: OpView, operand: Int, axis: Int, unit: Int, _ module: Module
  ) throws(DiagnosticError) -> (axis: Int, unit: Int)? {
    guard op.results.count == 1 else { return nil }
    switch op.name {
    case "dnn.relu", "dnn.leaky_relu", "dnn.abs", "dnn.neg": return (axis, unit)
    case "dnn.prelu": return operand == 0 ? (axis, unit) : nil
    case "dnn.max_pool2d", "dnn.avg_pool2d", "dnn.global_max_pool", "dnn.global_avg_pool":
      return axis == 1 ? (axis, unit) : nil
    case "dnn.reduce_mean", "dnn.reduce_sum", "dnn.reduce_max", "dnn.reduce_min":
      let axes = try op.integers("axes")
      guard !axes.contains(axis) else { return nil }
      return (try op.flag("keepdims") ? axis : axis - axes.count { $0 < axis }, unit)
    case "dnn.pad":
      let (low, high) = (try op.integers("low"), try op.integers("high"))
      let (mode, value) = (try op.string("mode"), try op.number("value"))
      return low[axis] == 0 && high[axis] == 0 && (mode != "constant" || value == 0) ? (axis, unit) : nil
    case "dnn.transpose": return try op.integers("perm").firstIndex(of: axis).map { ($0, unit) }
    case "dnn.reshape": return try Self.reshaped(op, axis: axis, unit: unit, channels: channels)
    case "dnn.mul":
      guard Self.isFloatConstant(op.operands[1 - operand], module) else { return nil }
      return try op.resultTensor().shape == op.operandTensor(operand).shape ? (axis, unit) : nil
    case "dnn.div":
      guard operand == 0, Self.isFloatConstant(op.operands[1], module) else { return nil }
      return try op.resultTensor().shape == op.operandTensor(0).shape ? (axis, unit) : nil
    case "dnn.add", "dnn.sub":
      let other = 1 - operand
      guard Self.isFloatConstant(op.operands[other], module),
        try op.resultTensor().shape == op.operandTensor(operand).shape
      else { return nil }
      shifts.append(Shift(op: op.id, operand: other, axis: axis, unit: unit))
      return (axis, unit)
    default: return nil
    }
  }

  /// The axis of the new shape along which alone the channel changes, and how many of its elements a channel has.
  private static func reshaped(
    _ op: OpView, axis: Int, unit: Int, channels: Int
  ) throws(DiagnosticError) -> (axis: Int, unit: Int)? {
    let (old, new) = (try op.operandTensor(0).shape, try op.resultTensor().shape)
    // Elements in a row that belong to one channel.
    let run = unit * old[(axis + 1)...].reduce(1, *)
    var inner = 1
    for index in new.indices.reversed() {
      if inner * new[index] == run * channels, run % inner == 0 { return (index, run / inner) }
      inner *= new[index]
    }
    return nil
  }
}
