import PantileSupport
import PantileText

extension PackingProblem: ProblemText {
  public static let opName = "problem.packing"

  public var syntax: OpSyntax {
    var op = OpSyntax(Self.opName, attributes: ["name": .string(name), "capacity": .integer(capacity)])
    if let bankBytes { op.attributes["bank_bytes"] = .integer(bankBytes) }
    op.body = buffers.map(\.syntax)
    return op
  }

  public init(_ op: OpSyntax) throws(DiagnosticError) {
    let head = try PartReader(op, Self.opName, keys: ["name", "capacity", "bank_bytes"])
    var list = PartList(op, names: ["problem.buffer"])
    let buffers = list.read("problem.buffer") { (op) throws(DiagnosticError) in try Buffer(op) }
    try list.finish()
    self.init(
      name: try head.op.string("name"), buffers: buffers, capacity: try head.op.integer("capacity"),
      bankBytes: try head.optionalInteger("bank_bytes"))
  }
}

extension PackingProblem.Buffer {
  init(_ op: OpSyntax) throws(DiagnosticError) {
    let part = try PartReader(
      op, "problem.buffer",
      keys: [
        "name", "start", "end", "size", "alignment", "bank_group", "fixed_offset", "anchor", "delta", "may_overlap",
      ])
    let tie = try part.optionalInteger("anchor").map { (anchor) throws(DiagnosticError) in
      PackingProblem.Tie(
        to: anchor, delta: try part.op.integer("delta", default: 0), mayOverlap: try part.op.flag("may_overlap"))
    }
    if tie == nil, part.op.has("delta") || part.op.has("may_overlap") {
      throw DiagnosticError(
        "missing-attribute", "a buffer with 'delta' or 'may_overlap' needs 'anchor'", at: op.location)
    }
    self.init(
      try part.op.string("name"), start: try part.op.integer("start"), end: try part.op.integer("end"),
      size: try part.op.integer("size"), alignment: try part.op.integer("alignment", default: 1),
      bankGroup: try part.optionalInteger("bank_group"), fixedOffset: try part.optionalInteger("fixed_offset"), tie: tie
    )
  }

  var syntax: OpSyntax {
    var op = OpSyntax(
      "problem.buffer",
      attributes: [
        "name": .string(name), "start": .integer(start), "end": .integer(end), "size": .integer(size),
        "alignment": .integer(alignment),
      ])
    if let bankGroup { op.attributes["bank_group"] = .integer(bankGroup) }
    if let fixedOffset { op.attributes["fixed_offset"] = .integer(fixedOffset) }
    if let tie {
      op.attributes["anchor"] = .integer(tie.anchor)
      op.attributes["delta"] = .integer(tie.delta)
      if tie.mayOverlap { op.attributes["may_overlap"] = true }
    }
    return op
  }
}

extension PackingSolution: ProblemText {
  public static let opName = "problem.packing_solution"

  public var syntax: OpSyntax {
    var op = OpSyntax(Self.opName, attributes: status.attributes)
    op.attributes["offsets"] = .integers(offsets)
    op.attributes["height"] = .integer(height)
    op.attributes["bank_conflicts"] = .integer(bankConflicts)
    op.attributes["lower_bound"] = .integer(lowerBound)
    op.attributes["method"] = .string(method)
    return op
  }

  public init(_ op: OpSyntax) throws(DiagnosticError) {
    let part = try PartReader(
      op, Self.opName,
      keys: ["status", "gap", "binding", "offsets", "height", "bank_conflicts", "lower_bound", "method"])
    self.init(
      offsets: try part.op.integers("offsets"), height: try part.op.integer("height"),
      bankConflicts: try part.op.integer("bank_conflicts"), status: try SolutionStatus(part),
      lowerBound: try part.op.integer("lower_bound"), method: try part.op.string("method"))
  }
}
