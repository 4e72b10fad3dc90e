import PantileIR
import PantileSupport
import PantileText

extension DNN {
  /// `dnn.constant`: weights and other values known before running.
  public static let constant = GraphOp(
    OpDefinition(
      "dnn.constant", summary: "a value that is known before running",
      documentation: """
        `value` is `dense<…>`, `dense_resource<key>` (a blob of the file, a part of another file, or absent: compiling and
        timing still work), or `#dnn.seeded<"name", low, high>`: the rule by which models without weights make theirs. There
        FNV-1a-64 of the name seeds splitmix64, each output `z` gives `u = (z >> 40) / 2^24`, floats are
        `low + u·(high - low)`, integers `floor(low + u·(high - low + 1))`.
        """,
      results: [ResultDefinition("y", .data)],
      attributes: [AttributeDefinition("value", .elements)], traits: [.pure],
      verify: { op throws(DiagnosticError) in
        let type = try op.resultTensor()
        switch try op.requiredAttribute("value") {
        case .dense(let elements) where elements.type.withoutEncoding != type.syntax.withoutEncoding:
          throw op.error("result-type", "the value has type \(elements.type) but the result has \(type)")
        case .resource(_, let stated) where stated.withoutEncoding != type.syntax.withoutEncoding:
          throw op.error("result-type", "the value has type \(stated) but the result has \(type)")
        case .dialect(let body):
          let rule = try SeededRule(body, at: op.location)
          try rule.check(type, at: op.location)
        default: break
        }
      },
      example: """
        func.func @main() -> tensor<2x2xf32> {
          %w = dnn.constant {value = #dnn.seeded<"conv1.weight", -0.5, 0.5>} : tensor<2x2xf32>
          %y = dnn.constant {value = dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>} : tensor<2x2xf32>
          %z = dnn.add %w, %y : tensor<2x2xf32>
          func.return %z : tensor<2x2xf32>
        }
        """),
    kernel: { call throws(DiagnosticError) in
      // Only the module can give the bytes of a resource: see `Module.constantTensor(of:)`.
      throw DiagnosticError("no-kernel", "'dnn.constant' takes its value from the module", at: call.location)
    })
}
