import PantileDialects
import PantileEngines
import PantileIR
import PantileProgram
import PantileSupport
import PantileTensor
import PantileText

/// Turns an integer dnn function into steps: contractions with their epilogues fused for the array and the drain, all
/// else as kernels of the vector engine; reshapes and transposes that move nothing become views.
///
/// - Requires: static shapes; constants folded; quantised contractions in integer form (`lower-qdq`).
/// - Guarantees: every op is covered by exactly one step or view; an op that no engine can run is reported with its
///   node names, all of them at once.
public struct StepLowering {
  let module: Module
  let function: OpID
  let machine: PlanningMachine
  var graph: StepGraph
  /// The tensor of each value that has been lowered. A Float value may be stored narrower than its type, when it is a widened
  /// 16-bit float.
  var tensors: [ValueID: Int] = [:]
  /// Copies of narrow tensors in the value's own type, for steps that take no other.
  private var widened: [ValueID: Int] = [:]
  /// Ops that an earlier step has taken in.
  var covered: Set<OpID> = []
  var problems: [Diagnostic] = []
  /// Results of the function by value, so that their last step writes them where the outputs stand.
  private var returned: [ValueID] = []
  private var outputNames: [String] = []
  private var stepNames: Set<String> = []
  /// Values of four dims that are no images: factors and results of products, and what elementwise ops make of them.
  private var isRowMajor: Set<ValueID> = []

  public init(_ module: Module, function: OpID, on machine: PlanningMachine, name: String) {
    self.module = module
    self.function = function
    self.machine = machine
    graph = StepGraph(name: name)
  }

  /// - Parameters:
  ///   - inputNames, outputNames: names in order; shorter lists are filled with `inN` and `outN`.
  /// - Throws: `unsupported` for every op that no engine can run.
  public mutating func run(
    inputNames: [String] = [], outputNames names: [String] = []
  ) throws(DiagnosticError) -> StepGraph {
    guard let body = module.body(of: function) else {
      throw DiagnosticError("empty-function", "function without a body", at: module.location(of: function))
    }
    let ops = module.ops(in: body)
    if let terminator = ops.last { returned = module.operands(of: terminator) }
    outputNames = returned.indices.map { $0 < names.count ? names[$0] : "out\($0)" }
    isRowMajor = try matrices(ops)
    for (index, argument) in module.arguments(of: body).enumerated() {
      try addInput(argument, index < inputNames.count ? inputNames[index] : "in\(index)")
    }
    for op in ops.dropLast() where !covered.contains(op) {
      do throws(DiagnosticError) {
        try lower(module[op])
      } catch {
        problems += error.diagnostics.filter { !problems.contains($0) }
        // Later ops may need this one's results; they are not to blame.
        for result in module.results(of: op) where tensors[result] == nil { tensors[result] = -1 }
      }
    }
    if !problems.isEmpty { throw DiagnosticError(problems) }
    try finishOutputs()
    return graph
  }

  // MARK: Inputs and outputs

  private mutating func addInput(_ value: ValueID, _ name: String) throws(DiagnosticError) {
    let type = try module.tensor(of: value)
    // A truth value is a byte inside the chip; a caller's tensor of them is not.
    guard type.element != .i1, let format = Kernel.Format(type.element) else {
      problems.append(
        Diagnostic(
          "unsupported", "input '\(name)' is of type \(type.element), the chip takes i8, ui8, i32, f32, bf16 and f16",
          at: module.location(ofValue: value)))
      tensors[value] = -1
      return
    }
    let tensor = graph.addTensor(
      name, shape: type.shape, order: Array(type.shape.indices), format: format, kind: .input)
    graph.inputs.append(tensor)
    tensors[value] = tensor
  }

  /// The outputs in order; a result that is an input, a view, a constant or another output is copied.
  private mutating func finishOutputs() throws(DiagnosticError) {
    for (position, value) in returned.enumerated() {
      let tensor = try storedTensor(of: value, for: nil)
      guard try module.tensor(of: value).element != .i1 else {
        throw DiagnosticError(
          "unsupported",
          "output '\(outputNames[position])' is of type i1, the chip gives i8, ui8, i32, f32, bf16 and f16",
          at: module.location(ofValue: value))
      }
      let format = Kernel.Format(try module.tensor(of: value).element) ?? graph.tensors[tensor].format
      let isOwn =
        graph.tensors[tensor].format == format && graph.storages[graph.tensors[tensor].storage].kind == .output
        && graph.tensors[tensor].order == Array(graph.tensors[tensor].shape.indices)
        && !graph.outputs.contains { graph.tensors[$0].storage == graph.tensors[tensor].storage }
      if isOwn {
        let storage = graph.tensors[tensor].storage
        graph.tensors[tensor].name = outputNames[position]
        graph.storages[storage].name = outputNames[position]
        graph.outputs.append(tensor)
        continue
      }
      let source = graph.tensors[tensor]
      let target = graph.addTensor(
        outputNames[position], shape: source.shape, order: Array(source.shape.indices), format: format, kind: .output)
      addCopy(
        name: "copy_\(outputNames[position])", kind: "copy", location: .unknown, from: tensor, to: target,
        shape: source.shape, inputMap: OperandMap(source.shape.indices.map { .along($0) }),
        outputMap: OperandMap(source.shape.indices.map { .along($0) }))
      graph.outputs.append(target)
    }
  }

  // MARK: Values

  /// The tensor of a value in the format of its type.
  /// - Throws: as `storedTensor`.
  mutating func tensor(of value: ValueID, for op: OpView?) throws(DiagnosticError) -> Int {
    if let known = widened[value] { return known }
    let stored = try storedTensor(of: value, for: op)
    let source = graph.tensors[stored]
    guard let format = Kernel.Format(try module.tensor(of: value).element), format != source.format else {
      return stored
    }
    let target = graph.addTensor("\(source.name).wide", shape: source.shape, order: source.order, format: format)
    let identity = OperandMap(source.shape.indices.map { .along($0) })
    addCopy(
      name: "widen_\(source.name)", kind: "cast", location: module.location(ofValue: value), from: stored, to: target,
      shape: source.shape, inputMap: identity, outputMap: identity)
    widened[value] = target
    return target
  }

  /// The tensor of a value as it is stored: perhaps narrower than its type.
  /// - Throws: `unsupported` without text of its own when the value's producer has been reported already.
  mutating func storedTensor(of value: ValueID, for op: OpView?) throws(DiagnosticError) -> Int {
    if let known = tensors[value] {
      if known < 0 { throw DiagnosticError(problems.last ?? Diagnostic("unsupported", "an operand was not lowered")) }
      return known
    }
    // A constant that is read as a tensor becomes a step without inputs but itself.
    guard let constant = try constant(value) else {
      throw DiagnosticError(
        "unsupported", "a value without a producer", at: module.location(ofValue: value))
    }
    let type = try module.tensor(of: value)
    guard let format = Kernel.Format(type.element) else {
      throw DiagnosticError(
        "unsupported", "constant of type \(type.element) cannot be read on the chip",
        at: module.location(ofValue: value))
    }
    return addConstant(value, constant, format)
  }

  /// A step that brings a constant into a tensor of its own, in row-major order.
  mutating func addConstant(_ value: ValueID, _ constant: ConstantValue, _ format: Kernel.Format) -> Int {
    let shape = constant.type.shape
    let target = graph.addTensor(
      module.name(of: value) ?? "constant", shape: shape, order: Array(shape.indices), format: format)
    let identity = OperandMap(shape.indices.map { .along($0) })
    let step = MapStep(
      dims: shape.enumerated().map { .init("d\($0.offset)", $0.element) },
      inputs: [.init(.constant(0), identity)],
      constants: [.init(name: "value", tensor: graph.tensors[target], bytes: constant.bytes)],
      stages: [.init(.move(format), [.input(0)])], output: target, outputMap: identity)
    add(step, kind: "constant", covering: [], name: "constant", location: module.location(ofValue: value))
    tensors[value] = target
    return target
  }

  /// The bytes of a constant.
  struct ConstantValue {
    var type: TensorType
    /// nil when the model has no weights.
    var tensor: HostTensor?

    var bytes: [UInt8]? { tensor.map { $0.withUnsafeBytes { Array($0) } } }
  }

  /// The constant that a value is, or nil when it is computed.
  func constant(_ value: ValueID) throws(DiagnosticError) -> ConstantValue? {
    guard let op = module.definingOp(of: value), module.name(of: op) == "dnn.constant" else { return nil }
    return ConstantValue(type: try module.tensor(of: value), tensor: try module.constantTensor(value))
  }

  /// The tensor that an op's result is written to: an output in row-major order, images as NHWC otherwise.
  ///
  /// - Parameter narrow: how elements are stored instead, when the result is no output of the function.
  mutating func newTensor(for value: ValueID, storedAs narrow: Kernel.Format? = nil) throws(DiagnosticError) -> Int {
    let type = try module.tensor(of: value)
    let isOutput = returned.contains(value)
    guard let format = isOutput ? Kernel.Format(type.element) : narrow ?? Kernel.Format(type.element) else {
      throw DiagnosticError(
        "unsupported", "results of type \(type.element) cannot be made on the chip",
        at: module.location(ofValue: value))
    }
    let order =
      isOutput || type.rank != 4 || isRowMajor.contains(value) ? Array(type.shape.indices) : [0, 2, 3, 1]
    return graph.addTensor(
      module.name(of: value) ?? "t\(graph.tensors.count)", shape: type.shape, order: order, format: format,
      kind: isOutput ? .output : .intermediate)
  }

  /// Values in which the last two dims are a matrix, and their likes through ops that keep the shape.
  private func matrices(_ ops: [OpID]) throws(DiagnosticError) -> Set<ValueID> {
    var found: Set<ValueID> = []
    for op in ops where module.name(of: op) == "dnn.matmul" {
      found.formUnion(module.operands(of: op) + module.results(of: op))
    }
    // Filters that the network computes are lists of products, no images; what is made of them by elements neither.
    var filters: Set<OpID> = []
    for op in ops where module.name(of: op) == "dnn.conv2d" {
      let weights = module.operands(of: op)[1]
      guard try constant(weights) == nil else { continue }
      found.insert(weights)
      filters.insert(op)
    }
    guard !found.isEmpty else { return [] }
    // Down, then up: chains between products are short and in order.
    for op in ops + ops.reversed() where !filters.contains(op) {
      let values = module.operands(of: op) + module.results(of: op)
      guard values.contains(where: found.contains), let result = module.results(of: op).first else { continue }
      let shape = try module.tensor(of: result).shape
      for value in values where try module.tensor(of: value).shape == shape { found.insert(value) }
    }
    return found
  }

  // MARK: Steps

  /// Adds a step for ops that it covers; its name is that of the first node, made unique.
  mutating func add(_ body: Step.Body, kind: String, covering ops: [OpID], macs: Int = 0, name: String? = nil) {
    var location = SourceLocation.unknown
    for op in ops {
      location = location.fused(with: module.location(of: op))
      covered.insert(op)
    }
    let nodes = location.names
    append(body, kind: kind, nodes: nodes, base: name ?? nodes.first ?? kind, location: location, macs: macs)
  }

  mutating func add(
    _ step: MapStep, kind: String, covering ops: [OpID], name: String, location: SourceLocation
  ) {
    for op in ops { covered.insert(op) }
    append(.map(step), kind: kind, nodes: location.names, base: name, location: location, macs: 0)
  }

  private mutating func append(
    _ body: Step.Body, kind: String, nodes: [String], base: String, location: SourceLocation, macs: Int
  ) {
    var name = base
    var suffix = 2
    while !stepNames.insert(name).inserted {
      name = "\(base)#\(suffix)"
      suffix += 1
    }
    graph.steps.append(
      Step(name: name, nodes: nodes, kind: kind, location: location, body: body, macs: macs))
  }

  /// A step that moves elements: one kernel that copies, over a domain of the given shape.
  mutating func addCopy(
    name: String, kind: String, location: SourceLocation, from source: Int, to target: Int, shape: [Int],
    inputMap: OperandMap, outputMap: OperandMap, padValue: Int = 0
  ) {
    let step = MapStep(
      dims: (shape.isEmpty ? [1] : shape).enumerated().map { .init("d\($0.offset)", $0.element) },
      inputs: [.init(.tensor(source), inputMap, padValue: padValue)],
      stages: [.init(.move(graph.tensors[source].format, to: graph.tensors[target].format), [.input(0)])],
      output: target, outputMap: outputMap)
    add(step, kind: kind, covering: [], name: name, location: location)
  }
}

extension Kernel {
  /// Elements as they are.
  static func move(_ format: Format) -> Kernel { move(format, to: format) }

  /// Elements in another format of the same kind of number.
  static func move(_ format: Format, to target: Format) -> Kernel {
    Kernel(
      name: format == target ? "move_\(format.rawValue)" : "\(format.rawValue)_to_\(target.rawValue)",
      inputs: [.init(format, .result, register: 0)], output: 0, outputFormat: target)
  }
}

extension Kernel.Format {
  /// The vector engine's format of an element type; nil when it has none.
  init?(_ element: TypeSyntax) {
    switch element {
    case .i8: self = .i8
    case .i32: self = .i32
    case .f32: self = .f32
    case .float(.bf16): self = .bf16
    case .float(.f16): self = .f16
    case .i1, .ui8: self = .ui8
    default: return nil
    }
  }
}
