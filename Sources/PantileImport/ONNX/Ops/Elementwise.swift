import PantileDialects
import PantileSupport
import PantileTensor
import PantileText

extension ONNXOp {
  /// Functions of each element.
  static let elementwise: [ONNXOp] =
    [
      ("Relu", "dnn.relu"), ("Sigmoid", "dnn.sigmoid"), ("Tanh", "dnn.tanh"), ("Exp", "dnn.exp"), ("Log", "dnn.log"),
      ("Sqrt", "dnn.sqrt"), ("Reciprocal", "dnn.reciprocal"), ("Neg", "dnn.neg"), ("Abs", "dnn.abs"),
      ("Floor", "dnn.floor"), ("Ceil", "dnn.ceil"), ("Round", "dnn.round"), ("Erf", "dnn.erf"), ("Not", "dnn.not"),
      ("HardSwish", "dnn.hard_swish"), ("Sin", "dnn.sin"), ("Cos", "dnn.cos"), ("Sign", "dnn.sign"),
      ("Softplus", "dnn.softplus"),
    ].map { name, op in ONNXOp(name) { n throws(DiagnosticError) in [try n.emit(op, [try n.input(0)])] } }
    + [
      ("Add", "dnn.add"), ("Sub", "dnn.sub"), ("Mul", "dnn.mul"), ("Div", "dnn.div"), ("Pow", "dnn.pow"),
      ("Equal", "dnn.equal"), ("Greater", "dnn.greater"), ("Less", "dnn.less"), ("And", "dnn.and"), ("Or", "dnn.or"),
      ("Xor", "dnn.xor"), ("GreaterOrEqual", "dnn.greater_equal"), ("LessOrEqual", "dnn.less_equal"),
    ].map { name, op in
      ONNXOp(name) { n throws(DiagnosticError) in
        let a = try n.input(0)
        let b = try n.input(1)
        return [try n.emit(op, [a, b])]
      }
    }
    + [("Max", "dnn.max"), ("Min", "dnn.min")].map { name, op in
      ONNXOp(name) { n throws(DiagnosticError) in
        var result = try n.input(0)
        for i in 1..<max(1, n.inputs.count) { result = try n.emit(op, [result, try n.input(i)]) }
        return [result]
      }
    } + [
      ONNXOp("Sum") { n throws(DiagnosticError) in
        var result = try n.input(0)
        for i in 1..<max(1, n.inputs.count) { result = try n.emit("dnn.add", [result, try n.input(i)]) }
        return [result]
      },
      ONNXOp("Clip") { n throws(DiagnosticError) in
        let x = try n.input(0)
        var low: Double?
        var high: Double?
        if n.node.opset < 11 {
          low = try n.node.float("min").map(Double.init)
          high = try n.node.float("max").map(Double.init)
        } else {
          low = try n.optionalConstant(1, "lower bound").map { $0.double(at: 0) }
          high = try n.optionalConstant(2, "upper bound").map { $0.double(at: 0) }
        }
        if low == nil, high == nil { return [x] }
        return [try n.clamp(x, low: low, high: high)]
      },
      ONNXOp("Where") { n throws(DiagnosticError) in
        [try n.emit("dnn.select", [try n.input(0), try n.input(1), try n.input(2)])]
      },
      ONNXOp("Mod") { n throws(DiagnosticError) in
        [try n.emit(try n.node.flag("fmod") ? "dnn.fmod" : "dnn.mod", [try n.input(0), try n.input(1)])]
      },
      ONNXOp("Elu") { n throws(DiagnosticError) in
        [try n.emit("dnn.elu", [try n.input(0)], ["alpha": .float32(try n.node.float("alpha", default: 1))])]
      },
      ONNXOp("LeakyRelu") { n throws(DiagnosticError) in
        let alpha = try n.node.float("alpha", default: 0.01)
        return [try n.emit("dnn.leaky_relu", [try n.input(0)], ["alpha": .float32(alpha)])]
      },
      ONNXOp("PRelu") { n throws(DiagnosticError) in
        [try n.emit("dnn.prelu", [try n.input(0), try n.input(1)])]
      },
      ONNXOp("HardSigmoid") { n throws(DiagnosticError) in
        let alpha = try n.node.float("alpha", default: 0.2)
        let beta = try n.node.float("beta", default: 0.5)
        return [try n.emit("dnn.hard_sigmoid", [try n.input(0)], ["alpha": .float32(alpha), "beta": .float32(beta)])]
      },
      ONNXOp("Gelu") { n throws(DiagnosticError) in
        let rule = try n.node.string("approximate", default: "none")
        guard rule == "none" || rule == "tanh" else {
          throw n.node.error("onnx-attribute", "'approximate' is '\(rule)'")
        }
        return [try n.emit("dnn.gelu", [try n.input(0)], ["approximate": .string(rule)])]
      },
    ]
}

extension NodeImport {
  /// Limits each element; an absent bound does not limit.
  func clamp(_ x: ImportedValue, low: Double?, high: Double?) throws(DiagnosticError) -> ImportedValue {
    var bounds: AttributeDictionary = [:]
    if let low { bounds["min"] = elementType(x).isFloat ? .float32(Float(low)) : .integer(Extents.integer(low)) }
    if let high { bounds["max"] = elementType(x).isFloat ? .float32(Float(high)) : .integer(Extents.integer(high)) }
    return try emit("dnn.clamp", [x], bounds)
  }

  func cast(_ x: ImportedValue, to type: ElementType) throws(DiagnosticError) -> ImportedValue {
    try emit("dnn.cast", [x], ["to": .type(type.syntax)])
  }
}
