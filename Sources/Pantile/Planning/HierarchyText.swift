import PantilePlan
import PantileProblem
import PantileReport
import PantileSupport

extension HierarchyReport {
  /// For a terminal: what was asked, what was found, what each memory holds and serves, and where each kind of buffer is used.
  public func text() -> String {
    var lines: [(String, String)] = [
      ("ops", Format.grouped(problem.ops.count)),
      (
        "buffers",
        "\(Format.grouped(problem.buffers.count)), \(Bytes(problem.buffers.reduce(0) { $0 + $1.bytes }))"
      ),
      ("objective", problem.objective.rawValue), ("method", method), ("status", statusText),
    ]
    if let plan = outcome.plan {
      let moved = plan.moves.reduce(0) { $0 + problem.buffers[$1.buffer].bytes }
      lines += [
        ("cost", amount(problem.objective.of(plan.cost))), ("bound", "\(amount(plan.lowerBound)), \(plan.boundName)"),
        ("gap", Format.percent(plan.gap(problem.objective))),
      ]
      if plan.boundOrder == .this { lines.append(("any order", "at least \(amount(plan.lowerBoundOfAnyOrder))")) }
      lines.append(("moves", "\(Format.grouped(plan.moves.count)), \(Format.grouped(moved)) B"))
      lines.append(("states", Format.grouped(plan.states)))
    }
    if let reason { lines.append(("reason", reason)) }
    let width = lines.map(\.0.count).max() ?? 0
    var text = "\(input): one step of \(problem.name) in the memories of \(memories)\n"
    for line in lines { text += "  \(line.0)\(String(repeating: " ", count: width - line.0.count + 2))\(line.1)\n" }
    if let plan = outcome.plan { text += "\n" + memoryTable(plan) + "\n" + kindTable(plan) }
    return text
  }

  private var statusText: String {
    guard let plan = outcome.plan, plan.boundOrder == .this else { return status }
    return "\(status) for this order of ops"
  }

  /// Thousandths of the objective's unit, for people.
  private func amount(_ thousandths: Int) -> String {
    let whole = Format.grouped((thousandths + 500) / 1000)
    switch problem.objective {
    case .energy: return "\(whole) pJ"
    case .cycles: return "\(whole) cycles"
    }
  }

  private func memoryTable(_ plan: HierarchyPlan) -> String {
    var table = TextTable([
      ("memory", .left), ("size", .right), ("peak", .right), ("read", .right), ("written", .right),
      ("moved in", .right), ("moved out", .right),
    ])
    let peaks = plan.peaks(of: problem)
    for (index, traffic) in traffic(plan).enumerated() {
      let memory = problem.memories[index]
      table.add([
        memory.name, Format.grouped(memory.capacity), Format.grouped(peaks[index]), Format.grouped(traffic.read),
        memory.isReadOnly ? "-" : Format.grouped(traffic.written),
        memory.isReadOnly ? "-" : Format.grouped(traffic.movedIn), Format.grouped(traffic.movedOut),
      ])
    }
    return table.text
  }

  /// Bytes of each kind that ops read and write in each memory.
  private func kindTable(_ plan: HierarchyPlan) -> String {
    var columns: [(String, TextTable.Alignment)] = [("kind", .left), ("buffers", .right), ("bytes", .right)]
    for memory in problem.memories { columns.append(("used in \(memory.name)", .right)) }
    var table = TextTable(columns)
    for kind in HierarchyProblem.Buffer.Kind.allCases {
      let own = problem.buffers.indices.filter { problem.buffers[$0].kind == kind }
      if own.isEmpty { continue }
      var used = problem.memories.map { _ in 0 }
      for access in plan.accesses where problem.buffers[access.buffer].kind == kind {
        used[access.memory] += problem.buffers[access.buffer].bytes * (access.use == .update ? 2 : 1)
      }
      let bytes = own.reduce(0) { $0 + problem.buffers[$1].bytes }
      table.add(
        [kind.rawValue, Format.grouped(own.count), Format.grouped(bytes)] + used.map { Format.grouped($0) })
    }
    return table.text
  }
}
