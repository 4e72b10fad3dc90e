import PantileSupport
import PantileText

/// Tensors, ops and memories are referred to by number, in the order in which they stand, since names need not be unique.
extension ScheduleProblem: ProblemText {
  public static let opName = "problem.schedule"

  public var syntax: OpSyntax {
    var op = OpSyntax(Self.opName, attributes: ["name": .string(name)])
    if let tileBytes { op.attributes["tile_bytes"] = .integer(tileBytes) }
    op.body = memories.map(\.syntax) + tensors.map(\.syntax) + ops.map(\.syntax)
    return op
  }

  public init(_ op: OpSyntax) throws(DiagnosticError) {
    let head = try PartReader(op, Self.opName, keys: ["name", "tile_bytes"])
    var list = PartList(op, names: ["problem.memory", "problem.tensor", "problem.op"])
    let memories = list.read("problem.memory") { (op) throws(DiagnosticError) in try Memory(op) }
    let tensors = list.read("problem.tensor") { (op) throws(DiagnosticError) in try Tensor(op) }
    let ops = list.read("problem.op") { (op) throws(DiagnosticError) in try Op(op) }
    try list.finish()
    self.init(
      name: try head.op.string("name"), memories: memories, tensors: tensors, ops: ops,
      tileBytes: try head.optionalInteger("tile_bytes"))
  }
}

extension ScheduleProblem.Memory {
  init(_ op: OpSyntax) throws(DiagnosticError) {
    let part = try PartReader(op, "problem.memory", keys: ["name", "capacity"])
    self.init(try part.op.string("name"), capacity: try part.op.integer("capacity"))
  }

  var syntax: OpSyntax {
    OpSyntax("problem.memory", attributes: ["name": .string(name), "capacity": .integer(capacity)])
  }
}

extension ScheduleProblem.Tensor {
  init(_ op: OpSyntax) throws(DiagnosticError) {
    let part = try PartReader(
      op, "problem.tensor", keys: ["name", "bytes", "kind", "memory", "is_pinned", "fixed_offset", "alignment"])
    self.init(
      try part.op.string("name"), bytes: try part.op.integer("bytes"), kind: try part.op.choice("kind"),
      memory: try part.op.integer("memory", default: 0), isPinned: try part.op.flag("is_pinned"),
      fixedOffset: try part.optionalInteger("fixed_offset"), alignment: try part.op.integer("alignment", default: 1))
  }

  var syntax: OpSyntax {
    var op = OpSyntax(
      "problem.tensor",
      attributes: ["name": .string(name), "bytes": .integer(bytes), "kind": .string(kind.rawValue)])
    if memory != 0 { op.attributes["memory"] = .integer(memory) }
    if isPinned { op.attributes["is_pinned"] = true }
    if let fixedOffset { op.attributes["fixed_offset"] = .integer(fixedOffset) }
    if alignment != 1 { op.attributes["alignment"] = .integer(alignment) }
    return op
  }
}

extension ScheduleProblem.Op {
  init(_ op: OpSyntax) throws(DiagnosticError) {
    let part = try PartReader(op, "problem.op", keys: ["name", "role", "inputs", "outputs", "workspace", "in_place"])
    let pairs = try part.op.integers("in_place", default: [])
    guard pairs.count % 2 == 0 else {
      throw DiagnosticError(
        "attribute-kind", "attribute 'in_place' lists an input and an output in turn but has \(pairs.count) entries",
        at: op.location)
    }
    self.init(
      try part.op.string("name"), role: op.has("role") ? try part.op.choice("role") : .compute,
      inputs: try part.op.integers("inputs"), outputs: try part.op.integers("outputs"),
      workspace: try part.op.integers("workspace", default: []),
      inPlace: stride(from: 0, to: pairs.count, by: 2).map { .init(input: pairs[$0], output: pairs[$0 + 1]) })
  }

  var syntax: OpSyntax {
    var op = OpSyntax(
      "problem.op",
      attributes: ["name": .string(name), "inputs": .integers(inputs), "outputs": .integers(outputs)])
    if role != .compute { op.attributes["role"] = .string(role.rawValue) }
    if !workspace.isEmpty { op.attributes["workspace"] = .integers(workspace) }
    if !inPlace.isEmpty { op.attributes["in_place"] = .integers(inPlace.flatMap { [$0.input, $0.output] }) }
    return op
  }
}

extension ScheduleSolution: ProblemText {
  public static let opName = "problem.schedule_solution"

  public var syntax: OpSyntax {
    var op = OpSyntax(Self.opName, attributes: status.attributes)
    op.attributes["order"] = .integers(order)
    op.attributes["cost"] = .integer(cost)
    op.attributes["lower_bound"] = .integer(lowerBound)
    op.attributes["bound"] = .string(boundName)
    if isFixedOrder { op.attributes["is_fixed_order"] = true }
    op.attributes["method"] = .string(method)
    op.attributes["states"] = .integer(states)
    op.body =
      spills.map { $0.syntax("problem.spill") } + fetches.map { $0.syntax("problem.fetch") } + placements.map(\.syntax)
      + workspaces.map(\.syntax)
    return op
  }

  public init(_ op: OpSyntax) throws(DiagnosticError) {
    let part = try PartReader(
      op, Self.opName,
      keys: [
        "status", "gap", "binding", "order", "cost", "lower_bound", "bound", "is_fixed_order", "method", "states",
      ])
    var list = PartList(op, names: ["problem.spill", "problem.fetch", "problem.placement", "problem.workspace"])
    let spills = list.read("problem.spill") { (op) throws(DiagnosticError) in try Transfer(op, "problem.spill") }
    let fetches = list.read("problem.fetch") { (op) throws(DiagnosticError) in try Transfer(op, "problem.fetch") }
    let placements = list.read("problem.placement") { (op) throws(DiagnosticError) in try Placement(op) }
    let workspaces = list.read("problem.workspace") { (op) throws(DiagnosticError) in try WorkspacePlacement(op) }
    try list.finish()
    self.init(
      order: try part.op.integers("order"), spills: spills, fetches: fetches, placements: placements,
      workspaces: workspaces, cost: try part.op.integer("cost"), lowerBound: try part.op.integer("lower_bound"),
      boundName: try part.op.string("bound"), isFixedOrder: try part.op.flag("is_fixed_order"),
      status: try SolutionStatus(part), method: try part.op.string("method"), states: try part.op.integer("states"))
  }
}

extension ScheduleSolution.Transfer {
  init(_ op: OpSyntax, _ name: String) throws(DiagnosticError) {
    let part = try PartReader(op, name, keys: ["tensor", "step", "is_streamed"])
    self.init(
      tensor: try part.op.integer("tensor"), step: try part.op.integer("step"),
      isStreamed: try part.op.flag("is_streamed"))
  }

  func syntax(_ name: String) -> OpSyntax {
    var op = OpSyntax(name, attributes: ["tensor": .integer(tensor), "step": .integer(step)])
    if isStreamed { op.attributes["is_streamed"] = true }
    return op
  }
}

extension ScheduleSolution.Placement {
  init(_ op: OpSyntax) throws(DiagnosticError) {
    let part = try PartReader(op, "problem.placement", keys: ["tensor", "from", "to", "offset"])
    self.init(
      tensor: try part.op.integer("tensor"), from: try part.op.integer("from"), to: try part.op.integer("to"),
      offset: try part.op.integer("offset"))
  }

  var syntax: OpSyntax {
    OpSyntax(
      "problem.placement",
      attributes: [
        "tensor": .integer(tensor), "from": .integer(from), "to": .integer(to), "offset": .integer(offset),
      ])
  }
}

extension ScheduleSolution.WorkspacePlacement {
  init(_ op: OpSyntax) throws(DiagnosticError) {
    let part = try PartReader(op, "problem.workspace", keys: ["op", "memory", "offset"])
    self.init(
      op: try part.op.integer("op"), memory: try part.op.integer("memory", default: 0),
      offset: try part.op.integer("offset"))
  }

  var syntax: OpSyntax {
    OpSyntax(
      "problem.workspace",
      attributes: ["op": .integer(op), "memory": .integer(memory), "offset": .integer(offset)])
  }
}
