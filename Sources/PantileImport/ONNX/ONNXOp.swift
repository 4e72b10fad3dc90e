import PantileIR
import PantileSupport
import PantileTensor
import PantileText

/// How one operator of ONNX becomes ops of the `dnn` dialect.
struct ONNXOp: Sendable {
  /// The operator's name in the standard domain.
  let name: String
  /// Makes the values of the node's outputs, in order; outputs that nothing reads may be left out at the end.
  let build: @Sendable (NodeImport) throws(DiagnosticError) -> [ImportedValue]

  init(_ name: String, _ build: @escaping @Sendable (NodeImport) throws(DiagnosticError) -> [ImportedValue]) {
    self.name = name
    self.build = build
  }
}

/// A node together with its inputs and the function under construction.
struct NodeImport {
  let node: ONNXNodeView
  /// Nil for an optional input that is left out; missing at the end likewise.
  let inputs: [ImportedValue?]
  let builder: GraphBuilder
  let decoder: TensorDecoder
  /// Whether something reads the output of that number.
  let isOutputUsed: [Bool]

  /// An input that must be there.
  /// - Throws: `onnx-input`.
  func input(_ index: Int) throws(DiagnosticError) -> ImportedValue {
    guard let value = optional(index) else { throw node.error("onnx-input", "input \(index) is missing") }
    return value
  }

  func optional(_ index: Int) -> ImportedValue? { index < inputs.count ? inputs[index] : nil }

  func shape(_ value: ImportedValue) -> [Int] { builder.shape(value) }
  func elementType(_ value: ImportedValue) -> ElementType { builder.elementType(value) }
  func rank(_ value: ImportedValue) -> Int { builder.shape(value).count }

  /// The values of an input that decides about shapes or parameters.
  /// - Throws: `not-constant` when they depend on the inputs of the model or are absent.
  func constant(_ index: Int, _ what: String) throws(DiagnosticError) -> HostTensor {
    try values(of: try input(index), what)
  }

  /// As `constant`, nil when the input is left out.
  func optionalConstant(_ index: Int, _ what: String) throws(DiagnosticError) -> HostTensor? {
    guard let value = optional(index) else { return nil }
    return try values(of: value, what)
  }

  func values(of value: ImportedValue, _ what: String) throws(DiagnosticError) -> HostTensor {
    if let tensor = try builder.tensor(value) { return tensor }
    let reason = builder.constant(value) == nil ? "is computed at run time" : "is among the weights that are absent"
    throw node.error("not-constant", "the \(what) \(reason), but it must be known at import")
  }

  /// Adds an op with one result, coming from this node.
  func emit(
    _ name: String, _ operands: [ImportedValue], _ attributes: AttributeDictionary = [:]
  ) throws(DiagnosticError) -> ImportedValue {
    try builder.emit1(name, operands, attributes)
  }

  /// The value with another shape; nothing is added when it has that shape.
  func reshape(_ value: ImportedValue, _ shape: [Int]) throws(DiagnosticError) -> ImportedValue {
    if self.shape(value) == shape { return value }
    guard Extents.count(self.shape(value)) == Extents.count(shape) else {
      throw node.error("shape-mismatch", "\(self.shape(value)) cannot be given the shape \(shape)")
    }
    return try emit("dnn.reshape", [value], ["shape": .integers(shape)])
  }

  func transpose(_ value: ImportedValue, _ permutation: [Int]) throws(DiagnosticError) -> ImportedValue {
    if permutation == Array(permutation.indices) { return value }
    return try emit("dnn.transpose", [value], ["perm": .integers(permutation)])
  }

  /// An axis counted from the front; negative ones count from the end.
  /// - Throws: `axis-range`.
  func axis(_ axis: Int, rank: Int) throws(DiagnosticError) -> Int {
    guard (-rank..<max(rank, 1)).contains(axis) else {
      throw node.error("axis-range", "axis \(axis) is outside -\(rank) ..< \(rank)")
    }
    return axis < 0 ? axis + rank : axis
  }

  /// Distinct axes counted from the front, in ascending order.
  /// - Throws: `axis-range`.
  func axes(_ axes: [Int], rank: Int) throws(DiagnosticError) -> [Int] {
    var result: [Int] = []
    for entry in axes {
      let place = try axis(entry, rank: rank)
      if result.contains(place) { throw node.error("axis-range", "axis \(entry) is given twice") }
      result.append(place)
    }
    return result.sorted()
  }

  /// A scalar constant of an element type.
  func scalar(_ value: Double, _ type: ElementType) -> ImportedValue {
    builder.constant(HostTensor(scalar: value).converted(to: type))
  }

  /// A 1-D constant of 64-bit integers.
  func integers(_ values: [Int]) -> ImportedValue {
    builder.constant(HostTensor(shape: [values.count], values: values.map { Int64($0) }))
  }
}
