import PantileProblem
import PantileSolve
import PantileSupport

extension ReplacementModel {
  /// Which of the tensors that are alike stay, where a plan says only how many. All choices cost the same, but not all can be packed.
  struct MemberChoice: Hashable {
    enum Preference: Hashable {
      case older
      case younger
      case random(seed: UInt64)
    }
    /// Who stays, among equals.
    var preference: Preference
    /// At an event at which there is room for more than the plan needs, others take the place of some that could stay: stays become
    /// shorter, and a large buffer has fewer of them in its way.
    var exchanges: Bool

    /// What the program means: as few exchanges as there can be.
    static let first = MemberChoice(preference: .older, exchanges: false)

    /// The others in the order in which they are tried.
    static let others = [
      MemberChoice(preference: .older, exchanges: true), MemberChoice(preference: .younger, exchanges: true),
      MemberChoice(preference: .younger, exchanges: false), MemberChoice(preference: .random(seed: 1), exchanges: true),
      MemberChoice(preference: .random(seed: 2), exchanges: false),
    ]
  }

  /// What a point of the model keeps.
  ///
  /// - Parameter room: Bytes that are left in each step of each memory, for exchanges.
  func kept(_ values: [Double], _ choice: MemberChoice = .first, room: [[Int]] = []) -> [Bool] {
    var result = zip(keeps, settled).map { variables, settled in
      variables.isEmpty ? settled : variables.contains { values[$0.index] > 0.5 }
    }
    var room = room
    for group in counts { group.choose(values, &result, choice, &room) }
    return result
  }
}

extension ReplacementModel.Counts {
  /// A member of the group while its stays are decided, event by event.
  private struct Standing {
    var number: Int
    var isThere: Bool
    var isCopied: Bool
    /// The event at which its stay began.
    var since: Int
    /// Its place among equals at this event.
    var tie: Int
  }

  /// Members to keep by the counts of a point: those that are there before those that are not, those that never left before those with
  /// copies; with exchanges the other way round, for as many as there is room for beside those that leave.
  func choose(
    _ values: [Double], _ plan: inout [Bool], _ choice: ReplacementModel.MemberChoice, _ room: inout [[Int]]
  ) {
    var random = SplitMix64(seed: 0)
    if case .random(let seed) = choice.preference { random = SplitMix64(seed: seed) }
    var standings = alike.members.indices.map {
      Standing(number: $0, isThere: false, isCopied: alike.isBornCopied, since: 0, tie: 0)
    }
    for event in alike.events.indices {
      for (number, member) in alike.members.enumerated() where member.joins == event {
        standings[number].isThere = first[number].map { values[$0.index] > 0.5 } ?? false
        standings[number].since = event
        plan[member.firstGap] = standings[number].isThere
        if !standings[number].isThere { standings[number].isCopied = true }
      }
      guard event < kept.count else { break }
      for number in standings.indices {
        switch choice.preference {
        case .older: standings[number].tie = number
        case .younger: standings[number].tie = -number
        case .random: standings[number].tie = random.next(below: 1 << 20)
        }
      }
      var ranked = standings.filter { alike.members[$0.number].joins <= event }.sorted {
        ($0.isThere ? 0 : 1, $0.isCopied ? 1 : 0, $0.tie, $0.number)
          < ($1.isThere ? 0 : 1, $1.isCopied ? 1 : 0, $1.tie, $1.number)
      }
      let count = Int(values[kept[event].index].rounded())
      if choice.exchanges { exchange(&ranked, event, count, values, &room) }
      for (place, standing) in ranked.enumerated() {
        let stays = place < count
        if stays && !standing.isThere { standings[standing.number].since = event }
        if !stays { standings[standing.number].isCopied = true }
        standings[standing.number].isThere = stays
        plan[alike.gap(of: alike.members[standing.number], behind: event)] = stays
      }
    }
  }

  /// Moves members that are not there in front of those that have stayed longest, as far as both have room at the event.
  private func exchange(
    _ ranked: inout [Standing], _ event: Int, _ count: Int, _ values: [Double], _ room: inout [[Int]]
  ) {
    let step = alike.events[event]
    guard room.indices.contains(alike.memory), room[alike.memory].indices.contains(step) else { return }
    let there = ranked.prefix { $0.isThere }
    let outside = ranked.dropFirst(there.count)
    // Whoever spares its write must never leave.
    let sparedCount = spared.last.map { Int(values[$0.index].rounded()) } ?? 0
    let sparing = there.prefix { !$0.isCopied }.prefix(min(count, sparedCount))
    let arrivals = max(0, count - there.count)
    let exchanged = max(
      0,
      min(
        room[alike.memory][step] / alike.bytes, min(count, there.count) - sparing.count, outside.count - arrivals))
    room[alike.memory][step] -= exchanged * alike.bytes
    let newcomers = outside.prefix(arrivals + exchanged)
    let rest = there.dropFirst(sparing.count).sorted { ($0.since, $0.tie) > ($1.since, $1.tie) }
    ranked = sparing + newcomers + rest + outside.dropFirst(newcomers.count)
  }
}

extension GapTable {
  /// Bytes that the stays of a plan leave in each step of each memory; in-place results count beside their operands.
  func room(beside kept: [Bool]) -> [[Int]] {
    var room = index.capacities.map { Array(repeating: $0, count: order.count) }
    for segment in segments(kept) {
      let own = index.tensors[segment.tensor]
      for step in segment.from..<segment.to { room[own.memory][step] -= own.bytes }
    }
    return room
  }
}
