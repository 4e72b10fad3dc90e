/// Which part of a run is counted.
public enum BitMoDTask: String, CaseIterable, Hashable, Sendable {
  /// All tokens of the context at once.
  case prefill
  /// One token behind a context of that length.
  case generate
}

/// One matrix product of the model: what is computed, and what is stored of its operands, which in the published model
/// of attention are two different things.
struct BitMoDProduct {
  /// A stored operand: `parts` pieces of `rows` rows.
  struct Operand {
    var rows: Int
    var columns: Int
    var parts = 1
    var crossesDRAM = true
  }

  /// How often the model has it.
  var count: Int
  /// Products of this shape that follow each other, a head each.
  var instances = 1
  var m: Int
  var k: Int
  var n: Int
  var isAttention = false
  /// Whether the stored sizes are those of the tensors (assumption A2 put right).
  var isStoredAsIs = true
  var weights: Operand
  var inputs: Operand
  var outputs: Operand
}

extension LanguageModelShape {
  /// All products of a task, linear layers first.
  ///
  /// Attention as the simulator has it, with `h` heads, hidden width `H`, context `c` and `t` rows of queries a head:
  /// scores `M = h t`, `K = H`, `N = t` in prefill (`N = 1` in decode), values `M = t`, `K = c`, `N = h t`; the operand
  /// of keys or values has a row for every output row. Put right (A1), a head's scores are `M = t`, `K = H / h`, `N =
  /// c`, its values `M = t`, `K = c`, `N = H / h`.
  func products(_ task: BitMoDTask, context: Int, without fixed: Set<BitMoDAssumption>) -> [BitMoDProduct] {
    typealias Operand = BitMoDProduct.Operand
    let tokens = task == .prefill ? context : 1
    var products = linears.map { linear in
      BitMoDProduct(
        count: linear.count, m: tokens, k: linear.k, n: linear.n,
        weights: Operand(rows: linear.n, columns: linear.k), inputs: Operand(rows: tokens, columns: linear.k),
        outputs: Operand(rows: tokens, columns: linear.n))
    }
    func attention(m: Int, k: Int, n: Int) -> BitMoDProduct {
      BitMoDProduct(
        count: layers, m: m, k: k, n: n, isAttention: true, isStoredAsIs: false,
        weights: Operand(rows: n, columns: k), inputs: Operand(rows: m, columns: keyValueWidth),
        outputs: Operand(rows: m, columns: n))
    }
    var scores = attention(m: heads * tokens, k: hidden, n: tokens)
    var values = attention(m: tokens, k: context, n: heads * tokens)
    if fixed.contains(.a1) {
      (scores.instances, scores.m, scores.k, scores.n) = (heads, tokens, headWidth, context)
      (values.instances, values.m, values.k, values.n) = (heads, tokens, context, headWidth)
    }
    if fixed.contains(.a2) {
      let queries = Operand(rows: tokens, columns: headWidth, parts: heads)
      let cache = Operand(rows: context, columns: headWidth, parts: keyValueHeads)
      let table = Operand(rows: tokens, columns: context, parts: heads)
      (scores.weights, scores.inputs, scores.outputs) = (queries, cache, table)
      (values.weights, values.inputs, values.outputs) = (table, cache, queries)
      scores.isStoredAsIs = true
      values.isStoredAsIs = true
    }
    if fixed.contains(.h) {
      scores.outputs.crossesDRAM = false
      values.weights.crossesDRAM = false
    }
    products.append(scores)
    products.append(values)
    return products
  }
}
