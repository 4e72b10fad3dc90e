import PantilePlan
import PantileProblem
import PantileReport
import PantileSupport

extension ScheduleReport {
  /// The plan as a picture: one panel a memory; nil when there is no plan.
  public func picture() -> PlanPicture? {
    guard let solution = outcome.solution else { return nil }
    let moved = solution.spills.count + solution.fetches.count
    let facts = [
      (value: Format.bytes(solution.cost), label: moved == 0 ? "moved beyond what must" : "spilled and fetched"),
      (
        value: Format.bytes(solution.lowerBound),
        label: "least possible\(solution.isFixedOrder ? " in this order" : "") (\(solution.boundName))"
      ),
      (value: Format.percent(solution.gap), label: "gap"),
      (value: "\(solution.spills.count) / \(solution.fetches.count)", label: "spills / fetches"),
      (value: Format.bytes(solution.peakBytes(of: problem)), label: "peak of \(Format.bytes(capacity))"),
      (value: "\(problem.ops.count)", label: "ops"),
    ]
    return PlanPicture(
      title: problem.name, subtitle: "\(status), method \(method)", facts: facts,
      steps: solution.order.map { problem.ops[$0].name },
      panels: problem.memories.indices.map { panel(of: $0, solution) })
  }

  private func panel(of memory: Int, _ solution: ScheduleSolution) -> PlanPicture.Panel {
    var blocks: [PlanPicture.Block] = []
    for placement in solution.placements where problem.tensors[placement.tensor].memory == memory {
      let tensor = problem.tensors[placement.tensor]
      guard tensor.bytes > 0 else { continue }
      blocks.append(
        .init(
          thing: placement.tensor, name: tensor.name, kind: tensor.kind.rawValue, from: placement.from,
          to: placement.to, offset: placement.offset, bytes: tensor.bytes))
    }
    var step = Array(repeating: 0, count: problem.ops.count)
    for (position, op) in solution.order.enumerated() { step[op] = position }
    for workspace in solution.workspaces where workspace.memory == memory {
      let op = problem.ops[workspace.op]
      // Behind all tensors, so that no two things share a number.
      blocks.append(
        .init(
          thing: problem.tensors.count + workspace.op, name: op.name, kind: "workspace", from: step[workspace.op],
          to: step[workspace.op] + 1, offset: workspace.offset, bytes: op.workspace(in: memory)))
    }
    func moves(_ list: [ScheduleSolution.Transfer], _ direction: PlanPicture.Move.Direction) -> [PlanPicture.Move] {
      list.filter { problem.tensors[$0.tensor].memory == memory }.map {
        .init(
          direction, thing: $0.tensor, name: problem.tensors[$0.tensor].name, step: $0.step,
          bytes: problem.tensors[$0.tensor].bytes, isStreamed: $0.isStreamed)
      }
    }
    return .init(
      name: problem.memories[memory].name, capacity: problem.memories[memory].capacity,
      tileBytes: memory == 0 ? problem.tileBytes ?? 0 : 0, blocks: blocks,
      moves: moves(solution.spills, .spill) + moves(solution.fetches, .fetch))
  }
}

extension PackingReport {
  /// The packing as a picture; nil when there is none.
  public func picture() -> PlanPicture? {
    guard let solution = outcome.solution else { return nil }
    let blocks = problem.buffers.enumerated().compactMap { index, buffer -> PlanPicture.Block? in
      guard buffer.takesRoom else { return nil }
      return .init(
        thing: index, name: buffer.name, kind: "buffer", from: buffer.start, to: buffer.end,
        offset: solution.offsets[index], bytes: buffer.size)
    }
    let facts = [
      (value: Format.bytes(solution.height), label: "peak"),
      (value: Format.bytes(solution.lowerBound), label: "least possible"),
      (value: Format.percent(gap ?? 0), label: "gap"), (value: "\(problem.buffers.count)", label: "buffers"),
    ]
    return PlanPicture(
      title: problem.name.split(separator: "/").last.map(String.init) ?? problem.name,
      subtitle: "\(status), method \(method)", facts: facts, steps: [],
      panels: [.init(name: "memory", capacity: isMinimised ? nil : problem.capacity, blocks: blocks)])
  }
}
