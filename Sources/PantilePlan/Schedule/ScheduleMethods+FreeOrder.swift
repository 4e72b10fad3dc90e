import PantileProblem
import PantileSolve
import PantileSupport

extension ScheduleMethod {
  /// The best that can be had: bounds, beam, search, windows, each only if the ones before left a gap.
  public static let auto = ScheduleMethod(
    "auto", "default order, beam, exact search and windows until bound and plan meet; streaming with a tile buffer",
    streams: nil
  ) { (planner) throws(DiagnosticError) in
    if planner.problem.tileBytes != nil { return try ScheduleMethod.streaming.find(planner) }
    if planner.options.order == .default { return try planner.solveOrder(planner.defaultOrder) }
    return try planner.freeOrder(isExact: true)
  }

  /// As `auto`, for whole tensors only.
  public static let exact = ScheduleMethod("exact", "best-first search over orders and residency with dominance") {
    (planner) throws(DiagnosticError) in
    if planner.options.order == .default { return try planner.solveOrder(planner.defaultOrder) }
    return try planner.freeOrder(isExact: true)
  }

  public static let beam = ScheduleMethod("beam", "beam search, then the gap program on its order, then windows") {
    (planner) throws(DiagnosticError) in
    if planner.options.order == .default { return try planner.solveOrder(planner.defaultOrder) }
    return try planner.freeOrder(isExact: false)
  }
}

extension SchedulePlanner {
  /// The best schedule over all orders that the budgets reach.
  ///
  /// - Parameter isExact: Whether the best-first search runs; without it the bound is the covering's or the relaxation's.
  func freeOrder(isExact: Bool) throws(DiagnosticError) -> ScheduleCandidate? {
    var best: ScheduleCandidate?
    let startOrders = startOrders()
    for order in startOrders where best?.cost != 0 {
      let table = GapTable(index, order: order)
      if let plan = quickPlan(table), table.cost(plan) < best?.cost ?? .max {
        best = ScheduleCandidate(
          order: order, kept: plan, cost: table.cost(plan), lowerBound: 0, isFixedOrder: false, proof: .nothingMoves,
          states: 0)
      }
    }
    if best?.cost == 0 { return best }
    var (bound, proof) = try covering()
    report("covering bound", incumbent: best?.cost, bound: bound, states: 0)
    func isClosed() -> Bool { best.map { $0.cost <= bound } ?? false }
    var states = 0
    do {
      let search = ScheduleSearch(index, boundBudget: options.boundBudget)
      // Without a start there is no schedule, and the beam finds none.
      let start = search.start().map { search.estimates[$0] } ?? 0
      if start > bound { (bound, proof) = (start, .relaxation(bound: start)) }
      // Where little or nothing has to move a few thousand states find it out.
      if isExact, !isClosed() {
        let limit = best?.cost ?? .max
        let (result, better) = exactSearch(
          below: limit, budget: min(2_000, options.stateBudget), states: &states, bound: bound)
        if let better { best = better }
        if result.lowerBound > bound {
          (bound, proof) = (result.lowerBound, searchProof(result, below: limit))
        }
      }
      if !isClosed() {
        let found = search.beam(width: options.beamWidth, below: best?.cost ?? .max)
        states += found.expanded
        if let goal = found.goal { best = candidate(search, goal) }
        report("beam", incumbent: best?.cost, bound: bound, states: states)
      }
    }
    if !isClosed(), let order = best?.order, let better = try solveOrder(order, start: best?.kept),
      better.cost < best?.cost ?? .max
    {
      best = better
    }
    // A short round first: what it closes needs no long one.
    for (annealingPart, statePart) in [(20, 2), (1, 1)] where !isClosed() {
      if let start = best {
        best = try annealed(
          start, from: startOrders, bound: bound, stepBudget: options.annealingBudget / annealingPart,
          seed: UInt64(annealingPart))
        report("annealing", incumbent: best?.cost, bound: bound, states: states)
      }
      if isExact, !isClosed() {
        let limit = best?.cost ?? Int.max
        let (result, better) = exactSearch(
          below: limit, budget: options.stateBudget / statePart, states: &states, bound: bound)
        if let better { best = better }
        if result.lowerBound > bound { (bound, proof) = (result.lowerBound, searchProof(result, below: limit)) }
      }
    }
    // Windows and annealing in turn, as long as they help.
    var seed: UInt64 = 100
    while !isClosed(), let start = best, seed < 400 {
      var improved = windows(start, bound: bound, states: &states)
      if improved.cost > bound {
        if let better = try solveOrder(improved.order, start: improved.kept), better.cost < improved.cost {
          improved = better
        }
        improved = try annealed(
          improved, from: [], bound: bound, stepBudget: options.annealingBudget / 4, seed: seed)
        report("annealing", incumbent: improved.cost, bound: bound, states: states)
      }
      best = improved
      seed += 100
      if improved.cost == start.cost { break }
    }
    guard var result = best else { return nil }
    result.lowerBound = min(bound, result.cost)
    result.isFixedOrder = false
    result.proof = bound == 0 ? .nothingMoves : proof
    result.states = states
    return result
  }

  /// The better of a plan and what annealing finds, with the gap program on top: from the plan's order and from others, then from the best
  /// so far.
  private func annealed(
    _ start: ScheduleCandidate, from others: [[Int]], bound: Int, stepBudget: Int, seed: UInt64
  ) throws(DiagnosticError) -> ScheduleCandidate {
    var best = start
    let orders = [start.order] + others.filter { $0 != start.order }
    // Several short runs find more than a long one.
    let runs = 24
    for number in 0..<runs where best.cost > bound {
      var annealing = OrderAnnealing(index, seed: seed + UInt64(number))
      guard
        let found = annealing.improve(
          number < max(2, orders.count) ? orders[number % orders.count] : best.order, stepBudget: stepBudget / runs,
          copyWeight: 1 + number % 2, heat: number % 4 < 3 ? 0.3 : 1, target: bound)
      else { continue }
      let table = GapTable(index, order: found.order)
      if let better = try solveOrder(found.order, start: quickPlan(table)), better.cost < best.cost { best = better }
    }
    return best
  }

  private func searchProof(_ result: ScheduleSearch.Result, below limit: Int) -> ScheduleProof {
    .search(states: result.expanded, limit: limit, boundBudget: options.boundBudget)
  }

  /// Children that states may have on average before a search counts as longer than its states say.
  private static let movesPerState = 24

  private func exactSearch(
    below limit: Int, budget: Int, states: inout Int, bound: Int
  ) -> (result: ScheduleSearch.Result, better: ScheduleCandidate?) {
    let search = ScheduleSearch(index, boundBudget: options.boundBudget)
    let before = states
    let result = search.bestFirst(
      below: limit, budget: budget, moveBudget: saturatingMultiply(budget, Self.movesPerState)
    ) { expanded, reached in
      report("search", incumbent: limit == .max ? nil : limit, bound: max(bound, reached), states: before + expanded)
      return !Cancellation.isAllCancelled
    }
    states += result.expanded
    return (result, result.goal.map { candidate(search, $0) })
  }

  /// Improves an order window by window: the ops of a window in any order, all others as they stand, by the same search; windows overlap.
  func windows(_ start: ScheduleCandidate, bound: Int, states: inout Int) -> ScheduleCandidate {
    var best = start
    for width in [16, 28, 40] where best.cost > bound && !Cancellation.isAllCancelled {
      var isBetter = true
      var rounds = 0
      while isBetter, rounds < 3, best.cost > bound {
        isBetter = false
        rounds += 1
        var first = 0
        while first < best.order.count, best.cost > bound, !Cancellation.isAllCancelled {
          let window = first..<min(first + width, best.order.count)
          let search = ScheduleSearch(
            index.restricted(to: best.order, free: window), boundBudget: options.boundBudget / 8)
          let result = search.bestFirst(below: best.cost, budget: 3_000)
          states += result.expanded
          if let goal = result.goal {
            best = candidate(search, goal)
            isBetter = true
          }
          first += width / 2
        }
        report("windows of \(width)", incumbent: best.cost, bound: bound, states: states)
      }
      if width >= best.order.count { break }
    }
    return best
  }
}
