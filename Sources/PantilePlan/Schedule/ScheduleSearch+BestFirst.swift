import PantileSolve

/// The states that wait to be expanded: smallest estimate first, deepest of those, earliest of those.
struct StateQueue {
  private struct Entry {
    var estimate: Int
    var depth: Int32
    var state: Int32

    func comes(before other: Entry) -> Bool {
      if estimate != other.estimate { return estimate < other.estimate }
      if depth != other.depth { return depth > other.depth }
      return state < other.state
    }
  }
  private var heap: [Entry] = []

  var smallestEstimate: Int? { heap.first?.estimate }

  mutating func push(_ state: Int, estimate: Int, depth: Int) {
    heap.append(Entry(estimate: estimate, depth: Int32(depth), state: Int32(state)))
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      if !heap[child].comes(before: heap[parent]) { break }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  mutating func pop() -> Int? {
    guard let first = heap.first else { return nil }
    let last = heap.removeLast()
    if !heap.isEmpty {
      heap[0] = last
      var parent = 0
      while true {
        var child = 2 * parent + 1
        if child >= heap.count { break }
        if child + 1 < heap.count, heap[child + 1].comes(before: heap[child]) { child += 1 }
        if !heap[child].comes(before: heap[parent]) { break }
        heap.swapAt(child, parent)
        parent = child
      }
    }
    return Int(first.state)
  }
}

extension ScheduleSearch {
  /// What a search ended with.
  package struct Result {
    /// The cheapest complete state, if one was reached.
    package var goal: Int?
    /// No schedule costs less, except by less than the limit that was given.
    package var lowerBound: Int
    /// States expanded.
    package var expanded: Int
  }

  /// Best-first search. It ends at the first complete state, which is optimal; when nothing below the limit is left, which proves that the
  /// limit is optimal; or when the budget ends, with the smallest estimate left as the bound.
  ///
  /// - Parameters:
  ///   - limit: The cost of a schedule that is known; only better ones are looked for.
  ///   - budget: States to expand.
  ///   - moveBudget: Children to make, which is what the time goes into. Who runs a search again gives its states only.
  ///   - progress: Called now and then with the expanded states and the bound; false ends the search.
  package func bestFirst(
    below limit: Int, budget: Int, moveBudget: Int = .max, progress: (Int, Int) -> Bool = { _, _ in true }
  ) -> Result {
    var queue = StateQueue()
    guard let start = start(), estimates[start] < limit else {
      return Result(goal: nil, lowerBound: limit, expanded: 0)
    }
    queue.push(start, estimate: estimates[start], depth: depth(start))
    var expanded = 0
    while let state = queue.pop() {
      if isDropped(state) { continue }
      if isFinal(state) { return result(state, cost(state), expanded) }
      let isEnd =
        expanded >= budget || moveCount >= moveBudget
        || (expanded & 255 == 255 && !progress(expanded, estimates[state]))
      if isEnd { return result(nil, min(limit, estimates[state]), expanded) }
      expanded += 1
      expand(state, below: limit) { child in
        queue.push(child, estimate: max(estimates[child], estimates[state]), depth: depth(child))
      }
    }
    return result(nil, limit, expanded)
  }

  private func result(_ goal: Int?, _ bound: Int, _ expanded: Int) -> Result {
    Result(goal: goal, lowerBound: min(bound, truncatedEstimate), expanded: expanded)
  }

  /// Beam search: of the states with equally many ops run, the `width` with the smallest estimates go on.
  ///
  /// - Returns: The cheapest complete state; an upper bound only.
  func beam(width: Int, below limit: Int = Int.max) -> Result {
    var layers: [[Int]] = Array(repeating: [], count: index.ops.count + 1)
    guard let start = start() else { return Result(goal: nil, lowerBound: 0, expanded: 0) }
    layers[depth(start)].append(start)
    var limit = limit
    var goal: Int?
    var expanded = 0
    for layer in layers.indices {
      let alive = layers[layer].filter { !isDropped($0) && estimates[$0] < limit }
      layers[layer] = []
      let kept = alive.sorted { (estimates[$0], cost($0), $0) < (estimates[$1], cost($1), $1) }.prefix(width)
      for state in kept {
        if Cancellation.isAllCancelled { return Result(goal: goal, lowerBound: 0, expanded: expanded) }
        if layer == index.ops.count {
          if cost(state) < limit {
            limit = cost(state)
            goal = state
          }
          continue
        }
        expanded += 1
        expand(state, below: limit) { child in layers[depth(child)].append(child) }
      }
    }
    return Result(goal: goal, lowerBound: 0, expanded: expanded)
  }
}
