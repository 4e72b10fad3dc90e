import PantileProgram
import PantileSupport

/// Races of a Program by definition: every command of the expansion, every byte that it touches, every pair, and reachability in the
/// graph of what happens before what. Shares loop indices and guards with the checker, nothing else.
struct HazardOracle {
  private struct Access {
    var instance: Int
    /// 0 = write, 1 + i = read of operand i.
    var point: Int
    var bytes: Set<Int>
    var memory: Int
  }

  private struct Instance {
    var queue: Int
    var operation: Command.Operation
    var layerLoops: LoopState
  }

  private static let points = 8

  private let program: Program
  private var instances: [Instance] = []
  /// Events: `start(i)` is `i * (points + 1)`, `done(i, p)` the p-th after it. Edges lead to what comes later.
  private var edges: [[Int]] = []
  private var accesses: [Access] = []
  /// Waits that no token ever meets.
  private(set) var isStuck = false

  init(_ program: Program) {
    self.program = program
    var adds = [[Int]](repeating: [], count: program.channels.count)
    var takes = [[(start: Int, count: Int)]](repeating: [], count: program.channels.count)
    for (queue, contents) in program.queues.enumerated() {
      var last: Int?
      Self.expand(contents.body, LoopState()) { command, loops in
        let instance = instances.count
        instances.append(Instance(queue: queue, operation: command.operation, layerLoops: loops))
        let start = edges.count
        edges += [[Int]](repeating: [], count: Self.points + 1)
        for point in 0..<Self.points {
          edges[start].append(start + 1 + point)
          // Written means that all reads are done, too.
          if point > 0 { edges[start + 1 + point].append(start + 1) }
        }
        if let last {
          edges[last].append(start)
          for point in 0..<Self.points { edges[last + 1 + point].append(start + 1 + point) }
        }
        last = start
        for wait in command.waits where wait.guards.hold(at: loops) {
          takes[wait.channel.offset].append((start, wait.count))
        }
        for signal in command.signals where signal.guards.hold(at: loops) {
          let point = if case .read(let operand) = signal.point { 1 + operand } else { 0 }
          adds[signal.channel.offset] += [Int](repeating: start + 1 + point, count: signal.count)
        }
        for (operand, generator) in command.operation.reads.enumerated() {
          note(generator, loops, instance, 1 + operand)
        }
        if let generator = command.operation.write { note(generator, loops, instance, 0) }
      }
    }
    for (channel, list) in takes.enumerated() {
      var taken = 0
      for take in list {
        for token in taken..<(taken + take.count) where token >= program.channels[channel].initial {
          let add = token - program.channels[channel].initial
          if add < adds[channel].count { edges[adds[channel][add]].append(take.start) } else { isStuck = true }
        }
        taken += take.count
      }
    }
  }

  private static func expand(_ nodes: [Program.Node], _ loops: LoopState, _ body: (Command, LoopState) -> Void) {
    for node in nodes {
      switch node {
      case .command(let command): if command.guards.hold(at: loops) { body(command, loops) }
      case .loop(let count, let inner):
        var state = loops
        state.enter(count: count)
        for trip in 0..<count {
          expand(inner, state, body)
          if trip + 1 < count { _ = state.advance() }
        }
      }
    }
  }

  private mutating func note(_ generator: AddressGenerator, _ loops: LoopState, _ instance: Int, _ point: Int) {
    var bytes: Set<Int> = []
    var base = generator.baseBits.value(at: loops)
    if let rotation = generator.rotation {
      base += rotation.index.value(at: loops) % rotation.slots * rotation.slotBits
    }
    let counts = generator.dims.map { $0.count.value(at: loops) }
    var index = [Int](repeating: 0, count: counts.count)
    while true {
      let isInside = generator.bounds.allSatisfy { bound in
        let coordinate = zip(bound.coefficients, index).reduce(bound.offset.value(at: loops)) { $0 + $1.0 * $1.1 }
        return coordinate >= 0 && coordinate < bound.limit
      }
      if isInside {
        let bit = zip(generator.dims, index).reduce(base) { $0 + $1.0.strideBits * $1.1 }
        for byte in (bit >> 3)...((bit + generator.elementBits - 1) >> 3) { bytes.insert(byte) }
      }
      var dim = counts.count - 1
      while dim >= 0 {
        index[dim] += 1
        if index[dim] < counts[dim] { break }
        index[dim] = 0
        dim -= 1
      }
      if dim < 0 { break }
    }
    if !bytes.isEmpty {
      accesses.append(Access(instance: instance, point: point, bytes: bytes, memory: generator.memory.offset))
    }
  }

  /// The commands that race, as pairs of numbers in the order of queues and their expansion; nil when the order has a cycle.
  func races() -> Set<[Int]> {
    var reach = [Int: Set<Int>]()
    func reachable(from event: Int) -> Set<Int> {
      if let known = reach[event] { return known }
      var seen: Set<Int> = [event]
      var open = [event]
      while let next = open.popLast() {
        for later in edges[next] where seen.insert(later).inserted { open.append(later) }
      }
      reach[event] = seen
      return seen
    }
    func isBefore(_ a: Access, _ b: Access) -> Bool {
      reachable(from: a.instance * (Self.points + 1) + 1 + a.point).contains(b.instance * (Self.points + 1))
    }
    func isInterlocked(_ a: Access, _ b: Access) -> Bool {
      guard instances[a.instance].queue == instances[b.instance].queue else { return false }
      if a.instance == b.instance { return true }
      switch instances[max(a.instance, b.instance)].operation {
      case .drain, .vector: return true
      case .contract, .copy: return a.point == 0 && b.point == 0
      case .sync: return false
      }
    }
    var found: Set<[Int]> = []
    for (position, a) in accesses.enumerated() {
      for b in accesses[(position + 1)...] where a.memory == b.memory && (a.point == 0 || b.point == 0) {
        guard !isInterlocked(a, b), !a.bytes.isDisjoint(with: b.bytes) else { continue }
        if !isBefore(a, b), !isBefore(b, a) { found.insert([a.instance, b.instance]) }
      }
    }
    return found
  }
}
