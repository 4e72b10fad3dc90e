import PantileIR
import PantileSupport
import PantileText

/// Builds a float network layer by layer: one function `@main` with one input and one output.
///
/// Weights are seeded by their names and scaled to keep activations in range: uniform in `± gain·sqrt(3 / fan-in)`.
struct NetworkBuilder {
  private var rewrite: RewriteContext
  private let body: BlockID
  private let function: OpID
  let input: ValueID

  /// - Parameter input: `[N, C, H, W]`.
  init(_ name: String, input shape: [Int]) throws(DiagnosticError) {
    rewrite = RewriteContext(Module(name: name), registry: Dialects.registry)
    let type = TypeSyntax.tensor(shape, .f32)
    guard let top = rewrite.module.body(of: rewrite.module.root) else {
      preconditionFailure("a new module has a block")
    }
    function = try rewrite.insert(
      "func.func",
      attributes: [
        "sym_name": "main", "function_type": .type(.function(inputs: [type], results: [])),
        "arg_attrs": .array([.dictionary(["dnn.name": "input"])]),
      ], resultTypes: [], regionCount: 1, at: .end(top), location: .unknown)
    body = rewrite.appendBlock(to: rewrite.module.regions(of: function)[0], arguments: [type])
    input = rewrite.module.arguments(of: body)[0]
    rewrite.setName(of: input, "input")
  }

  /// Ends the function with `output` and gives the module.
  mutating func finish(_ output: ValueID) throws(DiagnosticError) -> Module {
    try rewrite.insert("func.return", operands: [output], resultTypes: [], at: .end(body), location: .unknown)
    let inputType = rewrite.module.type(of: input)
    let outputType = rewrite.module.type(of: output)
    rewrite.setAttribute(
      of: function, "function_type", .type(.function(inputs: [inputType], results: [outputType])))
    rewrite.setAttribute(of: function, "res_attrs", .array([.dictionary(["dnn.name": "output"])]))
    return rewrite.module
  }

  func shape(_ value: ValueID) throws(DiagnosticError) -> [Int] { try rewrite.module.tensor(of: value).shape }

  func channels(_ value: ValueID) throws(DiagnosticError) -> Int { try shape(value)[1] }

  // MARK: Layers

  /// Any op with one result.
  mutating func op(
    _ op: String, _ operands: [ValueID], _ attributes: AttributeDictionary = [:], name: String
  ) throws(DiagnosticError) -> ValueID {
    let id = try rewrite.insert(
      op, operands: operands, attributes: attributes, at: .end(body), location: .named(name), resultNames: [name])
    return rewrite.module.results(of: id)[0]
  }

  private mutating func weights(_ name: String, _ shape: [Int], bound: Double) throws(DiagnosticError) -> ValueID {
    // Six decimals keep the text short and are the same on every machine.
    let rounded = (bound * 1e6).rounded() / 1e6
    let id = try rewrite.insert(
      "dnn.constant", attributes: ["value": SeededRule(name: name, low: -rounded, high: rounded).attribute],
      resultTypes: [.tensor(shape, .f32)], at: .end(body), location: .named(name), resultNames: [name])
    return rewrite.module.results(of: id)[0]
  }

  /// A window: kernel, stride, padding and dilation, the same in both directions unless given by hand.
  struct Window {
    var kernel: [Int]
    var stride = 1
    /// Top, left, bottom, right.
    var pads: [Int]
    var dilation = 1

    /// A square kernel with padding that keeps the extent at stride 1.
    init(_ kernel: Int, stride: Int = 1, dilation: Int = 1) {
      self.init(kernel, stride: stride, pad: dilation * (kernel - 1) / 2, dilation: dilation)
    }

    init(_ kernel: Int, stride: Int = 1, pad: Int, dilation: Int = 1) {
      self.kernel = [kernel, kernel]
      self.stride = stride
      self.pads = [pad, pad, pad, pad]
      self.dilation = dilation
    }

    init(kernel: [Int], stride: Int, pads: [Int]) {
      self.kernel = kernel
      self.stride = stride
      self.pads = pads
    }

    var attributes: AttributeDictionary {
      [
        "strides": .integers([stride, stride]), "pads": .integers(pads),
        "dilations": .integers([dilation, dilation]),
      ]
    }
  }

  /// A convolution with bias (that of the folded batch normalisation).
  mutating func conv(
    _ x: ValueID, _ filters: Int, _ window: Window, groups: Int = 1, hasBias: Bool = true, gain: Double = 1,
    name: String
  ) throws(DiagnosticError) -> ValueID {
    let depth = try channels(x) / groups
    let fanIn = depth * window.kernel[0] * window.kernel[1]
    let bound = gain * (3 / Double(fanIn)).squareRoot()
    var operands = [x, try weights("\(name).weight", [filters, depth] + window.kernel, bound: bound)]
    if hasBias { operands.append(try weights("\(name).bias", [filters], bound: 0.1)) }
    var attributes = window.attributes
    attributes["groups"] = .integer(groups)
    return try op("dnn.conv2d", operands, attributes, name: name)
  }

  /// One filter a channel.
  mutating func depthwise(
    _ x: ValueID, _ window: Window, hasBias: Bool = true, gain: Double = 1, name: String
  ) throws(DiagnosticError) -> ValueID {
    let channels = try channels(x)
    return try conv(x, channels, window, groups: channels, hasBias: hasBias, gain: gain, name: name)
  }

  mutating func relu(_ x: ValueID, name: String) throws(DiagnosticError) -> ValueID {
    try op("dnn.relu", [x], name: name)
  }

  mutating func add(_ a: ValueID, _ b: ValueID, name: String) throws(DiagnosticError) -> ValueID {
    try op("dnn.add", [a, b], name: name)
  }

  mutating func pool(_ kind: String, _ x: ValueID, _ window: Window, name: String) throws(DiagnosticError) -> ValueID {
    var attributes = window.attributes
    attributes["kernel"] = .integers(window.kernel)
    // One divisor for every window, so that one multiplier serves a quantised pool.
    if kind == "avg" { attributes["count_include_pad"] = true }
    return try op("dnn.\(kind)_pool2d", [x], attributes, name: name)
  }

  /// Global mean, flatten, dense layer.
  mutating func classifier(_ x: ValueID, classes: Int) throws(DiagnosticError) -> ValueID {
    let pooled = try op("dnn.global_avg_pool", [x], name: "pool")
    return try dense(try flatten(pooled), classes, name: "fc")
  }

  mutating func flatten(_ x: ValueID, name: String = "flatten") throws(DiagnosticError) -> ValueID {
    let shape = try shape(x)
    return try op(
      "dnn.reshape", [x], ["shape": .integers([shape[0], shape.dropFirst().reduce(1, *)])], name: name)
  }

  mutating func dense(
    _ x: ValueID, _ outputs: Int, gain: Double = 1, name: String
  ) throws(DiagnosticError) -> ValueID {
    let inputs = try shape(x)[1]
    let operands = [
      x, try weights("\(name).weight", [outputs, inputs], bound: gain * (3 / Double(inputs)).squareRoot()),
      try weights("\(name).bias", [outputs], bound: 0.1),
    ]
    return try op("dnn.fully_connected", operands, name: name)
  }
}

extension NetworkBuilder {
  /// The gain that keeps the variance through a following relu.
  static let beforeRelu = 2.0.squareRoot()
  /// The gain of the last layer of a residual branch, so that sums do not grow with depth.
  static let residual = 0.5
}
