import PantileSupport
import PantileTensor
import PantileText

extension ONNXOp {
  /// Attention, taken apart into matrix products and a softmax, and rotary position embedding.
  static let attention: [ONNXOp] = [
    ONNXOp("Attention") { n throws(DiagnosticError) in try n.attention() },
    ONNXOp("RotaryEmbedding") { n throws(DiagnosticError) in [try n.rotaryEmbedding()] },
  ]
}

extension NodeImport {
  /// `[B, S, heads·D]` seen as `[B, heads, S, D]`; 4-D tensors unchanged.
  private func heads(_ value: ImportedValue, _ key: String) throws(DiagnosticError) -> ImportedValue {
    let shape = self.shape(value)
    if shape.count == 4 { return value }
    guard shape.count == 3, let count = try node.integer(key), count > 0, shape[2] % count == 0 else {
      throw node.error(
        "shape-mismatch", "an operand of shape \(shape) has no heads; '\(key)' must divide its last dimension")
    }
    return try transpose(try reshape(value, [shape[0], shape[1], count, shape[2] / count]), [0, 2, 1, 3])
  }

  fileprivate func attention() throws(DiagnosticError) -> [ImportedValue] {
    if optional(6) != nil { throw node.unsupported("lengths of a static cache") }
    let isFlat = rank(try input(0)) == 3
    let q = try heads(try input(0), "q_num_heads")
    var k = try heads(try input(1), "kv_num_heads")
    var v = try heads(try input(2), "kv_num_heads")
    let type = elementType(q)
    var past = 0
    if let cache = optional(4), let values = optional(5) {
      guard rank(cache) == 4 else { throw node.error("shape-mismatch", "a cache of shape \(shape(cache))") }
      past = shape(cache)[2]
      k = try emit("dnn.concat", [cache, k], ["axis": .integer(2)])
      v = try emit("dnn.concat", [values, v], ["axis": .integer(2)])
    }
    let present = (k, v)
    let (batch, queryHeads, queries, depth) = (shape(q)[0], shape(q)[1], shape(q)[2], shape(q)[3])
    let (keyHeads, keys, width) = (shape(k)[1], shape(k)[2], shape(v)[3])
    guard keyHeads > 0, queryHeads % keyHeads == 0, shape(v)[1] == keyHeads, shape(v)[2] == keys else {
      throw node.error("shape-mismatch", "heads of shapes \(shape(q)), \(shape(k)) and \(shape(v)) do not fit together")
    }
    let members = queryHeads / keyHeads
    let scale = try node.float("scale").map(Double.init) ?? 1 / Double(depth).squareRoot()

    // Queries that share a key head are rows of one matrix, so that no key is copied.
    let rows = try reshape(q, [batch, keyHeads, members * queries, depth])
    let product = try emit("dnn.matmul", [rows, k], ["transpose_b": true])
    let scaled = try emit("dnn.mul", [product, scalar(scale, type)])
    var scores = try reshape(scaled, [batch, queryHeads, queries, keys])
    let outputMode = try node.integer("qk_matmul_output_mode", default: 0)
    var stages = [scores]
    let cap = Double(try node.float("softcap", default: 0))
    if cap > 0 {
      let bent = try emit("dnn.tanh", [try emit("dnn.div", [scores, scalar(cap, type)])])
      scores = try emit("dnn.mul", [bent, scalar(cap, type)])
    }
    stages.append(scores)
    if let bias = try maskBias(queries: queries, keys: keys, past: past, type: type) {
      scores = try emit("dnn.add", [scores, bias])
    }
    stages.append(scores)
    let weights = try emit("dnn.softmax", [scores], ["axis": .integer(3)])
    stages.append(weights)
    guard stages.indices.contains(outputMode) else {
      throw node.error("onnx-attribute", "'qk_matmul_output_mode' is \(outputMode)")
    }
    let grouped = try reshape(weights, [batch, keyHeads, members * queries, keys])
    let mixed = try reshape(try emit("dnn.matmul", [grouped, v]), [batch, queryHeads, queries, width])
    var y = mixed
    if isFlat { y = try reshape(try transpose(mixed, [0, 2, 1, 3]), [batch, queries, queryHeads * width]) }
    return [y, present.0, present.1, stages[outputMode]]
  }

  /// What is added to the scores: 0 where a query may look, −infinity elsewhere; or the mask's own numbers.
  private func maskBias(
    queries: Int, keys: Int, past: Int, type: ElementType
  ) throws(DiagnosticError) -> ImportedValue? {
    var bias: ImportedValue?
    let never = scalar(-.infinity, type)
    if var mask = optional(3) {
      if let last = shape(mask).last, last < keys {
        var high = [Int](repeating: 0, count: rank(mask))
        high[high.count - 1] = keys - last
        let isTruth = elementType(mask) == .i1
        mask = try pad(
          mask, low: high.map { _ in 0 }, high: high, mode: "constant", value: isTruth ? 0 : -.infinity)
      }
      bias = elementType(mask) == .i1 ? try emit("dnn.select", [mask, scalar(0, type), never]) : mask
    }
    let isCausal = try node.flag("is_causal")
    let left = try node.integer("left_window_size", default: -1)
    let right = try node.integer("right_window_size", default: -1)
    if isCausal || left >= 0 || right >= 0 {
      guard Extents.isMakeable([queries, keys]) else {
        throw node.unsupported("a mask of \(queries) queries and \(keys) keys")
      }
      let allowed = (0..<(queries * keys)).map { position -> UInt8 in
        // How far the key lies before the query.
        let distance = position / keys + past - position % keys
        let isHidden = isCausal && distance < 0 || left >= 0 && distance > left || right >= 0 && -distance > right
        return isHidden ? 0 : 1
      }
      let visible = builder.constant(HostTensor(shape: [queries, keys], elementType: .i1, values: allowed))
      let own = try emit("dnn.select", [visible, scalar(0, type), never])
      if let other = bias { bias = try emit("dnn.add", [other, own]) } else { bias = own }
    }
    return bias
  }

  fileprivate func rotaryEmbedding() throws(DiagnosticError) -> ImportedValue {
    let original = try input(0)
    let isFlat = rank(original) == 3
    // [B, H, S, D]
    let x = try heads(original, "num_heads")
    guard rank(x) == 4 else { throw node.error("shape-mismatch", "an input of shape \(shape(original))") }
    let (batch, count, length, depth) = (shape(x)[0], shape(x)[1], shape(x)[2], shape(x)[3])
    var turned = try node.integer("rotary_embedding_dim", default: 0)
    if turned == 0 { turned = depth }
    guard turned > 0, turned % 2 == 0, turned <= depth else {
      throw node.error("onnx-attribute", "'rotary_embedding_dim' \(turned) for heads of \(depth)")
    }
    let half = turned / 2
    var tables: [ImportedValue] = []
    for index in 1...2 {
      var table = try input(index)
      if let positions = optional(3) { table = try emit("dnn.gather", [table, positions], ["axis": 0]) }
      guard shape(table) == [batch, length, half] || shape(table) == [1, length, half] else {
        throw node.error(
          "shape-mismatch", "a table of shape \(shape(table)) for \(length) positions and \(half) angles")
      }
      tables.append(try reshape(table, [shape(table)[0], 1, length, half]))
    }
    func part(_ start: Int, _ end: Int, _ step: Int = 1) throws(DiagnosticError) -> ImportedValue {
      try slice(
        x, starts: [0, 0, 0, start], ends: [batch, count, length, end], steps: [1, 1, 1, step])
    }
    let isInterleaved = try node.flag("interleaved")
    let a = isInterleaved ? try part(0, turned, 2) : try part(0, half)
    let b = isInterleaved ? try part(1, turned, 2) : try part(half, turned)
    let (cosine, sine) = (tables[0], tables[1])
    var real = try emit("dnn.sub", [try emit("dnn.mul", [cosine, a]), try emit("dnn.mul", [sine, b])])
    var imaginary = try emit("dnn.add", [try emit("dnn.mul", [sine, a]), try emit("dnn.mul", [cosine, b])])
    var y: ImportedValue
    if isInterleaved {
      real = try reshape(real, [batch, count, length, half, 1])
      imaginary = try reshape(imaginary, [batch, count, length, half, 1])
      y = try reshape(try emit("dnn.concat", [real, imaginary], ["axis": 4]), [batch, count, length, turned])
    } else {
      y = try emit("dnn.concat", [real, imaginary], ["axis": 3])
    }
    if turned < depth { y = try emit("dnn.concat", [y, try part(turned, depth)], ["axis": 3]) }
    if isFlat { y = try reshape(try transpose(y, [0, 2, 1, 3]), shape(original)) }
    return y
  }
}
