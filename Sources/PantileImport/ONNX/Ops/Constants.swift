import PantileSupport
import PantileTensor

extension ONNXOp {
  /// Operators that make constants, pass values on, or only ask for shapes.
  static let constants: [ONNXOp] = [
    ONNXOp("Constant") { n throws(DiagnosticError) in
      let name = n.node.name
      if let tensor = try n.node.tensor("value") {
        return [
          n.builder.constant(try n.decoder.decode(tensor, name: tensor.name.isEmpty ? name : tensor.name), name: name)
        ]
      }
      if let value = try n.node.float("value_float") { return [n.builder.constant(HostTensor(scalar: value))] }
      if let value = try n.node.integer("value_int") { return [n.builder.constant(HostTensor(scalar: Int64(value)))] }
      if let values = try n.node.floats("value_floats") {
        return [n.builder.constant(HostTensor(shape: [values.count], values: values))]
      }
      if let values = try n.node.integers("value_ints") { return [n.integers(values)] }
      throw n.node.unsupported("the constant has no tensor, number or list of numbers")
    },
    ONNXOp("ConstantOfShape") { n throws(DiagnosticError) in
      let shape = try n.constant(0, "shape").integers
      var filler = HostTensor(shape: [1], values: [Float(0)])
      if let tensor = try n.node.tensor("value") {
        guard let value = try n.decoder.decode(tensor, name: n.node.name).tensor(), value.count == 1 else {
          throw n.node.error("onnx-attribute", "'value' is not one number")
        }
        filler = value.reshaped(to: [1])
      }
      guard let constant = ImportedConstant(repeating: filler, shape: shape) else {
        throw n.node.error("tensor-shape", "the shape \(shape) is impossible")
      }
      return [n.builder.constant(constant, name: "")]
    },
    ONNXOp("Range") { n throws(DiagnosticError) in
      let start = try n.constant(0, "start")
      let limit = try n.constant(1, "limit")
      let delta = try n.constant(2, "delta")
      let (first, end, step) = (start.double(at: 0), limit.double(at: 0), delta.double(at: 0))
      let count = ((end - first) / step).rounded(.up)
      guard step != 0, count.isFinite, count <= Double(Extents.largestMade) else {
        throw n.node.error("onnx-input", "the range is endless or too long")
      }
      let values = (0..<max(0, Int(count))).map { first + Double($0) * step }
      return [n.builder.constant(HostTensor(shape: [values.count], values: values).converted(to: start.elementType))]
    },
    ONNXOp("Shape") { n throws(DiagnosticError) in
      let shape = n.shape(try n.input(0))
      func place(_ value: Int) -> Int { min(max(value < 0 ? value + shape.count : value, 0), shape.count) }
      let start = place(try n.node.integer("start", default: 0))
      let end = place(try n.node.integer("end", default: shape.count))
      return [n.integers(start < end ? Array(shape[start..<end]) : [])]
    },
    ONNXOp("Size") { n throws(DiagnosticError) in
      [n.builder.constant(HostTensor(scalar: Int64(n.shape(try n.input(0)).reduce(1, *))))]
    },
    ONNXOp("Identity") { n throws(DiagnosticError) in [try n.input(0)] },
    ONNXOp("Dropout") { n throws(DiagnosticError) in
      let x = try n.input(0)
      if let training = try n.optionalConstant(2, "training mode"), training.count == 1, training.integer(at: 0) != 0 {
        let ratio = try n.optionalConstant(1, "ratio")?.double(at: 0) ?? 0.5
        guard ratio == 0 else { throw n.node.unsupported("dropout in training mode is random") }
      }
      // Nothing is dropped, so the mask is true everywhere.
      guard n.isOutputUsed.count > 1, n.isOutputUsed[1] else { return [x] }
      let kept = HostTensor(shape: [1], elementType: .i1, values: [UInt8(1)])
      guard let mask = ImportedConstant(repeating: kept, shape: n.shape(x)) else {
        throw n.node.unsupported("a mask of shape \(n.shape(x))")
      }
      return [x, n.builder.constant(mask, name: "")]
    },
    ONNXOp("Cast") { n throws(DiagnosticError) in
      let number = try n.node.integer("to", default: 0)
      guard let type = ONNXElementType.elementType(number) else {
        throw n.node.unsupported("a cast to \(ONNXElementType.name(number))")
      }
      let x = try n.input(0)
      if n.elementType(x) == type { return [x] }
      return [try n.cast(x, to: type)]
    },
    ONNXOp("CastLike") { n throws(DiagnosticError) in
      let x = try n.input(0)
      let type = n.elementType(try n.input(1))
      return n.elementType(x) == type ? [x] : [try n.cast(x, to: type)]
    },
  ]
}
