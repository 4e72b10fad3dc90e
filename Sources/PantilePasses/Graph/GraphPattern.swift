import PantileIR
import PantileSupport

/// One local simplification of graphs; `canonicalize` applies all of `GraphPattern.all` until none fits.
struct GraphPattern: Sendable {
  /// Kebab-case, for documentation.
  let name: String
  /// Kinds of ops at which it starts.
  let ops: [String]
  let summary: String
  /// Whether it changed something; when not, it left nothing behind.
  let apply: @Sendable (inout RewriteContext, OpID) throws(DiagnosticError) -> Bool

  init(
    _ name: String, _ ops: [String], _ summary: String,
    apply: @escaping @Sendable (inout RewriteContext, OpID) throws(DiagnosticError) -> Bool
  ) {
    self.name = name
    self.ops = ops
    self.summary = summary
    self.apply = apply
  }

  /// All patterns, tried in this order.
  static let all: [GraphPattern] = identities + shapes + bounds + windows + products
}

extension Pass {
  /// Rewrites graphs to their plainest form; see `GraphPattern.all`.
  public static let canonicalize = Pass(
    "canonicalize", summary: "rewrite graphs to their plainest form",
    documentation: GraphPattern.all.map { "- `\($0.name)`: \($0.summary)" }.joined(separator: "\n")
  ) { run throws(DiagnosticError) in
    var patterns: [String: [GraphPattern]] = [:]
    for pattern in GraphPattern.all {
      for op in pattern.ops { patterns[op, default: []].append(pattern) }
    }
    for function in run.functions {
      // Each pattern shrinks or normalises, so this ends; the bound is a guard against a faulty pattern.
      for _ in 0..<64 {
        var hasChanged = false
        for op in run.module.ops(inBodyOf: function) {
          for pattern in patterns[run.module.name(of: op)] ?? [] where !run.module.isErased(op) {
            if try pattern.apply(&run.rewrite, op) { hasChanged = true }
          }
        }
        run.rewrite.eraseUnusedOps(of: function)
        if !hasChanged { break }
      }
    }
  }
}
