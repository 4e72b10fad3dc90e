import PantileDialects
import PantileEngines
import PantileIR
import PantileProgram
import PantileSupport
import PantileTensor
import PantileText

// Contractions of 16-bit floats with sums in Float, as training steps have them: both sides computed, the bias too.
extension StepLowering {
  /// The floats in which an array takes a value: those of its tensor, as a cast to 16 bits has left them; else nil.
  func floats(of value: ValueID) -> Contract.Numbers? {
    guard let tensor = tensors[value], tensor >= 0 else { return nil }
    return Contract.Numbers.allCases.first { $0.element == graph.tensors[tensor].format }
  }

  /// One step: nest, operands and bias as they stand.
  mutating func addFloatContract(
    _ op: OpView, numbers: Contract.Numbers, kind: String, extents: [Int], xMap: OperandMap, weightMap: OperandMap,
    outputMap: OperandMap, output: Int, macs: Int
  ) throws(DiagnosticError) {
    typealias D = ContractStep.Dim
    var step = ContractStep(
      of: numbers, extents: extents, x: try storedTensor(of: op.operands[0], for: op), xMap: xMap,
      weights: .init(tensor: try floatTensor(op.operands[1], numbers, for: op), map: weightMap), output: output,
      outputMap: outputMap)
    if op.operands.count > 2 {
      let bias = try storedTensor(of: op.operands[2], for: op)
      guard graph.tensors[bias].format.isFloat, graph.tensors[bias].shape.count == 1 else {
        throw unsupported(op, "a bias of type \(graph.tensors[bias].format.rawValue)")
      }
      step.biasTensor = .init(tensor: bias, map: OperandMap([.init([.init(D.g, extents[D.n]), .init(D.n)])]))
    }
    add(.contract(step), kind: kind, covering: [op.id], macs: macs)
  }

  /// The second operand: a tensor of the same floats, or a constant whose numbers all are such floats.
  mutating func floatTensor(
    _ value: ValueID, _ numbers: Contract.Numbers, for op: OpView
  ) throws(DiagnosticError) -> Int {
    guard let constant = try constant(value), tensors[value] == nil, let format = numbers.element,
      let element = ElementType(rawValue: format.rawValue)
    else {
      let tensor = try storedTensor(of: value, for: op)
      guard graph.tensors[tensor].format == numbers.element else {
        throw unsupported(
          op,
          "operands of type \(numbers.rawValue) and \(graph.tensors[tensor].format.rawValue); both must be rounded alike"
        )
      }
      return tensor
    }
    let narrow = constant.tensor?.converted(to: element)
    if let narrow, let wide = constant.tensor, narrow.converted(to: wide.elementType) != wide {
      throw unsupported(op, "a constant of type \(constant.type.element) with numbers that are no \(format.rawValue)")
    }
    return addConstant(value, ConstantValue(type: constant.type, tensor: narrow), format)
  }

  /// A convolution of two computed tensors.
  mutating func lowerFloatConvolution(_ op: OpView, _ numbers: Contract.Numbers) throws(DiagnosticError) {
    let (w, y) = (try op.operandTensor(1), try op.resultTensor())
    let groups = try op.integer("groups")
    let (strides, pads, dilations) = (
      try op.integers("strides"), try op.integers("pads"), try op.integers("dilations")
    )
    let (cg, ng) = (w.shape[1], w.shape[0] / groups)
    typealias D = ContractStep.Dim
    let output = try newTensor(for: op.result)
    try addFloatContract(
      op, numbers: numbers, kind: "conv2d",
      extents: [groups, y.shape[0], y.shape[2], y.shape[3], ng, cg, w.shape[2], w.shape[3]],
      xMap: OperandMap([
        .along(D.b), .init([.init(D.g, cg), .init(D.c)]),
        .init([.init(D.p, strides[0]), .init(D.r, dilations[0])], offset: -pads[0]),
        .init([.init(D.q, strides[1]), .init(D.s, dilations[1])], offset: -pads[1]),
      ]), weightMap: OperandMap([.init([.init(D.g, ng), .init(D.n)]), .along(D.c), .along(D.r), .along(D.s)]),
      outputMap: OperandMap([.along(D.b), .init([.init(D.g, ng), .init(D.n)]), .along(D.p), .along(D.q)]),
      output: output, macs: y.count * cg * w.shape[2] * w.shape[3])
    tensors[op.result] = output
  }

  /// A dense layer: rows of x with rows of w.
  mutating func lowerFloatLayer(_ op: OpView, _ numbers: Contract.Numbers) throws(DiagnosticError) {
    let (x, w, y) = (try op.operandTensor(0), try op.operandTensor(1), try op.resultTensor())
    guard x.rank == 2, w.rank == 2 else { throw unsupported(op, "a left side of rank \(x.rank)") }
    typealias D = ContractStep.Dim
    let output = try newTensor(for: op.result)
    try addFloatContract(
      op, numbers: numbers, kind: "fully_connected", extents: [1, 1, 1, x.shape[0], w.shape[0], w.shape[1], 1, 1],
      xMap: OperandMap([.along(D.q), .along(D.c)]), weightMap: OperandMap([.along(D.n), .along(D.c)]),
      outputMap: OperandMap([.along(D.q), .along(D.n)]), output: output, macs: y.count * w.shape[1])
    tensors[op.result] = output
  }
}
