import PantileDialects
import PantileIR
import PantilePasses
import PantileProblem
import PantileSupport
import PantileTensor
import PantileText

extension Model {
  /// The graph as a schedule problem: each op of the cleaned `dnn` graph is an op.
  ///
  /// What moves no byte is no op: reshapes, and transposes that move only dimensions of one element; their result is their operand.
  /// Elementwise ops may put their result in the place of an operand of the same size. Joins are copies.
  ///
  /// - Parameters:
  ///   - floatBytes: Bytes of an element that is a float in the model. Chips run int8, so that is one; integers have the size of their type.
  ///   - withWeights: Whether constants are tensors that are fetched.
  /// - Throws: what the clean-up throws; `dynamic-shape`, `element-type`; `bad-schedule-problem`.
  public func scheduleProblem(
    capacity: Int, tileBytes: Int? = nil, withWeights: Bool = false, floatBytes: Int = 1
  ) throws(DiagnosticError) -> ScheduleProblem {
    let module = try GraphPipeline.cleaned(module)
    let function = try module.mainFunction()
    var builder = ScheduleProblemBuilder(module: module, floatBytes: floatBytes, withWeights: withWeights)
    try builder.add(function)
    let problem = ScheduleProblem(
      name: name, memories: [.init("spad", capacity: capacity)], tensors: builder.tensors, ops: builder.ops,
      tileBytes: tileBytes)
    try problem.check()
    return problem
  }
}

private struct ScheduleProblemBuilder {
  let module: Module
  let floatBytes: Int
  let withWeights: Bool
  var tensors: [ScheduleProblem.Tensor] = []
  var ops: [ScheduleProblem.Op] = []
  /// The tensor that holds each value; values that need no room have none.
  private var holder: [ValueID: Int] = [:]

  init(module: Module, floatBytes: Int, withWeights: Bool) {
    self.module = module
    self.floatBytes = floatBytes
    self.withWeights = withWeights
  }

  mutating func add(_ function: OpID) throws(DiagnosticError) {
    for (value, name) in zip(module.inputs(of: function), module.inputNames(of: function)) {
      holder[value] = try addTensor(value, name, .input)
    }
    let names = zip(module.outputs(of: function), module.outputNames(of: function))
    var outputNames: [ValueID: String] = [:]
    for (value, name) in names where outputNames[value] == nil { outputNames[value] = name }
    for op in module.ops(inBodyOf: function).dropLast() { try add(module[op], outputNames) }
    // An output that is a view belongs to the tensor that it is a view of.
    for (value, name) in names {
      guard let tensor = holder[value], tensors[tensor].kind == .activation else { continue }
      tensors[tensor].kind = .output
      tensors[tensor].name = name
    }
  }

  private mutating func add(_ op: OpView, _ outputNames: [ValueID: String]) throws(DiagnosticError) {
    if module.isConstant(op.id) {
      if withWeights {
        holder[op.result] = try addTensor(op.result, nodeName(op) ?? "weights \(tensors.count)", .weight)
      }
      return
    }
    if try isView(op) {
      holder[op.result] = holder[op.operands[0]]
      return
    }
    let kind = String(op.name.split(separator: ".").last ?? "")
    let name = nodeName(op) ?? "\(kind) \(ops.count)"
    let inputs = op.operands.compactMap { holder[$0] }
    var outputs: [Int] = []
    for (index, result) in op.results.enumerated() {
      let tensor = try addTensor(
        result, outputNames[result] ?? module.name(of: result) ?? (op.results.count > 1 ? "\(name).\(index)" : name),
        .activation)
      holder[result] = tensor
      outputs.append(tensor)
    }
    var pairs: [ScheduleProblem.InPlacePair] = []
    if let output = outputs.first, Self.elementwise.contains(op.name) {
      let fitting = inputs.first { tensors[$0].bytes == tensors[output].bytes && tensors[$0].kind != .weight }
      if let fitting { pairs = [.init(input: fitting, output: output)] }
    }
    ops.append(.init(name, inputs: inputs, outputs: outputs, inPlace: pairs))
  }

  /// Ops whose result element depends on the operand elements at the same place only.
  private static let elementwise: Set<String> = Set(
    (DNN.unary + DNN.binary).map(\.name) + [
      "dnn.clamp", "dnn.prelu", "dnn.cast", "dnn.batch_norm", "dnn.quantize", "dnn.dequantize", "dnn.requantize",
      "dnn.quantized_add", "dnn.select",
    ])

  private func isView(_ op: OpView) throws(DiagnosticError) -> Bool {
    if op.name == "dnn.reshape" { return true }
    guard op.name == "dnn.transpose" else { return false }
    let shape = try module.tensor(of: op.operands[0]).shape
    // Dimensions of one element may go anywhere.
    let moved = try op.integers("perm").filter { shape[$0] > 1 }
    return moved == moved.sorted()
  }

  private func nodeName(_ op: OpView) -> String? {
    op.location.names.first ?? op.results.first.flatMap { module.name(of: $0) }
  }

  private mutating func addTensor(
    _ value: ValueID, _ name: String, _ kind: ScheduleProblem.Tensor.Kind
  ) throws(DiagnosticError) -> Int {
    let type = try module.tensor(of: value)
    let element = try ElementType(type.element, at: module.location(ofValue: value))
    let bits = element.isFloat ? saturatingMultiply(floatBytes, 8) : element == .i1 ? 8 : element.bitWidth
    let bytes = saturatingCeilDivide(saturatingMultiply(type.count, bits), 8)
    tensors.append(.init(name, bytes: bytes, kind: kind))
    return tensors.count - 1
  }
}
