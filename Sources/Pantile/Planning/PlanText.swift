import PantilePlan
import PantileProblem
import PantileReport
import PantileSupport

extension ScheduleReport {
  /// For a terminal: what was asked, what was found, and the tensors that move most.
  public func text() -> String {
    let compute = problem.ops.count { $0.role == .compute }
    var lines: [(String, String)] = [
      ("ops", grouped(compute) + (compute < problem.ops.count ? ", \(problem.ops.count - compute) views" : "")),
      ("tensors", "\(grouped(problem.tensors.count)), \(Bytes(problem.tensors.reduce(0) { $0 + $1.bytes }))"),
      ("capacity", bytes(capacity) + (problem.tileBytes.map { ", tile buffer \(bytes($0)) of it" } ?? "")),
      ("method", method), ("status", statusText),
    ]
    if let solution = outcome.solution {
      let moved = solution.spills.count + solution.fetches.count
      let streamed = (solution.spills + solution.fetches).count { $0.isStreamed }
      lines += [
        ("cost", bytes(solution.cost) + (moved == 0 ? ", nothing moves but what must" : "")),
        ("bound", "\(bytes(solution.lowerBound)), \(solution.boundName)"),
        ("gap", percent(solution.gap)), ("peak", bytes(solution.peakBytes(of: problem))),
        (
          "transfers",
          counted(solution.spills.count, "spill", "spills") + ", " + counted(solution.fetches.count, "fetch", "fetches")
            + (streamed > 0 ? ", \(streamed) of them streamed" : "")
        ),
        ("states", grouped(solution.states)),
      ]
    }
    if let reason { lines.append(("reason", reason)) }
    let width = lines.map(\.0.count).max() ?? 0
    var text = "\(input): schedule of \(problem.name)\n"
    for line in lines { text += "  \(line.0)\(String(repeating: " ", count: width - line.0.count + 2))\(line.1)\n" }
    if let solution = outcome.solution { text += moves(solution) }
    return text
  }

  private var statusText: String {
    guard let solution = outcome.solution, solution.isFixedOrder else { return status }
    return "\(status) for this order of ops"
  }

  /// The ten tensors with the most bytes over the edge.
  private func moves(_ solution: ScheduleSolution) -> String {
    var spills: [Int: [Int]] = [:]
    var fetches: [Int: [Int]] = [:]
    for spill in solution.spills { spills[spill.tensor, default: []].append(spill.step) }
    for fetch in solution.fetches { fetches[fetch.tensor, default: []].append(fetch.step) }
    let rows = Set(spills.keys).union(fetches.keys).sorted().map { tensor in
      let count = (spills[tensor]?.count ?? 0) + (fetches[tensor]?.count ?? 0)
      return (tensor: tensor, bytes: count * problem.tensors[tensor].bytes)
    }.sorted { ($0.bytes, -$0.tensor) > ($1.bytes, -$1.tensor) }
    if rows.isEmpty { return "" }
    func steps(_ list: [Int]?) -> String {
      guard let list else { return "-" }
      return list.prefix(6).map(String.init).joined(separator: " ") + (list.count > 6 ? " …" : "")
    }
    var table = TextTable([
      ("tensor", .left), ("bytes", .right), ("spilled before", .left), ("fetched before", .left), ("moved", .right),
    ])
    for row in rows.prefix(10) {
      table.add([
        problem.tensors[row.tensor].name, grouped(problem.tensors[row.tensor].bytes), steps(spills[row.tensor]),
        steps(fetches[row.tensor]), grouped(row.bytes),
      ])
    }
    return "\n" + table.text + (rows.count > 10 ? "... and \(rows.count - 10) more tensors\n" : "")
  }
}

extension PackingReport {
  /// For a terminal.
  public func text() -> String {
    var lines: [(String, String)] = [("buffers", grouped(problem.buffers.count))]
    if !isMinimised { lines.append(("capacity", bytes(problem.capacity))) }
    lines += [("method", method), ("status", status)]
    if let solution = outcome.solution {
      lines += [
        ("peak", bytes(solution.height)), ("bound", bytes(solution.lowerBound)), ("gap", percent(gap ?? 0)),
      ]
      if problem.bankBytes != nil { lines.append(("banks", "\(solution.bankConflicts) conflicts")) }
    }
    if let reason { lines.append(("reason", reason)) }
    let width = lines.map(\.0.count).max() ?? 0
    return "\(input): packing\n"
      + lines.map { "  \($0.0)\(String(repeating: " ", count: width - $0.0.count + 2))\($0.1)\n" }.joined()
  }
}

/// `1,605,632 (1.5 MiB)`; small counts without the unit.
private func bytes(_ count: Int) -> String {
  count < 1024 ? "\(count) B" : "\(grouped(count)) B (\(Bytes(count)))"
}

private func counted(_ count: Int, _ one: String, _ many: String) -> String {
  "\(grouped(count)) \(count == 1 ? one : many)"
}

private func grouped(_ value: Int) -> String { Format.grouped(value) }

private func percent(_ share: Double) -> String { Format.percent(share) }
