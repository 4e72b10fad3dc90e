import PantileProblem
import PantileSolve
import PantileSupport

/// One run of planning: candidate orders, the decomposition for each, and for small graphs the whole integer program.
struct HierarchyPlanner: Sendable {
  let problem: HierarchyProblem
  let options: HierarchyOptions

  /// A plan of one order.
  struct Candidate {
    var order: [Int]
    var itineraries: [Itinerary]
    var stays: [HierarchyPlan.Stay]
    var moves: [HierarchyPlan.Move]
    var accesses: [HierarchyPlan.Access]
    var cost: HierarchyProblem.Cost
    /// Of the objective.
    var value: Int
    /// For the order.
    var bound: Int
    /// Prices that prove it.
    var prices: [HierarchyPlan.Price] = []
  }

  /// What the decomposition says of one order.
  private enum Answer {
    case found(Candidate)
    case infeasible
    /// With what addresses were missing, when it is that.
    case none(String?)
  }

  var exactBinaries: Int { HierarchyModel.size(problem, isOrderFree: options.order == .free) }
  var isSmall: Bool { exactBinaries <= options.exactSize }

  // MARK: Methods

  func decomposed(thenExact: Bool) throws(DiagnosticError) -> HierarchyOutcome {
    var states = 0
    var best: Candidate?
    var isRefuted = false
    var lack: String?
    let anyBound = boundOfAnyOrder()
    for order in candidateOrders() {
      switch try decompose(order, &states) {
      case .found(let candidate):
        if candidate.value < best?.value ?? Int.max { best = candidate }
      case .infeasible: isRefuted = true
      case .none(let text): lack = lack ?? text
      }
      if let best, best.value == anyBound { break }
    }
    if thenExact, best.map({ $0.value > anyBound && !($0.value == $0.bound && options.order == .default) }) ?? true {
      return try exactly(best, anyBound, states, lack)
    }
    guard let best else {
      if isRefuted, options.order == .default || problem.ops.count < 2 { return .infeasible(Self.tooSmall) }
      return .inconclusive(
        isRefuted
          ? "there is no plan for the orders that were tried; a larger memory helps"
          : notFound(states, lack))
    }
    return .solved(finished(best, anyBound: anyBound, anyName: "each buffer alone", states))
  }

  private func notFound(_ states: Int, _ lack: String?) -> String {
    "no plan was found within \(states) programs and nodes" + (lack.map { " (\($0))" } ?? "")
      + "; a larger memory or --budget helps"
  }

  private static let tooSmall = "the memories cannot hold what lives at once, whatever is moved"

  func greedily() throws(DiagnosticError) -> HierarchyOutcome {
    let order = Array(problem.ops.indices)
    let choice = ItineraryChoice(problem, order: order)
    guard let plan = greedyPlans(choice).first, let candidate = try assemble(order, plan, bound: 0) else {
      return .inconclusive("the greedy rule leaves no room for some buffer; --method auto may find a plan")
    }
    return .solved(finished(candidate, anyBound: boundOfAnyOrder(), anyName: "each buffer alone", 0))
  }

  /// The whole integer program, from the best known plan.
  private func exactly(
    _ known: Candidate?, _ anyBound: Int, _ used: Int, _ lack: String?
  ) throws(DiagnosticError) -> HierarchyOutcome {
    var lack = lack
    let isFree = options.order == .free
    let program = HierarchyModel(problem, order: isFree ? nil : Array(problem.ops.indices))
    let start = known.map {
      program.point(order: $0.order, itineraries: $0.itineraries, moves: $0.moves, accesses: $0.accesses)
    }
    let answer = try program.model.solveCertified(.init(nodeBudget: options.nodeBudget), incumbent: start)
    let states = used + answer.solution.nodes
    var best = known
    var bound = anyBound
    switch answer.solution.status {
    case .infeasible: return .infeasible(Self.tooSmall)
    case .optimal, .feasible, .budgetExhausted, .unbounded:
      if answer.certificate != nil, answer.solution.bound.isFinite {
        bound = max(bound, Int(answer.solution.bound.rounded(.up)))
      }
    }
    if answer.solution.hasValues, answer.solution.objective < Double(known?.value ?? Int.max) {
      let (order, itineraries) = program.plan(at: answer.solution.values)
      // The program leaves copies about that nothing needs, which are in the way of addresses.
      let lean = ItineraryChoice(problem, order: order).improved(itineraries)
      switch try assembled(order, lean, bound: 0) {
      case .found(let found): best = found
      case .short(let memory, let height): lack = self.lack(memory, height)
      }
    }
    guard let best else {
      return .inconclusive(notFound(states, lack))
    }
    if isFree { return .solved(finished(best, anyBound: bound, anyName: "integer program", states)) }
    var plan = finished(best, anyBound: anyBound, anyName: "each buffer alone", states)
    if bound > plan.lowerBound {
      (plan.lowerBound, plan.boundName, plan.boundOrder, plan.prices) = (bound, "integer program", .this, [])
      plan.status = best.value == bound ? .optimal : .feasible(gap: best.value - bound)
    }
    return .solved(plan)
  }

  private func finished(_ best: Candidate, anyBound: Int, anyName: String, _ states: Int) -> HierarchyPlan {
    let isAny = anyBound >= best.bound
    let bound = max(best.bound, anyBound)
    return HierarchyPlan(
      order: best.order, stays: best.stays, moves: best.moves, accesses: best.accesses, cost: best.cost,
      lowerBound: bound, boundName: isAny ? anyName : HierarchyPlan.priceBound, boundOrder: isAny ? .any : .this,
      prices: isAny ? [] : best.prices,
      lowerBoundOfAnyOrder: anyBound, status: best.value == bound ? .optimal : .feasible(gap: best.value - bound),
      method: "", states: states)
  }

  // MARK: Bounds

  /// Each buffer alone in the memories, moves over several of them at once: no order of ops and no neighbours make it cheaper.
  func boundOfAnyOrder() -> Int {
    let prices = SlotPrices(memories: problem.memories.count, slotCount: problem.slotCount)
    var sum = 0
    for buffer in problem.buffers.indices {
      let search = ItinerarySearch(problem, buffer, order: Array(problem.ops.indices), closesMoves: true)
      sum = saturatingAdd(sum, (search.cheapest(prices)?.cost ?? 0) / SlotPrices.scale)
    }
    return sum
  }

  // MARK: One order

  private func decompose(_ order: [Int], _ states: inout Int) throws(DiagnosticError) -> Answer {
    var choice = ItineraryChoice(problem, order: order)
    defer { states += choice.states }
    var best: [Itinerary]?
    func offer(_ plan: [Itinerary]) {
      if choice.cost(of: plan) < best.map({ choice.cost(of: $0) }) ?? Int.max { best = plan }
      for (buffer, itinerary) in plan.enumerated() { choice.add(itinerary, of: buffer) }
    }
    func isOpen() -> Bool { best.map { choice.cost(of: $0) > choice.bound } ?? true }
    for plan in greedyPlans(choice) { offer(plan) }
    try choice.relax(programs: options.programBudget, target: best.map { choice.cost(of: $0) })
    if choice.isInfeasible { return .infeasible }
    if isOpen() { choice.diversify() }
    var lack: String?
    for attempt in 0..<8 {
      // Later attempts differ in a little room, so they get a little work.
      let rounds = attempt == 0 ? options.searchBudget : options.searchBudget / 8
      if isOpen() { for plan in greedyPlans(choice) { offer(plan) } }
      if isOpen(), let plan = best { offer(choice.searched(plan, rounds: rounds, seed: UInt64(attempt))) }
      if isOpen(), best == nil || attempt == 0 {
        let limit = best.map { choice.cost(of: $0) }
        if let chosen = try choice.choose(nodes: options.nodeBudget, below: limit) { offer(choice.improved(chosen)) }
      }
      if isOpen(), let plan = best { offer(choice.searched(plan, rounds: rounds, seed: UInt64(attempt + 8))) }
      guard let plan = best else { break }
      switch try assembled(order, choice.improved(plan), bound: choice.bound) {
      case .found(var candidate):
        candidate.prices = choice.proof
        return .found(candidate)
      case .short(let memory, let height):
        lack = lack ?? self.lack(memory, height)
        // Holes between the buffers of this memory: plan for a little less of it.
        let it = problem.memories[memory]
        let less = max(1, it.capacity / 64, min(it.capacity / 8, (height - it.capacity) / 2))
        choice.capacities[memory] -= ItinerarySearch.room(less, it)
        best = nil
      }
    }
    return .none(lack)
  }

  /// What addresses were missing.
  private func lack(_ memory: Int, _ height: Int) -> String {
    let it = problem.memories[memory]
    return "a plan keeps the capacities, but its addresses in '\(it.name)' take \(height) bytes of \(it.capacity)"
  }

  /// Greedy plans by several sequences of buffers, made better one buffer at a time; the cheapest first.
  private func greedyPlans(_ choice: ItineraryChoice) -> [[Itinerary]] {
    let all = Array(problem.buffers.indices)
    let bytes = problem.buffers.map(\.bytes)
    let sequences = [
      all.sorted { (bytes[$0], -$0) > (bytes[$1], -$1) },
      all.sorted { (bytes[$0], $0) < (bytes[$1], $1) },
      all.sorted { (choice.searches[$0].first, $0) < (choice.searches[$1].first, $1) },
    ]
    let prices = choice.greedyPrices()
    let plans = sequences.flatMap { sequence in prices.compactMap { choice.greedy(sequence, $0) } }
      .map { choice.improved($0) }
    let costs = plans.map { choice.cost(of: $0) }
    return plans.indices.sorted { (costs[$0], $0) < (costs[$1], $1) }.map { plans[$0] }
  }

  private enum Assembled {
    case found(Candidate)
    case short(memory: Int, height: Int)
  }

  private func assemble(_ order: [Int], _ plan: [Itinerary], bound: Int) throws(DiagnosticError) -> Candidate? {
    if case .found(let candidate) = try assembled(order, plan, bound: bound) { return candidate }
    return nil
  }

  private func assembled(_ order: [Int], _ plan: [Itinerary], bound: Int) throws(DiagnosticError) -> Assembled {
    let assembly = HierarchyAssembly(problem: problem, order: order, itineraries: plan)
    switch try assembly.addresses() {
    case .short(let memory, let height): return .short(memory: memory, height: height)
    case .found(let stays):
      let (moves, accesses) = (assembly.moves(), assembly.accesses())
      let cost = assembly.cost(moves, accesses)
      return .found(
        Candidate(
          order: order, itineraries: plan, stays: stays, moves: moves, accesses: accesses, cost: cost,
          value: problem.objective.of(cost), bound: bound))
    }
  }
}
