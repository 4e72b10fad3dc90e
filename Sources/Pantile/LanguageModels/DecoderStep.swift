import PantileSupport

/// One step of a decoder: one token through all blocks, behind keys and values of the tokens before it. A float network of the dnn
/// dialect whose weights follow from their names.
///
/// A block is that of GPT-2 (Radford et al., 2019): layer norm, attention over all heads, layer norm, two dense layers with GELU between
/// them, each half added to what came in. The window of tokens is full: keys and values of `context` tokens come in, those of the new one
/// go out, and whoever runs the steps puts them in the place of the oldest. Embedding tables and the layer that predicts are not part of it.
public struct DecoderStep: Hashable, Sendable {
  public var blocks: Int
  public var width: Int
  public var heads: Int
  /// Of the dense layers between, mostly four times `width`.
  public var hidden: Int
  /// Tokens whose keys and values come in.
  public var context: Int

  /// - Throws: `out-of-range`, `wrong-heads`.
  public init(blocks: Int, width: Int, heads: Int, hidden: Int? = nil, context: Int) throws(DiagnosticError) {
    self.blocks = blocks
    self.width = width
    self.heads = heads
    self.hidden = hidden ?? 4 * width
    self.context = context
    let sizes = [("blocks", blocks), ("width", width), ("heads", heads), ("hidden", self.hidden), ("context", context)]
    for (name, size) in sizes where !(1...1_048_576).contains(size) {
      throw DiagnosticError("out-of-range", "a decoder has no \(name) of \(size)", hint: "1 to 1,048,576 are possible")
    }
    guard width % heads == 0 else {
      throw DiagnosticError(
        "wrong-heads", "a width of \(width) cannot be cut into \(heads) heads", hint: "take a divisor of \(width)")
    }
  }

  /// The network as text.
  public func text() -> String {
    var writer = Writer(step: self)
    for block in 0..<blocks { writer.block(block) }
    return writer.text
  }

  /// Writes the network line by line.
  private struct Writer {
    let step: DecoderStep
    /// What the next block takes in.
    private var x = "%x"
    private var arguments: [String]
    private var lines: [String] = []
    /// Names and types of what goes out, behind the result.
    private var outputs: [(name: String, type: String)] = []

    init(step: DecoderStep) {
      self.step = step
      arguments = ["%x: \(Self.tensor([1, step.width]))"]
    }

    static func tensor(_ shape: [Int]) -> String { "tensor<\(shape.map(String.init).joined(separator: "x"))xf32>" }

    private mutating func constant(_ name: String, _ shape: [Int], bound: Double) -> (name: String, type: String) {
      let type = Self.tensor(shape)
      // Four decimals keep the text short.
      let limit = (bound * 1e4).rounded() / 1e4
      lines.append("%\(name) = dnn.constant {value = #dnn.seeded<\"\(name)\", -\(limit), \(limit)>} : \(type)")
      return ("%\(name)", type)
    }

    private mutating func op(
      _ name: String, _ kind: String, _ operands: [(name: String, type: String)], _ attributes: String = "",
      to shape: [Int]
    ) -> (name: String, type: String) {
      let type = Self.tensor(shape)
      let names = operands.map(\.name).joined(separator: ", ")
      let types = operands.map(\.type).joined(separator: ", ")
      let braces = attributes.isEmpty ? "" : " {\(attributes)}"
      lines.append("%\(name) = dnn.\(kind) \(names)\(braces) : (\(types)) -> \(type) loc(\"\(name)\")")
      return ("%\(name)", type)
    }

    private mutating func dense(
      _ name: String, _ input: (name: String, type: String), _ from: Int, _ to: Int
    ) -> (name: String, type: String) {
      let weights = constant(name + ".weight", [to, from], bound: (3 / Double(from)).squareRoot())
      let bias = constant(name + ".bias", [to], bound: 0.1)
      return op(name, "fully_connected", [input, weights, bias], to: [1, to])
    }

    private mutating func norm(_ name: String, _ input: (name: String, type: String)) -> (name: String, type: String) {
      let scale = constant(name + ".scale", [step.width], bound: 1)
      let bias = constant(name + ".bias", [step.width], bound: 0.1)
      return op(
        name, "layer_norm", [input, scale, bias], "axis = 1 : i64, epsilon = 1.0e-5 : f32", to: [1, step.width])
    }

    mutating func block(_ number: Int) {
      let (width, heads, context) = (step.width, step.heads, step.context)
      let part = width / heads
      let name = "block\(number)"
      let keysType = Self.tensor([heads, part, context])
      let valuesType = Self.tensor([heads, context, part])
      arguments.append("%\(name).keys: \(keysType)")
      arguments.append("%\(name).values: \(valuesType)")
      let input = (name: x, type: Self.tensor([1, width]))

      let normed = norm("\(name).norm1", input)
      let query = dense("\(name).query", normed, width, width)
      let key = dense("\(name).key", normed, width, width)
      let value = dense("\(name).value", normed, width, width)
      outputs += [key, value]
      let queryHeads = reshape("\(name).query.heads", query, [heads, 1, part])
      let keyHeads = reshape("\(name).key.heads", key, [heads, part, 1])
      let valueHeads = reshape("\(name).value.heads", value, [heads, 1, part])
      // The new token's own key and value are products of their own, so that the window is not copied.
      let before = op(
        "\(name).scores", "matmul", [queryHeads, ("%\(name).keys", keysType)], to: [heads, 1, context])
      let own = op("\(name).scores.own", "matmul", [queryHeads, keyHeads], to: [heads, 1, 1])
      let scores = op("\(name).scores.all", "concat", [before, own], "axis = 2 : i64", to: [heads, 1, context + 1])
      let weights = op("\(name).softmax", "softmax", [scores], "axis = 2 : i64", to: [heads, 1, context + 1])
      let old = slice("\(name).weights", weights, from: 0, to: context)
      let new = slice("\(name).weights.own", weights, from: context, to: context + 1)
      let read = op("\(name).mixed", "matmul", [old, ("%\(name).values", valuesType)], to: [heads, 1, part])
      let readOwn = op("\(name).mixed.own", "matmul", [new, valueHeads], to: [heads, 1, part])
      let mixed = op("\(name).mixed.all", "add", [read, readOwn], to: [heads, 1, part])
      let joined = reshape("\(name).heads", mixed, [1, width])
      let attended = dense("\(name).attended", joined, width, width)
      let half = op("\(name).sum1", "add", [input, attended], to: [1, width])

      let again = norm("\(name).norm2", half)
      let wide = dense("\(name).dense1", again, width, step.hidden)
      let bent = op("\(name).gelu", "gelu", [wide], to: [1, step.hidden])
      let narrow = dense("\(name).dense2", bent, step.hidden, width)
      x = op("\(name).sum2", "add", [half, narrow], to: [1, width]).name
    }

    private mutating func reshape(
      _ name: String, _ input: (name: String, type: String), _ shape: [Int]
    ) -> (name: String, type: String) {
      op(name, "reshape", [input], "shape = [\(shape.map(String.init).joined(separator: ", "))]", to: shape)
    }

    private mutating func slice(
      _ name: String, _ input: (name: String, type: String), from start: Int, to end: Int
    ) -> (name: String, type: String) {
      op(
        name, "slice", [input], "starts = [0, 0, \(start)], ends = [\(step.heads), 1, \(end)], steps = [1, 1, 1]",
        to: [step.heads, 1, end - start])
    }

    var text: String {
      let results = [(name: x, type: Self.tensor([1, step.width]))] + outputs
      let types = results.map(\.type).joined(separator: ", ")
      var text = "// One step of a decoder: \(step.blocks) blocks of width \(step.width) and \(step.hidden), "
      text += "\(step.heads) heads, \(step.context) tokens before.\n"
      text += "func.func @main(\(arguments.joined(separator: ", "))) -> (\(types)) {\n"
      for line in lines { text += "  \(line)\n" }
      text += "  func.return \(results.map(\.name).joined(separator: ", ")) : \(types)\n}\n"
      return text
    }
  }
}
