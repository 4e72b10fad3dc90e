import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor
import PantileText

/// The training step under construction: what gradient rules read and write.
///
/// Forward ops stand first, backward ops are appended behind them. What backward needs of the forward part and is smaller than
/// the value itself (a mask bit, a slice of channels, a rounded copy) is made right behind the value, so that the value may die.
struct GradientContext {
  /// One op of the forward part with the values that its gradients belong to: masters, not their masked or rounded copies.
  struct ForwardOp {
    var op: OpID
    var operands: [ValueID]
    var results: [ValueID]
    /// The weights that the input gradient reads; nil when there is no pattern.
    var backwardWeights: ValueID?
  }

  var rewrite: RewriteContext
  let body: BlockID
  let options: GradOptions
  /// The node that ops are made for.
  var location: SourceLocation = .unknown
  var report = TrainingReport()
  /// The layer of the report that ops are made for.
  var layer: Int?
  /// Input channels of which a parameter's weights are updated, where that is not all of them.
  var parts: [ValueID: PartialUpdate] = [:]
  /// The arguments that stand for trained weights.
  var parameters: Set<ValueID> = []
  /// Values that depend on an updated parameter.
  var wanted: Set<ValueID> = []
  /// Gradients so far.
  var gradients: [ValueID: ValueID] = [:]
  private var scalars: [ScalarKey: ValueID] = [:]
  private var roundedCopies: [ValueID: ValueID] = [:]
  private var kept: [KeptKey: ValueID] = [:]
  /// The last constant at the block's start.
  private var lastConstant: OpID?

  private struct ScalarKey: Hashable {
    var bits: UInt64
    var element: TypeSyntax
  }

  private struct KeptKey: Hashable {
    var value: ValueID
    var what: String
  }

  init(rewrite: RewriteContext, body: BlockID, options: GradOptions) {
    self.rewrite = rewrite
    self.body = body
    self.options = options
  }

  var module: Module { rewrite.module }

  // MARK: Making ops

  /// The type of a value of the step.
  func type(_ value: ValueID) -> TensorType {
    guard let type = TensorType(module.type(of: value)) else {
      preconditionFailure("a value of a training step that is no tensor: \(module.type(of: value))")
    }
    return type
  }

  func shape(_ value: ValueID) -> [Int] { type(value).shape }

  /// Appends an op with one result.
  mutating func emit(
    _ name: String, _ operands: [ValueID], _ attributes: AttributeDictionary = [:], named: String? = nil
  ) throws(DiagnosticError) -> ValueID {
    try rewrite.insertValue(
      "dnn.\(name)", operands, attributes, at: .end(body), location: location, resultName: named)
  }

  /// Inserts an op with one result right behind the op that makes `value`, once for each `what`.
  mutating func keep(
    _ value: ValueID, _ what: String, _ name: String, _ operands: [ValueID], _ attributes: AttributeDictionary = [:]
  ) throws(DiagnosticError) -> ValueID {
    let key = KeptKey(value: value, what: what)
    if let found = kept[key] { return found }
    let result = try insertBehind(value, name, operands, attributes, suffix: what)
    kept[key] = result
    return result
  }

  private mutating func insertBehind(
    _ value: ValueID, _ name: String, _ operands: [ValueID], _ attributes: AttributeDictionary, suffix: String
  ) throws(DiagnosticError) -> ValueID {
    let point: RewriteContext.InsertionPoint
    if let maker = module.definingOp(of: value) {
      point = .after(maker)
    } else {
      point = lastConstant.map { .after($0) } ?? .start(body)
    }
    let base = module.name(of: value) ?? "v"
    let made = try rewrite.insertValue(
      "dnn.\(name)", operands, attributes, at: point, location: location, resultName: "\(base)_\(suffix)")
    return made
  }

  /// A constant at the start of the step, once for each value.
  mutating func scalar(_ value: Double, _ element: TypeSyntax) throws(DiagnosticError) -> ValueID {
    let key = ScalarKey(bits: value.bitPattern, element: element)
    if let found = scalars[key] { return found }
    let tensor = HostTensor(shape: [], values: [value]).converted(to: try ElementType(element, at: location))
    let made = try constant(tensor, name: "c")
    scalars[key] = made
    return made
  }

  /// A constant at the start of the step.
  mutating func constant(_ tensor: HostTensor, name: String) throws(DiagnosticError) -> ValueID {
    let point: RewriteContext.InsertionPoint = lastConstant.map { .after($0) } ?? .start(body)
    let made = try rewrite.insertConstant(tensor, name: name, at: point, location: .unknown)
    lastConstant = module.definingOp(of: made)
    return made
  }

  mutating func add(_ a: ValueID, _ b: ValueID) throws(DiagnosticError) -> ValueID { try emit("add", [a, b]) }
  mutating func sub(_ a: ValueID, _ b: ValueID) throws(DiagnosticError) -> ValueID { try emit("sub", [a, b]) }
  mutating func mul(_ a: ValueID, _ b: ValueID) throws(DiagnosticError) -> ValueID { try emit("mul", [a, b]) }

  mutating func mul(_ a: ValueID, _ factor: Double) throws(DiagnosticError) -> ValueID {
    if factor == 1 { return a }
    return try emit("mul", [a, try scalar(factor, type(a).element)])
  }

  mutating func add(_ a: ValueID, _ term: Double) throws(DiagnosticError) -> ValueID {
    try emit("add", [a, try scalar(term, type(a).element)])
  }

  mutating func reshape(_ value: ValueID, _ shape: [Int]) throws(DiagnosticError) -> ValueID {
    if self.shape(value) == shape { return value }
    return try emit("reshape", [value], ["shape": .integers(shape)])
  }

  mutating func transpose(_ value: ValueID, _ permutation: [Int]) throws(DiagnosticError) -> ValueID {
    if permutation == Array(permutation.indices) { return value }
    return try emit("transpose", [value], ["perm": .integers(permutation)])
  }

  mutating func expand(_ value: ValueID, _ shape: [Int]) throws(DiagnosticError) -> ValueID {
    if self.shape(value) == shape { return value }
    return try emit("expand", [value], ["shape": .integers(shape)])
  }

  mutating func sum(
    _ value: ValueID, axes: [Int], keepsDimensions: Bool
  ) throws(DiagnosticError) -> ValueID {
    if axes.isEmpty { return value }
    return try emit("reduce_sum", [value], ["axes": .integers(axes), "keepdims": .bool(keepsDimensions)])
  }

  /// Sums what numpy broadcasting repeated.
  mutating func sum(_ value: ValueID, to target: [Int]) throws(DiagnosticError) -> ValueID {
    let own = shape(value)
    if own == target { return value }
    let lead = own.count - target.count
    let axes = own.indices.filter { $0 < lead || target[$0 - lead] == 1 && own[$0] != 1 }
    return try reshape(try sum(value, axes: Array(axes), keepsDimensions: false), target)
  }

  /// `value` on a range of one axis, in the backward part.
  mutating func slice(_ value: ValueID, axis: Int, _ range: Range<Int>) throws(DiagnosticError) -> ValueID {
    let own = shape(value)
    if range == 0..<own[axis] { return value }
    return try emit("slice", [value], Self.sliceAttributes(own, axis: axis, range))
  }

  static func sliceAttributes(_ shape: [Int], axis: Int, _ range: Range<Int>) -> AttributeDictionary {
    var starts = [Int](repeating: 0, count: shape.count)
    var ends = shape
    starts[axis] = range.lowerBound
    ends[axis] = range.upperBound
    return [
      "starts": .integers(starts), "ends": .integers(ends),
      "steps": .integers([Int](repeating: 1, count: shape.count)),
    ]
  }

  /// Adds elements around a tensor; negative counts cut off.
  mutating func pad(_ value: ValueID, low: [Int], high: [Int]) throws(DiagnosticError) -> ValueID {
    if low.allSatisfy({ $0 == 0 }), high.allSatisfy({ $0 == 0 }) { return value }
    return try emit("pad", [value], ["low": .integers(low), "high": .integers(high)])
  }

  /// `condition ? value : 0`.
  mutating func masked(_ value: ValueID, by condition: ValueID) throws(DiagnosticError) -> ValueID {
    try emit("select", [condition, value, try scalar(0, type(value).element)])
  }

  // MARK: Contractions

  /// The element type that operands of contractions are rounded to; nil when they stay as they are.
  private var roundedType: TypeSyntax? {
    switch options.format {
    case .f32: return nil
    case .bf16: return .float(.bf16)
    case .f16: return .float(.f16)
    }
  }

  /// A value as an operand of a contraction: rounded to the format, and wide again because sums are.
  ///
  /// The rounded copy stands behind the value, so that it can be what is saved for backward. Weights are there anyway: they are
  /// rounded again.
  mutating func operand(_ value: ValueID) throws(DiagnosticError) -> ValueID {
    guard let roundedType else { return value }
    let wide = type(value).element
    let rounded: ValueID
    if parameters.contains(value) || module.isConstant(value) {
      rounded = try emit("cast", [value], ["to": .type(roundedType)])
    } else if let found = roundedCopies[value] {
      rounded = found
    } else {
      rounded = try insertBehind(
        value, "cast", [value], ["to": .type(roundedType)], suffix: options.format.rawValue)
      roundedCopies[value] = rounded
    }
    return try emit("cast", [rounded], ["to": .type(wide)])
  }

  /// A range of an axis of a forward value, cut out where the value is made.
  mutating func keptSlice(_ value: ValueID, axis: Int, _ range: Range<Int>) throws(DiagnosticError) -> ValueID {
    let own = shape(value)
    if range == 0..<own[axis] { return value }
    return try keep(
      value, "part\(axis)_\(range.lowerBound)_\(range.upperBound)", "slice", [value],
      Self.sliceAttributes(own, axis: axis, range))
  }

  // MARK: Gradients

  /// Whether anything that is updated stands behind operand `index`.
  func wants(_ op: ForwardOp, _ index: Int) -> Bool {
    op.operands.indices.contains(index) && wanted.contains(op.operands[index])
  }

  /// Adds a contribution to the gradient of a value.
  mutating func accumulate(_ gradient: ValueID, to value: ValueID) throws(DiagnosticError) {
    guard let sum = gradients[value] else {
      gradients[value] = gradient
      return
    }
    gradients[value] = try add(sum, gradient)
  }

  /// Adds a contribution to the gradient of an operand that may have been broadcast.
  mutating func accumulate(_ gradient: ValueID, toOperand index: Int, of op: ForwardOp) throws(DiagnosticError) {
    let target = op.operands[index]
    try accumulate(try sum(gradient, to: shape(target)), to: target)
  }
}

/// The first channels along an axis of weights that a step updates.
struct PartialUpdate: Hashable, Sendable {
  var axis: Int
  var count: Int
}
