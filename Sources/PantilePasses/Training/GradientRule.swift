import PantileIR
import PantileSupport
import PantileText

/// How a gradient passes an op backwards, as a definition value; `GradientRule.all` is the list that everything derives from.
struct GradientRule: Sendable {
  typealias Body =
    @Sendable (inout GradientContext, GradientContext.ForwardOp, _ gradient: ValueID) throws(DiagnosticError) -> Void

  /// The ops it is for.
  let ops: [String]
  /// Operands that can have a gradient; nil for all.
  let operands: [Int]?
  /// Why an op of that name has no gradient after all; nil when it has.
  let refusal: @Sendable (OpView) throws(DiagnosticError) -> String?
  let backward: Body

  init(
    _ ops: [String], operands: [Int]? = nil,
    refusal: @escaping @Sendable (OpView) throws(DiagnosticError) -> String? = { _ throws(DiagnosticError) in nil },
    _ backward: @escaping Body
  ) {
    self.ops = ops.map { "dnn.\($0)" }
    self.operands = operands
    self.refusal = refusal
    self.backward = backward
  }

  static let all: [GradientRule] =
    convolutions + products + elementwise + activations + pools + normalisations + reductions + movements

  private static let byName: [String: GradientRule] = Dictionary(
    uniqueKeysWithValues: all.flatMap { rule in rule.ops.map { ($0, rule) } })

  /// The rule of an op.
  static func of(_ name: String) -> GradientRule? { byName[name] }

  /// The ops that have a rule, in the order of the rules, without the dialect's name.
  static var names: [String] { all.flatMap(\.ops).map { String($0.dropFirst(4)) } }
}
