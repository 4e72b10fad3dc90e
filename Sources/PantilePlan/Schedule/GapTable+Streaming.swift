import PantileProblem
import PantileSolve
import PantileSupport

/// The gap program with streamed operands and results.
///
/// A tensor is either streamed at an event or there from one event to another, a *run* of gaps, at both ends too. With a variable `z` a run
///
///     max  sum s_a (gaps of the run, and one more for the write when it is all of them and a has no copy off chip) z
///     s.t. runs of a tensor share no event;  sum over runs that touch or cover step t of s_a z  <=  M - tile buffer
///
/// which describes each tensor by itself exactly, so that the relaxation is far tighter than with a variable a gap. Tensors with more
/// than a few gaps have a variable a gap and one an event nevertheless, since runs grow with the square. Tensors that are alike are only
/// counted: `GapTable+Alike.swift`.
extension GapTable {
  /// Gaps up to which a tensor gets a variable for each run.
  private static let runLimit = 3

  func addStreamedTensors(to result: inout ReplacementModel, _ canKeep: [Bool], countsAlike: Bool) -> [Row] {
    var rows: [[Row]] = index.capacities.indices.map { memory in
      let load = fixedLoad(memory)
      return order.indices.map { step in
        Row(name: "room_\(memory)_\(step)", step: step, room: index.capacities[memory] - load[step], terms: [])
      }
    }
    var constant = 0
    var isCounted = index.tensors.map { _ in false }
    for alike in countsAlike ? alikeTensors() : [] {
      for member in alike.members { isCounted[member.tensor] = true }
      addCounts(of: alike, to: &result, canKeep, &rows[alike.memory])
    }
    for (tensor, own) in index.tensors.enumerated() where !own.isPinned {
      let all = gaps(of: tensor)
      if all.isEmpty { continue }
      let open = all.filter { canKeep[$0] && own.bytes > 0 }
      let isWritten = own.isBornCopied || open.count < all.count
      constant += own.bytes * (all.count + (own.isBornCopied ? 0 : 1))
      if isCounted[tensor] { continue }
      if open.count > Self.runLimit {
        addEvents(of: tensor, open, isWritten, to: &result, &rows[own.memory])
      } else {
        addRuns(of: tensor, canKeep, savesWrite: !isWritten, to: &result, &rows[own.memory])
      }
    }
    result.model.objectiveConstant = Double(constant)
    for memory in index.capacities.indices { addShared(memory, to: &result, &rows[memory]) }
    return rows.flatMap { $0 }
  }

  private func addRuns(
    of tensor: Int, _ canKeep: [Bool], savesWrite: Bool, to result: inout ReplacementModel, _ rows: inout [Row]
  ) {
    let own = index.tensors[tensor]
    let range = gaps(of: tensor)
    if own.bytes == 0 { return }
    var touching = Array(repeating: [LinearModel.Variable](), count: range.count + 1)
    for first in range {
      for last in first..<range.upperBound {
        if !canKeep[last] { break }
        let isWhole = first == range.lowerBound && last == range.upperBound - 1
        let saved = own.bytes * (last - first + 1 + (isWhole && savesWrite ? 1 : 0))
        let run = result.model.addBinary("run_\(tensor)_\(first)_\(last)", objective: -Double(saved))
        result.derived.append(.init(variable: run, rule: .run(first...last, within: range)))
        for gap in first...last { result.keeps[gap].append(run) }
        for event in (first - range.lowerBound)...(last - range.lowerBound + 1) { touching[event].append(run) }
        for step in gaps[first].first...gaps[last].last { rows[step].terms.append((run, own.bytes)) }
      }
    }
    for (event, runs) in touching.enumerated() where runs.count > 1 {
      // An event whose runs all touch the next one adds nothing.
      if event + 1 < touching.count, runs.allSatisfy({ touching[event + 1].contains($0) }) { continue }
      result.model.addRow("once_\(tensor)_\(event)", upper: 1, runs.map { .init(1, $0) })
    }
  }

  private func addEvents(
    of tensor: Int, _ open: [Int], _ isWritten: Bool, to result: inout ReplacementModel, _ rows: inout [Row]
  ) {
    let own = index.tensors[tensor]
    let range = gaps(of: tensor)
    for gap in open {
      let keep = result.model.addBinary("keep_\(tensor)_\(gap)", objective: -Double(own.bytes))
      result.keeps[gap] = [keep]
      if gaps[gap].last > gaps[gap].first + 1 {
        for step in (gaps[gap].first + 1)..<gaps[gap].last { rows[step].terms.append((keep, own.bytes)) }
      }
    }
    if !isWritten {
      // The write is in the constant; a variable for its absence, which needs every gap.
      let spared = result.model.addBinary("spared_\(tensor)", objective: -Double(own.bytes))
      result.derived.append(.init(variable: spared, rule: .run(open[0]...open[open.count - 1], within: range)))
      for gap in open {
        result.model.addRow(
          "spared_\(tensor)_\(gap)", upper: 0, [.init(1, spared)] + result.keeps[gap].map { .init(-1, $0) })
      }
    }
    let events = range.map { gaps[$0].first } + [lastEvent[tensor]]
    for (position, step) in events.enumerated() {
      let beside = [range.lowerBound + position - 1, range.lowerBound + position].filter {
        range.contains($0) && !result.keeps[$0].isEmpty
      }
      if beside.count == 2 {
        let there = result.model.addBinary("there_\(tensor)_\(step)")
        result.derived.append(.init(variable: there, rule: .someStays(beside)))
        for gap in beside {
          result.model.addRow(
            "there_\(tensor)_\(step)_\(gap)", lower: 0, [.init(1, there)] + result.keeps[gap].map { .init(-1, $0) })
        }
        rows[step].terms.append((there, own.bytes))
      } else if let only = beside.first, let keep = result.keeps[only].first {
        rows[step].terms.append((keep, own.bytes))
      }
    }
  }

  /// A result on the place of an operand that leaves: both are there, their room counts once.
  private func addShared(_ memory: Int, to result: inout ReplacementModel, _ rows: inout [Row]) {
    for (step, op) in order.enumerated() {
      for pair in index.ops[op].inPlace where index.tensors[pair.input].memory == memory {
        let room = min(index.tensors[pair.input].bytes, index.tensors[pair.output].bytes)
        guard room > 0, let before = gaps(of: pair.input).first(where: { gaps[$0].last == step }),
          let after = gaps(of: pair.output).first(where: { gaps[$0].first == step }),
          !result.keeps[before].isEmpty, !result.keeps[after].isEmpty
        else { continue }
        let next = gaps(of: pair.input).first { gaps[$0].first == step }
        let shared = result.model.addBinary("shared_\(step)_\(pair.input)")
        result.derived.append(.init(variable: shared, rule: .shared(before: before, after: after, next: next)))
        for gap in [before, after] {
          result.model.addRow(
            "shared_\(step)_\(gap)", upper: 0, [.init(1, shared)] + result.keeps[gap].map { .init(-1, $0) })
        }
        if let next, !result.keeps[next].isEmpty {
          result.model.addRow(
            "shared_stay_\(step)_\(next)", upper: 1, [.init(1, shared)] + result.keeps[next].map { .init(1, $0) })
        }
        rows[step].terms.append((shared, -room))
      }
    }
  }
}
