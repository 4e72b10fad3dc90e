import PantileProblem
import PantileSupport

extension PackingMethod {
  /// Places buffers one by one in many orders, each with several rules for the gap, and repairs orders that do not fit by moving the
  /// buffer that stuck out to the front. Of what fits, fewest bank conflicts win, then the lowest height.
  public static let portfolio = PackingMethod(
    "portfolio", "first fit and best fit in orders by size, start, area and lifetime, with repair"
  ) { (problem) throws(DiagnosticError) in
    try problem.check()
    if let contradiction = problem.contradiction() {
      return .unsolved(
        .infeasible(binding: contradiction.binding), height: problem.heightBound, conflict: contradiction.buffers)
    }
    let packer = GreedyPacker(problem)
    var best: PackingSolution?
    var lowest = Int.max
    for order in packer.orders {
      for rule in packer.rules {
        var sequence = order.sequence
        // Repair: each round moves one buffer to the front; a few rounds settle most cases.
        for round in 0..<packer.repairRounds {
          let (offsets, height, highest) = packer.place(sequence, rule)
          lowest = min(lowest, height)
          if height <= problem.capacity, packer.fixedStand(offsets) {
            let solution = problem.solution(offsets, method: "\(order.name), \(rule.name)")
            if best.map({ packer.isBetter(solution, than: $0) }) ?? true { best = solution }
            break
          }
          guard round + 1 < packer.repairRounds, let position = sequence.firstIndex(of: highest), position > 0 else {
            break
          }
          sequence.remove(at: position)
          sequence.insert(highest, at: 0)
        }
        if let best, best.height == best.lowerBound, best.bankConflicts == 0 { return .solved(best) }
      }
    }
    if let best { return .solved(best) }
    return .unsolved(.budgetExhausted, height: lowest, conflict: [])
  }
}

/// Placement of bodies one by one at the edges of those that are placed. A body is a tied group, or a buffer alone.
private struct GreedyPacker {
  struct Order {
    var name: String
    var sequence: [Int]
  }

  enum Rule {
    /// The lowest address that fits.
    case firstFit
    /// The tightest gap below the top, else the lowest address above it.
    case bestFit
    /// The address with the fewest bank conflicts, then the lowest.
    case apart

    var name: String {
      switch self {
      case .firstFit: return "first fit"
      case .bestFit: return "best fit"
      case .apart: return "banks apart"
      }
    }
  }

  struct Body {
    /// Buffers that take room, and their distances to the body's offset.
    var members: [Int] = []
    /// Buffers that take no room but move with the body.
    var followers: [Int] = []
    var alignment: Int
    var residue: Int
    var earliest: Int
    var isFixed = false
    /// The largest member.
    var size = 0
  }

  /// A placed buffer as one member of a body sees it: the body lies from `high` on, or ends by `low` (its largest size counted).
  typealias Block = (low: Int, high: Int, index: Int, member: Int)

  let problem: PackingProblem
  let bodies: [Body]
  let bodyOf: [Int]
  /// Distance of each buffer to the offset of its body.
  let delta: [Int]
  /// Buffers of other bodies alive together with each buffer.
  let neighbours: [[Int]]
  /// Of each buffer, since buffers have names that cost time to copy.
  private let sizes: [Int]
  private let groups: [Int?]
  /// Offsets with every body as low as it may lie, and whether it lies there for good.
  private let lowest: [Int]
  private let isFixed: [Bool]
  let repairRounds = 12

  init(_ problem: PackingProblem) {
    self.problem = problem
    let (root, delta) = problem.roots()
    self.delta = delta
    var bodies: [Body] = []
    var bodyOfRoot = Array(repeating: 0, count: root.count)
    for group in PackingModel(problem).groups {
      bodyOfRoot[group.root] = bodies.count
      bodies.append(Body(alignment: group.alignment, residue: group.residue, earliest: group.earliest))
    }
    for (index, buffer) in problem.buffers.enumerated() {
      let body = bodyOfRoot[root[index]]
      if buffer.fixedOffset != nil { bodies[body].isFixed = true }
      if buffer.takesRoom {
        bodies[body].members.append(index)
        bodies[body].size = max(bodies[body].size, buffer.size)
      } else {
        bodies[body].followers.append(index)
      }
    }
    self.bodies = bodies
    let bodyOf = root.map { bodyOfRoot[$0] }
    self.bodyOf = bodyOf
    var neighbours: [[Int]] = problem.buffers.map { _ in [] }
    let byStart = problem.buffers.indices.sorted { problem.buffers[$0].start < problem.buffers[$1].start }
    for (position, a) in byStart.enumerated() {
      for b in byStart[(position + 1)...] {
        if problem.buffers[b].start >= problem.buffers[a].end { break }
        if bodyOf[a] != bodyOf[b], problem.buffers[a].overlapsInTime(problem.buffers[b]) {
          neighbours[a].append(b)
          neighbours[b].append(a)
        }
      }
    }
    self.neighbours = neighbours
    sizes = problem.buffers.map(\.size)
    groups = problem.buffers.map(\.bankGroup)
    lowest = problem.buffers.indices.map { bodies[bodyOf[$0]].earliest + delta[$0] }
    isFixed = bodies.map(\.isFixed)
  }

  var rules: [Rule] {
    let groups = Set(problem.buffers.compactMap(\.bankGroup))
    return problem.bankBytes != nil && groups.count > 1 ? [.apart, .firstFit, .bestFit] : [.firstFit, .bestFit]
  }

  /// Sequences of the bodies that may move. A group counts as the smallest buffer that holds it in time, with the sum of its sizes.
  var orders: [Order] {
    let movable = bodies.indices.filter { !bodies[$0].isFixed }
    let hulls = bodies.map { body -> PackingProblem.Buffer in
      var hull = PackingProblem.Buffer("", start: 0, end: 0, size: 0, alignment: body.alignment)
      for (position, member) in body.members.enumerated() {
        let buffer = problem.buffers[member]
        hull.start = position == 0 ? buffer.start : min(hull.start, buffer.start)
        hull.end = position == 0 ? buffer.end : max(hull.end, buffer.end)
        hull.size = saturatingAdd(hull.size, buffer.size)
      }
      return hull
    }
    func sorted(_ name: String, _ key: (PackingProblem.Buffer) -> (Int, Int)) -> Order {
      let keys = hulls.map(key)
      return Order(name: name, sequence: movable.sorted { keys[$0] != keys[$1] ? keys[$0] < keys[$1] : $0 < $1 })
    }
    return [
      sorted("by size") { (-$0.size, $0.start) }, sorted("by start") { ($0.start, -$0.size) },
      sorted("by area") { (-saturatingMultiply($0.size, $0.end - $0.start), $0.start) },
      sorted("by lifetime") { (-($0.end - $0.start), -$0.size) }, sorted("by end") { (-$0.end, -$0.size) },
      sorted("by alignment") { (-$0.alignment, -$0.size) },
    ]
  }

  /// Offsets, the height, and the movable body that reaches highest.
  func place(_ sequence: [Int], _ rule: Rule) -> (offsets: [Int], height: Int, highest: Int) {
    var isPlaced = isFixed
    var offsets = lowest
    var height = 0
    var highest = sequence.first ?? 0
    for index in sizes.indices where isPlaced[bodyOf[index]] {
      height = max(height, saturatingAdd(offsets[index], sizes[index]))
    }
    var blocks: [Block] = []
    for index in sequence {
      let body = bodies[index]
      blocks.removeAll(keepingCapacity: true)
      for member in body.members {
        for other in neighbours[member] where isPlaced[bodyOf[other]] {
          blocks.append(
            (
              offsets[other] - delta[member] - sizes[member] + body.size,
              offsets[other] + sizes[other] - delta[member], other, member
            ))
        }
      }
      blocks.sort { ($0.low, $0.index, $0.member) < ($1.low, $1.index, $1.member) }
      let offset = position(body, blocks, rule)
      isPlaced[index] = true
      for members in [body.members, body.followers] {
        for member in members {
          offsets[member] = saturatingAdd(offset, delta[member])
          let top = saturatingAdd(offsets[member], sizes[member])
          if top > height {
            height = top
            highest = index
          }
        }
      }
    }
    return (offsets, height, highest)
  }

  /// False when fixed bodies overlap each other, which no placement of the others mends.
  func fixedStand(_ offsets: [Int]) -> Bool {
    for a in problem.buffers.indices where bodies[bodyOf[a]].isFixed {
      for b in neighbours[a] where bodies[bodyOf[b]].isFixed {
        if offsets[a] < offsets[b] + problem.buffers[b].size && offsets[b] < offsets[a] + problem.buffers[a].size {
          return false
        }
      }
    }
    return true
  }

  private func position(_ body: Body, _ blocks: [Block], _ rule: Rule) -> Int {
    func align(_ address: Int) -> Int {
      let low = max(address, body.earliest)
      return saturatingAdd(low, positiveRemainder(body.residue - low, body.alignment))
    }
    if body.members.isEmpty { return body.earliest }
    // Free gaps between what is alive at the same time, the last one open.
    var gaps: [(low: Int, high: Int)] = []
    var top = 0
    for block in blocks {
      if block.low > top { gaps.append((top, block.low)) }
      top = max(top, block.high)
    }
    gaps.append((top, Int.max))
    let others = rule == .apart ? strangers(blocks) : []
    var best: (offset: Int, score: Int)?
    func offer(_ offset: Int, _ score: Int) {
      if let have = best, (have.score, have.offset) <= (score, offset) { return }
      best = (offset, score)
    }
    for gap in gaps {
      let low = align(gap.low)
      guard saturatingAdd(low, body.size) <= gap.high else { continue }
      switch rule {
      case .firstFit: return low
      case .bestFit:
        // The open gap scores worst, so it is used only when nothing else fits.
        offer(low, gap.high - gap.low - body.size)
      case .apart:
        for candidate in bankCandidates(low, gap.high, body, align) {
          offer(candidate, conflicts(body, candidate, others, blockCount: blocks.count))
        }
      }
    }
    return best?.offset ?? align(top)
  }

  /// The bottom of a gap, and the first bank starts above it that fit; beyond the capacity only the bottom.
  private func bankCandidates(_ low: Int, _ high: Int, _ body: Body, _ align: (Int) -> Int) -> [Int] {
    guard let bankBytes = problem.bankBytes, body.members.contains(where: { problem.buffers[$0].bankGroup != nil })
    else {
      return [low]
    }
    var list = [low]
    var bank = low / bankBytes + 1
    let limit = min(high, problem.capacity)
    while list.count < 64 {
      let offset = align(saturatingMultiply(bank, bankBytes))
      if saturatingAdd(offset, body.size) > limit { break }
      list.append(offset)
      bank += 1
    }
    return list
  }

  /// A placed buffer of another group than that of a member, and the banks that it lies in.
  private typealias Stranger = (member: Int, firstBank: Int, lastBank: Int)

  private func strangers(_ blocks: [Block]) -> [Stranger] {
    guard let bankBytes = problem.bankBytes else { return [] }
    var list: [Stranger] = []
    for block in blocks {
      guard let group = groups[block.member], let other = groups[block.index], other != group else { continue }
      // The other's own addresses, from those that the body sees.
      let high = block.high + delta[block.member]
      list.append((block.member, (high - sizes[block.index]) / bankBytes, (high - 1) / bankBytes))
    }
    return list
  }

  /// Pairs with placed buffers of other groups that would share a bank.
  private func conflicts(_ body: Body, _ offset: Int, _ strangers: [Stranger], blockCount: Int) -> Int {
    guard let bankBytes = problem.bankBytes else { return 0 }
    var count = 0
    for stranger in strangers {
      let low = offset + delta[stranger.member]
      let first = low / bankBytes
      let last = (low + sizes[stranger.member] - 1) / bankBytes
      if first <= stranger.lastBank && stranger.firstBank <= last { count += 1 }
    }
    // A place above the capacity is worse than any conflict.
    return saturatingAdd(offset, body.size) > problem.capacity ? count + blockCount + 1 : count
  }

  func isBetter(_ a: PackingSolution, than b: PackingSolution) -> Bool {
    (a.bankConflicts, a.height) < (b.bankConflicts, b.height)
  }
}
