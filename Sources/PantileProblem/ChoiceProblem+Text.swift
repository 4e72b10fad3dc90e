import PantileSupport
import PantileText

/// Steps and tensors are referred to by number, in the order in which they stand, since names need not be unique.
extension ChoiceProblem: ProblemText {
  public static let opName = "problem.choice"

  public var syntax: OpSyntax {
    var op = OpSyntax(Self.opName, attributes: ["name": .string(name), "resources": .strings(resources)])
    op.body = memories.map(\.syntax) + links.map(\.syntax) + tensors.map(\.syntax) + steps.map(\.syntax)
    return op
  }

  public init(_ op: OpSyntax) throws(DiagnosticError) {
    let head = try PartReader(op, Self.opName, keys: ["name", "resources"])
    var list = PartList(op, names: ["problem.memory", "problem.link", "problem.tensor", "problem.step"])
    let memories = list.read("problem.memory") { (op) throws(DiagnosticError) in try Memory(op) }
    let links = list.read("problem.link") { (op) throws(DiagnosticError) in try Link(op) }
    let tensors = list.read("problem.tensor") { (op) throws(DiagnosticError) in try Tensor(op) }
    let steps = list.read("problem.step") { (op) throws(DiagnosticError) in try Step(op) }
    try list.finish()
    self.init(
      name: try head.op.string("name"), memories: memories, resources: try head.op.strings("resources"), links: links,
      tensors: tensors, steps: steps)
  }
}

extension ChoiceProblem.Tensor {
  init(_ op: OpSyntax) throws(DiagnosticError) {
    let part = try PartReader(
      op, "problem.tensor",
      keys: ["name", "bytes", "kind", "producer", "consumers", "memory", "load_link", "store_link"])
    self.init(
      try part.op.string("name"), bytes: try part.op.integer("bytes"), kind: try part.op.choice("kind"),
      producer: try part.optionalInteger("producer"), consumers: try part.op.integers("consumers", default: []),
      memory: try part.op.string("memory"), loadLink: try part.optionalString("load_link"),
      storeLink: try part.optionalString("store_link"))
  }

  var syntax: OpSyntax {
    var op = OpSyntax(
      "problem.tensor",
      attributes: [
        "name": .string(name), "bytes": .integer(bytes), "kind": .string(kind.rawValue),
        "consumers": .integers(consumers), "memory": .string(memory),
      ])
    if let producer { op.attributes["producer"] = .integer(producer) }
    if let loadLink { op.attributes["load_link"] = .string(loadLink) }
    if let storeLink { op.attributes["store_link"] = .string(storeLink) }
    return op
  }
}

extension ChoiceProblem.Step {
  init(_ op: OpSyntax) throws(DiagnosticError) {
    let part = try PartReader(op, "problem.step", keys: ["name"])
    var list = PartList(op, names: ["problem.alternative"])
    let alternatives = list.read("problem.alternative") { (op) throws(DiagnosticError) in
      try ChoiceProblem.StepAlternative(op)
    }
    try list.finish()
    self.init(try part.op.string("name"), alternatives: alternatives)
  }

  var syntax: OpSyntax {
    var op = OpSyntax("problem.step", attributes: ["name": .string(name)])
    op.body = alternatives.map(\.syntax)
    return op
  }
}

extension ChoiceProblem.StepAlternative {
  init(_ op: OpSyntax) throws(DiagnosticError) {
    let part = try PartReader(
      op, "problem.alternative",
      keys: ["reads", "writes", "working_set", "busy", "bytes", "extra_cycles", "origin"])
    self.init(
      residentReads: try part.op.integers("reads", default: []),
      residentWrites: try part.op.integers("writes", default: []), workingSet: try part.op.integers("working_set"),
      busy: try part.op.integers("busy"), bytes: try part.op.integers("bytes"),
      extraCycles: try part.op.integer("extra_cycles", default: 0), origin: try part.op.integer("origin", default: 0))
  }

  var syntax: OpSyntax {
    OpSyntax(
      "problem.alternative",
      attributes: [
        "reads": .integers(residentReads), "writes": .integers(residentWrites), "working_set": .integers(workingSet),
        "busy": .integers(busy), "bytes": .integers(bytes), "extra_cycles": .integer(extraCycles),
        "origin": .integer(origin),
      ])
  }
}

extension ChoiceSolution: ProblemText {
  public static let opName = "problem.choice_solution"

  public var syntax: OpSyntax {
    var op = OpSyntax(Self.opName, attributes: status.attributes)
    op.attributes["choice"] = .integers(choice)
    op.attributes["kept"] = .integers(kept)
    op.attributes["step_cycles"] = .integers(stepCycles)
    op.attributes["cycles"] = .integer(cycles)
    op.attributes["bytes"] = .integer(bytes)
    op.attributes["lower_bound"] = .integer(lowerBound)
    op.attributes["bound"] = .string(boundName)
    op.attributes["method"] = .string(method)
    return op
  }

  public init(_ op: OpSyntax) throws(DiagnosticError) {
    let part = try PartReader(
      op, Self.opName,
      keys: [
        "status", "gap", "binding", "choice", "kept", "step_cycles", "cycles", "bytes", "lower_bound", "bound",
        "method",
      ])
    self.init(
      choice: try part.op.integers("choice"), kept: try part.op.integers("kept"),
      stepCycles: try part.op.integers("step_cycles"), cycles: try part.op.integer("cycles"),
      bytes: try part.op.integer("bytes"), status: try SolutionStatus(part),
      lowerBound: try part.op.integer("lower_bound"), boundName: try part.op.string("bound"),
      method: try part.op.string("method"))
  }
}
