import PantileProblem
import PantileSolve
import PantileSupport

/// Local search over orders by simulated annealing: a run of ops moves to another place that the graph allows, and replacement by rule says
/// what the new order costs.
///
/// **Source** Kirkpatrick, Gelatt, Vecchi, Optimization by simulated annealing, Science 220, 1983.
struct OrderAnnealing {
  private let index: ScheduleIndex
  private let run: ReplacementRun
  private var random: SplitMix64
  /// Steps of ops that were run, over all orders.
  private(set) var stepCount = 0

  init(_ index: ScheduleIndex, seed: UInt64) {
    self.index = index
    run = ReplacementRun(index)
    random = SplitMix64(seed: seed)
  }

  /// An order that costs less than the one given, by the rule; nil when none was found.
  ///
  /// - Parameters:
  ///   - start: A topological order.
  ///   - stepBudget: Steps to run: orders tried times ops.
  ///   - copyWeight: See `ReplacementRun`.
  ///   - heat: Of the start, in sizes of the median tensor.
  ///   - target: A cost that is good enough.
  mutating func improve(
    _ start: [Int], stepBudget: Int, copyWeight: Int, heat: Double, target: Int
  ) -> (order: [Int], cost: Int)? {
    let count = start.count
    guard count > 2 else { return nil }
    var order = start.map(Int32.init)
    var position = Array(repeating: Int32(0), count: count)
    for (step, op) in order.enumerated() { position[Int(op)] = Int32(step) }
    let weight = Int32(copyWeight)
    guard var cost = run.cost(of: order, copyWeight: weight, limit: .max) else { return nil }
    let startCost = cost
    var best = (order: order, cost: cost)
    let sizes = index.tensors.map(\.bytes).filter { $0 > 0 }.sorted()
    guard !sizes.isEmpty, cost > target else { return nil }
    let scale = Double(sizes[sizes.count / 2])
    // Short orders have few neighbours.
    let rounds = max(1, min(stepBudget / count, 20 * count * count))
    for round in 0..<rounds where best.cost > target {
      if round & 1023 == 0, Cancellation.isAllCancelled { break }
      let temperature =
        scale * (0.02 + heat * (1 - Double(round) / Double(rounds)) * (1 - Double(round) / Double(rounds)))
      guard let move = proposal(order, position) else { continue }
      apply(move, &order, &position)
      stepCount += count
      // Accept up to a limit drawn first, so that hopeless runs end early; mostly a low one, as an exponential draw would be.
      let draw = Double(random.next(below: 1 << 20)) / Double(1 << 20)
      let slack = 4 * temperature * draw * draw * draw
      if let now = run.cost(of: order, copyWeight: weight, limit: cost + Int(slack)) {
        cost = now
        if now < best.cost { best = (order, now) }
      } else {
        apply(move.inverse, &order, &position)
      }
    }
    return best.cost < startCost ? (best.order.map(Int.init), best.cost) : nil
  }

  /// Ops `first ..< first + length` change places with the `distance` ops behind them.
  private struct Move {
    var first: Int
    var length: Int
    var distance: Int
    var inverse: Move { Move(first: first, length: distance, distance: length) }
  }

  /// A random run of ops and a place for it between what it needs and what needs it; nil when it cannot move.
  private mutating func proposal(_ order: [Int32], _ position: [Int32]) -> Move? {
    let count = order.count
    let length = [1, 1, 1, 1, 2, 2, 3, 4][random.next(below: 8)]
    if length >= count { return nil }
    let first = random.next(below: count - length + 1)
    // How far the run may go.
    var low = 0
    var high = count
    for step in first..<first + length {
      for before in index.predecessors[Int(order[step])] {
        let place = Int(position[before])
        if place < first { low = max(low, place + 1) }
      }
      for after in index.successors[Int(order[step])] {
        let place = Int(position[after])
        if place >= first + length { high = min(high, place) }
      }
    }
    let room = (first - low) + (high - first - length)
    if room == 0 { return nil }
    // Near places are likelier.
    var target = random.next(below: room)
    if random.next(below: 2) == 0 { target = (target + random.next(below: room)) / 2 }
    let to = low + (target < first - low ? target : target + 1)
    return to < first
      ? Move(first: to, length: first - to, distance: length)
      : Move(first: first, length: length, distance: to - first)
  }

  private func apply(_ move: Move, _ order: inout [Int32], _ position: inout [Int32]) {
    let end = move.first + move.length + move.distance
    // Rotation by three reversals.
    reverse(&order, move.first, move.first + move.length)
    reverse(&order, move.first + move.length, end)
    reverse(&order, move.first, end)
    for step in move.first..<end { position[Int(order[step])] = Int32(step) }
  }

  private func reverse(_ order: inout [Int32], _ from: Int, _ to: Int) {
    var (low, high) = (from, to - 1)
    while low < high {
      order.swapAt(low, high)
      low += 1
      high -= 1
    }
  }
}
