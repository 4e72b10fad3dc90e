import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor
import PantileText

extension ONNXOp {
  /// Quantisation with constant parameters.
  static let quantization: [ONNXOp] = [
    ONNXOp("QuantizeLinear") { n throws(DiagnosticError) in
      let x = try n.input(0)
      var type = n.optional(2).map { n.elementType($0) } ?? .ui8
      let number = try n.node.integer("output_dtype", default: 0)
      if n.optional(2) == nil, number != 0 {
        guard let wanted = ONNXElementType.elementType(number) else {
          throw n.node.unsupported("quantisation to \(ONNXElementType.name(number))")
        }
        type = wanted
      }
      guard type.isInteger else { throw n.node.unsupported("quantisation to \(type)") }
      let parameters = try n.quantization(of: x)
      return [
        try n.emit(
          "dnn.quantize", [x],
          n.attributes(parameters.scales, parameters.zeroPoints, parameters.axis).setting("to", .type(type.syntax)))
      ]
    },
    ONNXOp("DequantizeLinear") { n throws(DiagnosticError) in
      let x = try n.input(0)
      guard n.elementType(x).isInteger else { throw n.node.unsupported("dequantisation of \(n.elementType(x))") }
      let parameters = try n.quantization(of: x, isSigned: n.builder.constant(x) != nil)
      let source = try n.symmetric(
        x, scales: parameters.scales, zeroPoints: parameters.zeroPoints, axis: parameters.axis)
      return [
        try n.dequantize(source.value, scales: source.scales, zeroPoints: source.zeroPoints, axis: parameters.axis)
      ]
    },
  ]
}

extension NodeImport {
  func attributes(_ scales: [Float], _ zeroPoints: [Int], _ axis: Int) -> AttributeDictionary {
    ["scale": .floats32(scales), "zero_point": .integers32(zeroPoints), "axis": .integer(axis)]
  }

  func dequantize(
    _ x: ImportedValue, scales: [Float], zeroPoints: [Int], axis: Int
  ) throws(DiagnosticError) -> ImportedValue {
    try emit("dnn.dequantize", [x], attributes(scales, zeroPoints, axis))
  }

  /// Scales and zero points of the node, one for all or one for each index of the axis.
  ///
  /// - Parameter isSigned: scales may be negative.
  fileprivate func quantization(
    of x: ImportedValue, isSigned: Bool = false
  ) throws(DiagnosticError) -> (scales: [Float], zeroPoints: [Int], axis: Int) {
    guard try node.integer("block_size", default: 0) == 0 else { throw node.unsupported("quantisation by blocks") }
    let scales = try constant(1, "scale").floats
    let points = try optionalConstant(2, "zero point")?.integers ?? [0]
    var axis = 0
    if scales.count > 1 {
      axis = try self.axis(try node.integer("axis", default: 1), rank: rank(x))
      guard shape(x)[axis] == scales.count else {
        throw node.error("shape-mismatch", "\(scales.count) scales for axis \(axis) of \(shape(x))")
      }
    }
    guard let first = scales.first, points.count == scales.count || points.count == 1 else {
      throw node.error("shape-mismatch", "\(scales.count) scales but \(points.count) zero points")
    }
    if let wrong = scales.first(where: { $0 == 0 || $0 < 0 && !isSigned || !$0.isFinite }) {
      throw node.error("onnx-input", "a scale of \(wrong)")
    }
    // One scale for all in a list is one scale.
    let isUniform = scales.allSatisfy { $0 == first } && points.allSatisfy { $0 == points[0] } && scales.count == 1
    if isUniform { return ([first], [points[0]], 0) }
    return (scales, points.count == 1 ? [Int](repeating: points[0], count: scales.count) : points, axis)
  }
}

extension NodeImport {
  /// A quantised constant with zero points of 0 and positive scales, when the shifted values fit a signed type of the width:
  /// `(q − zero point)·scale` is `±(q − zero point)·|scale|` exactly. Engines want weights in this form.
  ///
  /// Values that do not fit, or are absent, stay as they are.
  /// - Throws: `unsupported-form` when a negative scale must stay.
  fileprivate func symmetric(
    _ x: ImportedValue, scales: [Float], zeroPoints: [Int], axis: Int
  ) throws(DiagnosticError) -> (value: ImportedValue, scales: [Float], zeroPoints: [Int]) {
    let isPositive = scales.allSatisfy { $0 > 0 }
    let targets: [ElementType: ElementType] = [
      .i4: .i8, .i8: .i8, .ui8: .i8, .i16: .i16, .ui16: .i16, .i32: .i32, .ui32: .i32,
    ]
    if isPositive, zeroPoints.allSatisfy({ $0 == 0 }) { return (x, scales, zeroPoints) }
    if let target = targets[elementType(x)], let range = target.integerRange, let tensor = try builder.tensor(x) {
      let inner = scales.count == 1 ? max(1, tensor.count) : tensor.shape[(axis + 1)...].reduce(1, *)
      var values = tensor.integers
      for i in values.indices {
        let channel = i / max(1, inner) % scales.count
        let shifted = values[i] - (zeroPoints.count == 1 ? zeroPoints[0] : zeroPoints[channel])
        values[i] = scales[channel] < 0 ? -shifted : shifted
      }
      if values.allSatisfy({ range.contains($0) }) {
        let moved = HostTensor(shape: tensor.shape, values: values.map { Int64($0) }).converted(to: target)
        let constant = builder.constant(ImportedConstant(moved), name: builder.name(x))
        return (constant, scales.map { $0.magnitude }, zeroPoints.map { _ in 0 })
      }
    }
    guard isPositive else {
      throw node.unsupported("a negative scale on values that do not fit their type when negated, or are absent")
    }
    return (x, scales, zeroPoints)
  }
}

extension AttributeDictionary {
  func setting(_ key: String, _ value: AttributeSyntax) -> AttributeDictionary {
    var result = self
    result[key] = value
    return result
  }
}

extension GraphBuilder {
  /// The constant and the parameters behind a dequantised constant; nil when the value is none.
  func dequantized(
    _ value: ImportedValue
  ) -> (quantized: ImportedValue, scales: [Float], zeroPoints: [Int], axis: Int)? {
    guard let op = maker(value), op.name == "dnn.dequantize", let source = self.value(op.operands[0]),
      constant(source) != nil, let scales = op.attribute("scale")?.asDoubles,
      let points = op.attribute("zero_point")?.asIntegers, let axis = op.attribute("axis")?.asInteger
    else { return nil }
    return (source, scales.map { Float($0) }, points, axis)
  }
}
