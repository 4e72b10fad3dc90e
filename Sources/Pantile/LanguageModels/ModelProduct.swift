import PantileDialects
import PantileEngines
import PantileIR
import PantilePasses
import PantileSupport
import PantileText

/// A matrix product of a language model as a program of its own: `[m, k] x [k, n]`, `count` of them in a task.
public struct ModelProduct: Hashable, Sendable {
  public var name: String
  public var m: Int
  public var k: Int
  public var n: Int
  /// How many the task has.
  public var count: Int
  /// Both operands are activations, of 8 bits, as in attention; otherwise the second one is weights.
  public var isComputed: Bool

  public init(name: String, m: Int, k: Int, n: Int, count: Int, isComputed: Bool = false) {
    self.name = name
    self.m = m
    self.k = k
    self.n = n
    self.count = count
    self.isComputed = isComputed
  }

  /// Multiply-accumulates of all of them.
  public var macs: Int { m * k * n * count }

  /// The product as a module in integers: int8 activations, weights of `weightBits` bits whose values are absent, sums scaled back to
  /// int8.
  ///
  /// - Throws: only for sizes that no tensor has.
  public func module(weightBits: Int) throws(DiagnosticError) -> Module {
    try Module(verifying: text(weightBits: weightBits), path: name)
  }

  /// The text of `module`.
  public func text(weightBits: Int) -> String {
    let encoding = WeightFormat(bits: weightBits < 8 ? weightBits : nil).encoding.map { ", \($0)" } ?? ""
    let (x, y) = ("tensor<\(m)x\(k)xi8>", "tensor<\(m)x\(n)xi8>")
    let sums = "tensor<\(m)x\(n)xi32>"
    // The scales do not matter for time: any power of two.
    let scaled =
      "%z = dnn.requantize %y {multiplier = array<i32: 1073741824>, shift = array<i32: 40>} : (\(sums)) -> \(y)"
    if isComputed {
      let other = "tensor<\(k)x\(n)xi8>"
      return """
        func.func @main(%x: \(x), %w: \(other)) -> \(y) {
          %y = dnn.matmul %x, %w : (\(x), \(other)) -> \(sums) loc("\(name)")
          \(scaled)
          func.return %z : \(y)
        }

        """
    }
    let weights = "tensor<\(n)x\(k)xi8\(encoding)>"
    return """
      func.func @main(%x: \(x)) -> \(y) {
        %w = dnn.constant {value = dense_resource<weights> : tensor<\(n)x\(k)xi8>} : \(weights)
        %y = dnn.fully_connected %x, %w : (\(x), \(weights)) -> \(sums) loc("\(name)")
        \(scaled)
        func.return %z : \(y)
      }

      """
  }
}

extension LanguageModelShape {
  /// The products of a task, linear layers first: all tokens of a context at once, or one token behind it.
  ///
  /// Attention has a product a group of heads that share keys and values: scores `[queries, width] x [width, context]`, values
  /// `[queries, context] x [context, width]`, where the group's queries are its heads times the tokens. Masked scores are computed and
  /// thrown away.
  public func products(_ task: BitMoDTask, context: Int) -> [ModelProduct] {
    let tokens = task == .prefill ? context : 1
    let queries = tokens * (heads / keyValueHeads)
    let groups = layers * keyValueHeads
    return linears.map { ModelProduct(name: $0.name, m: tokens, k: $0.k, n: $0.n, count: $0.count) } + [
      ModelProduct(name: "scores", m: queries, k: headWidth, n: context, count: groups, isComputed: true),
      ModelProduct(name: "values", m: queries, k: context, n: headWidth, count: groups, isComputed: true),
    ]
  }
}
