import PantileSupport
import PantileText

/// A problem or solution with a text form: one op whose region lists its parts. Generic MLIR, so that every MLIR tool reads it.
public protocol ProblemText {
  /// The name of its op, `problem.…`.
  static var opName: String { get }
  /// The op as written.
  var syntax: OpSyntax { get }
  /// - Throws: `wrong-op`, `unknown-attribute`, `missing-attribute`, `attribute-kind` and what the parts need.
  init(_ op: OpSyntax) throws(DiagnosticError)
}

extension ProblemText {
  /// Generic MLIR text that `init(parsing:path:)` reads back to an equal value.
  public var text: String { Printer.print(syntax) }

  /// Reads one problem or solution.
  ///
  /// - Throws: `syntax`, and what `init(_:)` throws.
  public init(parsing text: String, path: String = "-") throws(DiagnosticError) {
    try self.init(OpSyntax(parsing: text, path: path))
  }
}

/// An op of a problem text whose name and keys are checked: unknown keys are errors, so that a misspelt one is not dropped.
struct PartReader {
  let op: OpSyntax

  init(_ op: OpSyntax, _ name: String, keys: [String]) throws(DiagnosticError) {
    guard op.name == name else {
      throw DiagnosticError("wrong-op", "expected '\(name)' but found '\(op.name)'", at: op.location)
    }
    self.op = op
    for entry in op.attributes where !keys.contains(entry.key) {
      throw DiagnosticError(
        "unknown-attribute", "'\(name)' has no attribute '\(entry.key)'", at: op.location,
        hint: nearestName(to: entry.key, among: keys).map { "did you mean '\($0)'?" })
    }
  }

  /// The string, or nil when the key is absent.
  func optionalString(_ key: String) throws(DiagnosticError) -> String? { op.has(key) ? try op.string(key) : nil }

  func optionalInteger(_ key: String) throws(DiagnosticError) -> Int? { op.has(key) ? try op.integer(key) : nil }

  /// A cost expression in quotes.
  func cost(_ key: String) throws(DiagnosticError) -> CostExpr {
    let text = try op.string(key)
    do {
      return try CostExpr(parsing: text)
    } catch {
      throw DiagnosticError(
        error.diagnostics.map { diagnostic in
          var placed = diagnostic
          placed.location = op.location
          return placed
        })
    }
  }

  func optionalCost(_ key: String) throws(DiagnosticError) -> CostExpr? { op.has(key) ? try cost(key) : nil }
}

/// Splits the parts of a problem by name; collects the errors of all parts.
struct PartList {
  let parts: [OpSyntax]
  private(set) var errors: [Diagnostic] = []

  init(_ op: OpSyntax, names: [String]) {
    parts = op.body
    for part in parts where !names.contains(part.name) {
      errors.append(
        Diagnostic(
          "wrong-op", "'\(op.name)' cannot hold '\(part.name)'", at: part.location,
          hint: nearestName(to: part.name, among: names).map { "did you mean '\($0)'?" }))
    }
  }

  /// Reads every part of one name; errors are kept for `finish`.
  mutating func read<T>(_ name: String, _ make: (OpSyntax) throws(DiagnosticError) -> T) -> [T] {
    var result: [T] = []
    for part in parts where part.name == name {
      do { result.append(try make(part)) } catch { errors += error.diagnostics }
    }
    return result
  }

  func finish() throws(DiagnosticError) {
    if !errors.isEmpty { throw DiagnosticError(errors) }
  }
}

extension TilingProblem.Memory {
  static let opName = "problem.memory"

  init(_ op: OpSyntax) throws(DiagnosticError) {
    let part = try PartReader(op, Self.opName, keys: ["name", "capacity", "is_private"])
    self.init(
      try part.op.string("name"), capacity: try part.op.integer("capacity"), isShared: try !part.op.flag("is_private"))
  }

  var syntax: OpSyntax {
    var op = OpSyntax(Self.opName, attributes: ["name": .string(name), "capacity": .integer(capacity)])
    if !isShared { op.attributes["is_private"] = true }
    return op
  }
}

extension TilingProblem.Link {
  static let opName = "problem.link"

  init(_ op: OpSyntax) throws(DiagnosticError) {
    let part = try PartReader(op, Self.opName, keys: ["name", "bytes", "cycles", "latency", "command_cycles"])
    self.init(
      try part.op.string("name"),
      rate: TransferRate(bytes: try part.op.integer("bytes"), cycles: try part.op.integer("cycles", default: 1)),
      latency: try part.op.integer("latency", default: 0),
      commandCycles: try part.op.integer("command_cycles", default: 0))
  }

  var syntax: OpSyntax {
    OpSyntax(
      Self.opName,
      attributes: [
        "name": .string(name), "bytes": .integer(rate.bytes), "cycles": .integer(rate.cycles),
        "latency": .integer(latency), "command_cycles": .integer(commandCycles),
      ])
  }
}

extension SolutionStatus {
  /// Attributes `status`, and `gap` or `binding` where the status has one.
  var attributes: AttributeDictionary {
    switch self {
    case .optimal: return ["status": "optimal"]
    case .feasible(let gap): return ["status": "feasible", "gap": .integer(gap)]
    case .infeasible(let binding): return ["status": "infeasible", "binding": .string(binding)]
    case .budgetExhausted: return ["status": "budget_exhausted"]
    }
  }

  init(_ part: PartReader) throws(DiagnosticError) {
    switch try part.op.string("status") {
    case "optimal": self = .optimal
    case "feasible": self = .feasible(gap: try part.op.integer("gap"))
    case "infeasible": self = .infeasible(binding: try part.op.string("binding"))
    case "budget_exhausted": self = .budgetExhausted
    case let other:
      throw DiagnosticError(
        "attribute-choice",
        "attribute 'status' must be one of optimal, feasible, infeasible, budget_exhausted but is '\(other)'",
        at: part.op.location)
    }
  }
}
