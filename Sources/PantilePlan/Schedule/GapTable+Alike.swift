import PantileProblem
import PantileSolve
import PantileSupport

/// Tensors of one size that, once all are made, are used by the same steps: the maps of a densely connected block.
///
/// In a streamed order a plan may exchange two of them at any event at which both are off chip, or both there with or without copies, so
/// only *how many* of them are kept in each gap counts. The program then has a whole number a gap instead of a binary a tensor and gap,
/// and none of the symmetry that keeps a tree search from closing. Which of them are kept is chosen later, so that they can be packed:
/// `ReplacementModel+Members.swift`.
struct AlikeTensors {
  /// A member, with the position of the common event at which its first gap ends.
  struct Member {
    var tensor: Int
    var joins: Int
    var firstGap: Int
  }

  var bytes: Int
  var memory: Int
  var isBornCopied: Bool
  /// Steps of the common events, ascending.
  var events: [Int]
  /// Ascending by `joins`, then by tensor.
  var members: [Member]

  /// The gap of a member behind a common event, which it must have joined by then.
  func gap(of member: Member, behind event: Int) -> Int { member.firstGap + 1 + event - member.joins }

  /// Members that have joined by a common event.
  func count(at event: Int) -> Int { members.count { $0.joins <= event } }
}

extension ReplacementModel {
  /// The variables of tensors that are alike.
  struct Counts {
    var alike: AlikeTensors
    /// Whether each member's first gap is kept; nil where it cannot be.
    var first: [LinearModel.Variable?]
    /// How many members stay behind each common event but the last.
    var kept: [LinearModel.Variable]
    /// How many members are there at each common event.
    var there: [LinearModel.Variable]
    /// How many members have never left by each common event; empty when all have copies from the start.
    var spared: [LinearModel.Variable]

    /// The values of the variables at a plan; it may gain from an exchange of members.
    func set(_ values: inout [Double], _ plan: [Bool]) {
      var before = 0
      var sparedSoFar = 0
      for event in alike.events.indices {
        for (member, variable) in zip(alike.members, first) where member.joins == event {
          let stays = plan[member.firstGap] ? 1 : 0
          if let variable { values[variable.index] = Double(stays) }
          before += stays
          sparedSoFar += stays
        }
        let after =
          event < kept.count
          ? alike.members.count { $0.joins <= event && plan[alike.gap(of: $0, behind: event)] } : before
        if event < kept.count {
          values[kept[event].index] = Double(after)
          sparedSoFar = min(sparedSoFar, after)
        }
        values[there[event].index] = Double(max(before, after))
        if !spared.isEmpty { values[spared[event].index] = Double(sparedSoFar) }
        before = after
      }
    }
  }
}

extension GapTable {
  /// The groups of at least two tensors that are alike.
  func alikeTensors() -> [AlikeTensors] {
    var isExcluded = index.tensors.map { $0.isPinned || $0.bytes == 0 }
    for op in index.ops {
      for pair in op.inPlace {
        isExcluded[pair.input] = true
        isExcluded[pair.output] = true
      }
    }
    struct Key: Hashable {
      var bytes: Int
      var memory: Int
      var isBornCopied: Bool
      var lastEvent: Int
    }
    var candidates: [Key: [Int]] = [:]
    var keys: [Key] = []
    for (tensor, own) in index.tensors.enumerated() where !isExcluded[tensor] && !gaps(of: tensor).isEmpty {
      let key = Key(
        bytes: own.bytes, memory: own.memory, isBornCopied: own.isBornCopied, lastEvent: lastEvent[tensor])
      if candidates[key, default: []].isEmpty { keys.append(key) }
      candidates[key, default: []].append(tensor)
    }
    var result: [AlikeTensors] = []
    for key in keys {
      var left = (candidates[key] ?? []).sorted { (-gaps(of: $0).count, $0) < (-gaps(of: $1).count, $1) }
      while left.count > 1 {
        let events = gaps(of: left[0]).map { gaps[$0].last }
        let isAlike = left.map { tensor in
          events.suffix(gaps(of: tensor).count).elementsEqual(gaps(of: tensor).map { gaps[$0].last })
        }
        let members = zip(left, isAlike).filter(\.1).map(\.0)
        left = zip(left, isAlike).filter { !$0.1 }.map(\.0)
        if members.count < 2 { continue }
        result.append(
          AlikeTensors(
            bytes: key.bytes, memory: key.memory, isBornCopied: key.isBornCopied, events: events,
            members: members.map {
              .init(tensor: $0, joins: events.count - gaps(of: $0).count, firstGap: firstGap[$0])
            }))
      }
    }
    return result
  }

  /// Adds the whole numbers of a group and what they take of each step's room.
  func addCounts(of alike: AlikeTensors, to result: inout ReplacementModel, _ canKeep: [Bool], _ rows: inout [Row]) {
    let bytes = alike.bytes
    let name = "\(alike.members[0].tensor)"
    let saved = -Double(bytes)
    var counts = ReplacementModel.Counts(alike: alike, first: [], kept: [], there: [], spared: [])
    for member in alike.members {
      guard canKeep[member.firstGap] else {
        counts.first.append(nil)
        continue
      }
      let keep = result.model.addBinary("first_\(member.tensor)", objective: saved)
      counts.first.append(keep)
      let gap = gaps[member.firstGap]
      for step in gap.first..<gap.last { rows[step].terms.append((keep, bytes)) }
    }
    for event in alike.events.indices {
      let count = alike.count(at: event)
      let before = zip(alike.members, counts.first).filter { $0.0.joins == event }.compactMap(\.1)
      let there = result.model.addVariable("there_\(name)_\(event)", upper: Double(count), isInteger: true)
      counts.there.append(there)
      rows[alike.events[event]].terms.append((there, bytes))
      let arriving = before + (event > 0 ? [counts.kept[event - 1]] : [])
      if !arriving.isEmpty {
        result.model.addRow(
          "arrive_\(name)_\(event)", lower: 0, [.init(1, there)] + arriving.map { .init(-1, $0) })
      }
      if event + 1 < alike.events.count {
        let isOpen = canKeep[alike.gap(of: alike.members[0], behind: event)]
        let keep = result.model.addVariable(
          "kept_\(name)_\(event)", upper: isOpen ? Double(count) : 0, isInteger: true, objective: saved)
        counts.kept.append(keep)
        result.model.addRow("stay_\(name)_\(event)", lower: 0, [.init(1, there), .init(-1, keep)])
        let inside = (alike.events[event] + 1)..<alike.events[event + 1]
        for step in inside { rows[step].terms.append((keep, bytes)) }
      }
      if alike.isBornCopied { continue }
      let isLast = event + 1 == alike.events.count
      let spared = result.model.addVariable(
        "spared_\(name)_\(event)", upper: Double(count), isInteger: true, objective: isLast ? saved : 0)
      let sources = before + (event > 0 ? [counts.spared[event - 1]] : [])
      result.model.addRow("spare_\(name)_\(event)", upper: 0, [.init(1, spared)] + sources.map { .init(-1, $0) })
      if !isLast {
        result.model.addRow(
          "spare_kept_\(name)_\(event)", upper: 0, [.init(1, spared), .init(-1, counts.kept[event])])
      }
      counts.spared.append(spared)
    }
    result.counts.append(counts)
  }
}
