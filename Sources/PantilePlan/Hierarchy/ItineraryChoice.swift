import PantileProblem
import PantileSolve
import PantileSupport

/// Chooses an itinerary for each buffer so that capacities hold and the sum of costs is least, for one order of ops.
///
/// Dantzig-Wolfe decomposition: the master program picks one of the known itineraries a buffer; its shadow prices of room go into
/// `ItinerarySearch`, which finds better itineraries until there are none. Rows of the master are added where a capacity is violated. For
/// any prices the sum of all cheapest itineraries less the value of all room is a lower bound (Lagrange); prices are rounded to whole
/// numbers first, so that the bound is exact whatever the solver's rounding.
///
/// **Source** Dantzig and Wolfe, "Decomposition principle for linear programs", Operations Research 8(1), 1960.
struct ItineraryChoice {
  struct Column {
    var itinerary: Itinerary
    /// In the objective's unit.
    var cost: Int
  }

  /// A capacity in one slot.
  struct Row: Hashable {
    var memory: Int
    var slot: Int
  }

  let problem: HierarchyProblem
  let searches: [ItinerarySearch]
  /// Room of each memory; less than the memory's when packing needs slack.
  var capacities: [Int]
  private(set) var columns: [[Column]]
  private(set) var rows: [Row] = []
  private var isRow: [Bool]
  /// In the objective's unit; valid for the order, whatever the capacities above have been reduced to.
  private(set) var bound = 0
  private(set) var prices: SlotPrices
  /// Master programs and nodes solved.
  private(set) var states = 0
  /// Every plan's cost is a multiple of this.
  private let unit: Int
  /// Whether the bound is above what any plan can cost.
  private(set) var isInfeasible = false

  init(_ problem: HierarchyProblem, order: [Int]) {
    self.problem = problem
    searches = problem.buffers.indices.map { ItinerarySearch(problem, $0, order: order) }
    capacities = problem.memories.map { ItinerarySearch.room($0.capacity, $0) }
    columns = problem.buffers.map { _ in [] }
    isRow = Array(repeating: false, count: problem.memories.count * problem.slotCount)
    prices = SlotPrices(memories: problem.memories.count, slotCount: problem.slotCount)
    var costs: [HierarchyProblem.Cost] = []
    for buffer in problem.buffers.indices {
      costs += problem.memories.indices.flatMap { memory in
        [problem.cost(of: .read, buffer, in: memory), problem.cost(of: .write, buffer, in: memory)]
      }
      costs += problem.links.compactMap { problem.moveCost(buffer, from: $0.from, to: $0.to) }
    }
    unit = max(1, costs.reduce(0) { greatestCommonDivisor($0, problem.objective.of($1)) })
  }

  /// The prices that prove the bound.
  var proof: [HierarchyPlan.Price] {
    problem.memories.indices.flatMap { memory in
      (0..<problem.slotCount).compactMap { slot in
        prices[memory, slot] == 0 ? nil : .init(memory: memory, slot: slot, value: prices[memory, slot])
      }
    }
  }

  // MARK: Itineraries

  @discardableResult
  mutating func add(_ itinerary: Itinerary, of buffer: Int) -> Int {
    if let known = columns[buffer].firstIndex(where: { $0.itinerary == itinerary }) { return known }
    columns[buffer].append(Column(itinerary: itinerary, cost: searches[buffer].cost(of: itinerary)))
    return columns[buffer].count - 1
  }

  func cost(of plan: [Itinerary]) -> Int {
    plan.indices.reduce(0) { saturatingAdd($0, searches[$1].cost(of: plan[$1])) }
  }

  /// Room taken in each memory and slot: `memory * slotCount + slot`.
  func load(of plan: [Itinerary?]) -> [Int] {
    var load = [Int](repeating: 0, count: isRow.count)
    for (buffer, itinerary) in plan.enumerated() {
      guard let itinerary else { continue }
      for (place, mask) in itinerary.masks.enumerated() where mask != 0 {
        for memory in problem.memories.indices where Int(mask) >> memory & 1 == 1 {
          load[memory * problem.slotCount + itinerary.first + place] += searches[buffer].room[memory]
        }
      }
    }
    return load
  }

  // MARK: Relaxation

  /// Generates itineraries until the relaxation has none that is better, or the count of master programs ends.
  ///
  /// - Parameter target: Stops once the bound reaches this cost.
  mutating func relax(programs: Int, target: Int?) throws(DiagnosticError) {
    var penalty = 4.0 * startingPenalty
    var left = programs
    offerPrices(SlotPrices(memories: problem.memories.count, slotCount: problem.slotCount))
    while left > 0, !isInfeasible, bound < target ?? Int.max {
      left -= 1
      states += 1
      let (model, slacks, picks) = master(columns, penalty: penalty, isInteger: false)
      let solution = try model.solve(.init(relaxed: true))
      guard solution.hasValues else { return }
      var load = [Double](repeating: 0, count: isRow.count)
      for (buffer, own) in picks.enumerated() {
        for (place, variable) in own.enumerated() where solution[variable] > 1e-9 {
          addLoad(columns[buffer][place].itinerary, of: buffer, times: solution[variable], to: &load)
        }
      }
      let hasNewRows = addViolated(load)
      var next = SlotPrices(memories: problem.memories.count, slotCount: problem.slotCount)
      for (place, row) in rows.enumerated() where solution.duals.indices.contains(place + problem.buffers.count) {
        let price = -solution.duals[place + problem.buffers.count] * Double(SlotPrices.scale)
        next[row.memory, row.slot] = Int(max(0, min(price.rounded(), Double(dearestPrice))))
      }
      let hasNewColumns = offerPrices(next)
      if hasNewRows || hasNewColumns { continue }
      guard slacks.contains(where: { solution[$0] > 1e-6 }) else { return }
      // Room is still short: is it dear, or is there none?
      if penalty > 1e9 * startingPenalty { return }
      penalty *= 1000
    }
  }

  /// Itineraries that some prices make attractive, for the integer program to choose among.
  mutating func diversify() {
    let best = prices
    for percent in [40, 80, 120, 160, 250, 400] { offerPrices(best.scaled(percent: percent)) }
  }

  /// A price of room that outweighs most moves.
  var startingPenalty: Double {
    let most = searches.indices.map { Double(searches[$0].dearest) / Double(max(1, problem.buffers[$0].bytes)) }.max()
    return max(1, (most ?? 1) / Double(SlotPrices.scale) / Double(problem.slotCount))
  }

  /// A price above which an itinerary's cost could leave the range of whole numbers; lower ones prove less, and nothing wrong.
  var dearestPrice: Int {
    let most = searches.reduce(1) { max($0, $1.room.max() ?? 0) }
    return (Int.max / 4) / max(1, saturatingMultiply(most, rows.count + 1))
  }

  /// Takes the bound that prices prove, and the itineraries that they make cheapest.
  ///
  /// - Returns: whether one of these is cheaper at the prices than all that were known.
  @discardableResult
  private mutating func offerPrices(_ next: SlotPrices) -> Bool {
    var sum: Int128 = 0
    var isNew = false
    for buffer in searches.indices {
      guard let found = searches[buffer].cheapest(next), found.cost < Int.max else {
        isInfeasible = true
        return false
      }
      sum += Int128(found.cost)
      let known = columns[buffer].map { searches[buffer].cost(of: $0.itinerary, next) }.min() ?? Int.max
      if found.cost < known {
        add(found.itinerary, of: buffer)
        isNew = true
      }
    }
    // The bound is for the whole memories, reduced or not.
    for row in rows {
      let memory = problem.memories[row.memory]
      sum -= Int128(next[row.memory, row.slot]) * Int128(ItinerarySearch.room(memory.capacity, memory))
    }
    let most = searches.reduce(Int128(0)) { $0 + Int128($1.dearest) }
    if sum > most { isInfeasible = true }
    let scale = Int128(SlotPrices.scale) * Int128(unit)
    // Costs are multiples of the unit, so the bound is rounded up to one.
    let steps = sum <= 0 ? 0 : (sum + scale - 1) / scale
    let value = Int(clamping: steps * Int128(unit))
    if value > bound {
      bound = value
      prices = next
    }
    return isNew
  }

  private func addLoad(_ itinerary: Itinerary, of buffer: Int, times share: Double, to load: inout [Double]) {
    for (place, mask) in itinerary.masks.enumerated() where mask != 0 {
      for memory in problem.memories.indices where Int(mask) >> memory & 1 == 1 {
        load[memory * problem.slotCount + itinerary.first + place] += share * Double(searches[buffer].room[memory])
      }
    }
  }

  /// Adds rows for capacities that a point violates: of neighbouring slots the one that is exceeded most.
  private mutating func addViolated(_ load: [Double]) -> Bool {
    var isNew = false
    for memory in problem.memories.indices {
      let capacity = Double(capacities[memory])
      func excess(_ slot: Int) -> Double {
        guard (0..<problem.slotCount).contains(slot) else { return 0 }
        let place = memory * problem.slotCount + slot
        return load[place] - capacity
      }
      for slot in 0..<problem.slotCount where excess(slot) > max(1e-6, capacity * 1e-9) {
        let place = memory * problem.slotCount + slot
        // The first of equal neighbours stands for them; an own row that is violated by rounding is no news.
        if isRow[place] || excess(slot - 1) >= excess(slot) || excess(slot + 1) > excess(slot) { continue }
        isRow[place] = true
        rows.append(Row(memory: memory, slot: slot))
        isNew = true
      }
    }
    return isNew
  }

  // MARK: Programs

  /// One variable for each of these itineraries; rows: one a buffer, then the capacities; slacks where room may be bought at a penalty.
  private func master(
    _ columns: [[Column]], penalty: Double, isInteger: Bool
  ) -> (model: LinearModel, slacks: [LinearModel.Variable], picks: [[LinearModel.Variable]]) {
    var model = LinearModel()
    var picks: [[LinearModel.Variable]] = []
    for (buffer, own) in columns.enumerated() {
      picks.append(
        own.indices.map { place in
          model.addVariable(
            "b\(buffer) i\(place)", upper: isInteger ? 1 : .infinity, isInteger: isInteger,
            objective: Double(own[place].cost))
        })
    }
    for (buffer, own) in picks.enumerated() {
      model.addEquality("buffer \(buffer)", 1, own.map { .init(1, $0) })
    }
    var slacks: [LinearModel.Variable] = []
    for row in rows {
      var terms: [LinearModel.Term] = []
      for (buffer, own) in columns.enumerated() {
        let room = Double(searches[buffer].room[row.memory])
        if room == 0 { continue }
        for (place, column) in own.enumerated() where column.itinerary.mask(at: row.slot) >> row.memory & 1 == 1 {
          terms.append(.init(room, picks[buffer][place]))
        }
      }
      if !isInteger {
        let slack = model.addVariable("short m\(row.memory) s\(row.slot)", objective: penalty)
        slacks.append(slack)
        terms.append(.init(-1, slack))
      }
      model.addRow("m\(row.memory) s\(row.slot)", upper: Double(capacities[row.memory]), terms)
    }
    return (model, slacks, picks)
  }

  /// The best choice among the known itineraries that the solver finds within its nodes; nil when it finds none.
  ///
  /// - Parameter limit: The cost to beat. An itinerary whose cost at the prices exceeds the cheapest of its buffer by more than the limit
  ///   exceeds the bound is in no plan below the limit, and left out.
  mutating func choose(nodes: Int, below limit: Int?) throws(DiagnosticError) -> [Itinerary]? {
    var kept = columns
    if let limit {
      let slack = saturatingMultiply(limit - bound, SlotPrices.scale)
      for buffer in kept.indices {
        let costs = kept[buffer].map { searches[buffer].cost(of: $0.itinerary, prices) }
        let least = costs.min() ?? 0
        kept[buffer] = kept[buffer].indices.filter { costs[$0] - least <= slack }.map { kept[buffer][$0] }
      }
    }
    for _ in 0..<40 {
      let (model, _, picks) = master(kept, penalty: 0, isInteger: true)
      let solution = try model.solve(.init(nodeBudget: nodes, iterationBudget: 100 * nodes, cuts: .cheap))
      states += solution.nodes
      guard solution.hasValues else { return nil }
      var plan: [Itinerary] = []
      for (buffer, own) in picks.enumerated() {
        guard let place = own.firstIndex(where: { solution[$0] > 0.5 }) else { return nil }
        plan.append(kept[buffer][place].itinerary)
      }
      if !addViolated(load(of: plan).map(Double.init)) { return plan }
    }
    return nil
  }
}
