import PantileProblem
import PantileSolve
import PantileSupport

/// The gap ILP: replacement in a fixed order as a linear model with a variable a gap.
///
///     min  sum_a s_a (sum_i (1 - x[a,i]) + y[a])      y[a] >= 1 - x[a,i], only where a has no copy off chip
///     s.t. sum over gaps that cover step t of s_a x[a,i]  <=  M - footprint(t)
///
/// An op with an in-place pair needs both tensors' room only if its operand stays. With a tile buffer operands and results may be streamed,
/// and then take room only next to a gap that is kept: gaps become closed intervals.
struct ReplacementModel {
  var model: LinearModel
  /// The variable of each gap; nil where the gap does not matter and is kept.
  var variables: [LinearModel.Variable?]
  /// Variables that follow from those of gaps.
  fileprivate var derived: [Derived] = []

  fileprivate struct Derived {
    enum Rule { case someLeaves, someStays, shared }
    var variable: LinearModel.Variable
    var rule: Rule
    var sources: [LinearModel.Variable]
    /// Of `shared`: the gap after it, which must not be kept.
    var next: LinearModel.Variable?
  }

  /// The values of all variables at a plan.
  func point(_ kept: [Bool]) -> [Double] {
    var values = Array(repeating: 0.0, count: model.variableCount)
    for (gap, variable) in variables.enumerated() {
      if let variable { values[variable.index] = kept[gap] ? 1 : 0 }
    }
    for item in derived {
      let sources = item.sources.map { values[$0.index] }
      switch item.rule {
      case .someLeaves: values[item.variable.index] = sources.contains(0) ? 1 : 0
      case .someStays: values[item.variable.index] = sources.contains(1) ? 1 : 0
      case .shared:
        let stays = item.next.map { values[$0.index] == 1 } ?? false
        values[item.variable.index] = !stays && !sources.contains(0) ? 1 : 0
      }
    }
    return values
  }

  /// What a point of the model keeps.
  func kept(_ values: [Double]) -> [Bool] { variables.map { $0.map { values[$0.index] > 0.5 } ?? true } }
}

extension GapTable {
  /// The model of this order.
  ///
  /// - Returns: nil when some step cannot fit whatever is kept.
  func model() -> ReplacementModel? {
    var model = LinearModel(.minimise)
    var variables = [LinearModel.Variable?](repeating: nil, count: gaps.count)
    var derived: [ReplacementModel.Derived] = []
    var constant = 0
    for (tensor, own) in index.tensors.enumerated() {
      let range = gaps(of: tensor).filter { gaps[$0].matters }
      if range.isEmpty { continue }
      let single = range.count == 1 && !own.isBornCopied
      for gap in range {
        let weight = single ? 2 * own.bytes : own.bytes
        variables[gap] = model.addBinary("keep_\(tensor)_\(gap)", objective: -Double(weight))
        constant += weight
      }
      if !single, !own.isBornCopied {
        let write = model.addBinary("write_\(tensor)", objective: Double(own.bytes))
        derived.append(.init(variable: write, rule: .someLeaves, sources: range.compactMap { variables[$0] }))
        for gap in range {
          guard let keep = variables[gap] else { continue }
          model.addRow("write_\(tensor)_\(gap)", lower: 1, [.init(1, write), .init(1, keep)])
        }
      }
    }
    model.objectiveConstant = Double(constant)
    let isWhole = index.problem.tileBytes == nil
    for memory in index.capacities.indices {
      let filled = isWhole ? wholeRows(&model, variables, memory) : streamedRows(&model, variables, &derived, memory)
      if !filled { return nil }
    }
    if model.variableCount == 0 { _ = model.addBinary("nothing_to_decide") }
    return ReplacementModel(model: model, variables: variables, derived: derived)
  }

  private struct Row {
    var name: String
    var step: Int
    var room: Int
    var terms: [(variable: LinearModel.Variable, bytes: Int)]
  }

  private func wholeRows(_ model: inout LinearModel, _ variables: [LinearModel.Variable?], _ memory: Int) -> Bool {
    var rows: [Row] = []
    let least = usage(freeStart(), memory: memory)
    for step in order.indices {
      // In-place operands that stay take their results' room as well.
      var terms: [(LinearModel.Variable, Int)] = []
      for pair in index.ops[order[step]].inPlace where index.tensors[pair.input].memory == memory {
        for gap in gaps(of: pair.input) where gaps[gap].first == step {
          let room = min(index.tensors[pair.input].bytes, index.tensors[pair.output].bytes)
          if let keep = variables[gap], room > 0 { terms.append((keep, room)) }
        }
      }
      rows.append(
        Row(name: "room_\(memory)_\(step)", step: step, room: index.capacities[memory] - least[step], terms: terms))
    }
    for (number, gap) in gaps.enumerated() where index.tensors[gap.tensor].memory == memory {
      guard let keep = variables[number], index.tensors[gap.tensor].bytes > 0, gap.last > gap.first + 1 else {
        continue
      }
      for step in (gap.first + 1)..<gap.last { rows[step].terms.append((keep, index.tensors[gap.tensor].bytes)) }
    }
    return add(rows, to: &model)
  }

  private func streamedRows(
    _ model: inout LinearModel, _ variables: [LinearModel.Variable?], _ derived: inout [ReplacementModel.Derived],
    _ memory: Int
  ) -> Bool {
    var rows = order.indices.map { step in
      Row(name: "room_\(memory)_\(step)", step: step, room: index.capacities[memory], terms: [])
    }
    for (step, op) in order.enumerated() {
      let workspace = index.ops[op].outputs.filter {
        index.tensors[$0].origin == nil && index.tensors[$0].memory == memory
      }
      rows[step].room -= workspace.reduce(0) { $0 + index.tensors[$1].bytes }
    }
    var presence: [Int: [Int: LinearModel.Variable]] = [:]
    for (tensor, own) in index.tensors.enumerated() where own.memory == memory && own.bytes > 0 {
      let range = gaps(of: tensor)
      if own.isPinned {
        let first = range.first.map { gaps[$0].first } ?? lastEvent[tensor]
        if first >= 0 { for step in first..<order.count { rows[step].room -= own.bytes } }
        continue
      }
      for gap in range {
        guard let keep = variables[gap] else { continue }
        if gaps[gap].last > gaps[gap].first + 1 {
          for step in (gaps[gap].first + 1)..<gaps[gap].last { rows[step].terms.append((keep, own.bytes)) }
        }
      }
      // At an event the tensor is there if a gap beside it is kept.
      let events = range.map { gaps[$0].first } + (range.isEmpty ? [] : [lastEvent[tensor]])
      for (position, step) in events.enumerated() {
        let beside = [
          position > 0 ? range.lowerBound + position - 1 : nil,
          position < range.count ? range.lowerBound + position : nil,
        ]
        .compactMap { $0 }.compactMap { variables[$0] }
        var there = beside.first
        if beside.count == 2 {
          let either = model.addBinary("there_\(tensor)_\(step)")
          derived.append(.init(variable: either, rule: .someStays, sources: beside))
          for keep in beside {
            model.addRow("there_\(tensor)_\(step)_\(keep.index)", lower: 0, [.init(1, either), .init(-1, keep)])
          }
          there = either
        }
        if let there {
          rows[step].terms.append((there, own.bytes))
          presence[tensor, default: [:]][step] = there
        }
      }
    }
    // A result on the place of an operand that leaves: both are there, the room counts once.
    for (step, op) in order.enumerated() {
      for pair in index.ops[op].inPlace where index.tensors[pair.input].memory == memory {
        guard let input = presence[pair.input]?[step], let output = presence[pair.output]?[step] else { continue }
        let room = min(index.tensors[pair.input].bytes, index.tensors[pair.output].bytes)
        if room == 0 { continue }
        let shared = model.addBinary("shared_\(step)_\(pair.input)")
        model.addRow("shared_in_\(step)_\(pair.input)", upper: 0, [.init(1, shared), .init(-1, input)])
        model.addRow("shared_out_\(step)_\(pair.input)", upper: 0, [.init(1, shared), .init(-1, output)])
        let next = gaps(of: pair.input).first { gaps[$0].first == step }.flatMap { variables[$0] }
        if let next {
          model.addRow("shared_stay_\(step)_\(pair.input)", upper: 1, [.init(1, shared), .init(1, next)])
        }
        derived.append(.init(variable: shared, rule: .shared, sources: [input, output], next: next))
        rows[step].terms.append((shared, -room))
      }
    }
    return add(rows, to: &model)
  }

  /// Adds the rows that can bind and that no other row implies.
  private func add(_ rows: [Row], to model: inout LinearModel) -> Bool {
    for row in rows where row.room < 0 && !row.terms.contains(where: { $0.bytes < 0 }) { return false }
    let binding = rows.filter { row in row.terms.reduce(0) { $0 + max(0, $1.bytes) } > row.room }
    // Rows over the most gaps first; one that a row of a neighbouring step implies is left out.
    let sorted = binding.map { row in (row, merged(row.terms)) }.enumerated().sorted {
      ($1.element.1.count, $0.element.0.room, $0.offset) < ($0.element.1.count, $1.element.0.room, $1.offset)
    }
    var kept: [(step: Int, room: Int, terms: [(index: Int, bytes: Int)])] = []
    for (_, (row, terms)) in sorted {
      let isImplied = kept.contains { other in
        abs(other.step - row.step) <= 16 && other.room <= row.room && implies(other.terms, terms)
      }
      if isImplied { continue }
      kept.append((row.step, row.room, terms))
      model.addRow(
        row.name, upper: Double(row.room),
        terms.map { .init(Double($0.bytes), LinearModel.Variable(index: $0.index)) })
    }
    return true
  }

  /// One term a variable, ascending.
  private func merged(_ terms: [(variable: LinearModel.Variable, bytes: Int)]) -> [(index: Int, bytes: Int)] {
    var result: [(index: Int, bytes: Int)] = []
    for term in terms.sorted(by: { $0.variable.index < $1.variable.index }) {
      if let last = result.last, last.index == term.variable.index {
        result[result.count - 1].bytes += term.bytes
      } else {
        result.append((term.variable.index, term.bytes))
      }
    }
    return result
  }

  /// True when the first sum is never below the second for variables between 0 and 1.
  private func implies(_ larger: [(index: Int, bytes: Int)], _ smaller: [(index: Int, bytes: Int)]) -> Bool {
    var position = 0
    for term in smaller {
      while position < larger.count, larger[position].index < term.index {
        if larger[position].bytes < 0 { return false }
        position += 1
      }
      if position < larger.count, larger[position].index == term.index {
        if larger[position].bytes < term.bytes { return false }
        position += 1
      } else if term.bytes > 0 {
        return false
      }
    }
    return larger[position...].allSatisfy { $0.bytes >= 0 }
  }
}
