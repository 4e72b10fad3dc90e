import PantileDialects
import PantileIR
import PantilePasses
import PantileSupport
import PantileTensor
import PantileText
import Testing

/// How an integer graph compares with the `quantize` and `dequantize` graph that it was made from.
struct StepComparison {
  /// Quantised values that both graphs have.
  var valueCount = 0
  /// The largest difference of a value, when everything before it is that of the float graph.
  var largest = 0
  /// The value with it.
  var worst = ""
  /// Elements that differ, of all.
  var differing = 0
  var elementCount = 0

  /// Runs both graphs; each integer op gets the float graph's operands, so that differences do not add up.
  init(_ pairs: Module, _ integer: Module, _ inputs: [HostTensor]) throws {
    var expected: [String: HostTensor] = [:]
    try Interpreter(pairs).run(inputs) { value, name, tensor throws(DiagnosticError) in
      guard let op = pairs.definingOp(of: value), pairs.name(of: op) == "dnn.quantize" else { return }
      expected[name] = tensor.elementType == .ui8 ? Self.signed(tensor) : tensor
    }
    let function = try integer.mainFunction()
    var values: [ValueID: HostTensor] = [:]
    for (argument, tensor) in zip(integer.inputs(of: function), inputs) { values[argument] = tensor }
    for op in integer.ops(inBodyOf: function) {
      let view = integer[op]
      if view.name == "func.return" { break }
      guard view.name != "dnn.constant" else {
        values[view.result] = try integer.constantTensor(of: op)
        continue
      }
      let operands = view.operands.compactMap { values[$0] }
      let kernel = try #require(DNN.op(view.name)).kernel
      let result = try kernel(
        KernelCall(
          name: view.name, inputs: operands, attributes: view.attributes, resultTypes: [try view.resultTensor()],
          location: view.location))[0]
      values[view.result] = result
      guard let name = integer.name(of: view.result), let wanted = expected[name], wanted.elementType == .i8,
        result.elementType == .i8, wanted.shape == result.shape
      else { continue }
      compare(result, wanted, name)
      values[view.result] = wanted
    }
  }

  private static func signed(_ tensor: HostTensor) -> HostTensor {
    HostTensor(shape: tensor.shape, values: tensor.values(as: UInt8.self).map { Int8(bitPattern: $0 &- 128) })
  }

  private mutating func compare(_ a: HostTensor, _ b: HostTensor, _ name: String) {
    valueCount += 1
    for (x, y) in zip(a.values(as: Int8.self), b.values(as: Int8.self)) {
      elementCount += 1
      let difference = abs(Int(x) - Int(y))
      if difference > 0 { differing += 1 }
      if difference > largest {
        largest = difference
        worst = name
      }
    }
  }
}

/// The place of the largest value.
func argmax(_ tensor: HostTensor) -> Int {
  let values = tensor.floats
  return values.indices.max { values[$0] < values[$1] } ?? 0
}

/// The kinds of ops of a module's main function, constants and terminator left out.
func opNames(_ module: Module) throws -> [String] {
  module.ops(inBodyOf: try module.mainFunction()).map { module.name(of: $0) }
    .filter { $0 != "dnn.constant" && $0 != "func.return" }
}
