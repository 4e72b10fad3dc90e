import PantileProblem
import PantileSolve
import PantileSupport

/// The gap program: replacement in a fixed order as an integer program.
///
/// Whole tensors have a variable a gap:
///
///     min  sum_a s_a (sum_i (1 - x[a,i]) + y[a])      y[a] >= 1 - x[a,i], only where a has no copy off chip
///     s.t. sum over gaps that cover step t of s_a x[a,i]  <=  M - footprint(t)
///
/// An op with an in-place pair needs both tensors' room only if its operand stays. For streamed operands see `GapTable+Streaming.swift`.
struct ReplacementModel {
  var model: LinearModel
  /// Variables of which one is 1 where a gap is kept; empty where nothing is to be decided.
  var keeps: [[LinearModel.Variable]]
  /// What becomes of each gap without a variable: kept where that costs nothing, not kept where it cannot fit.
  var settled: [Bool]
  /// Variables that follow from what is kept.
  var derived: [Derived] = []
  /// The variables of tensors that are alike; their gaps have no entries of their own in `keeps`.
  var counts: [Counts] = []

  struct Derived {
    enum Rule {
      /// Some of the gaps is not kept.
      case someLeaves([Int])
      /// Some of the gaps is kept.
      case someStays([Int])
      /// Exactly these gaps of a tensor, in a row, are kept, and not those beside them.
      case run(ClosedRange<Int>, within: Range<Int>)
      /// The first gap and the second are kept, the third is not; nil does not ask.
      case shared(before: Int?, after: Int?, next: Int?)
    }
    var variable: LinearModel.Variable
    var rule: Rule
  }

  /// The values of all variables at a plan.
  func point(_ kept: [Bool]) -> [Double] {
    var values = Array(repeating: 0.0, count: model.variableCount)
    for (gap, variables) in keeps.enumerated() where variables.count == 1 {
      values[variables[0].index] = kept[gap] ? 1 : 0
    }
    for item in derived {
      let holds: Bool
      switch item.rule {
      case .someLeaves(let gaps): holds = gaps.contains { !kept[$0] }
      case .someStays(let gaps): holds = gaps.contains { kept[$0] }
      case .run(let run, let range):
        holds =
          run.allSatisfy { kept[$0] } && !(run.lowerBound > range.lowerBound && kept[run.lowerBound - 1])
          && !(run.upperBound + 1 < range.upperBound && kept[run.upperBound + 1])
      case .shared(let before, let after, let next):
        holds = before.map { kept[$0] } != false && after.map { kept[$0] } != false && next.map { kept[$0] } != true
      }
      values[item.variable.index] = holds ? 1 : 0
    }
    for group in counts { group.set(&values, kept) }
    return values
  }

  /// How much of each gap a point of the relaxation keeps, 0 to 1.
  func shares(_ values: [Double]) -> [Double] {
    var result = keeps.map { variables in variables.reduce(0) { $0 + values[$1.index] } }
    for group in counts {
      for (member, variable) in zip(group.alike.members, group.first) {
        result[member.firstGap] = variable.map { values[$0.index] } ?? 0
        for event in member.joins..<group.kept.count {
          result[group.alike.gap(of: member, behind: event)] =
            values[group.kept[event].index] / Double(group.alike.count(at: event))
        }
      }
    }
    return result
  }

  /// Adds that not all of some gaps are kept; of tensors that are alike, that in one of the gaps fewer are kept than are asked for.
  ///
  /// Other members might fit, in which case this is more than was asked for; so bounds are those of the model before.
  ///
  /// - Returns: false when none of them is to be decided.
  mutating func forbid(_ gaps: [Int]) -> Bool {
    let isAsked = Set(gaps)
    let name = "apart_\(model.rowCount)"
    // Kept ones of binaries, and signs of counts that are too low, of which one must be off or on.
    var upper = -1.0
    var coefficients: [Int: Double] = [:]
    for gap in gaps where !keeps[gap].isEmpty {
      upper += 1
      for variable in keeps[gap] { coefficients[variable.index, default: 0] += 1 }
    }
    for group in counts {
      for (member, first) in zip(group.alike.members, group.first) {
        if let first, isAsked.contains(member.firstGap) {
          upper += 1
          coefficients[first.index] = 1
        }
      }
      for (event, kept) in group.kept.enumerated() {
        let asked = group.alike.members.count {
          $0.joins <= event && isAsked.contains(group.alike.gap(of: $0, behind: event))
        }
        if asked == 0 { continue }
        let most = model.upperBound(of: kept)
        let isLower = model.addBinary("\(name)_\(kept.index)")
        model.addRow(
          "\(name)_lower_\(kept.index)", upper: most, [.init(1, kept), .init(most - Double(asked - 1), isLower)])
        coefficients[isLower.index] = -1
      }
    }
    if coefficients.isEmpty { return false }
    model.addRow(
      name, upper: upper,
      coefficients.keys.sorted().map { .init(coefficients[$0] ?? 0, LinearModel.Variable(index: $0)) })
    return true
  }
}

extension GapTable {
  /// The room of a step and what may take it.
  struct Row {
    var name: String
    var step: Int
    var room: Int
    var terms: [(variable: LinearModel.Variable, bytes: Int)]
  }

  /// The model of this order.
  ///
  /// - Parameter countsAlike: Count streamed tensors that are alike instead of naming them.
  /// - Returns: nil when some step cannot fit whatever is kept.
  func model(countsAlike: Bool = true) -> ReplacementModel? {
    let canKeep = keepable()
    var result = ReplacementModel(
      model: LinearModel(.minimise), keeps: gaps.map { _ in [] },
      settled: gaps.indices.map { !gaps[$0].matters || canKeep[$0] })
    var rows: [Row] = []
    if index.problem.tileBytes == nil {
      addWholeTensors(to: &result, canKeep)
      for memory in index.capacities.indices { rows += wholeRows(result, memory) }
    } else {
      rows = addStreamedTensors(to: &result, canKeep, countsAlike: countsAlike)
    }
    if !add(rows, to: &result.model) { return nil }
    if result.model.variableCount == 0 { _ = result.model.addBinary("nothing_to_decide") }
    return result
  }

  private func addWholeTensors(to result: inout ReplacementModel, _ canKeep: [Bool]) {
    var constant = 0
    for (tensor, own) in index.tensors.enumerated() {
      let all = gaps(of: tensor).filter { gaps[$0].matters }
      if all.isEmpty { continue }
      // A gap that cannot be kept costs its read, and the write is then due whatever else is kept.
      let open = all.filter { canKeep[$0] }
      let isWritten = own.isBornCopied || open.count < all.count
      constant += own.bytes * (all.count - open.count + (isWritten && !own.isBornCopied ? 1 : 0))
      let isSingle = open.count == 1 && !isWritten
      for gap in open {
        let weight = isSingle ? 2 * own.bytes : own.bytes
        result.keeps[gap] = [result.model.addBinary("keep_\(tensor)_\(gap)", objective: -Double(weight))]
        constant += weight
      }
      if !isSingle, !isWritten, !open.isEmpty { addWrite(of: tensor, open, to: &result) }
    }
    result.model.objectiveConstant = Double(constant)
  }

  /// The write of a tensor that leaves in some gap.
  func addWrite(of tensor: Int, _ open: [Int], to result: inout ReplacementModel) {
    let write = result.model.addBinary("write_\(tensor)", objective: Double(index.tensors[tensor].bytes))
    result.derived.append(.init(variable: write, rule: .someLeaves(open)))
    for gap in open {
      result.model.addRow(
        "write_\(tensor)_\(gap)", lower: 1, [.init(1, write)] + result.keeps[gap].map { .init(1, $0) })
    }
  }

  private func wholeRows(_ result: ReplacementModel, _ memory: Int) -> [Row] {
    var rows: [Row] = []
    let least = usage(freeStart(), memory: memory)
    for step in order.indices {
      // In-place operands that stay take their results' room as well.
      var terms: [(LinearModel.Variable, Int)] = []
      for pair in index.ops[order[step]].inPlace where index.tensors[pair.input].memory == memory {
        for gap in gaps(of: pair.input) where gaps[gap].first == step {
          let room = min(index.tensors[pair.input].bytes, index.tensors[pair.output].bytes)
          if let keep = result.keeps[gap].first, room > 0 { terms.append((keep, room)) }
        }
      }
      rows.append(
        Row(name: "room_\(memory)_\(step)", step: step, room: index.capacities[memory] - least[step], terms: terms))
    }
    for (number, gap) in gaps.enumerated() where index.tensors[gap.tensor].memory == memory {
      guard let keep = result.keeps[number].first, index.tensors[gap.tensor].bytes > 0, gap.last > gap.first + 1
      else { continue }
      for step in (gap.first + 1)..<gap.last { rows[step].terms.append((keep, index.tensors[gap.tensor].bytes)) }
    }
    return rows
  }

  // MARK: Rows

  /// Gaps whose tensor fits by itself in every step that it would have to be there.
  private func keepable() -> [Bool] {
    let isWhole = index.problem.tileBytes == nil
    let rooms = index.capacities.indices.map { memory in
      (isWhole ? usage(freeStart(), memory: memory) : fixedLoad(memory)).map { index.capacities[memory] - $0 }
    }
    return gaps.map { gap in
      let tensor = index.tensors[gap.tensor]
      let room = rooms[tensor.memory]
      if !isWhole { return (gap.first...gap.last).allSatisfy { tensor.bytes <= room[$0] } }
      if let result = gap.inPlaceResult, min(tensor.bytes, index.tensors[result].bytes) > room[gap.first] {
        return false
      }
      return gap.last == gap.first + 1 || ((gap.first + 1)..<gap.last).allSatisfy { tensor.bytes <= room[$0] }
    }
  }

  /// Bytes of workspace and of pinned tensors in each step, which streaming cannot avoid.
  func fixedLoad(_ memory: Int) -> [Int] {
    var load = Array(repeating: 0, count: order.count)
    for (number, tensor) in index.tensors.enumerated() where tensor.memory == memory && lastEvent[number] >= 0 {
      if tensor.origin == nil {
        load[lastEvent[number]] += tensor.bytes
      } else if tensor.isPinned {
        let first = gaps(of: number).first.map { gaps[$0].first } ?? lastEvent[number]
        for step in first..<order.count { load[step] += tensor.bytes }
      }
    }
    return load
  }

  /// Adds the rows that can bind and that no other row implies.
  private func add(_ rows: [Row], to model: inout LinearModel) -> Bool {
    for row in rows where row.room < 0 && !row.terms.contains(where: { $0.bytes < 0 }) { return false }
    let binding = rows.filter { row in
      row.terms.reduce(0) { $0 + max(0, $1.bytes) * Int(model.upperBound(of: $1.variable)) } > row.room
    }
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

  /// True when the first sum is never below the second for variables that are never negative.
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
