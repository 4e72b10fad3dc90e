import PantileIR
import PantileSupport
import PantileTensor
import PantileText

/// Runs a function of a module op by op with the reference kernels.
///
/// Values die after their last use; constants are made once and kept for further runs. The result depends on nothing but
/// the inputs.
///
/// **Example**
/// ```swift
/// let interpreter = try Interpreter(module)                  // @main
/// let outputs = try interpreter.run([image])
/// try interpreter.run([image]) { value, name, tensor in … }  // sees every intermediate value, for calibration
/// ```
public struct Interpreter: Sendable {
  public let module: Module
  public let function: OpID
  private let steps: [Step]
  private let constants: [ValueID: HostTensor]

  /// The largest value that is computed: beyond it a run is refused instead of exhausting the machine.
  public static let valueLimit = Bytes(1 << 34)

  /// One op, prepared.
  private struct Step: Sendable {
    var op: GraphOp
    var id: OpID
    var attributes: AttributeDictionary
    var operands: [ValueID]
    var results: [ValueID]
    var resultTypes: [TensorType]
    var location: SourceLocation
    /// Operands that nothing reads afterwards.
    var dying: [ValueID]
  }

  /// - Parameter function: `@main`, or the only function, when nil.
  /// - Throws: `no-main`; for every op at once `no-kernel`, `missing-weights`, `too-large` and what types throw.
  public init(_ module: Module, function: OpID? = nil) throws(DiagnosticError) {
    self.module = module
    let main: OpID
    if let function { main = function } else { main = try module.mainFunction() }
    self.function = main
    var steps: [Step] = []
    var constants: [ValueID: HostTensor] = [:]
    var problems: [Diagnostic] = []
    for op in module.ops(inBodyOf: main) where module.name(of: op) != "func.return" {
      do throws(DiagnosticError) {
        if module.isConstant(op) {
          let type = try module[op].resultTensor()
          try Self.checkSize(type, module[op])
          guard let tensor = try module.constantTensor(of: op) else {
            throw module[op].error(
              "missing-weights", "the weights are absent", hint: "give the file that holds them; timing works without")
          }
          constants[module.results(of: op)[0]] = tensor
        } else {
          steps.append(try Self.step(op, module))
        }
      } catch { problems += error.diagnostics }
    }
    guard problems.isEmpty else { throw DiagnosticError(problems) }
    Self.markDying(&steps, kept: Set(module.outputs(of: main)).union(constants.keys))
    self.steps = steps
    self.constants = constants
  }

  private static func checkSize(_ type: TensorType, _ op: OpView) throws(DiagnosticError) {
    let element = try ElementType(type.element, at: op.location)
    guard type.count <= valueLimit.count / element.storageBytes else {
      throw op.error("too-large", "\(type) takes more than \(valueLimit)")
    }
  }

  private static func step(_ op: OpID, _ module: Module) throws(DiagnosticError) -> Step {
    let view = module[op]
    guard let graphOp = DNN.op(view.name) else { throw view.error("no-kernel", "there is no reference for this op") }
    var types: [TensorType] = []
    for index in view.results.indices {
      let type = try view.resultTensor(index)
      try checkSize(type, view)
      types.append(type)
    }
    return Step(
      op: graphOp, id: op, attributes: view.attributes, operands: view.operands, results: view.results,
      resultTypes: types, location: view.location, dying: [])
  }

  private static func markDying(_ steps: inout [Step], kept: Set<ValueID>) {
    var seen = kept
    for index in steps.indices.reversed() {
      for operand in steps[index].operands where seen.insert(operand).inserted { steps[index].dying.append(operand) }
    }
  }

  /// Runs the function.
  ///
  /// - Parameter inputs: one tensor for each argument, of its shape and element type.
  /// - Parameter observe: sees the inputs and every op's results with the name that text gives them; constants are left out.
  /// - Throws: `input-count`, `input-type`, `index-range`, and what `observe` throws.
  @discardableResult
  public func run(
    _ inputs: [HostTensor], observe: ((ValueID, String, HostTensor) throws(DiagnosticError) -> Void)? = nil
  ) throws(DiagnosticError) -> [HostTensor] {
    let arguments = module.inputs(of: function)
    let names = module.inputNames(of: function)
    guard inputs.count == arguments.count else {
      throw DiagnosticError(
        "input-count", "\(inputs.count) inputs but the function takes \(arguments.count)",
        at: module.location(of: function), hint: arguments.isEmpty ? nil : "it takes \(names.joined(separator: ", "))")
    }
    var values = constants
    for (index, (argument, tensor)) in zip(arguments, inputs).enumerated() {
      let type = try module.tensor(of: argument)
      guard type.shape == tensor.shape, type.element == tensor.elementType.syntax else {
        throw DiagnosticError(
          "input-type",
          "input '\(names[index])' is \(TensorType(tensor.shape, tensor.elementType.syntax)) but must be \(type)",
          at: module.location(of: function))
      }
      values[argument] = tensor
      try observe?(argument, names[index], tensor)
    }
    for step in steps {
      var operands: [HostTensor] = []
      for operand in step.operands { operands.append(try value(operand, values, step.location)) }
      for operand in step.dying { values[operand] = nil }
      let results = try step.op.kernel(
        KernelCall(
          name: step.op.name, inputs: operands, attributes: step.attributes, resultTypes: step.resultTypes,
          location: step.location))
      for (id, result) in zip(step.results, results) {
        if let observe { try observe(id, Self.name(of: id, step, module), result) }
        if module.hasUses(id) { values[id] = result }
      }
    }
    var outputs: [HostTensor] = []
    for output in module.outputs(of: function) {
      outputs.append(try value(output, values, module.location(of: function)))
    }
    return outputs
  }

  private func value(
    _ id: ValueID, _ values: [ValueID: HostTensor], _ location: SourceLocation
  ) throws(DiagnosticError) -> HostTensor {
    guard let tensor = values[id] else {
      throw DiagnosticError("dominance", "a value is read before it is made", at: location)
    }
    return tensor
  }

  private static func name(of value: ValueID, _ step: Step, _ module: Module) -> String {
    module.name(of: value) ?? step.location.names.first ?? "\(value.index)"
  }
}
