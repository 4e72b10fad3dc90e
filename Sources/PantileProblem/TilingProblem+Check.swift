import PantileSupport

extension TilingProblem {
  /// Refuses a problem that is not well formed, with all independent errors.
  ///
  /// - Throws: `bad-tiling-problem`, `unknown-dimension`, `unknown-memory`, `unknown-link`.
  public func check() throws(DiagnosticError) {
    var errors: [Diagnostic] = []
    func fail(_ message: String) { errors.append(Diagnostic("bad-tiling-problem", "'\(name)': \(message)")) }
    let names = dims.map(\.name)
    func unique(_ list: [String], _ what: String) {
      for (index, name) in list.enumerated() where list[..<index].contains(name) {
        fail("\(what) '\(name)' occurs twice")
      }
    }
    func dimensions(_ used: [String], in place: String) {
      for name in used where !names.contains(name) { errors.append(unknownDimension(name, among: names, in: place)) }
    }
    func footprint(_ part: Footprint, in place: String) {
      if !memories.contains(where: { $0.name == part.memory }) {
        errors.append(Diagnostic("unknown-memory", "'\(self.name)': \(place) uses memory '\(part.memory)'"))
      }
      dimensions(part.bytes.dimensions, in: place)
    }
    func link(_ name: String?, in place: String) {
      if let name, !links.contains(where: { $0.name == name }) {
        errors.append(Diagnostic("unknown-link", "'\(self.name)': \(place) uses link '\(name)'"))
      }
    }

    if dims.isEmpty { fail("there are no dimensions") }
    if dims.count > Self.dimensionLimit {
      fail("\(dims.count) dimensions, at most \(Self.dimensionLimit) are possible")
    }
    unique(names, "dimension")
    unique(memories.map(\.name), "memory")
    unique(links.map(\.name), "link")
    unique(resources.map(\.name), "resource")
    unique(operands.map(\.name), "operand")
    for dim in dims {
      if dim.extent < 1 { fail("dimension '\(dim.name)' has extent \(dim.extent), at least 1 is needed") }
      if dim.extent > ProblemLimit.extent {
        fail("dimension '\(dim.name)' has extent \(dim.extent), at most \(ProblemLimit.extent) is possible")
      }
      if dim.granule < 1 { fail("dimension '\(dim.name)' has granule \(dim.granule), at least 1 is needed") }
    }
    if orders.isEmpty { fail("there is no loop order") }
    for order in orders where order.count != names.count || Set(order) != Set(names) {
      fail("loop order [\(order.joined(separator: ", "))] must name each of [\(names.joined(separator: ", "))] once")
    }
    for memory in memories where memory.capacity < 0 || !ProblemLimit.holds(memory.capacity) {
      fail("memory '\(memory.name)' has \(memory.capacity) bytes")
    }
    for link in links {
      for number in [link.rate.bytes, link.rate.cycles, link.latency, link.commandCycles]
      where !ProblemLimit.holds(number) {
        fail("link '\(link.name)' has the number \(number), which is out of range")
      }
      if link.rate.bytes < 1 || link.rate.cycles < 1 {
        fail("link '\(link.name)' moves \(link.rate.bytes) bytes in \(link.rate.cycles) cycles")
      }
      if link.latency < 0 || link.commandCycles < 0 {
        fail("link '\(link.name)' has a negative latency or command time")
      }
    }
    for resource in resources {
      dimensions(resource.busy.dimensions, in: "resource '\(resource.name)'")
      if resource.tripOverhead < 0 || !ProblemLimit.holds(resource.tripOverhead) {
        fail("resource '\(resource.name)' has overhead \(resource.tripOverhead)")
      }
    }
    for operand in operands {
      let place = "operand '\(operand.name)'"
      unique(operand.relevant, "relevant dimension of \(place)")
      dimensions(operand.relevant, in: place)
      for part in operand.footprints { footprint(part, in: place) }
      for expression in [operand.bytesPerLoad, operand.sweepBytes, operand.exposed] {
        if let expression { dimensions(expression.dimensions, in: place) }
      }
      link(operand.link, in: place)
      link(operand.reloadLink, in: place)
      if operand.slotChoices.isEmpty || operand.slotChoices.contains(where: { $0 < 1 || !ProblemLimit.holds($0) }) {
        fail("\(place) allows slots \(operand.slotChoices)")
      }
      if operand.kind == .accumulate, operand.link != nil, operand.reloadLink == nil {
        fail("\(place) accumulates over a link and has no link to fetch from")
      }
    }
    for part in workspace { footprint(part, in: "workspace") }
    if !errors.isEmpty { throw DiagnosticError(errors) }
  }

  /// Checks a solution by evaluating each alternative anew; knows nothing of how it was found.
  ///
  /// - Throws: `wrong-tiling` for each tile, slot or order outside the space, each capacity exceeded, each cost that is not the
  ///   evaluated one, each dominated alternative, a bound above a solution.
  public func verify(_ solution: TilingSolution) throws(DiagnosticError) {
    var errors: [Diagnostic] = []
    func fail(_ index: Int, _ message: String) {
      errors.append(Diagnostic("wrong-tiling", "'\(name)' alternative \(index): \(message)"))
    }
    for (index, alternative) in solution.alternatives.enumerated() {
      guard alternative.tiles.count == dims.count, alternative.slots.count == operands.count,
        orders.indices.contains(alternative.order)
      else {
        fail(index, "tiles, slots or order do not belong to this problem")
        continue
      }
      var inSpace = true
      for (dim, tile) in zip(dims, alternative.tiles) {
        let whole = tile == dim.extent
        let aligned = dim.mayTile && tile >= 1 && tile < dim.extent && tile % dim.granule == 0
        if !whole && !aligned {
          fail(index, "tile \(tile) of '\(dim.name)' is neither a multiple of \(dim.granule) nor \(dim.extent)")
          inSpace = false
        }
      }
      for (operand, slots) in zip(operands, alternative.slots) where !operand.slotChoices.contains(slots) {
        fail(index, "operand '\(operand.name)' has \(slots) slots, allowed are \(operand.slotChoices)")
        inSpace = false
      }
      guard inSpace else { continue }
      let truth = evaluate(tiles: alternative.tiles, order: alternative.order, slots: alternative.slots)
      if truth != alternative { fail(index, "costs are stated as \(alternative) and evaluate to \(truth)") }
      for (memory, used) in zip(memories, truth.footprint) where used > memory.capacity {
        fail(index, "memory '\(memory.name)' needs \(used) bytes but has \(memory.capacity)")
      }
      if truth.cycles < solution.lowerBound {
        fail(index, "takes \(truth.cycles) cycles, below the bound \(solution.lowerBound)")
      }
      for other in solution.alternatives.indices where other != index {
        if solution.alternatives[other].dominates(alternative) { fail(index, "is dominated by alternative \(other)") }
      }
    }
    if case .infeasible = solution.status, !solution.alternatives.isEmpty {
      errors.append(Diagnostic("wrong-tiling", "'\(name)' is called infeasible and has alternatives"))
    }
    if !errors.isEmpty { throw DiagnosticError(errors) }
  }
}
