import PantileIR
import PantileSupport
import PantileText

extension Pass {
  /// Merges ops that compute the same: same kind, operands, attributes and result types.
  ///
  /// **Guarantees** the first of equal ops stays and carries the locations of all.
  public static let cse = Pass(
    "cse", summary: "merge ops that compute the same",
    documentation: "The first of equal pure ops stays; it carries the locations of all."
  ) { run throws(DiagnosticError) in
    for function in run.functions {
      var seen: [Key: OpID] = [:]
      for op in run.module.ops(inBodyOf: function) {
        guard run.rewrite.isRemovableWhenUnused(op), run.module.regions(of: op).isEmpty else { continue }
        let key = Key(
          name: run.module.name(of: op), operands: run.module.operands(of: op),
          attributes: run.module.attributes(of: op),
          types: run.module.results(of: op).map { run.module.type(of: $0) })
        if let first = seen[key] {
          run.rewrite.fuseLocation(of: first, with: run.module.location(of: op))
          run.rewrite.replace(op, with: run.module.results(of: first))
        } else {
          seen[key] = op
        }
      }
    }
  }

  private struct Key: Hashable {
    var name: String
    var operands: [ValueID]
    var attributes: AttributeDictionary
    var types: [TypeSyntax]
  }

  /// Removes ops whose results nothing reads.
  public static let dce = Pass(
    "dce", summary: "remove ops whose results nothing reads",
    documentation: "Ops without effects, constants included; function arguments stay."
  ) { run throws(DiagnosticError) in
    for function in run.functions { run.rewrite.eraseUnusedOps(of: function) }
  }
}
