import PantileSupport
import PantileText

extension TilingProblem: ProblemText {
  public static let opName = "problem.tiling"

  public var syntax: OpSyntax {
    var op = OpSyntax(Self.opName, attributes: ["name": .string(name)])
    op.body =
      dims.map(\.syntax)
      + orders.map { OpSyntax("problem.order", attributes: ["loops": .strings($0)]) }
      + memories.map(\.syntax) + links.map(\.syntax) + resources.map(\.syntax) + operands.map(\.syntax)
      + workspace.map { $0.syntax("problem.workspace") }
    return op
  }

  public init(_ op: OpSyntax) throws(DiagnosticError) {
    let head = try PartReader(op, Self.opName, keys: ["name"])
    var list = PartList(
      op,
      names: [
        "problem.dim", "problem.order", "problem.memory", "problem.link", "problem.resource", "problem.operand",
        "problem.workspace",
      ])
    let dims = list.read("problem.dim") { (op) throws(DiagnosticError) in try Dim(op) }
    let orders = list.read("problem.order") { (op) throws(DiagnosticError) in
      try PartReader(op, "problem.order", keys: ["loops"]).op.strings("loops")
    }
    let memories = list.read("problem.memory") { (op) throws(DiagnosticError) in try Memory(op) }
    let links = list.read("problem.link") { (op) throws(DiagnosticError) in try Link(op) }
    let resources = list.read("problem.resource") { (op) throws(DiagnosticError) in try Resource(op) }
    let operands = list.read("problem.operand") { (op) throws(DiagnosticError) in try Operand(op) }
    let workspace = list.read("problem.workspace") { (op) throws(DiagnosticError) in
      try Footprint(op, "problem.workspace")
    }
    try list.finish()
    self.init(
      name: try head.op.string("name"), dims: dims, orders: orders, memories: memories, links: links,
      resources: resources, operands: operands, workspace: workspace)
  }
}

extension TilingProblem.Dim {
  init(_ op: OpSyntax) throws(DiagnosticError) {
    let part = try PartReader(op, "problem.dim", keys: ["name", "extent", "granule", "is_whole"])
    self.init(
      try part.op.string("name"), extent: try part.op.integer("extent"),
      granule: try part.op.integer("granule", default: 1), mayTile: try !part.op.flag("is_whole"))
  }

  var syntax: OpSyntax {
    var op = OpSyntax(
      "problem.dim",
      attributes: ["name": .string(name), "extent": .integer(extent), "granule": .integer(granule)])
    if !mayTile { op.attributes["is_whole"] = true }
    return op
  }
}

extension TilingProblem.Resource {
  init(_ op: OpSyntax) throws(DiagnosticError) {
    let part = try PartReader(op, "problem.resource", keys: ["name", "busy", "trip_overhead"])
    self.init(
      try part.op.string("name"), busy: try part.cost("busy"),
      tripOverhead: try part.op.integer("trip_overhead", default: 0))
  }

  var syntax: OpSyntax {
    OpSyntax(
      "problem.resource",
      attributes: [
        "name": .string(name), "busy": .string(busy.description), "trip_overhead": .integer(tripOverhead),
      ])
  }
}

extension TilingProblem.Footprint {
  init(_ op: OpSyntax, _ name: String) throws(DiagnosticError) {
    let part = try PartReader(op, name, keys: ["memory", "bytes"])
    self.init(try part.op.string("memory"), bytes: try part.cost("bytes"))
  }

  func syntax(_ name: String) -> OpSyntax {
    OpSyntax(name, attributes: ["memory": .string(memory), "bytes": .string(bytes.description)])
  }
}

extension TilingProblem.Operand {
  init(_ op: OpSyntax) throws(DiagnosticError) {
    let part = try PartReader(
      op, "problem.operand",
      keys: [
        "name", "kind", "relevant", "slots", "bytes_per_load", "sweep_bytes", "link", "reload_link", "exposed",
      ])
    var list = PartList(op, names: ["problem.footprint"])
    let footprints = list.read("problem.footprint") { (op) throws(DiagnosticError) in
      try TilingProblem.Footprint(op, "problem.footprint")
    }
    try list.finish()
    self.init(
      try part.op.string("name"), kind: try part.op.choice("kind"), relevant: try part.op.strings("relevant"),
      footprints: footprints, slotChoices: try part.op.integers("slots"),
      bytesPerLoad: try part.optionalCost("bytes_per_load") ?? .zero, sweepBytes: try part.optionalCost("sweep_bytes"),
      link: try part.optionalString("link"), reloadLink: try part.optionalString("reload_link"),
      exposed: try part.optionalCost("exposed"))
  }

  var syntax: OpSyntax {
    var op = OpSyntax(
      "problem.operand",
      attributes: [
        "name": .string(name), "kind": .string(kind.rawValue), "relevant": .strings(relevant),
        "slots": .integers(slotChoices), "bytes_per_load": .string(bytesPerLoad.description),
      ])
    if let sweepBytes { op.attributes["sweep_bytes"] = .string(sweepBytes.description) }
    if let link { op.attributes["link"] = .string(link) }
    if let reloadLink { op.attributes["reload_link"] = .string(reloadLink) }
    if let exposed { op.attributes["exposed"] = .string(exposed.description) }
    if !footprints.isEmpty { op.body = footprints.map { $0.syntax("problem.footprint") } }
    return op
  }
}

extension TilingSolution: ProblemText {
  public static let opName = "problem.tiling_solution"

  public var syntax: OpSyntax {
    var op = OpSyntax(Self.opName, attributes: status.attributes)
    op.attributes["lower_bound"] = .integer(lowerBound)
    op.attributes["bound"] = .string(boundName)
    op.attributes["evaluated"] = .integer(evaluated)
    op.body = alternatives.map { alternative in
      OpSyntax(
        "problem.tiled",
        attributes: [
          "tiles": .integers(alternative.tiles), "order": .integer(alternative.order),
          "slots": .integers(alternative.slots), "loads": .integers(alternative.loads),
          "footprint": .integers(alternative.footprint), "busy": .integers(alternative.busy),
          "bytes": .integers(alternative.bytes), "cycles": .integer(alternative.cycles),
          "commands": .integer(alternative.commands), "lower_bound": .integer(alternative.lowerBound),
        ])
    }
    return op
  }

  public init(_ op: OpSyntax) throws(DiagnosticError) {
    let head = try PartReader(
      op, Self.opName, keys: ["status", "gap", "binding", "lower_bound", "bound", "evaluated"])
    var list = PartList(op, names: ["problem.tiled"])
    let alternatives = list.read("problem.tiled") { (op) throws(DiagnosticError) in
      let part = try PartReader(
        op, "problem.tiled",
        keys: [
          "tiles", "order", "slots", "loads", "footprint", "busy", "bytes", "cycles", "commands", "lower_bound",
        ])
      return Alternative(
        tiles: try part.op.integers("tiles"), order: try part.op.integer("order"),
        slots: try part.op.integers("slots"), loads: try part.op.integers("loads"),
        footprint: try part.op.integers("footprint"), busy: try part.op.integers("busy"),
        bytes: try part.op.integers("bytes"), cycles: try part.op.integer("cycles"),
        commands: try part.op.integer("commands"), lowerBound: try part.op.integer("lower_bound"))
    }
    try list.finish()
    self.init(
      alternatives: alternatives, status: try SolutionStatus(head), lowerBound: try head.op.integer("lower_bound"),
      boundName: try head.op.string("bound"), evaluated: try head.op.integer("evaluated"))
  }
}
