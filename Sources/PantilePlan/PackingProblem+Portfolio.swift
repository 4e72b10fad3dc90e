import PantileProblem
import PantileSupport

extension PackingMethod {
  /// Places buffers one by one in many orders, each with several rules for the gap, and repairs orders that do not fit by moving the
  /// buffer that stuck out to the front. Of what fits, fewest bank conflicts win, then the lowest height.
  public static let portfolio = PackingMethod(
    "portfolio", "first fit and best fit in orders by size, start, area and lifetime, with repair"
  ) { (problem) throws(DiagnosticError) in
    try problem.check()
    if let binding = problem.overfullStep() {
      return .unsolved(.infeasible(binding: binding), height: problem.heightBound)
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
          if height <= problem.capacity {
            let solution = packer.solution(offsets, height, method: "\(order.name), \(rule.name)")
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
    return .unsolved(.budgetExhausted, height: lowest)
  }
}

/// Placement of buffers one by one at the edges of those that are placed.
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

  let problem: PackingProblem
  /// Buffers alive together with each buffer.
  let neighbours: [[Int]]
  let repairRounds = 12

  init(_ problem: PackingProblem) {
    self.problem = problem
    var neighbours: [[Int]] = problem.buffers.map { _ in [] }
    let byStart = problem.buffers.indices.sorted { problem.buffers[$0].start < problem.buffers[$1].start }
    for (position, a) in byStart.enumerated() {
      for b in byStart[(position + 1)...] {
        if problem.buffers[b].start >= problem.buffers[a].end { break }
        if problem.buffers[a].overlapsInTime(problem.buffers[b]) {
          neighbours[a].append(b)
          neighbours[b].append(a)
        }
      }
    }
    self.neighbours = neighbours
  }

  var rules: [Rule] {
    let groups = Set(problem.buffers.compactMap(\.bankGroup))
    return problem.bankBytes != nil && groups.count > 1 ? [.apart, .firstFit, .bestFit] : [.firstFit, .bestFit]
  }

  /// Sequences of the buffers that may move.
  var orders: [Order] {
    let movable = problem.buffers.indices.filter { problem.buffers[$0].fixedOffset == nil }
    func sorted(_ name: String, _ key: (PackingProblem.Buffer) -> (Int, Int)) -> Order {
      let keys = problem.buffers.map(key)
      return Order(name: name, sequence: movable.sorted { keys[$0] != keys[$1] ? keys[$0] < keys[$1] : $0 < $1 })
    }
    return [
      sorted("by size") { (-$0.size, $0.start) }, sorted("by start") { ($0.start, -$0.size) },
      sorted("by area") { (-saturatingMultiply($0.size, $0.end - $0.start), $0.start) },
      sorted("by lifetime") { (-($0.end - $0.start), -$0.size) }, sorted("by end") { (-$0.end, -$0.size) },
      sorted("by alignment") { (-$0.alignment, -$0.size) },
    ]
  }

  /// Offsets, the height, and the movable buffer that reaches highest.
  func place(_ sequence: [Int], _ rule: Rule) -> (offsets: [Int], height: Int, highest: Int) {
    var offsets = problem.buffers.map { $0.fixedOffset ?? -1 }
    var height = 0
    var highest = sequence.first ?? 0
    for (index, buffer) in problem.buffers.enumerated() where offsets[index] >= 0 {
      height = max(height, saturatingAdd(offsets[index], buffer.size))
    }
    for index in sequence {
      let buffer = problem.buffers[index]
      let blocks = neighbours[index].filter { offsets[$0] >= 0 }.map {
        (offsets[$0], offsets[$0] + problem.buffers[$0].size, $0)
      }
      .sorted { $0.0 < $1.0 }
      let offset = position(buffer, blocks, rule)
      offsets[index] = offset
      let top = saturatingAdd(offset, buffer.size)
      if top > height {
        height = top
        highest = index
      }
    }
    return (offsets, height, highest)
  }

  private func position(_ buffer: PackingProblem.Buffer, _ blocks: [(low: Int, high: Int, index: Int)], _ rule: Rule)
    -> Int
  {
    func align(_ address: Int) -> Int {
      saturatingMultiply(saturatingCeilDivide(address, buffer.alignment), buffer.alignment)
    }
    if buffer.size == 0 { return 0 }
    // Free gaps between what is alive at the same time, the last one open.
    var gaps: [(low: Int, high: Int)] = []
    var top = 0
    for block in blocks {
      if block.low > top { gaps.append((top, block.low)) }
      top = max(top, block.high)
    }
    gaps.append((top, Int.max))
    var best: (offset: Int, score: Int)?
    func offer(_ offset: Int, _ score: Int) {
      if let have = best, (have.score, have.offset) <= (score, offset) { return }
      best = (offset, score)
    }
    for gap in gaps {
      let low = align(gap.low)
      guard saturatingAdd(low, buffer.size) <= gap.high else { continue }
      switch rule {
      case .firstFit: return low
      case .bestFit:
        // The open gap scores worst, so it is used only when nothing else fits.
        offer(low, gap.high - gap.low - buffer.size)
      case .apart:
        for candidate in bankCandidates(low, gap.high, buffer, align) {
          offer(candidate, conflicts(buffer, candidate, blocks))
        }
      }
    }
    return best?.offset ?? align(top)
  }

  /// The bottom of a gap, and the first bank starts above it that fit; beyond the capacity only the bottom.
  private func bankCandidates(_ low: Int, _ high: Int, _ buffer: PackingProblem.Buffer, _ align: (Int) -> Int) -> [Int]
  {
    guard let bankBytes = problem.bankBytes, buffer.bankGroup != nil else { return [low] }
    var list = [low]
    var bank = low / bankBytes + 1
    let limit = min(high, problem.capacity)
    while list.count < 64 {
      let offset = align(saturatingMultiply(bank, bankBytes))
      if saturatingAdd(offset, buffer.size) > limit { break }
      list.append(offset)
      bank += 1
    }
    return list
  }

  /// Placed buffers of other groups that would share a bank.
  private func conflicts(_ buffer: PackingProblem.Buffer, _ offset: Int, _ blocks: [(low: Int, high: Int, index: Int)])
    -> Int
  {
    guard let bankBytes = problem.bankBytes, let group = buffer.bankGroup else { return 0 }
    let first = offset / bankBytes
    let last = (offset + buffer.size - 1) / bankBytes
    // A place above the capacity is worse than any conflict.
    let overflow = saturatingAdd(offset, buffer.size) > problem.capacity ? blocks.count + 1 : 0
    return overflow
      + blocks.count { block in
        guard let other = problem.buffers[block.index].bankGroup, other != group else { return false }
        return first <= (block.high - 1) / bankBytes && block.low / bankBytes <= last
      }
  }

  func solution(_ offsets: [Int], _ height: Int, method: String) -> PackingSolution {
    let bound = problem.heightBound
    return PackingSolution(
      offsets: offsets, height: height, bankConflicts: problem.bankConflicts(offsets: offsets),
      status: height == bound ? .optimal : .feasible(gap: height - bound), lowerBound: bound, method: method)
  }

  func isBetter(_ a: PackingSolution, than b: PackingSolution) -> Bool {
    (a.bankConflicts, a.height) < (b.bankConflicts, b.height)
  }
}
