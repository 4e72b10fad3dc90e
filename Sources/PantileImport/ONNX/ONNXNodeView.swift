import PantileSupport
import PantileTensor

/// A node of the graph with typed getters for its attributes; errors carry its name.
struct ONNXNodeView {
  let node: ONNXNode
  /// The name of the node, or `Conv#12` with its place in the graph when it has none.
  let name: String
  /// The version of the standard operator set.
  let opset: Int

  init(_ node: ONNXNode, index: Int, opset: Int) {
    self.node = node
    name = node.name.isEmpty ? "\(node.opType)#\(index)" : node.name
    self.opset = opset
  }

  var location: SourceLocation { .named(name) }

  /// The operator, with its domain unless that is the standard one.
  var kind: String {
    node.domain.isEmpty || node.domain == "ai.onnx" ? node.opType : "\(node.domain).\(node.opType)"
  }

  func has(_ key: String) -> Bool { attribute(key) != nil }

  private func attribute(_ key: String) -> ONNXAttribute? { node.attribute.first { $0.name == key } }

  /// - Throws: `onnx-attribute` when the attribute is there but no integer.
  func integer(_ key: String) throws(DiagnosticError) -> Int? {
    guard let attribute = attribute(key) else { return nil }
    guard attribute.hasI || attribute.type == .int else { throw wrongKind(key, "an integer") }
    return Int(attribute.i)
  }

  func integer(_ key: String, default fallback: Int) throws(DiagnosticError) -> Int { try integer(key) ?? fallback }

  /// A yes or no.
  func flag(_ key: String, default fallback: Bool = false) throws(DiagnosticError) -> Bool {
    try integer(key).map { $0 != 0 } ?? fallback
  }

  /// - Throws: `onnx-attribute` when the attribute is there but no list of integers.
  func integers(_ key: String) throws(DiagnosticError) -> [Int]? {
    guard let attribute = attribute(key) else { return nil }
    guard !attribute.ints.isEmpty || attribute.type == .ints || attribute.type == .undefined && !attribute.hasI else {
      throw wrongKind(key, "a list of integers")
    }
    return attribute.ints.map { Int($0) }
  }

  func integers(_ key: String, default fallback: [Int]) throws(DiagnosticError) -> [Int] {
    try integers(key) ?? fallback
  }

  /// - Throws: `onnx-attribute` when the attribute is there but no number.
  func float(_ key: String) throws(DiagnosticError) -> Float? {
    guard let attribute = attribute(key) else { return nil }
    guard attribute.hasF || attribute.type == .float else { throw wrongKind(key, "a number") }
    return attribute.f
  }

  func float(_ key: String, default fallback: Float) throws(DiagnosticError) -> Float { try float(key) ?? fallback }

  func floats(_ key: String) throws(DiagnosticError) -> [Float]? {
    guard let attribute = attribute(key) else { return nil }
    guard !attribute.floats.isEmpty || attribute.type == .floats else { throw wrongKind(key, "a list of numbers") }
    return attribute.floats
  }

  /// - Throws: `onnx-attribute` when the attribute is there but no string.
  func string(_ key: String) throws(DiagnosticError) -> String? {
    guard let attribute = attribute(key) else { return nil }
    guard attribute.hasS || attribute.type == .string else { throw wrongKind(key, "a string") }
    return String(decoding: attribute.s, as: UTF8.self)
  }

  func string(_ key: String, default fallback: String) throws(DiagnosticError) -> String {
    try string(key) ?? fallback
  }

  /// - Throws: `onnx-attribute` when the attribute is there but no tensor.
  func tensor(_ key: String) throws(DiagnosticError) -> ONNXTensor? {
    guard let attribute = attribute(key) else { return nil }
    guard attribute.hasT else { throw wrongKind(key, "a tensor") }
    return attribute.t
  }

  /// One of the cases of a string enumeration.
  /// - Throws: `onnx-attribute` with the accepted names.
  func choice<Choice: RawRepresentable & CaseIterable>(
    _ key: String, default fallback: Choice
  ) throws(DiagnosticError) -> Choice where Choice.RawValue == String {
    guard let text = try string(key) else { return fallback }
    guard let value = Choice(rawValue: text) else {
      let names = Choice.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
      throw error("onnx-attribute", "'\(key)' is '\(text)', which is not one of \(names)")
    }
    return value
  }

  /// An error about this node.
  func error(_ code: String, _ message: String, hint: String? = nil) -> DiagnosticError {
    DiagnosticError(code, "\(kind): \(message)", at: location, hint: hint)
  }

  /// The node asks for something that its operator allows but we do not have.
  func unsupported(_ message: String, hint: String? = nil) -> DiagnosticError {
    error("unsupported-form", message, hint: hint)
  }

  private func wrongKind(_ key: String, _ kind: String) -> DiagnosticError {
    error("onnx-attribute", "'\(key)' is not \(kind)")
  }
}
