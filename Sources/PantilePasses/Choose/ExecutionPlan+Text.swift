import PantileProgram

extension ExecutionPlan {
  /// The schedule of one step in one line: tiles, loop order, slots, what is kept where. Equal lines mean equal
  /// schedules; `check` compares them.
  public func scheduleText(step index: Int, in graph: StepGraph) -> String {
    let choice = choices[index]
    let names: [String]
    let nest: TiledNest
    switch graph.steps[index].body {
    case .contract(let step):
      names = ContractStep.dimNames
      nest = step.nest(choice)
    case .map(let step):
      names = step.dims.map(\.name)
      nest = step.nest(choice)
    }
    let tiles = nest.extents.indices.filter { nest.extents[$0] > 1 }.map {
      nest.tiles[$0] == nest.extents[$0]
        ? "\(names[$0])=\(nest.tiles[$0])" : "\(names[$0])=\(nest.tiles[$0])/\(nest.extents[$0])"
    }
    let slots = choice.slots.keys.sorted().map { "\($0)x\(choice.slots[$0] ?? 1)" }
    var parts = ["tiles \(tiles.joined(separator: " "))"]
    if !nest.loops.isEmpty { parts.append("loops \(nest.loops.map { names[$0] }.joined(separator: " "))") }
    parts.append("slots \(slots.joined(separator: " "))")
    if !choice.prefetched.isEmpty { parts.append("prefetches \(choice.prefetched.sorted().joined(separator: " "))") }
    if !choice.residentReads.isEmpty {
      parts.append(
        "reads on chip \(choice.residentReads.sorted().map { graph.storages[$0].name }.joined(separator: " "))")
    }
    if choice.keepsOutput { parts.append(choice.storesOutput ? "keeps and stores" : "keeps") }
    return parts.joined(separator: "; ")
  }

  /// All steps, one a line: what `--print-after choose` shows.
  public func text(in graph: StepGraph) -> String {
    graph.steps.indices.map { "\(graph.steps[$0].name): \(graph.steps[$0].kind); \(scheduleText(step: $0, in: graph))" }
      .joined(separator: "\n")
  }
}
