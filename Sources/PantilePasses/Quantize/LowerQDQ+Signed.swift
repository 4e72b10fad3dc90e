import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor
import PantileText

extension Pass {
  /// Makes every uint8 value int8 with zero point less 128, but for the function's inputs and outputs and what ops other
  /// than movements read; these are converted by a `dequantize` and a `quantize` of scale 1, which is exact.
  static func makeSigned(_ rewrite: inout RewriteContext, _ function: OpID) throws(DiagnosticError) {
    var signing = Signing(rewrite)
    for argument in rewrite.module.inputs(of: function) where signing.isUnsigned(argument) {
      try signing.sign(argument: argument)
    }
    for op in rewrite.module.ops(inBodyOf: function) { try signing.visit(op) }
    rewrite = signing.rewrite
    rewrite.eraseUnusedOps(of: function)
  }
}

private struct Signing {
  var rewrite: RewriteContext
  /// The int8 twin of a uint8 value.
  private var signed: [ValueID: ValueID] = [:]

  init(_ rewrite: RewriteContext) { self.rewrite = rewrite }

  func isUnsigned(_ value: ValueID) -> Bool { TensorType(rewrite.module.type(of: value))?.element == .ui8 }

  private static let bias = 128

  mutating func sign(argument: ValueID) throws(DiagnosticError) {
    // Only a reader that gains from it makes the conversion worthwhile.
    let readers = rewrite.module.users(of: argument).map { rewrite.module.name(of: $0) }
    guard
      readers.contains(where: { $0 == "dnn.dequantize" || QDQLowering.movements.contains($0) || $0 == "dnn.concat" }),
      let block = rewrite.module.argumentBlock(of: argument)
    else { return }
    let name = rewrite.module.name(of: argument)
    let location = SourceLocation.named(name ?? "input")
    let real = try rewrite.insertValue(
      "dnn.dequantize", [argument], QuantizationParameters(scale: 1, zeroPoint: 0, element: .ui8).attributes,
      at: .start(block), location: location)
    guard let maker = rewrite.module.definingOp(of: real) else { return }
    signed[argument] = try rewrite.insertValue(
      "dnn.quantize", [real], QuantizationParameters(scale: 1, zeroPoint: -Self.bias, element: .i8).quantizeAttributes,
      at: .after(maker), location: location, resultName: name.map { "\($0)_signed" })
  }

  mutating func visit(_ op: OpID) throws(DiagnosticError) {
    let view = rewrite.module[op]
    switch view.name {
    case "dnn.quantize" where isUnsigned(view.result):
      let parameters = try shifted(QuantizationParameters(view))
      let value = try rewrite.insertValue(
        "dnn.quantize", view.operands, parameters.quantizeAttributes, at: .before(op), location: view.location,
        resultName: rewrite.module.name(of: view.result))
      signed[view.result] = value
      // What still reads the uint8 value reads it made of the int8 one, so that the float op has one reader less.
      let real = try rewrite.insertValue(
        "dnn.dequantize", [value], parameters.attributes, at: .before(op), location: view.location)
      rewrite.setOperand(of: op, 0, to: real)
    case "dnn.constant" where isUnsigned(view.result):
      signed[view.result] = try rewrite.insertConstant(
        TensorType(try view.resultTensor().shape, .i8, encoding: try view.resultTensor().encoding), from: [op],
        name: rewrite.module.name(of: view.result) ?? "constant", summary: "uint8 less 128", at: .before(op),
        location: view.location
      ) { tensors throws(DiagnosticError) in
        tensors[0].withValues(as: UInt8.self) { values in
          HostTensor(shape: tensors[0].shape, values: values.map { Int8(bitPattern: $0 &- 128) })
        }
      }
    case "dnn.dequantize":
      guard let source = signed[view.operands[0]] else { return }
      let parameters = try shifted(QuantizationParameters(view))
      try rewrite.replace(op, by: "dnn.dequantize", [source], parameters.attributes)
    default:
      guard QDQLowering.movements.contains(view.name) || view.name == "dnn.concat", view.results.count == 1,
        isUnsigned(view.result)
      else { return }
      try visit(movement: view)
    }
  }

  /// An op that moves or selects uint8 elements.
  private mutating func visit(movement view: OpView) throws(DiagnosticError) {
    let isConcat = view.name == "dnn.concat"
    var operands: [ValueID] = []
    for (index, operand) in view.operands.enumerated() {
      guard isConcat || index == 0 else {
        operands.append(operand)
        continue
      }
      guard let twin = signed[operand] else { return }
      operands.append(twin)
    }
    var attributes = view.attributes
    if view.name == "dnn.pad", try view.string("mode") == "constant" {
      let value = min(max(try view.number("value").rounded(), 0), 255)
      attributes["value"] = .float(value - Double(Self.bias), .f32)
    }
    let value = try rewrite.insertValue(
      view.name, operands, attributes, at: .before(view.id), location: view.location,
      resultName: rewrite.module.name(of: view.result))
    signed[view.result] = value
    let real = try rewrite.insertValue(
      "dnn.dequantize", [value], QuantizationParameters(scale: 1, zeroPoint: -Self.bias).attributes,
      at: .before(view.id), location: view.location)
    try rewrite.replace(
      view.id, by: "dnn.quantize", [real],
      QuantizationParameters(scale: 1, zeroPoint: 0, element: .ui8).quantizeAttributes)
    // The new uint8 value took the old one's place among the readers.
    if let last = rewrite.module.users(of: real).last { signed[rewrite.module.results(of: last)[0]] = value }
  }

  private func shifted(_ parameters: QuantizationParameters) -> QuantizationParameters {
    var result = parameters
    result.zeroPoints = parameters.zeroPoints.map { $0 - Self.bias }
    result.element = .i8
    return result
  }
}
