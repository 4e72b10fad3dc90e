import PantileProblem
import PantileSupport

/// Random small packings with every feature, and a placement of each buffer at each address that shares nothing with the packers.
enum PackingOracle {
  struct Features: OptionSet {
    let rawValue: Int
    static let alignment = Features(rawValue: 1)
    static let fixed = Features(rawValue: 2)
    static let ties = Features(rawValue: 4)
    static let all: Features = [.alignment, .fixed, .ties]
  }

  static func problem(_ random: inout SplitMix64, count: Int, _ features: Features, unit: Int = 1) -> PackingProblem {
    var problem = PackingProblem(name: "random", buffers: [], capacity: 0)
    for index in 0..<count {
      let start = random.next(below: 7)
      var buffer = PackingProblem.Buffer(
        "b\(index)", start: start, end: start + 1 + random.next(below: 4), size: unit * (1 + random.next(below: 5)))
      if random.next(below: 12) == 0 { buffer.size = 0 }
      if random.next(below: 12) == 0 { buffer.end = buffer.start }
      if features.contains(.alignment) { buffer.alignment = unit * [1, 1, 2, 3, 4][random.next(below: 5)] }
      if features.contains(.fixed), random.next(below: 6) == 0 {
        buffer.fixedOffset = unit * random.next(below: 6)
        buffer.alignment = 1
      }
      if features.contains(.ties), index > 0, random.next(below: 3) == 0 {
        buffer.tie = .init(
          to: random.next(below: index), delta: unit * (random.next(below: 8) - 3),
          mayOverlap: random.next(below: 3) > 0)
      }
      problem.buffers.append(buffer)
    }
    problem.capacity = problem.maximumLive + unit * random.next(below: 3)
    return problem
  }

  /// Offsets within the capacity, or nil when there are none. Anchors have lower indices than what is tied to them.
  static func offsets(_ problem: PackingProblem) -> [Int]? {
    let buffers = problem.buffers
    var offsets = Array(repeating: 0, count: buffers.count)
    func together(_ a: Int, _ b: Int) -> Bool {
      (0..<20).contains {
        buffers[a].start <= $0 && $0 < buffers[a].end && buffers[b].start <= $0 && $0 < buffers[b].end
      }
    }
    func isAllowed(_ below: Int, _ above: Int) -> Bool {
      guard let tie = buffers[above].tie, tie.mayOverlap else { return false }
      return tie.anchor == below || isAllowed(below, tie.anchor)
    }
    let clashes = buffers.indices.map { b in
      (0..<b).filter { a in together(a, b) && !isAllowed(a, b) }
    }
    func place(_ index: Int) -> Bool {
      if index == buffers.count { return true }
      let buffer = buffers[index]
      var candidates = Array(0...max(0, problem.capacity))
      if let tie = buffer.tie { candidates = [offsets[tie.anchor] + tie.delta] }
      for offset in candidates where offset >= 0 && offset + buffer.size <= problem.capacity {
        if offset % buffer.alignment != 0 || buffer.fixedOffset ?? offset != offset { continue }
        let bytes = Set(offset..<(offset + buffer.size))
        let clash = clashes[index].contains { other in
          !bytes.isDisjoint(with: offsets[other]..<(offsets[other] + buffers[other].size))
        }
        if clash { continue }
        offsets[index] = offset
        if place(index + 1) { return true }
      }
      return false
    }
    return place(0) ? offsets : nil
  }

  /// The least capacity with offsets, up to a limit.
  static func leastCapacity(_ problem: PackingProblem, limit: Int) -> Int? {
    var problem = problem
    for capacity in 0...limit {
      problem.capacity = capacity
      if offsets(problem) != nil { return capacity }
    }
    return nil
  }

  /// Cuts a rectangle of steps and addresses again and again: a packing without any room to spare exists by construction.
  static func guillotine(_ random: inout SplitMix64, count: Int, steps: Int, capacity: Int) -> PackingProblem {
    struct Part { var start, end, low, high: Int }
    var parts = [Part(start: 0, end: steps, low: 0, high: capacity)]
    while parts.count < count {
      let index = (0..<3).map { _ in random.next(below: parts.count) }.max {
        (parts[$0].end - parts[$0].start) * (parts[$0].high - parts[$0].low)
          < (parts[$1].end - parts[$1].start) * (parts[$1].high - parts[$1].low)
      }!
      var (first, second) = (parts[index], parts[index])
      if random.next(below: 2) == 0 {
        if first.end - first.start < 2 { continue }
        first.end = first.start + 1 + random.next(below: first.end - first.start - 1)
        second.start = first.end
      } else {
        if first.high - first.low < 2 { continue }
        first.high = first.low + 1 + random.next(below: first.high - first.low - 1)
        second.low = first.high
      }
      parts[index] = first
      parts.append(second)
    }
    for index in parts.indices.reversed() { parts.swapAt(index, random.next(below: index + 1)) }
    return PackingProblem(
      name: "guillotine",
      buffers: parts.enumerated().map {
        .init("b\($0.offset)", start: $0.element.start, end: $0.element.end, size: $0.element.high - $0.element.low)
      }, capacity: capacity)
  }
}
