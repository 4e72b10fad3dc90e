import PantileProblem
import PantileSupport

/// An order and a replacement plan with addresses, or what stands in the way of them.
enum ScheduleAssembly {
  case placed(Parts)
  /// Gaps that cannot all be kept, for want of addresses; empty when the packer's budget ended.
  case conflict(gaps: [Int])

  /// A solution without what is known of its quality.
  struct Parts {
    var order: [Int]
    var spills: [ScheduleSolution.Transfer]
    var fetches: [ScheduleSolution.Transfer]
    var placements: [ScheduleSolution.Placement]
    var workspaces: [ScheduleSolution.WorkspacePlacement]
    var cost: Int
  }
}

extension GapTable {
  /// Addresses for a plan: stays become buffers, in-place results lie on their operands where room is short, parts of views side by side.
  ///
  /// - Precondition: the plan fits by bytes.
  /// - Throws: `solver-fault`.
  func assemble(
    _ kept: [Bool], packing: (PackingProblem) throws(DiagnosticError) -> PackingOutcome
  ) throws(DiagnosticError) -> ScheduleAssembly {
    let problem = index.problem
    let segments = segments(kept)
    let (whole, place) = index.wholeOrder(order)
    var offsets = Array(repeating: 0, count: segments.count)
    var pinnedOffsets: [Int: Int] = [:]
    for memory in problem.memories.indices {
      let (packingProblem, members, pinned) = packingProblem(of: segments, memory: memory)
      switch try packing(packingProblem) {
      case .solved(let solution):
        for (buffer, segment) in members.enumerated() { offsets[segment] = solution.offsets[buffer] }
        for (number, tensor) in pinned.enumerated() { pinnedOffsets[tensor] = solution.offsets[members.count + number] }
      case .unsolved(_, _, let conflict):
        let gaps = conflict.filter { $0 < members.count }.flatMap { segments[members[$0]].gaps }
        return .conflict(gaps: gaps.filter { self.gaps[$0].matters }.sorted())
      }
    }
    var parts = ScheduleAssembly.Parts(
      order: whole, spills: [], fetches: [], placements: [], workspaces: [], cost: cost(kept))
    for (segment, offset) in zip(segments, offsets) {
      if let origin = index.tensors[segment.tensor].origin {
        let end =
          segment.to == order.count && index.tensors[segment.tensor].isPinned ? whole.count : place[segment.to - 1] + 1
        parts.placements.append(.init(tensor: origin, from: place[segment.from], to: end, offset: offset))
      } else {
        parts.workspaces.append(
          .init(op: index.ops[order[segment.from]].origin, memory: index.tensors[segment.tensor].memory, offset: offset)
        )
      }
    }
    for tensor in pinnedOffsets.keys.sorted() where !whole.isEmpty {
      parts.placements.append(.init(tensor: tensor, from: 0, to: whole.count, offset: pinnedOffsets[tensor] ?? 0))
    }
    let (spills, fetches) = transfers(kept)
    for spill in spills {
      guard let origin = index.tensors[spill.tensor].origin else { continue }
      // A spill comes right behind the step before it, whatever views stand in between; one of an operand that a result overwrites
      // comes before that step.
      let before = spill.streamed ? place[spill.step] : place[spill.step - 1]
      let step = spill.streamed || isOverwritten(spill) ? before : before + 1
      parts.spills.append(.init(tensor: origin, step: step, isStreamed: spill.streamed))
    }
    for fetch in fetches {
      guard let origin = index.tensors[fetch.tensor].origin else { continue }
      parts.fetches.append(.init(tensor: origin, step: place[fetch.step], isStreamed: fetch.streamed))
    }
    parts.placements.sort { ($0.from, $0.tensor) < ($1.from, $1.tensor) }
    parts.spills.sort { ($0.step, $0.tensor) < ($1.step, $1.tensor) }
    parts.fetches.sort { ($0.step, $0.tensor) < ($1.step, $1.tensor) }
    parts.workspaces.sort { ($0.op, $0.memory) < ($1.op, $1.memory) }
    return .placed(parts)
  }

  /// True for a spill of an operand whose place a result takes in the step before it.
  private func isOverwritten(_ spill: (tensor: Int, step: Int, streamed: Bool)) -> Bool {
    gaps(of: spill.tensor).contains { gaps[$0].first == spill.step - 1 && gaps[$0].inPlaceResult != nil }
  }

  /// The packing problem of one memory: a buffer for each stay, then the tensors pinned from the start.
  private func packingProblem(
    of segments: [Segment], memory: Int
  ) -> (problem: PackingProblem, members: [Int], pinned: [Int]) {
    let problem = index.problem
    let members = segments.indices.filter { index.tensors[segments[$0].tensor].memory == memory }
    var number = [Int?](repeating: nil, count: segments.count)
    for (buffer, segment) in members.enumerated() { number[segment] = buffer }
    var buffers = members.map { member in
      let segment = segments[member]
      let tensor = index.tensors[segment.tensor]
      let origin = tensor.origin.map { problem.tensors[$0] }
      return PackingProblem.Buffer(
        origin?.name ?? "workspace of \(problem.ops[index.ops[order[segment.from]].origin].name)", start: segment.from,
        end: segment.to, size: tensor.bytes, alignment: origin?.alignment ?? 1, fixedOffset: origin?.fixedOffset)
    }
    tieInPlace(&buffers, segments, members, memory)
    tieViews(&buffers, segments, number, memory)
    var pinned: [Int] = []
    for (tensor, own) in problem.tensors.enumerated()
    where own.isPinned && own.memory == memory && !index.parts.isWhole(tensor)
      && index.numberOf[tensor].map({ index.tensors[$0].producer < 0 }) ?? true
    {
      pinned.append(tensor)
      buffers.append(
        .init(
          own.name, start: 0, end: max(1, order.count), size: own.bytes, alignment: own.alignment,
          fixedOffset: own.fixedOffset))
    }
    let tile = memory == 0 ? problem.tileBytes ?? 0 : 0
    return (
      PackingProblem(
        name: "\(problem.name) in \(problem.memories[memory].name)", buffers: buffers,
        capacity: problem.memories[memory].capacity - tile),
      members, pinned
    )
  }

  /// Ties in-place results to operands that end where they begin, in steps that have no room for both.
  private func tieInPlace(
    _ buffers: inout [PackingProblem.Buffer], _ segments: [Segment], _ members: [Int], _ memory: Int
  ) {
    guard index.ops.contains(where: { !$0.inPlace.isEmpty }) else { return }
    var load = Array(repeating: 0, count: order.count)
    for buffer in buffers { for step in buffer.start..<buffer.end { load[step] += buffer.size } }
    for (step, op) in order.enumerated() {
      for pair in index.ops[op].inPlace where index.tensors[pair.input].memory == memory {
        guard load[step] > index.capacities[memory],
          let from = members.firstIndex(where: { segments[$0].tensor == pair.input && segments[$0].to == step + 1 }),
          let to = members.firstIndex(where: { segments[$0].tensor == pair.output && segments[$0].from == step })
        else { continue }
        buffers[to].tie = PackingProblem.Tie(to: from, mayOverlap: true)
        load[step] -= min(buffers[from].size, buffers[to].size)
      }
    }
  }

  /// Ties parts that an op uses as one tensor.
  private func tieViews(
    _ buffers: inout [PackingProblem.Buffer], _ segments: [Segment], _ number: [Int?], _ memory: Int
  ) {
    let problem = index.problem
    guard problem.ops.contains(where: { $0.role != .compute }) else { return }
    var neighbours = buffers.map { _ in [(other: Int, distance: Int)]() }
    for (step, op) in order.enumerated() {
      let origin = problem.ops[index.ops[op].origin]
      for whole in origin.inputs + origin.outputs where index.parts.isWhole(whole) {
        let leaves = index.parts.leaves(of: whole)
        let there = leaves.map { leaf -> Int? in
          segments.indices.first { segment in
            index.tensors[segments[segment].tensor].origin == leaf && segments[segment].from <= step
              && step < segments[segment].to
          }.flatMap { number[$0] }
        }
        for position in there.indices.dropFirst() {
          guard let first = there[position - 1], let second = there[position] else { continue }
          let distance = problem.tensors[leaves[position - 1]].bytes
          neighbours[first].append((second, distance))
          neighbours[second].append((first, -distance))
        }
      }
    }
    // Each connected group hangs on its lowest member.
    var relative = [Int?](repeating: nil, count: buffers.count)
    for start in buffers.indices where relative[start] == nil && !neighbours[start].isEmpty {
      var group = [start]
      relative[start] = 0
      var next = 0
      while next < group.count {
        let member = group[next]
        next += 1
        for (other, distance) in neighbours[member] where relative[other] == nil {
          relative[other] = (relative[member] ?? 0) + distance
          group.append(other)
        }
      }
      guard let anchor = group.min(by: { (relative[$0] ?? 0, $0) < (relative[$1] ?? 0, $1) }) else { continue }
      for member in group where member != anchor {
        buffers[member].tie = PackingProblem.Tie(to: anchor, delta: (relative[member] ?? 0) - (relative[anchor] ?? 0))
      }
    }
  }
}
